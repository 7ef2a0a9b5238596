/**
 * Shows the conversations of the demo's shop as an agent's app would, and lets one watch, take over, write, release and
 * follow up. For the demo alone.
 */

import { ask, follow, pathOf, pause } from './agent-api.js';
import { onFollowedUp } from './agent-follow-up.js';
import { renderList } from './agent-list.js';
import { renderOpen, renderTranscript } from './agent-open.js';
import { isSearch, onSearch, query } from './agent-search.js';
import { setText } from './element.js';

const WATCH_MS = 15000;
const LABELS_MS = 30000; // "Last seen … ago" grows older without a change
const SETTLE_MS = 500; // after a change, until what a search finds is asked for anew

const main = document.querySelector('[data-agent-token]');
const open = document.querySelector('.open');
const trouble = document.querySelector('.trouble');
const note = document.querySelector('.note');
const composer = document.querySelector('.composer');
const field = composer?.querySelector('textarea');

const conversations = new Map(); // that are listed
const messages = new Map(); // of the open conversation, by id
let me = null;
let selected = null;
let whole = null; // the open conversation with its customer in full
let heard = false; // the visitor, since the conversation was opened
let noteToRead = null; // the code of the note that a takeover must acknowledge
let searches = 0;
let watchTimer, searchTimer;

function complain(error) {
	trouble.hidden = !error;
	setText(trouble, error ? error.message : '');
}

/** Runs what a click began, and tells what went wrong. */
function attempt(action) {
	return async (...given) => {
		try {
			complain(null);
			await action(...given);
		} catch (error) {
			complain(error);
		}
	};
}

function render() {
	renderList(conversations.values(), selected, attempt(select), isSearch());
	const conversation = whole || conversations.get(selected);
	main.classList.toggle('reading', Boolean(conversation));
	open.hidden = !conversation;
	if (conversation) {
		const { presence, takeover } = conversation;
		// Another note, or a takeover since, must be read anew (T5).
		noteToRead = !takeover && presence.note?.code === noteToRead ? noteToRead : null;
		renderOpen(conversation, { isWhole: Boolean(whole), agent: me.agent, heard, noteToRead });
	}
}

/** A watch is a lease, held only while the conversation is on the screen (D4). */
async function watch() {
	clearTimeout(watchTimer);
	if (selected && document.visibilityState === 'visible') {
		watchTimer = setTimeout(attempt(watch), WATCH_MS);
		await ask('PUT', pathOf(selected, '/watch'));
	}
}

async function leave() {
	clearTimeout(watchTimer);
	heard = false;
	if (selected) {
		await ask('DELETE', pathOf(selected, '/watch'), undefined, { keepalive: true });
	}
}

async function select(id) {
	const leaving = id === selected ? null : leave();
	selected = id;
	whole = id === whole?.id ? whole : null;
	noteToRead = null;
	messages.clear();
	render();
	renderTranscript([]);
	await leaving;
	if (id) {
		await Promise.all([watch(), readWhole(), readMessages(id)]);
	}
}

async function readWhole() {
	if (selected) {
		learn(await ask('GET', pathOf(selected)));
	}
}

async function readMessages(id) {
	const read = await ask('GET', pathOf(id, '/messages?limit=100'));
	if (id === selected) {
		read.messages.forEach((message) => messages.set(message.id, message));
		renderTranscript(messages.values());
	}
}

async function takeOver() {
	try {
		learn(await ask('PUT', pathOf(selected, '/takeover'), noteToRead ? { acknowledge: noteToRead } : {}));
		field.focus();
	} catch (error) {
		if (error.problem?.code !== 'presence-note') {
			throw error;
		}
		noteToRead = error.problem.note.code;
		render();
		note.focus();
	}
}

async function release() {
	const mine = (whole || conversations.get(selected)).takeover?.agent.id === me.agent.id;
	await ask('DELETE', pathOf(selected, '/takeover') + (mine ? '' : '?force=true'));
}

async function followedUp() {
	await ask('POST', pathOf(selected, '/followed-up'));
}

async function send(event) {
	event.preventDefault();
	const text = field.value.trim();
	if (text) {
		field.value = '';
		try {
			await ask('POST', pathOf(selected, '/messages'), { client_id: crypto.randomUUID(), text });
		} catch (error) {
			field.value = text;
			throw error;
		}
	}
}

/** A conversation in its present form, with the customer in full. */
function learn(conversation) {
	const { id, deleted } = conversation;
	if (deleted) {
		conversations.delete(id);
	} else if (conversations.has(id) || !isSearch()) {
		conversations.set(id, conversation);
	}
	if (id === selected && (!whole || whole.rev <= conversation.rev)) {
		whole = deleted ? null : conversation;
	}
	if (isSearch()) {
		clearTimeout(searchTimer);
		searchTimer = setTimeout(attempt(refresh), SETTLE_MS);
	}
	render();
}

async function refresh() {
	const search = ++searches;
	const read = await ask('GET', '/conversations' + query());
	if (search === searches) {
		conversations.clear();
		read.conversations.forEach((conversation) => conversations.set(conversation.id, conversation));
		render();
	}
	return read.rev;
}

async function firstRevision() {
	for (;;) {
		try {
			me = await ask('GET', '/me');
			return await refresh();
		} catch (error) {
			complain(error);
			await pause();
		}
	}
}

async function start() {
	const rev = await firstRevision();
	setInterval(attempt(() => Promise.all([refresh(), readWhole()])), LABELS_MS);
	onSearch(attempt(refresh));
	follow(rev, {
		open() {
			complain(null);
			if (selected) {
				attempt(readMessages)(selected); // may have failed while there was no network
			}
		},
		lost: complain,
		conversation: learn,
		message(message) {
			if (message.conversation === selected) {
				messages.set(message.id, message);
				renderTranscript(messages.values());
			}
		},
		heard({ conversation }) {
			if (conversation === selected && !heard) {
				heard = true;
				render();
			}
		}
	});
}

if (main) {
	open.querySelector('.take').addEventListener('click', attempt(takeOver));
	open.querySelector('.release').addEventListener('click', attempt(release));
	open.querySelector('.back').addEventListener('click', attempt(() => select(null)));
	onFollowedUp(attempt(followedUp));
	composer.addEventListener('submit', attempt(send));
	field.addEventListener('keydown', (event) => {
		if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
			event.preventDefault();
			composer.requestSubmit();
		}
	});
	document.addEventListener('visibilitychange', attempt(() => (document.visibilityState === 'visible' ? watch() : leave())));
	addEventListener('pagehide', attempt(leave));
	attempt(start)();
}

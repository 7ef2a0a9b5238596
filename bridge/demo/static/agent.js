/**
 * Shows the conversations of the demo's shop as an agent's app would, and lets one watch, take over, write and
 * release. For the demo alone.
 */

import { ask, follow, pathOf, pause } from './agent-api.js';
import { element, nameOf, renderList, setText } from './agent-list.js';

const WATCH_MS = 15000;
const LABELS_MS = 30000; // "Last seen … ago" grows older without a change
const DELIVERY = { queued: 'not shown yet', delivered: 'shown' };

const main = document.querySelector('[data-agent-token]');
const open = document.querySelector('.open');
const trouble = document.querySelector('.trouble');
const transcript = document.querySelector('.transcript');
const note = document.querySelector('.note');
const composer = document.querySelector('.composer');
const field = composer?.querySelector('textarea');
const takeButton = document.querySelector('[data-take-over]');
const releaseButton = document.querySelector('[data-release]');

const conversations = new Map();
const messages = new Map(); // of the open conversation, by id
let me = null;
let selected = null;
let heard = false; // the visitor, since the conversation was opened
let noteToRead = null; // the code of the note that a takeover must acknowledge
let watchTimer;

function part(name) {
	return open.querySelector('.' + name);
}

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
	renderList(conversations.values(), selected, attempt(select));
	const conversation = conversations.get(selected);
	main.classList.toggle('reading', Boolean(conversation));
	open.hidden = !conversation;
	if (conversation) {
		renderOpen(conversation);
	}
}

function renderOpen(conversation) {
	const { presence, takeover } = conversation;
	const mine = takeover?.agent.id === me.agent.id;
	open.dataset.state = presence.state;
	setText(open.querySelector('h2'), nameOf(conversation));
	setText(part('label'), presence.label + (presence.hidden ? ' (in another tab)' : ''));
	setText(part('checking'), presence.online && !heard ? 'checking…' : '');
	setText(part('where'), presence.page ? presence.page.title || presence.page.url : '');
	setText(part('owner'), takeover ? (mine ? 'You answer' : takeover.agent.name + ' answers') : 'The bot answers');
	note.hidden = !presence.note;
	setText(note, presence.note ? presence.note.text : '');
	// Another note, or a takeover since, must be read anew (T5).
	noteToRead = !takeover && presence.note?.code === noteToRead ? noteToRead : null;
	setText(takeButton, noteToRead ? 'I have read this: take over' : 'Take over');
	takeButton.hidden = Boolean(takeover);
	releaseButton.hidden = !takeover;
	composer.hidden = !mine;
}

function renderTranscript() {
	const inOrder = Array.from(messages.values()).sort((a, b) => a.at.localeCompare(b.at) || a.rev - b.rev);
	transcript.replaceChildren(...inOrder.map(({ author, agent, at, text, delivery }) => {
		const item = element('li', author);
		const told = [agent ? agent.name : author, new Date(at).toLocaleTimeString()].concat(DELIVERY[delivery] || []);
		item.append(element('span', 'who', told.join(', ')), element('span', 'text', text));
		return item;
	}));
	transcript.scrollTop = transcript.scrollHeight;
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
	noteToRead = null;
	messages.clear();
	render();
	renderTranscript();
	await leaving;
	if (id) {
		await watch();
		await readMessages(id);
	}
}

async function readMessages(id) {
	const read = await ask('GET', pathOf(id, '/messages?limit=100'));
	if (id === selected) {
		read.messages.forEach((message) => messages.set(message.id, message));
		renderTranscript();
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
	const mine = conversations.get(selected).takeover?.agent.id === me.agent.id;
	await ask('DELETE', pathOf(selected, '/takeover') + (mine ? '' : '?force=true'));
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

function learn(conversation) {
	if (conversation.deleted) {
		conversations.delete(conversation.id);
	} else {
		conversations.set(conversation.id, conversation);
	}
	render();
}

async function refresh() {
	const read = await ask('GET', '/conversations?limit=100');
	conversations.clear();
	read.conversations.forEach((conversation) => conversations.set(conversation.id, conversation));
	render();
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
	setInterval(attempt(refresh), LABELS_MS);
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
				renderTranscript();
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
	takeButton.addEventListener('click', attempt(takeOver));
	releaseButton.addEventListener('click', attempt(release));
	document.querySelector('[data-back]').addEventListener('click', attempt(() => select(null)));
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

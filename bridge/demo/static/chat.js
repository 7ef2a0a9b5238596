/**
 * The demo's chat widget. It knows the bridge only by the adapter contract: it tells ChatPresence
 * when a chat begins or is resumed, what the visitor writes, and when the chat is cleared, and shows
 * what ChatPresence brings: the words of agents, and who answers.
 */

import { element } from './element.js';

const GREETING = 'Hello! Ask me about delivery, returns, an order, or anything on the shelf.';
const KEY = 'demo_chat';
// The bot takes a moment, as a reader would; the visitor's message is then on its way first.
const THINKING_MS = 700;

const root = document.querySelector('[data-chat]');
const panel = root.querySelector('.chat-panel');
const bubble = root.querySelector('.chat-bubble');
const log = root.querySelector('.chat-log');
const typing = root.querySelector('.chat-typing');
const form = panel.querySelector('.chat-form');
const field = form.querySelector('textarea');
const emailOffer = panel.querySelector('.chat-email');
const emailForm = emailOffer.querySelector('form');
const emailField = emailForm.querySelector('input');
const clearButton = root.querySelector('[data-chat-clear]');
const confirmation = root.querySelector('.chat-confirm');
const whoAnswers = root.querySelector('[data-chat-answers]');
const botAnswers = whoAnswers.textContent;

/** The chat of this tab: {conversation, open, messages: [{id, author, text, name, answered}]}. */
let chat = load();
let asking = false;
let takenOver = false;

function load() {
	try {
		return JSON.parse(sessionStorage.getItem(KEY)) || empty();
	} catch (error) {
		return empty();
	}
}

function empty() {
	return { conversation: null, open: false, messages: [] };
}

/** Nothing is stored before the chat begins. */
function save() {
	try {
		if (chat.conversation) {
			sessionStorage.setItem(KEY, JSON.stringify(chat));
		} else {
			sessionStorage.removeItem(KEY);
		}
	} catch (error) {
		// Without storage the chat lasts as long as the page.
	}
}

function randomId() {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function show({ author, text, name }) {
	const who = { visitor: 'You: ', bot: 'Bot: ', agent: name }[author] || '';
	const line = element('p', author);
	line.append(element('span', author === 'agent' ? 'chat-name' : 'unseen', who), text);
	log.append(line);
	log.scrollTop = log.scrollHeight;
}

function render() {
	log.replaceChildren();
	show({ author: 'bot', text: GREETING });
	chat.messages.forEach(show);
	showWhatABegunChatOffers();
}

function showWhatABegunChatOffers() {
	clearButton.hidden = emailOffer.hidden = !chat.conversation;
}

function setOpen(open) {
	panel.hidden = !open;
	bubble.setAttribute('aria-expanded', String(open));
	chat.open = open;
	save();
	log.scrollTop = log.scrollHeight;
}

function close() {
	setOpen(false);
	bubble.focus();
}

function add(message) {
	chat.messages.push(message);
	save();
	show(message);
}

function send(text, email) {
	if (!chat.conversation) {
		chat.conversation = 'demo_' + randomId();
		ChatPresence.conversation(chat.conversation);
		showWhatABegunChatOffers();
	}
	const id = randomId();
	ChatPresence.message({ id, text, email });
	add({ id, author: 'visitor', text });
	answer();
}

/** Gets the bot's answers to what has none yet, one after another, also where another page left it so. */
async function answer() {
	const { conversation } = chat;
	const message = chat.messages.find(({ author, answered }) => author === 'visitor' && !answered);
	if (asking || !message) {
		return;
	}
	asking = true;
	typing.textContent = takenOver ? '' : 'The bot is writing…';
	await new Promise((resolve) => setTimeout(resolve, THINKING_MS));
	const reply = await ask(conversation, message);
	asking = false;
	typing.textContent = '';
	// In the meantime it may have been cleared, or answered by another page of this tab.
	const asked = chat.messages.find(({ id }) => id === message.id);
	if (asked && !asked.answered) {
		if (reply === undefined) {
			show({ author: 'trouble', text: 'The bot could not be reached. Your message has been kept.' });
			return;
		}
		asked.answered = true;
		if (reply === null) {
			save(); // a person answers
		} else {
			add({ id: 'bot-' + message.id, author: 'bot', text: reply });
		}
	}
	answer();
}

/** The bot's words; null while a person answers; undefined when the shop cannot be reached. */
async function ask(conversation, { id, text }) {
	try {
		const response = await fetch(root.dataset.chat, {
			method: 'POST',
			headers: { 'Content-Type': 'application/json' },
			body: JSON.stringify({ conversation, message: id, text })
		});
		return response.ok ? (await response.json()).reply : undefined;
	} catch (error) {
		return undefined;
	}
}

/** An agent, or the bridge itself, says something: it is delivered once this returns. */
function hear({ id, author, text, agent }) {
	add({ id, author, text, name: agent ? agent.name : '' });
	if (author === 'agent') {
		setOpen(true);
	}
}

function showTakeover({ active, agent }) {
	takenOver = active;
	whoAnswers.textContent = active ? agent.name + ' answers you.' : botAnswers;
}

function clear() {
	ChatPresence.cleared(chat.conversation);
	chat = empty();
	chat.open = true;
	save();
	render();
	field.focus();
}

function resume() {
	render();
	setOpen(chat.open);
	root.hidden = false;
	if (chat.conversation) {
		ChatPresence.conversation(chat.conversation);
		answer();
	}
}

bubble.addEventListener('click', () => {
	if (panel.hidden) {
		setOpen(true);
		field.focus();
	} else {
		close();
	}
});
root.querySelector('[data-chat-close]').addEventListener('click', close);
panel.addEventListener('keydown', (event) => {
	if (event.key === 'Escape') {
		close();
	}
});
field.addEventListener('keydown', (event) => {
	if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
		event.preventDefault();
		form.requestSubmit();
	}
});
form.addEventListener('submit', (event) => {
	event.preventDefault();
	const text = field.value.trim();
	if (text) {
		field.value = '';
		send(text);
	}
});
emailForm.addEventListener('submit', (event) => {
	event.preventDefault();
	const email = emailField.value.trim();
	emailField.value = '';
	emailOffer.open = false;
	field.focus();
	send('My email is ' + email, email);
});
clearButton.addEventListener('click', () => {
	confirmation.returnValue = '';
	confirmation.showModal();
});
confirmation.addEventListener('close', () => {
	if (confirmation.returnValue === 'clear') {
		clear();
	}
});
// A page from the back/forward cache shows what was said on the pages after it.
addEventListener('pageshow', (event) => {
	if (event.persisted) {
		const { conversation } = chat;
		chat = load();
		if (conversation && !chat.conversation) {
			ChatPresence.cleared(conversation);
		}
		resume();
	}
});
ChatPresence.onMessage(hear);
ChatPresence.onTakeover(showTakeover);
resume();

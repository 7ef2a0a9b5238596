/**
 * The demo's chat widget. It knows the bridge only by the adapter contract: it tells ChatPresence
 * when a chat begins or is resumed, what the visitor writes, and when the chat is cleared, and shows
 * what ChatPresence brings: the words of agents, and who answers.
 */
(function () {
	'use strict';

	const GREETING = 'Hello! Ask me about delivery, returns, an order, or anything on the shelf.';
	const KEY = 'demo_chat';
	// The bot takes a moment, as a reader would; the visitor's message is then on its way first.
	const THINKING_MS = 700;

	const root = document.querySelector('[data-chat]');
	const panel = root.querySelector('.chat-panel');
	const bubble = root.querySelector('.chat-bubble');
	const log = root.querySelector('.chat-log');
	const typing = root.querySelector('.chat-typing');
	const form = panel.querySelector('form');
	const field = form.querySelector('textarea');
	const clearButton = root.querySelector('[data-chat-clear]');
	const confirmation = root.querySelector('.chat-confirm');
	const whoAnswers = root.querySelector('[data-chat-answers]');
	const botAnswers = whoAnswers.textContent;

	/** The chat of this tab: {conversation, open, messages: [{id, author, text, name, unanswered}]}. */
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
		const line = document.createElement('p');
		const who = document.createElement('span');
		who.className = author === 'agent' ? 'chat-name' : 'unseen';
		who.textContent = { visitor: 'You: ', bot: 'Bot: ', agent: name }[author] || '';
		line.className = author;
		line.append(who, text);
		log.append(line);
		log.scrollTop = log.scrollHeight;
	}

	function render() {
		log.replaceChildren();
		show({ author: 'bot', text: GREETING });
		chat.messages.forEach(show);
		clearButton.hidden = !chat.conversation;
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

	function send(text) {
		if (!chat.conversation) {
			chat.conversation = 'demo_' + randomId();
			ChatPresence.conversation(chat.conversation);
			clearButton.hidden = false;
		}
		const id = randomId();
		ChatPresence.message({ id, text });
		add({ id, author: 'visitor', text });
		answer();
	}

	/** Gets the bot's answer to the newest message, also one that another page left unanswered. */
	async function answer() {
		const { conversation } = chat;
		const message = chat.messages[chat.messages.length - 1];
		if (asking || !message || message.author !== 'visitor' || message.unanswered) {
			return;
		}
		asking = true;
		typing.textContent = takenOver ? '' : 'The bot is writing…';
		await new Promise((resolve) => setTimeout(resolve, THINKING_MS));
		const reply = await ask(conversation, message);
		asking = false;
		typing.textContent = '';
		if (conversation !== chat.conversation) {
			return; // cleared in the meantime
		}
		if (reply === undefined) {
			show({ author: 'trouble', text: 'The bot could not be reached. Your message has been kept.' });
		} else if (reply === null) {
			message.unanswered = true; // by the bot: a person answers
			save();
		} else {
			add({ id: 'bot-' + message.id, author: 'bot', text: reply });
		}
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
})();

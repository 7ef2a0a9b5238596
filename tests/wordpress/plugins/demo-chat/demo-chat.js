/* A chat widget in the fewest lines: what it tells ChatPresence is what any widget would. */
(function () {
	'use strict';

	const KEY = 'demo_chat';

	function stored() {
		return JSON.parse(sessionStorage.getItem(KEY)) || { conversation: null, messages: [] };
	}

	function store(chat) {
		sessionStorage.setItem(KEY, JSON.stringify(chat));
	}

	// The widget works without us, too.
	function tell(what, argument) {
		if (window.ChatPresence) {
			window.ChatPresence[what](argument);
		}
	}

	function random() {
		const bytes = crypto.getRandomValues(new Uint8Array(16));
		return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
	}

	function show(author, text) {
		const item = document.createElement('li');
		item.dataset.author = author;
		item.textContent = text;
		document.getElementById('demo-chat-messages').append(item);
	}

	function add(author, text) {
		const chat = stored();
		chat.messages.push({ author, text });
		store(chat);
		show(author, text);
	}

	function conversation() {
		const chat = stored();
		if (!chat.conversation) {
			chat.conversation = 'demo_' + random();
			store(chat);
			tell('conversation', chat.conversation);
		}
		return chat.conversation;
	}

	async function send(event) {
		event.preventDefault();
		const field = document.getElementById('demo-chat-text');
		const text = field.value;
		const id = conversation();
		field.value = '';
		add('visitor', text);
		tell('message', { id: 'm_' + random(), text });
		const body = new URLSearchParams({ action: 'demo_chat', conversation: id, text });
		const answer = await fetch(window.demoChat.ajax, { method: 'POST', body });
		add('bot', (await answer.json()).data.reply);
	}

	function clear() {
		const chat = stored();
		sessionStorage.removeItem(KEY);
		document.getElementById('demo-chat-messages').replaceChildren();
		if (chat.conversation) {
			tell('cleared', chat.conversation);
		}
	}

	const resumed = stored();
	if (resumed.conversation) {
		tell('conversation', resumed.conversation);
	}
	document.addEventListener('DOMContentLoaded', () => {
		resumed.messages.forEach(({ author, text }) => show(author, text));
		document.getElementById('demo-chat-form').addEventListener('submit', send);
		document.getElementById('demo-chat-clear').addEventListener('click', clear);
	});
})();

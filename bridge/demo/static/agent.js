/* Shows the conversations of the demo's shop as the agent's API tells them. For the demo alone. */
(function () {
	'use strict';

	const POLL_MS = 1000;
	const main = document.querySelector('[data-agent-token]');
	if (!main) {
		return;
	}
	const list = main.querySelector('.conversations');
	const nobody = main.querySelector('.nobody');
	const open = main.querySelector('.open');
	const transcript = main.querySelector('.transcript');
	const trouble = document.querySelector('.trouble');
	const headers = { Authorization: 'Bearer ' + main.dataset.agentToken };
	let selected = null;
	let shown = ''; // which conversation at which revision the transcript shows

	async function get(path) {
		const response = await fetch('/v1/conversations' + path, { headers });
		const body = await response.json();
		if (!response.ok) {
			throw new Error(body.title || response.statusText);
		}
		return body;
	}

	function element(tag, className, text) {
		const made = document.createElement(tag);
		made.className = className;
		made.textContent = text;
		return made;
	}

	function nameOf({ visitor }) {
		return visitor.name || visitor.device || 'A visitor';
	}

	/** The list keeps its elements from poll to poll, so that focus stays where it is. */
	function renderList(conversations) {
		const buttons = new Map(Array.from(list.querySelectorAll('button'), (b) => [b.dataset.id, b]));
		const items = conversations.map((conversation) => {
			const { id, presence, last_message: last } = conversation;
			const button = buttons.get(id) || makeButton(id);
			button.setAttribute('aria-current', String(id === selected));
			button.dataset.state = presence.state;
			button.querySelector('.name').textContent = nameOf(conversation);
			button.querySelector('.label').textContent = presence.label;
			button.querySelector('.last').textContent = last ? last.text : '';
			return button.parentElement;
		});
		if (items.some((item, index) => list.children[index] !== item) || list.children.length > items.length) {
			const focused = document.activeElement;
			list.replaceChildren(...items);
			if (list.contains(focused)) {
				focused.focus();
			}
		}
		nobody.hidden = conversations.length > 0;
	}

	function makeButton(id) {
		const item = document.createElement('li');
		const button = document.createElement('button');
		button.type = 'button';
		button.dataset.id = id;
		button.append(element('span', 'name', ''), element('span', 'label', ''), element('span', 'last', ''));
		button.addEventListener('click', () => {
			selected = id;
			refresh();
		});
		item.append(button);
		return button;
	}

	function setText(target, text) {
		if (target.textContent !== text) {
			target.textContent = text;
		}
	}

	async function renderOpen(conversation) {
		const { presence } = conversation;
		open.hidden = false;
		open.dataset.state = presence.state;
		setText(open.querySelector('h2'), nameOf(conversation));
		setText(open.querySelector('.label'), presence.label + (presence.hidden ? ' (in another tab)' : ''));
		setText(open.querySelector('.where'), presence.page ? presence.page.title || presence.page.url : '');
		const note = open.querySelector('.note');
		note.hidden = !presence.note;
		setText(note, presence.note ? presence.note.text : '');
		const wanted = conversation.id + ' ' + conversation.rev;
		if (shown !== wanted) {
			const { messages } = await get('/' + encodeURIComponent(conversation.id) + '/messages?limit=100');
			renderTranscript(messages);
			shown = wanted;
		}
	}

	function renderTranscript(messages) {
		const inOrder = messages.slice().sort((a, b) => a.at.localeCompare(b.at) || a.rev - b.rev);
		transcript.replaceChildren(...inOrder.map((message) => {
			const item = element('li', message.author, '');
			const at = new Date(message.at).toLocaleTimeString();
			item.append(element('span', 'who', message.author + ', ' + at), element('span', 'text', message.text));
			return item;
		}));
		transcript.scrollTop = transcript.scrollHeight;
	}

	async function refresh() {
		try {
			const { conversations } = await get('');
			if (!selected && conversations.length) {
				selected = conversations[0].id;
			}
			renderList(conversations);
			const current = conversations.find(({ id }) => id === selected);
			if (current) {
				await renderOpen(current);
			}
			trouble.hidden = true;
		} catch (error) {
			trouble.hidden = false;
			setText(trouble, 'The bridge does not answer as it should: ' + error.message);
		}
	}

	async function poll() {
		if (document.visibilityState === 'visible') {
			await refresh();
		}
		setTimeout(poll, POLL_MS);
	}

	document.addEventListener('visibilitychange', refresh);
	poll();
})();

/* The stand-in's widget: the least that keeps the contract of WPiko Chatbot's script. */
(function () {
	'use strict';

	const settings = window.wpikoChatbot;
	const THREAD = 'wpiko_chatbot_thread_id';
	const TRANSCRIPT = 'wpiko_chatbot_transcript';
	const SETTINGS = 'wpiko_chatbot_settings';
	const CHECK_MS = 5000;
	const TAKEN_OVER_MS = 3000;
	const LINK_MS = 1500;

	let lastMessage = 0;
	let takenOver = false;
	let linkFollowed = 0;
	let list;

	function thread() {
		return sessionStorage.getItem(THREAD);
	}

	function transcript() {
		return JSON.parse(sessionStorage.getItem(TRANSCRIPT)) || [];
	}

	// Whoever listens is told only if there is something to hear.
	function announce(name, detail) {
		if (settings.sound_enabled) {
			document.dispatchEvent(new CustomEvent('wpiko-chatbot-' + name, { detail }));
		}
	}

	async function ajax(action, fields) {
		const body = new URLSearchParams({ action: 'wpiko_chatbot_' + action, security: settings.nonce, ...fields });
		const response = await fetch(settings.ajax_url, { method: 'POST', body });
		return response.json();
	}

	function beacon(status) {
		const fields = { action: 'wpiko_chatbot_user_heartbeat', security: settings.nonce, thread_id: thread(), status };
		navigator.sendBeacon(settings.ajax_url, new URLSearchParams(fields));
	}

	function draw({ type, content, errorType, meta }) {
		const line = document.createElement('div');
		line.className = 'message ' + type;
		line.dataset.type = type;
		line.dataset.event = meta.eventType || errorType || '';
		if (type === 'admin') {
			const label = document.createElement('strong');
			label.textContent = meta.label;
			line.append(label);
			if (meta.avatarUrl) {
				const picture = document.createElement('img');
				picture.src = meta.avatarUrl;
				picture.alt = '';
				line.append(picture);
			}
		}
		const text = document.createElement('span');
		text.className = 'content';
		text.textContent = content;
		line.append(text);
		list.append(line);
	}

	window.wpikoChatbotAppendMessage = function (type, content, errorType, skipStoring, suppressSound, meta) {
		const message = { type, content, errorType: errorType || null, meta: meta || {} };
		draw(message);
		if (!skipStoring) {
			sessionStorage.setItem(TRANSCRIPT, JSON.stringify(transcript().concat(message)));
		}
		if (!suppressSound && type !== 'user') {
			announce(type === 'error' ? 'error' : 'message-received', { message: content });
		}
	};

	async function send() {
		const field = document.getElementById('chatbot-input');
		const message = field.value;
		field.value = '';
		window.wpikoChatbotAppendMessage('user', message);
		const answer = await ajax('send_message', { message, thread_id: thread() || '' });
		const { data } = answer;
		if (data.thread_id) {
			sessionStorage.setItem(THREAD, data.thread_id);
			sessionStorage.setItem(SETTINGS, settings.settings_version);
		}
		if (!answer.success) {
			window.wpikoChatbotAppendMessage('error', data.message, data.error_type);
			return;
		}
		takenOver = data.human_takeover;
		if (data.response !== null) {
			window.wpikoChatbotAppendMessage('bot', data.response);
		}
		if (typeof window.wpikoChatbotHandleTakeoverResponse === 'function') {
			window.wpikoChatbotHandleTakeoverResponse(data);
		}
	}

	function clear() {
		if (!confirm('Clear this chat?')) {
			return;
		}
		if (settings.heartbeat_enabled && thread()) {
			beacon('chat_cleared');
		}
		sessionStorage.removeItem(THREAD);
		sessionStorage.removeItem(TRANSCRIPT);
		list.replaceChildren();
		announce('clear');
	}

	async function check() {
		if (thread()) {
			const { success, data } = await ajax('check_new_messages', {
				thread_id: thread(),
				last_message_id: lastMessage,
				heartbeat: 1
			});
			if (success) {
				takenOver = data.human_takeover;
				data.messages.forEach(({ id, message }) => {
					lastMessage = Math.max(lastMessage, +id);
					window.wpikoChatbotAppendMessage('admin', message, null, false, false, { label: 'Support' });
				});
			}
		}
		setTimeout(check, takenOver ? TAKEN_OVER_MS : CHECK_MS);
	}

	// A change of certain settings drops every visitor's thread.
	function dropOutdatedThread() {
		const known = sessionStorage.getItem(SETTINGS);
		if (known && known !== settings.settings_version) {
			sessionStorage.removeItem(THREAD);
			sessionStorage.removeItem(TRANSCRIPT);
		}
	}

	function start() {
		list = document.getElementById('chatbot-messages');
		dropOutdatedThread();
		transcript().forEach(draw);
		document.getElementById('chatbot-send').addEventListener('click', send);
		document.getElementById('chatbot-input').addEventListener('keydown', (event) => {
			if (event.key === 'Enter') {
				send();
			}
		});
		document.getElementById('clear-chat').addEventListener('click', clear);
		if (!settings.pro_takeover_frontend) {
			check();
		}
		if (settings.heartbeat_enabled) {
			if (thread()) {
				ajax('user_heartbeat', { thread_id: thread(), status: 'online' });
			}
			document.addEventListener('click', ({ target }) => {
				if (target.closest('a[href^="/"]')) {
					linkFollowed = Date.now();
				}
			});
			addEventListener('beforeunload', () => {
				if (thread() && Date.now() - linkFollowed > LINK_MS) {
					beacon('page_left');
				}
			});
		}
	}

	if (document.readyState === 'loading') {
		document.addEventListener('DOMContentLoaded', start);
	} else {
		start();
	}
})();

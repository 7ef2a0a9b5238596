/* Joins WPiko Chatbot (free) to ChatPresence: everything in the browser that knows that widget. */
(function () {
	'use strict';

	const presence = window.ChatPresence;
	if (!presence) {
		return;
	}

	const THREAD = 'wpiko_chatbot_thread_id'; // the widget's: the thread of this tab
	const TOLD = 'cpb_wpiko_thread'; // ours: the thread that we spoke of, on any page of this tab
	const ANNOUNCED = 'cpb_wpiko_takeover'; // ours: whose takeover of which thread the visitor was told of
	const CLEAR_LOOK_MS = 200;
	const CLEAR_LOOKS = 300;

	// The shop may bring its own words.
	const texts = window.ChatPresenceWPiko || {
		joined: '%s has joined the chat.',
		left: '%s has left the chat. The assistant answers again.'
	};

	function read(key) {
		return sessionStorage.getItem(key);
	}

	function isThread(id) {
		return typeof id === 'string' && !['', 'null', 'undefined'].includes(id);
	}

	// The widget drops its thread when it is cleared, and silently when certain settings have changed.
	function look() {
		const thread = isThread(read(THREAD)) ? read(THREAD) : null;
		const told = read(TOLD);
		if (told && told !== thread) {
			sessionStorage.removeItem(TOLD);
			presence.cleared(told);
		}
		if (thread) {
			sessionStorage.setItem(TOLD, thread);
			presence.conversation(thread);
		}
		return told !== thread;
	}

	// Between the click and the clear there is a question to the visitor, which takes its time.
	function lookForClear(looks) {
		if (!look() && looks > 0) {
			setTimeout(guarded(lookForClear), CLEAR_LOOK_MS, looks - 1);
		}
	}

	// What the system says is left out: takeovers are announced below, and the rest the widget showed itself.
	function show({ author, text, agent }) {
		if (author === 'agent') {
			append('admin', text, { label: agent.name, avatarUrl: agent.avatar_url || '' });
		}
	}

	// Each page of this tab is told how it stands; the visitor reads of each change once.
	function announce({ active, agent }) {
		const thread = read(THREAD);
		const before = JSON.parse(read(ANNOUNCED));
		const isSame = before && before.thread === thread;
		if (isSame && !(active && agent.id === before.id)) {
			append('system', texts.left.replace('%s', () => before.name), { eventType: 'release_notice' });
			sessionStorage.removeItem(ANNOUNCED);
		}
		if (thread && active && !(isSame && agent.id === before.id)) {
			append('system', texts.joined.replace('%s', () => agent.name), { eventType: 'takeover_notice' });
			sessionStorage.setItem(ANNOUNCED, JSON.stringify({ thread, id: agent.id, name: agent.name }));
		}
	}

	// Fails while the widget is not there yet; the message is then shown later.
	function append(type, text, meta) {
		window.wpikoChatbotAppendMessage(type, text, null, false, false, meta);
	}

	function guarded(fn) {
		return (...given) => {
			try {
				return fn(...given);
			} catch (error) {
				// The chat goes on as if we were not there.
			}
		};
	}

	// Called by the widget after each message that it sent. It may keep the thread only afterwards.
	const next = window.wpikoChatbotHandleTakeoverResponse;
	const learn = guarded((data) => {
		if (isThread(data.thread_id)) {
			presence.conversation(data.thread_id);
		}
		setTimeout(guarded(look), 0);
	});
	window.wpikoChatbotHandleTakeoverResponse = function (data, ...more) {
		learn(data);
		return typeof next === 'function' ? next.call(this, data, ...more) : undefined;
	};

	document.addEventListener('click', guarded(({ target }) => {
		if (target.closest && target.closest('#clear-chat')) {
			setTimeout(guarded(lookForClear), 0, CLEAR_LOOKS);
		}
	}), true);
	addEventListener('pageshow', guarded(look));
	presence.onTakeover(guarded(announce));
	presence.onMessage(show);
	guarded(look)();
})();

/* What the bridge tells a page that has a chat: agents' messages, takeovers, and when to send heartbeats. */
window.ChatPresenceLive = function (chat) {
	'use strict';

	const STREAMING_TABS = 4; // a browser opens six connections to a host
	const FIRST_BYTE = 10; // seconds; a proxy that takes longer holds the answer back
	const SILENCE = 40; // seconds; the bridge says something every 15
	const PLANNED = 230; // seconds; the bridge ends each stream by itself after 240 or more
	const SPREAD = 10; // seconds; in which the pages come back that lost their streams at one time
	const NOBODY = { active: false, agent: null };

	let following = null; // whatever began before the present one has ended
	let connection = null;
	let blocked = 0; // streams in vain
	let blockedUntil = 0;
	let refusals = 0;
	let shown = 0; // revision of the last message that was shown in this tab
	let reached = 0; // revision up to which the last sync told everything
	let waiting = []; // to be shown
	let showing = null;
	let endPause = null;
	let pauseTimer, silenceTimer;

	function begin() {
		leave();
		shown = reached = 0;
		waiting = [];
		// As another page of this tab left it: a change in between is then told as one.
		setTakeover(chat.stored(key('takeover')) || NOBODY);
	}

	function leave() {
		following = chat.transport = null;
		clearTimeout(pauseTimer);
		clearTimeout(silenceTimer);
		if (connection) {
			connection.abort();
		}
	}

	function key(what) {
		return 'cpb_' + what + '_' + chat.conversation;
	}

	// Other pages of this tab may have shown some.
	function recall() {
		shown = Math.max(shown, chat.stored(key('shown')) || 0);
		waiting = waiting.filter(({ rev }) => rev > shown);
	}

	function setTakeover(takeover) {
		if (JSON.stringify(takeover) !== JSON.stringify(chat.takeover)) {
			chat.takeover = takeover;
			if (chat.conversation) {
				chat.stored(key('takeover'), takeover);
			}
			chat.listeners.takeover.forEach((tell) => tell(takeover));
		}
	}

	function confirm({ id, delivery }) {
		if (delivery === 'queued') {
			chat.add('message_delivered', { message: { id } });
		}
	}

	function receive(message) {
		if (message.rev <= shown) {
			confirm(message);
		} else if (!waiting.some(({ rev }) => rev === message.rev)) {
			waiting.push(message);
			waiting.sort((one, other) => one.rev - other.rev);
			show();
		}
	}

	// One message at a time, and the next only when every listener has shown this one.
	async function show() {
		const [message] = waiting;
		const listeners = chat.listeners.message.slice();
		if (!message || showing === message || !listeners.length) {
			return;
		}
		showing = message;
		for (const listener of listeners) {
			for (let tries = 0; message === waiting[0] && !(await isShown(listener, message)); tries++) {
				await new Promise((resolve) => chat.after(chat.backoff(tries), resolve));
			}
		}
		if (message === waiting[0]) {
			waiting.shift();
			shown = message.rev;
			chat.stored(key('shown'), shown);
			confirm(message);
			show();
		}
	}

	async function isShown(listener, message) {
		try {
			await listener(message);
			return true;
		} catch (error) {
			chat.error = 'onMessage: ' + error;
			return false;
		}
	}

	const said = {
		ready(told) {
			chat.transport = 'stream';
			blocked = 0;
			if (told.live === false) {
				// As after a night's sleep: only what is said here brings the page back.
				leave();
				chat.view();
				return;
			}
			setTakeover(told.takeover);
			said.demand(told);
		},

		demand({ heartbeat_seconds: seconds }) {
			setPace(seconds);
			if (seconds) {
				chat.beat();
			}
		},

		takeover: setTakeover,
		message: receive,
		cleared: chat.part
	};

	// A timer that runs goes on: answers may come more often than heartbeats are due.
	function setPace(seconds) {
		if (seconds !== chat.pace) {
			chat.setPace(seconds);
		}
	}

	function query() {
		const after = Math.max(shown, reached);
		return '?' + new URLSearchParams({
			conversation: chat.conversation,
			page: chat.page,
			...(after && { after })
		});
	}

	// Never in the address, which ends up in logs.
	function credential() {
		return { Authorization: 'Bearer ' + chat.session.token };
	}

	async function sync(mine) {
		const answer = await chat.exchange('sync', { headers: credential() }, query());
		if (mine === following) {
			chat.transport = chat.route === 'store' ? 'store' : 'sync';
			setPace(answer.heartbeat_seconds);
			setTakeover(answer.takeover);
			answer.messages.forEach(receive);
			// Where there are messages, there may be more than one answer holds.
			reached = answer.messages.length ? reached : answer.rev;
			if (answer.state === 'chat_cleared') {
				chat.part();
			}
		}
		return answer.next_sync_seconds || 60;
	}

	function allowSilence(seconds) {
		clearTimeout(silenceTimer);
		silenceTimer = chat.after(seconds, () => {
			// A background tab may be held up itself.
			chat.isHidden() ? allowSilence(seconds) : connection.abort();
		});
	}

	async function* eventsOf(body) {
		const reader = body.getReader();
		const decoder = new TextDecoder();
		let text = '';
		let chunk;
		while (!(chunk = await reader.read()).done) {
			allowSilence(SILENCE);
			const blocks = (text + decoder.decode(chunk.value, { stream: true })).split('\n\n');
			text = blocks.pop();
			for (const block of blocks) {
				const { event, data } = Object.fromEntries(block.split('\n').map((line) => line.split(/: ?(.*)/s)));
				if (event) {
					yield [event, JSON.parse(data)];
				}
			}
		}
	}

	/** Resolves, when an open stream has ended, to the seconds to wait; rejects where none could be opened. */
	async function stream(mine) {
		const since = Date.now();
		let failure = null;
		connection = new AbortController();
		allowSilence(FIRST_BYTE);
		try {
			const { signal } = connection;
			const response = chat.check(await fetch(chat.bridgeUrl('stream') + query(), { headers: credential(), signal }));
			for await (const [type, told] of eventsOf(response.body)) {
				if (mine === following && said[type]) {
					said[type](told);
				}
			}
		} catch (error) {
			failure = error;
		}
		if (mine !== following) {
			return 0;
		}
		clearTimeout(silenceTimer);
		if (chat.transport !== 'stream') {
			throw failure || new Error('not a stream');
		}
		chat.transport = null;
		return !failure && Date.now() - since > PLANNED * 1000 ? 0 : SPREAD * Math.random();
	}

	/** Runs `work` if a slot is free, and resolves to what it does; else to null. */
	async function inSlot(work) {
		let outcome = navigator.locks ? null : await work();
		for (let slot = 0; outcome === null && slot < STREAMING_TABS; slot++) {
			outcome = await navigator.locks.request('cpb-stream-' + slot, { ifAvailable: true }, (lock) => lock && work());
		}
		return outcome;
	}

	/** Streams where possible, else syncs once. Resolves to the seconds after which to come again. */
	async function connect(mine) {
		if (!chat.session) {
			return 1; // events are about to get a new one
		}
		if (blockedUntil < Date.now() && chat.bridgeUrl('stream')) {
			try {
				const wait = await inSlot(() => mine === following && stream(mine));
				if (wait !== null) {
					return wait;
				}
			} catch (error) {
				if (mine !== following || error.status && error.status !== 429) {
					throw error;
				}
				blockedUntil = Date.now() + 1000 * (error.wait || 10 * chat.backoff(blocked++));
			}
		}
		return mine === following && sync(mine);
	}

	/** Follows the conversation until `leave`. `isSeen`: the visitor looks (again), so nothing shall wait. */
	async function follow(isSeen) {
		if (following) {
			if (isSeen && chat.transport && endPause) {
				endPause();
			}
			return;
		}
		const mine = following = {};
		recall();
		while (mine === following) {
			let wait, status;
			try {
				wait = await connect(mine);
				refusals = 0;
			} catch (error) {
				if (mine !== following) {
					return;
				}
				({ status } = error);
				wait = error.wait || chat.backoff(refusals++);
				chat.error = error.message;
			}
			if (mine === following) {
				await new Promise((resolve) => {
					endPause = resolve;
					pauseTimer = chat.after(wait, resolve);
				});
				if ([401, 403, 404].includes(status)) {
					renew(status);
				}
			}
		}
	}

	// A page view makes the conversation known and ours; its answer brings us back.
	function renew(status) {
		following = null;
		if (status === 401) {
			chat.session = null;
		}
		chat.view();
	}

	return { begin, leave, follow, show };
};

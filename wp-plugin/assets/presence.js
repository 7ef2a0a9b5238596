/* Tells the bridge whether a chat's visitor is still here. Sends and stores nothing before a chat. */
(function () {
	'use strict';

	const config = window.ChatPresenceConfig;
	const api = window.ChatPresence;
	if (!config || !api.calls) {
		return;
	}

	// Shared with live.js, which is fetched when a chat begins.
	const chat = {
		page: random(),
		conversation: null,
		known: false, // the bridge has answered for this conversation and page
		pace: 0, // seconds between heartbeats, 0: none
		session: null,
		route: null,
		transport: null, // stream, sync, store
		takeover: { active: false, agent: null },
		listeners: { message: [], takeover: [] },
		error: null
	};
	let live = null;
	let script = null;
	let parted = null; // cleared by another tab
	let seq = 0;
	let queue = []; // not yet answered
	let storeUntil = stored('cpb_route') || 0;
	let stays = 0; // counts pagehides
	let busy = false; // sending, waiting, or away
	let failures = 0;
	let beatTimer, retryTimer;

	function random() {
		return Array.from(crypto.getRandomValues(new Uint32Array(4)), (bits) => bits.toString(36)).join('-');
	}

	// Where storage is forbidden, memory has to do.
	function stored(key, value) {
		try {
			if (value) {
				sessionStorage.setItem(key, JSON.stringify(value));
			}
			return JSON.parse(sessionStorage.getItem(key));
		} catch (error) {
			return null;
		}
	}

	// The bridge refuses NUL and lone surrogates.
	function clean(text, limit) {
		return Array.from(String(text).replace(/[\0\ud800-\udfff]/gu, '\ufffd')).slice(0, limit).join('');
	}

	function isHidden() {
		return document.visibilityState === 'hidden';
	}

	function after(seconds, action) {
		return setTimeout(action, 1000 * seconds);
	}

	function backoff(count) {
		return Math.min(30, 2 ** count) * (0.5 + Math.random() / 2);
	}

	// Must arrive, be the page gone or not.
	function isDurable({ type }) {
		return /^(message|chat_cleared)/.test(type);
	}

	function keep(events) {
		queue = events.slice(-50);
		stored('cpb_queue', queue.filter(isDurable));
	}

	function add(type, fields) {
		const { conversation, page } = chat;
		keep(queue.concat({ id: random(), type, conversation, page, seq: ++seq, ...fields }));
		pump();
	}

	function supersede(id) {
		queue = queue.filter((event) => event.conversation !== id || isDurable(event));
	}

	function view() {
		chat.known = false;
		supersede(chat.conversation);
		add('page_view', {
			url: location.origin + location.pathname,
			title: clean(document.title, 300)
		});
		if (isHidden()) {
			add('page_hidden');
		}
	}

	function beat() {
		if (!queue.some(({ type }) => type === 'heartbeat')) {
			add('heartbeat');
		}
	}

	function setPace(seconds) {
		chat.pace = seconds;
		clearTimeout(beatTimer);
		if (seconds) {
			beatTimer = after(isHidden() ? Math.max(seconds, 60) : seconds, beat);
		}
	}

	function enter(id) {
		chat.conversation = id;
		chat.known = false;
		parted = null;
		setPace(0);
		if (live) {
			live.begin();
		}
	}

	// The bridge says that it was cleared: nothing is said of it any more.
	function part() {
		const id = chat.conversation;
		supersede(id);
		enter(null);
		parted = id;
	}

	function fetchLive() {
		if (!script && config.live) {
			script = document.createElement('script');
			script.src = config.live;
			script.onload = guarded(() => {
				live = window.ChatPresenceLive(chat);
				live.begin();
				follow();
			});
			script.onerror = () => {
				script = null;
			};
			document.head.append(script);
		}
	}

	function follow(isSeen) {
		if (chat.known) {
			live ? live.follow(isSeen) : fetchLive();
		}
	}

	function check(response) {
		const { status } = response;
		if (status !== 200) {
			throw { message: 'HTTP ' + status, status, wait: +response.headers.get('Retry-After') };
		}
		return response;
	}

	async function ask(url, options, seconds) {
		const stay = stays;
		try {
			const signal = AbortSignal.timeout && AbortSignal.timeout(seconds * 1000);
			return await check(await fetch(url, { ...options, signal })).json();
		} finally {
			if (stay !== stays) {
				await new Promise(() => {}); // pageshow began anew
			}
		}
	}

	function bodyOf(events) {
		return JSON.stringify({ token: chat.session.token, events });
	}

	function bridgeUrl(what) {
		return storeUntil < Date.now() && config.bridge + '/v1/visitor/' + what;
	}

	// Straight to the bridge, or through the store.
	async function exchange(what, options, query = '') {
		const direct = bridgeUrl(what);
		if (direct) {
			try {
				const answer = await ask(direct + query, options, 5);
				chat.route = 'bridge';
				return answer;
			} catch (error) {
				if (error.status) {
					throw error;
				}
			}
		}
		const url = config[what];
		const answer = await ask(url + (url.includes('?') ? query.replace('?', '&') : query), options, 15);
		chat.route = 'store';
		if (direct) {
			stored('cpb_route', storeUntil = Date.now() + 300000);
		}
		return answer;
	}

	// A beacon holds 64 KiB.
	function nextBatch() {
		let size = 0;
		return queue.filter((event, index) => {
			size += new Blob([JSON.stringify(event)]).size;
			return !index || size < 60000;
		});
	}

	function learn({ results, conversations }) {
		const rejected = results.find((result) => result.status === 'rejected');
		chat.error = rejected ? rejected.code : null;
		const told = conversations[chat.conversation];
		const isSeen = told && !chat.known;
		chat.known = chat.known || !!told;
		setPace(told ? told.heartbeat_seconds : chat.pace);
		follow(isSeen);
	}

	async function deliver() {
		// Kept for an hour even by a wrong clock: 401 ends it.
		const stale = !chat.session || chat.session.renew_at < Date.now();
		if (stale) {
			const session = await ask(config.session, { method: 'POST' }, 15);
			session.renew_at = Math.max(Date.now() + 3600000, Date.parse(session.expires_at) - 300000);
			stored('cpb_session', chat.session = session);
		}
		const batch = nextBatch();
		try {
			learn(await exchange('events', { method: 'POST', body: bodyOf(batch), keepalive: true }));
		} catch (error) {
			if (error.status === 401) {
				chat.session = null;
				error.wait = stale ? 300 : backoff(0);
			}
			if (![400, 413, 422].includes(error.status)) {
				throw error; // those would come again
			}
			chat.error = error.message;
		}
		keep(queue.filter((event) => !batch.some((sent) => sent.id === event.id)));
	}

	async function pump() {
		if (busy || !queue.length) {
			return;
		}
		busy = true;
		try {
			await null; // for what is said in one go
			await deliver();
			failures = 0;
			resume();
		} catch (error) {
			chat.error = error.message;
			retryTimer = after(error.wait || (error.status < 500 ? 300 : backoff(failures++)), resume);
		}
	}

	function resume() {
		clearTimeout(retryTimer);
		busy = false;
		pump();
	}

	// Other pages of this tab may have left some.
	function load() {
		const others = stored('cpb_queue') || [];
		chat.session = stored('cpb_session') || chat.session;
		queue = others.filter((event) => !queue.some((own) => own.id === event.id)).concat(queue);
	}

	const handlers = {
		visibilitychange() {
			if (chat.conversation) {
				isHidden() ? add('page_hidden') : view();
			}
		},

		// Chromium fires visibilitychange after this; nothing is sent until pageshow.
		pagehide() {
			clearTimeout(retryTimer);
			chat.known = false;
			if (live) {
				live.leave();
			}
			busy = true;
			stays++;
			if (chat.conversation) {
				add('page_unload');
			}
			if (chat.session && queue.length) {
				navigator.sendBeacon(bridgeUrl('events') || config.events, bodyOf(nextBatch()));
			}
		},

		pageshow(event) {
			if (event.persisted) {
				load();
				resume();
				if (chat.conversation) {
					view();
				}
			}
		},

		online() {
			resume();
			if (live) {
				live.leave();
			}
			follow();
		}
	};

	const methods = {
		/** A chat exists or was resumed. */
		conversation(id) {
			if (id && String(id) !== chat.conversation) {
				if (chat.conversation) {
					add('page_unload');
				}
				enter(String(id));
				view();
				fetchLive();
			}
		},

		/** The visitor cleared this chat, or the present one. */
		cleared(id) {
			id = String(id || chat.conversation || '');
			if (id) {
				supersede(id);
				add('chat_cleared', { conversation: id });
			}
			if (id === chat.conversation) {
				enter(null);
			}
		},

		/** The visitor wrote this, unseen by PHP; and, where the widget asks, gave a name or an email. */
		message({ id, text, name, email }) {
			if (text) {
				methods.conversation(chat.conversation || parted);
			}
			if (chat.conversation && text) {
				id = String(id || random());
				add('message', { message: { id, author: 'visitor', text: clean(text, 16000), name: name && clean(name, 200), email: email && clean(email, 320) } });
			}
		},

		/** show(message): an agent or the system says something. It was shown once this returns or resolves. */
		onMessage(show) {
			if (typeof show === 'function') {
				chat.listeners.message.push(show);
				if (live) {
					live.show();
				}
			}
		},

		/** show({active, agent}): a person takes over, or leaves. */
		onTakeover(show) {
			show = guarded(show);
			chat.listeners.takeover.push(show);
			if (chat.takeover.active) {
				show(chat.takeover);
			}
		},

		/** For debugging; never the token. */
		state() {
			return {
				conversation: chat.conversation,
				page: chat.page,
				seq,
				route: chat.route,
				transport: chat.transport,
				hidden: isHidden(),
				heartbeat_seconds: chat.pace,
				visitor: chat.session && chat.session.visitor,
				queued: queue.length,
				last_error: chat.error
			};
		}
	};

	// No error of ours reaches the shop.
	function guarded(fn) {
		return (argument) => {
			try {
				return fn(argument);
			} catch (error) {
				chat.error = error.message;
			}
		};
	}

	function start() {
		const calls = api.calls;
		delete api.calls;
		load();
		for (const name in handlers) {
			addEventListener(name, guarded(handlers[name]), true);
		}
		for (const name in methods) {
			api[name] = guarded(methods[name]);
		}
		calls.forEach(([name, argument]) => api[name](argument));
		pump();
	}

	Object.assign(chat, { add, after, backoff, beat, bridgeUrl, check, exchange, isHidden, part, setPace, stored, view });

	// Nobody sees a prerendered page yet.
	if (document.prerendering) {
		document.addEventListener('prerenderingchange', start, { once: true });
	} else {
		start();
	}
})();

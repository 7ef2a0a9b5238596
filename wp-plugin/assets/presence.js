/* Tells the bridge whether a chat's visitor is still here. Sends and stores nothing before a chat. */
(function () {
	'use strict';

	const config = window.ChatPresenceConfig;
	const api = window.ChatPresence;
	if (!config || !api.calls) {
		return;
	}

	const page = random();
	const listeners = { message: [], takeover: [] };
	let conversation = null;
	let seq = 0;
	let pace = 0; // seconds between heartbeats, 0: none
	let queue = []; // not yet answered
	let session = null;
	let route = null;
	let storeUntil = stored('cpb_route') || 0;
	let stays = 0; // counts pagehides
	let busy = false; // sending, waiting, or away
	let failures = 0;
	let lastError = null;
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

	// Must arrive, be the page gone or not.
	function isDurable(event) {
		return event.type === 'message' || event.type === 'chat_cleared';
	}

	function keep(events) {
		queue = events.slice(-50);
		stored('cpb_queue', queue.filter(isDurable));
	}

	function add(type, fields) {
		keep(queue.concat({ id: random(), type, conversation, page, seq: ++seq, ...fields }));
		pump();
	}

	function supersede(id) {
		queue = queue.filter((event) => event.conversation !== id || isDurable(event));
	}

	function view() {
		supersede(conversation);
		add('page_view', {
			url: location.origin + location.pathname,
			title: clean(document.title, 300)
		});
		if (isHidden()) {
			add('page_hidden');
		}
	}

	async function post(url, body, seconds) {
		const stay = stays;
		try {
			const response = await fetch(url, {
				method: 'POST',
				body,
				keepalive: true,
				signal: AbortSignal.timeout && AbortSignal.timeout(seconds * 1000)
			});
			const status = response.status;
			if (status !== 200) {
				const wait = +response.headers.get('Retry-After') || (status < 500 ? 300 : 0);
				throw { message: 'HTTP ' + status, status, wait };
			}
			return await response.json();
		} finally {
			if (stay !== stays) {
				await new Promise(() => {}); // pageshow began anew
			}
		}
	}

	function bodyOf(events) {
		return JSON.stringify({ token: session.token, events });
	}

	function bridgeUrl() {
		return storeUntil < Date.now() && config.bridge + '/v1/visitor/events';
	}

	async function send(body) {
		const direct = bridgeUrl();
		if (direct) {
			try {
				const answer = await post(direct, body, 5);
				route = 'bridge';
				return answer;
			} catch (error) {
				if (error.status) {
					throw error;
				}
			}
		}
		const answer = await post(config.events, body, 15);
		route = 'store';
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
		lastError = rejected ? rejected.code : null;
		pace = (conversations[conversation] || { heartbeat_seconds: pace }).heartbeat_seconds;
		clearTimeout(beatTimer);
		if (pace) {
			beatTimer = setTimeout(() => {
				if (pace && !queue.length) {
					add('heartbeat');
				}
			}, 1000 * (isHidden() ? Math.max(pace, 60) : pace));
		}
	}

	async function deliver() {
		// Kept for an hour even by a wrong clock: 401 ends it.
		const stale = !session || session.renew_at < Date.now();
		if (stale) {
			session = await post(config.session, undefined, 15);
			session.renew_at = Math.max(Date.now() + 3600000, Date.parse(session.expires_at) - 300000);
			stored('cpb_session', session);
		}
		const batch = nextBatch();
		try {
			learn(await send(bodyOf(batch)));
		} catch (error) {
			if (error.status === 401) {
				session = null;
				error.wait = stale ? 300 : 0;
			}
			if (![400, 413, 422].includes(error.status)) {
				throw error; // those would come again
			}
			lastError = error.message;
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
			lastError = error.message;
			const backoff = Math.min(30, 2 ** failures++) * (0.5 + Math.random() / 2);
			retryTimer = setTimeout(resume, 1000 * (error.wait || backoff));
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
		session = stored('cpb_session') || session;
		queue = others.filter((event) => !queue.some((own) => own.id === event.id)).concat(queue);
	}

	const handlers = {
		visibilitychange() {
			if (conversation) {
				isHidden() ? add('page_hidden') : view();
			}
		},

		// Chromium fires visibilitychange after this; nothing is sent until pageshow.
		pagehide() {
			clearTimeout(retryTimer);
			busy = true;
			stays++;
			if (conversation) {
				add('page_unload');
			}
			if (session && queue.length) {
				navigator.sendBeacon(bridgeUrl() || config.events, bodyOf(nextBatch()));
			}
		},

		pageshow(event) {
			if (event.persisted) {
				load();
				resume();
				if (conversation) {
					view();
				}
			}
		},

		online: resume
	};

	const methods = {
		/** A chat exists or was resumed. */
		conversation(id) {
			if (id && String(id) !== conversation) {
				if (conversation) {
					add('page_unload');
				}
				conversation = String(id);
				pace = 0;
				view();
			}
		},

		/** The visitor cleared this chat, or the present one. */
		cleared(id) {
			id = String(id || conversation || '');
			if (id) {
				supersede(id);
				add('chat_cleared', { conversation: id });
			}
			if (id === conversation) {
				conversation = null;
				pace = 0;
			}
		},

		/** The visitor wrote this, unseen by PHP. */
		message({ id, text }) {
			if (conversation && text) {
				id = String(id || random());
				add('message', { message: { id, author: 'visitor', text: clean(text, 16000) } });
			}
		},

		/** show(message): a person answers. */
		onMessage(show) {
			listeners.message.push(show);
		},

		/** show({active, agent}): a person takes over, or leaves. */
		onTakeover(show) {
			listeners.takeover.push(show);
		},

		/** For debugging; never the token. */
		state() {
			return {
				conversation,
				page,
				seq,
				route,
				hidden: isHidden(),
				heartbeat_seconds: pace,
				visitor: session && session.visitor,
				queued: queue.length,
				last_error: lastError
			};
		}
	};

	// No error of ours reaches the shop.
	function guarded(fn) {
		return (argument) => {
			try {
				return fn(argument);
			} catch (error) {
				lastError = error.message;
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

	// Nobody sees a prerendered page yet.
	if (document.prerendering) {
		document.addEventListener('prerenderingchange', start, { once: true });
	} else {
		start();
	}
})();

/** The agent's API, as the app would speak it (see /docs). */

const RETRY_MS = 3000;
const SILENCE_MS = 40000; // the bridge says something every 15 seconds

const token = document.querySelector('[data-agent-token]')?.dataset.agentToken;
const headers = { Authorization: 'Bearer ' + token };

/** What the bridge refused; `problem` is its body (RFC 9457). */
export class Refused extends Error {
	constructor(response, problem) {
		super(problem.detail || problem.title || response.statusText);
		this.problem = problem;
	}
}

/** Resolves to the answer's body, or null where it has none. Rejects with Refused. */
export async function ask(method, path, body, options = {}) {
	const response = await fetch('/v1' + path, {
		method,
		headers: body ? { ...headers, 'Content-Type': 'application/json' } : headers,
		body: body && JSON.stringify(body),
		...options
	});
	const text = await response.text();
	const answer = text ? JSON.parse(text) : null;
	if (!response.ok) {
		throw new Refused(response, answer || {});
	}
	return answer;
}

/** Resolves after a moment, not the same for everybody. */
export function pause() {
	return new Promise((resolve) => setTimeout(resolve, RETRY_MS * (0.5 + Math.random())));
}

export function pathOf(conversation, rest = '') {
	return '/conversations/' + encodeURIComponent(conversation) + rest;
}

/**
 * Follows the stream for as long as the page lives, from where it was each time it comes back.
 *
 * `handlers` are called by the event's name with its data; `handlers.open` and `handlers.lost` when the stream
 * comes and goes.
 */
export async function follow(after, handlers) {
	for (let rev = after; ; ) {
		try {
			for await (const { event, data, id } of events('/v1/stream?after=' + rev)) {
				rev = id || rev;
				(event === 'ready' ? handlers.open : handlers[event])?.(JSON.parse(data));
			}
		} catch (error) {
			handlers.lost(error);
			await pause();
		}
	}
}

async function* events(url) {
	const connection = new AbortController();
	const giveUp = () => connection.abort(new Error('The connection was lost.'));
	let silence = setTimeout(giveUp, SILENCE_MS);
	// What was open before the network went away may never say another word.
	addEventListener('online', giveUp, { signal: connection.signal });
	const response = await fetch(url, { headers, signal: connection.signal });
	if (!response.ok) {
		throw new Refused(response, await response.json());
	}
	const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
	let text = '';
	for (let chunk; !(chunk = await reader.read()).done; ) {
		clearTimeout(silence);
		silence = setTimeout(giveUp, SILENCE_MS);
		const blocks = (text + chunk.value).split('\n\n');
		text = blocks.pop();
		for (const block of blocks) {
			const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: ?(.*)/s)));
			if (fields.event) {
				yield fields;
			}
		}
	}
}

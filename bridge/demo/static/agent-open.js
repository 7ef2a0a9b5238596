/** The open conversation: who it is, whether they are there, and what was said. */

import { renderCustomer } from './agent-customer.js';
import { renderFollowUp } from './agent-follow-up.js';
import { nameOf } from './agent-list.js';
import { element, setText } from './element.js';

const DELIVERY = { queued: 'not shown yet', delivered: 'shown' };

const open = document.querySelector('.open');
const transcript = document.querySelector('.transcript');
const note = document.querySelector('.note');

function part(name) {
	return open.querySelector('.' + name);
}

/**
 * `conversation` may be as the list has it, without the customer in full; `heard` is whether the visitor was, since it
 * was opened; `noteToRead` is the code of the note that a takeover must acknowledge.
 */
export function renderOpen(conversation, { isWhole, agent, heard, noteToRead }) {
	const { presence, takeover, customer } = conversation;
	const mine = takeover?.agent.id === agent.id;
	open.dataset.state = presence.state;
	setText(open.querySelector('h2'), nameOf(conversation));
	setText(part('label'), presence.label + (presence.hidden ? ' (in another tab)' : ''));
	setText(part('checking'), presence.online && !heard ? 'checking…' : '');
	setText(part('where'), presence.page ? presence.page.title || presence.page.url : '');
	setText(part('owner'), takeover ? (mine ? 'You answer' : takeover.agent.name + ' answers') : 'The bot answers');
	note.hidden = !presence.note;
	setText(note, presence.note ? presence.note.text : '');
	setText(part('take'), noteToRead ? 'I have read this: take over' : 'Take over');
	part('take').hidden = Boolean(takeover);
	part('release').hidden = !takeover;
	part('composer').hidden = !mine;
	renderFollowUp(conversation.follow_up);
	renderCustomer(isWhole ? customer : null);
}

export function renderTranscript(messages) {
	const inOrder = Array.from(messages).sort((a, b) => a.at.localeCompare(b.at) || a.rev - b.rev);
	transcript.replaceChildren(...inOrder.map(({ author, agent, at, text, delivery }) => {
		const item = element('li', author);
		const told = [agent ? agent.name : author, new Date(at).toLocaleTimeString()].concat(DELIVERY[delivery] || []);
		item.append(element('span', 'who', told.join(', ')), element('span', 'text', text));
		return item;
	}));
	transcript.scrollTop = transcript.scrollHeight;
}

/** The list of conversations: who is there comes first, as the bridge sorts them. */

import { element, setText } from './element.js';

const RANK = { online: 0, switching_pages: 1 };

const list = document.querySelector('.conversations');
const found = document.querySelector('.found');

export function nameOf({ customer, visitor }) {
	const proven = customer && customer.proof !== 'claimed' ? customer.email : null;
	return customer?.name || visitor.name || proven || visitor.device || 'A visitor';
}

function inOrder(conversations) {
	const rank = ({ presence }) => RANK[presence.state] ?? 2;
	return Array.from(conversations).sort(
		(one, other) => rank(one) - rank(other) || other.last_activity_at.localeCompare(one.last_activity_at)
	);
}

/**
 * Shows `conversations`, or those `found` among them. The list keeps its elements, so that focus stays where it is.
 */
export function renderList(conversations, selected, select, isSearch) {
	const buttons = new Map(Array.from(list.querySelectorAll('button'), (button) => [button.dataset.id, button]));
	const items = inOrder(conversations).map((conversation) => {
		const { id, presence, takeover, last_message: last, follow_up: followUp } = conversation;
		const button = buttons.get(id) || makeButton(id, select);
		button.setAttribute('aria-current', String(id === selected));
		button.dataset.state = presence.state;
		setText(button.querySelector('.name'), nameOf(conversation));
		setText(button.querySelector('.label'), presence.label);
		setText(button.querySelector('.last'), (takeover ? takeover.agent.name + ' answers · ' : '') + (last ? last.text : ''));
		button.querySelector('.badge').hidden = !followUp.needed;
		return button.parentElement;
	});
	if (items.some((item, index) => list.children[index] !== item) || list.children.length > items.length) {
		const focused = document.activeElement;
		list.replaceChildren(...items);
		if (list.contains(focused)) {
			focused.focus();
		}
	}
	setText(found, isSearch ? items.length + ' found' : items.length ? '' : 'Nobody has written yet.');
}

function makeButton(id, select) {
	const item = document.createElement('li');
	const button = document.createElement('button');
	button.type = 'button';
	button.dataset.id = id;
	button.append(element('span', 'name'), element('span', 'label'), element('span', 'last'), element('span', 'badge', 'Needs follow-up'));
	button.addEventListener('click', () => select(id));
	item.append(button);
	return button;
}

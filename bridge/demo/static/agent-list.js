/** The list of conversations: who is there comes first, as the bridge sorts them. */

const RANK = { online: 0, switching_pages: 1 };

const list = document.querySelector('.conversations');
const nobody = document.querySelector('.nobody');

export function element(tag, className, text = '') {
	const made = document.createElement(tag);
	made.className = className;
	made.textContent = text;
	return made;
}

/** Changes only what changed, so that nothing is read out twice. */
export function setText(target, text) {
	if (target.textContent !== text) {
		target.textContent = text;
	}
}

export function nameOf({ visitor }) {
	return visitor.name || visitor.device || 'A visitor';
}

function inOrder(conversations) {
	const rank = ({ presence }) => RANK[presence.state] ?? 2;
	return Array.from(conversations).sort(
		(one, other) => rank(one) - rank(other) || other.last_activity_at.localeCompare(one.last_activity_at)
	);
}

/** The list keeps its elements, so that focus stays where it is. */
export function renderList(conversations, selected, select) {
	const buttons = new Map(Array.from(list.querySelectorAll('button'), (button) => [button.dataset.id, button]));
	const items = inOrder(conversations).map((conversation) => {
		const { id, presence, takeover, last_message: last } = conversation;
		const button = buttons.get(id) || makeButton(id, select);
		button.setAttribute('aria-current', String(id === selected));
		button.dataset.state = presence.state;
		setText(button.querySelector('.name'), nameOf(conversation));
		setText(button.querySelector('.label'), presence.label);
		setText(button.querySelector('.last'), (takeover ? takeover.agent.name + ' answers · ' : '') + (last ? last.text : ''));
		return button.parentElement;
	});
	if (items.some((item, index) => list.children[index] !== item) || list.children.length > items.length) {
		const focused = document.activeElement;
		list.replaceChildren(...items);
		if (list.contains(focused)) {
			focused.focus();
		}
	}
	nobody.hidden = items.length > 0;
}

function makeButton(id, select) {
	const item = document.createElement('li');
	const button = document.createElement('button');
	button.type = 'button';
	button.dataset.id = id;
	button.append(element('span', 'name'), element('span', 'label'), element('span', 'last'));
	button.addEventListener('click', () => select(id));
	item.append(button);
	return button;
}

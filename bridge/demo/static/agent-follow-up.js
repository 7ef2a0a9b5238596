/** A visitor who is gone is answered elsewhere: by email, where an address is known. */

import { agoOf } from './agent-customer.js';
import { setText } from './element.js';

const row = document.querySelector('.follow-up');
const mail = row?.querySelector('[data-mail]');
const doneButton = row?.querySelector('[data-followed-up]');

/** `done` is called when the agent says that they wrote. */
export function onFollowedUp(done) {
	doneButton.addEventListener('click', done);
}

export function renderFollowUp({ needed, mailto, done }) {
	row.hidden = !needed && !mailto && !done;
	setText(row.querySelector('p'), textOf(needed, mailto, done));
	mail.hidden = !mailto;
	if (mailto) {
		mail.href = mailto;
	}
	if (!needed && document.activeElement === doneButton) {
		row.focus(); // the button goes, and focus with it
	}
	doneButton.hidden = !needed;
}

function textOf(needed, mailto, done) {
	if (needed) {
		return mailto ? 'Still awaits a reply.' : 'Still awaits a reply, and left no address.';
	}
	return done ? done.agent.name + ' followed up ' + agoOf(done.at) + '.' : '';
}

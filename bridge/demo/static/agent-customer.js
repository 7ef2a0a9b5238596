/** Who is behind the visitor, as far as the proof goes, and how old that is. */

import { element, setText } from './element.js';

const PROOFS = { signed_in: 'signed in', order: 'placed an order', claimed: 'says so in the chat' };
const UNITS = [['day', 86400], ['hour', 3600], ['minute', 60], ['second', 1]];
const AGE_MS = 1000;

const open = document.querySelector('.open');
const panel = document.querySelector('.customer');
const facts = panel?.querySelector('dl');
const problem = panel?.querySelector('.problem');
const cart = panel?.querySelector('.cart');
const age = panel?.querySelector('.age');
const ago = new Intl.RelativeTimeFormat('en');

let shown = null;

/** `since` as "3 minutes ago". */
export function agoOf(since) {
	const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(since)) / 1000));
	const [unit, length] = UNITS.find(([, length]) => seconds >= length) || [];
	return unit ? ago.format(-Math.floor(seconds / length), unit) : 'just now';
}

/** `customer` is in full, or null where nobody knows who the visitor is. */
export function renderCustomer(customer) {
	const isNew = JSON.stringify(customer) !== JSON.stringify(shown);
	shown = customer;
	panel.hidden = !customer;
	open.classList.toggle('known', Boolean(customer));
	if (customer && isNew) {
		setText(panel.querySelector('h3'), customer.name || customer.email || 'Customer ' + customer.id);
		setText(panel.querySelector('.proof'), PROOFS[customer.proof]);
		facts.replaceChildren(...factsOf(customer).flatMap(([term, text]) => [element('dt', '', term), element('dd', '', text)]));
		renderProblem(customer.problem);
		renderCart(customer.cart);
	}
	showAge();
}

/** What nobody told is left out, rather than shown as nothing. */
function factsOf({ name, email, known, orders_count: orders, total_spent: spent, currency, last_order: last, proof }) {
	return [
		['Email', name && email], // else it stands in the name's place
		['Known to the shop', proof === 'claimed' && known !== null && (known ? 'yes' : 'no')],
		['Orders', orders !== null && String(orders)],
		['Spent', spent && amount(spent, currency)],
		['Last order', last && lastOrder(last)]
	].filter(([, text]) => text);
}

function lastOrder({ number, status, total, currency, date }) {
	const day = date && new Date(date).toLocaleDateString('en', { dateStyle: 'medium' });
	const parts = ['No. ' + number, status, amount(total, currency), day].filter(Boolean);
	return parts.map((part) => part.replaceAll(' ', '\u00a0')).join(' · ');
}

// As the store wrote it: an amount of money is no number to calculate with.
function amount(text, currency) {
	return currency ? text + ' ' + currency : text;
}

function renderProblem(trouble) {
	problem.hidden = !trouble;
	const since = trouble?.since ? ' Since ' + new Date(trouble.since).toLocaleTimeString() + '.' : '';
	setText(problem, trouble ? trouble.text + since : '');
}

function renderCart(held) {
	cart.hidden = !held;
	if (held) {
		const lines = held.items.map(({ quantity, name, total }) => {
			const line = element('li', '', quantity + ' × ' + name);
			line.append(element('span', 'amount', total));
			return line;
		});
		const sum = element('li', 'sum', 'Together');
		sum.append(element('span', 'amount', amount(held.total, held.currency)));
		cart.querySelector('ul').replaceChildren(...lines, sum);
	}
}

function showAge() {
	if (shown?.fetched_at) {
		setText(age, 'As the shop said ' + agoOf(shown.fetched_at) + '.');
	} else {
		setText(age, shown && !shown.problem ? 'Asking the shop…' : '');
	}
}

if (panel) {
	panel.querySelector('details').open = matchMedia('(min-width: 900px)').matches;
	setInterval(showAge, AGE_MS);
}

/** Which conversations are listed: all, those that a search finds, or those that need a follow-up. */

const PAUSE_MS = 250; // between the last key and the search

const form = document.querySelector('.find');
const field = form?.querySelector('input[type="search"]');
const filter = form?.querySelector('[data-to-follow-up]');

export function isSearch() {
	return Boolean(field.value.trim()) || filter.checked;
}

export function query() {
	const wanted = new URLSearchParams({ limit: 100 });
	if (field.value.trim()) {
		wanted.set('q', field.value.trim());
	}
	if (filter.checked) {
		wanted.set('follow_up', 'true');
	}
	return '?' + wanted;
}

/** `search` is called when something else is wanted. */
export function onSearch(search) {
	let timer;
	field.addEventListener('input', () => {
		clearTimeout(timer);
		timer = setTimeout(search, PAUSE_MS);
	});
	filter.addEventListener('change', search);
	form.addEventListener('submit', (event) => {
		event.preventDefault();
		search();
	});
}

/* Shows ChatPresence.state() in the footer while it is unfolded. */
(function () {
	'use strict';

	const details = document.querySelector('.curious');
	const output = details.querySelector('[data-presence-state]');

	function show() {
		output.textContent = JSON.stringify(ChatPresence.state(), null, 2);
		if (details.open) {
			setTimeout(show, 500);
		}
	}

	details.addEventListener('toggle', show);
})();

/** Making and changing what a page shows. Text is only ever text: nobody's words become markup. */

export function element(tag, className = '', text = '') {
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

/* In the page's head: gathers a chat widget's calls until presence.js, which is deferred, takes them. */
(function () {
	'use strict';

	if (window.ChatPresence) {
		return;
	}
	var calls = [];
	var api = window.ChatPresence = {
		calls: calls,
		state: function () {
			return { conversation: null, route: null, queued: calls.length, last_error: null };
		}
	};
	['conversation', 'cleared', 'message', 'onMessage', 'onTakeover'].forEach(function (name) {
		api[name] = function (argument) {
			calls.push([name, argument]);
		};
	});
	['conversation', 'cleared'].forEach(function (name) {
		document.addEventListener('chat-presence:' + name, function (event) {
			api[name](event.detail && event.detail.id || event.detail);
		});
	});
})();

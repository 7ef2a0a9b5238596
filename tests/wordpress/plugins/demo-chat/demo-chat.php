<?php
/**
 * Plugin Name: Demo Chat
 * Description: A chat widget of the tests: the least that joins a widget to Chat Presence Bridge.
 * Version:     1.0
 *
 * @package DemoChat
 */

defined( 'ABSPATH' ) || exit;

add_action(
	'wp_enqueue_scripts',
	static function () {
		// In the head and not deferred: it runs before presence.js does, as many widgets do.
		wp_enqueue_script( 'demo-chat', plugins_url( 'demo-chat.js', __FILE__ ), array(), '1.0', false );
		wp_add_inline_script( 'demo-chat', 'window.demoChat = ' . wp_json_encode( array( 'ajax' => admin_url( 'admin-ajax.php' ) ) ) . ';', 'before' );
	}
);

add_action(
	'wp_footer',
	static function () {
		?>
		<section id="demo-chat" aria-label="Chat">
			<ul id="demo-chat-messages" aria-live="polite"></ul>
			<form id="demo-chat-form">
				<input id="demo-chat-text" aria-label="Message" required>
				<button>Send</button>
			</form>
			<button id="demo-chat-clear" type="button">Clear</button>
		</section>
		<?php
	}
);

/**
 * Answers the visitor, and tells the bridge what the bot said and, as `cleared`, that a chat was reset.
 */
function demo_chat_answer() {
	// phpcs:disable WordPress.Security.NonceVerification -- a chat open to everybody, who all share one nonce at best.
	$conversation = isset( $_POST['conversation'] ) ? sanitize_text_field( wp_unslash( $_POST['conversation'] ) ) : '';
	$text         = isset( $_POST['text'] ) ? sanitize_textarea_field( wp_unslash( $_POST['text'] ) ) : '';
	$cleared      = isset( $_POST['cleared'] );
	// phpcs:enable
	if ( $cleared ) {
		do_action( 'chat_presence_bridge_cleared', $conversation );
		wp_send_json_success();
	}
	$reply = 'You said: ' . $text;
	do_action( 'chat_presence_bridge_message', $conversation, 'bot', $reply );
	wp_send_json_success( array( 'reply' => $reply ) );
}
add_action( 'wp_ajax_demo_chat', 'demo_chat_answer' );
add_action( 'wp_ajax_nopriv_demo_chat', 'demo_chat_answer' );

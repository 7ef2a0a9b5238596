<?php
/**
 * Plugin Name: WPiko Chatbot (stand-in)
 * Description: Stands where WPiko Chatbot would in the tests: its hooks in their places and order, its AJAX actions, table and answers. The AI repeats what it is told.
 * Version:     2.1.1
 *
 * @package WPikoStandIn
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/transcript.php';
require_once __DIR__ . '/ai.php';
require_once __DIR__ . '/ajax.php';

/**
 * Options of the tests: how many messages a thread may have (0: any number), whether sound is on, and a setting whose
 * change drops the visitors' threads.
 */
const WPIKO_STANDIN_LIMIT    = 'standin_limit';
const WPIKO_STANDIN_SOUND    = 'standin_sound';
const WPIKO_STANDIN_SETTINGS = 'standin_settings_version';

register_activation_hook( __FILE__, 'wpiko_standin_create_table' );

/**
 * Adds the widget's script, then lets others add theirs.
 */
function wpiko_standin_enqueue() {
	wp_enqueue_script( 'wpiko-chatbot-js', plugins_url( 'js/wpiko-chatbot.js', __FILE__ ), array(), '2.1.1', true );
	$data = array(
		'ajax_url'         => admin_url( 'admin-ajax.php' ),
		'nonce'            => wp_create_nonce( 'wpiko_chatbot_nonce' ),
		'sound_enabled'    => get_option( WPIKO_STANDIN_SOUND ) ? '1' : '',
		'settings_version' => get_option( WPIKO_STANDIN_SETTINGS, '1' ),
	);
	wp_localize_script( 'wpiko-chatbot-js', 'wpikoChatbot', apply_filters( 'wpiko_chatbot_frontend_script_data', $data ) );
	do_action( 'wpiko_chatbot_enqueue_frontend_assets' );
}
add_action( 'wp_enqueue_scripts', 'wpiko_standin_enqueue', 9 );

/**
 * Prints the widget.
 */
function wpiko_standin_print() {
	?>
	<section id="wpiko-chatbot" aria-label="WPiko chat">
		<div id="chatbot-messages" aria-live="polite"></div>
		<input id="chatbot-input" aria-label="Message">
		<button id="chatbot-send" type="button">Send</button>
		<button id="clear-chat" type="button">Clear chat</button>
	</section>
	<?php
}
add_action( 'wp_footer', 'wpiko_standin_print' );

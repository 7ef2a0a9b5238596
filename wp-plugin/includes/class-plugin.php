<?php
/**
 * The plugin as a whole.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * Makes the parts and hooks them up: every hook of the plugin stands here.
 */
final class Plugin {

	/**
	 * Sessions that one address may ask for in a minute.
	 */
	const SESSIONS_PER_MINUTE = 30;

	/**
	 * Hooks everything up. Runs on every request: nothing here asks the database or the network.
	 */
	public function boot(): void {
		$options  = new Options();
		$events   = new Event_Queue( $options );
		$generic  = new Generic_Adapter( $events );
		$script   = new Visitor_Script( $options );
		$rest     = new REST_Controller( $options, new Visitor_Cookie(), new Rate_Limit( 'sessions', self::SESSIONS_PER_MINUTE, MINUTE_IN_SECONDS ) );
		$headers  = new REST_Headers();
		$settings = new Settings_Page( $options );

		// The visitor's page.
		add_action( 'wp_head', array( $script, 'print_stub' ), 0 );
		add_action( 'wp_enqueue_scripts', array( $script, 'enqueue' ) );
		add_filter( 'script_loader_tag', array( $script, 'defer' ), 10, 2 );

		// The visitor's requests.
		add_action( 'rest_api_init', array( $rest, 'register_routes' ) );
		add_filter( 'rest_post_dispatch', array( $headers, 'forbid_caching' ), 10, 3 );
		add_filter( 'rest_pre_serve_request', array( $headers, 'remove_cors_headers' ), PHP_INT_MAX, 3 );

		// Chat widgets.
		add_action( 'chat_presence_bridge_message', array( $generic, 'message' ), 10, 4 );
		add_action( 'chat_presence_bridge_cleared', array( $generic, 'cleared' ) );
		add_action( 'shutdown', array( $events, 'send_after_answer' ), PHP_INT_MAX );

		// The store owner.
		add_action( 'admin_menu', array( $settings, 'add_to_menu' ) );
		add_action( 'admin_post_' . Settings_Page::CONNECT, array( $settings, 'handle_connect' ) );
		add_action( 'admin_post_' . Settings_Page::DISCONNECT, array( $settings, 'handle_disconnect' ) );
		add_filter( 'plugin_action_links_' . plugin_basename( CPB_FILE ), array( $settings, 'add_link' ) );
		register_activation_hook( CPB_FILE, array( Installation::class, 'activate' ) );
	}
}

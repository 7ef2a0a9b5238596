<?php
/**
 * The plugin as a whole.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

use Automattic\WooCommerce\Utilities\FeaturesUtil;

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
		$options   = new Options();
		$takeovers = new Takeovers( $options );
		$queue     = new Event_Queue( $options, $takeovers );
		$events    = new Chat_Events( $queue );
		$customers = new Customer_Link( $options, new Visitor_Cookie(), $queue );
		$purchases = new Purchases( $customers, $queue );
		$webhooks  = new Webhook_Address( $options );
		$generic   = new Generic_Adapter( $events );
		$wpiko     = new WPiko_Adapter( $options, $events, $customers, $takeovers );
		$script    = new Visitor_Script( $options );
		$rest      = new REST_Controller( $options, $customers, new Rate_Limit( 'sessions', self::SESSIONS_PER_MINUTE, MINUTE_IN_SECONDS ) );
		$calls     = new Bridge_Calls( $options, $takeovers, new Seen_Ids() );
		$headers   = new REST_Headers();
		$settings  = new Settings_Page( $options, $takeovers );

		// The visitor's page.
		add_action( 'wp_head', array( $script, 'print_stub' ), 0 );
		add_action( 'wp_enqueue_scripts', array( $script, 'enqueue' ) );
		add_filter( 'script_loader_tag', array( $script, 'defer' ), 10, 2 );

		// The visitor's requests.
		add_action( 'rest_api_init', array( $rest, 'register_routes' ) );
		add_filter( 'rest_post_dispatch', array( $headers, 'forbid_caching' ), 10, 3 );
		add_filter( 'rest_pre_serve_request', array( $headers, 'remove_cors_headers' ), PHP_INT_MAX, 3 );

		// The bridge's calls.
		add_action( 'rest_api_init', array( $calls, 'register_route' ) );

		// Chat widgets.
		add_action( 'chat_presence_bridge_message', array( $generic, 'message' ), 10, 4 );
		add_action( 'chat_presence_bridge_cleared', array( $generic, 'cleared' ) );
		add_filter( 'chat_presence_bridge_is_taken_over', array( $takeovers, 'is_taken_over' ), 10, 2 );
		add_filter( 'chat_presence_bridge_handoff_note', array( $takeovers, 'handoff_note' ), 10, 2 );
		add_action( 'shutdown', array( $queue, 'send_after_answer' ), PHP_INT_MAX );

		// WPiko Chatbot. First where others could come between: what it has just stored, and that the AI is asked.
		add_filter( 'wpiko_chatbot_frontend_script_data', array( $wpiko, 'switch_loops_off' ) );
		add_action( 'wpiko_chatbot_enqueue_frontend_assets', array( $wpiko, 'enqueue' ) );
		add_action( 'wpiko_chatbot_before_chat_request', array( $wpiko, 'begin_request' ) );
		add_action( 'wpiko_chatbot_message_saved', array( $wpiko, 'message_saved' ), PHP_INT_MIN, 5 );
		add_filter( 'wpiko_chatbot_skip_ai_response', array( $wpiko, 'pause_ai' ), 10, 2 );
		add_action( 'wpiko_chatbot_user_heartbeat', array( $wpiko, 'visitor_heard' ), 10, 2 );
		add_filter( 'wpiko_chatbot_check_new_messages_response', array( $wpiko, 'need_no_heartbeat' ) );
		add_filter( 'wpiko_chatbot_combined_instructions', array( $wpiko, 'add_handoff_note' ) );
		add_filter( 'wpiko_chatbot_user_limit_bypass', array( $wpiko, 'lift_limit' ), 10, 2 );
		add_action( 'wpiko_chatbot_conversation_deleted', array( $wpiko, 'conversation_deleted' ) );
		add_action( 'chat_presence_bridge_agent_message', array( $wpiko, 'keep_agent_message' ), 10, 2 );

		// Who is behind a visitor.
		add_action( 'wp_login', array( $customers, 'signed_in' ), 10, 2 );
		add_action( 'wp_logout', array( $customers, 'signed_out' ) );
		add_action( 'woocommerce_created_customer', array( $customers, 'account_created' ) );
		add_action( 'set_logged_in_cookie', array( $customers, 'cookie_made' ), 10, 4 );
		add_action( 'woocommerce_guest_session_to_user_id', array( $customers, 'session_joined' ), 10, 2 );

		// What they buy. The cart is read late: what fails there must not take WooCommerce's own work with it.
		add_action( 'woocommerce_checkout_order_processed', array( $purchases, 'classic_order_placed' ), 10, 3 );
		add_action( 'woocommerce_store_api_checkout_order_processed', array( $purchases, 'order_placed' ) );
		foreach ( Purchases::CART_HOOKS as $hook ) {
			add_action( $hook, array( $purchases, 'cart_touched' ), 10, 0 );
		}
		add_action( 'shutdown', array( $purchases, 'tell_cart' ), PHP_INT_MAX - 1 );

		// WooCommerce itself.
		add_action( 'before_woocommerce_init', array( $this, 'declare_compatibility' ) );
		add_filter( 'woocommerce_rest_is_request_to_rest_api', array( WooCommerce_Access::class, 'is_request_to_rest_api' ) );
		add_filter( 'http_request_host_is_external', array( $webhooks, 'allow_host' ), 10, 3 );
		add_filter( 'http_allowed_safe_ports', array( $webhooks, 'allow_port' ), 10, 3 );

		// The store owner.
		add_action( 'admin_menu', array( $settings, 'add_to_menu' ) );
		add_action( 'admin_post_' . Settings_Page::CONNECT, array( $settings, 'handle_connect' ) );
		add_action( 'admin_post_' . Settings_Page::DISCONNECT, array( $settings, 'handle_disconnect' ) );
		add_filter( 'plugin_action_links_' . plugin_basename( CPB_FILE ), array( $settings, 'add_link' ) );
		add_action( 'plugins_loaded', array( Installation::class, 'upgrade' ) );
		register_activation_hook( CPB_FILE, array( Installation::class, 'activate' ) );
	}

	/**
	 * Tells WooCommerce that neither its own order tables nor its block checkout are a hindrance. Callback of
	 * `before_woocommerce_init`.
	 */
	public function declare_compatibility(): void {
		if ( class_exists( FeaturesUtil::class ) ) {
			FeaturesUtil::declare_compatibility( 'custom_order_tables', CPB_FILE, true );
			FeaturesUtil::declare_compatibility( 'cart_checkout_blocks', CPB_FILE, true );
		}
	}
}

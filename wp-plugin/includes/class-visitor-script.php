<?php
/**
 * Our script in the visitor's page.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * Prints the same for everybody, since page caches hand one page to all: no visitor, no token, no nonce.
 */
final class Visitor_Script {

	const HANDLE = 'chat-presence-bridge';

	/**
	 * Where the connection is found.
	 *
	 * @var Options
	 */
	private $options;

	/**
	 * Makes the script's printer.
	 *
	 * @param Options $options Where the connection is found.
	 */
	public function __construct( Options $options ) {
		$this->options = $options;
	}

	/**
	 * Prints the configuration and the queueing stub, so that `ChatPresence` exists before any widget's script runs.
	 *
	 * Callback of `wp_head`, before everything else there.
	 */
	public function print_stub(): void {
		$connection = $this->options->connection();
		if ( null === $connection ) {
			return;
		}
		$config = wp_json_encode(
			array(
				'bridge'  => $connection->bridge(),
				'session' => rest_url( REST_Controller::ROUTES . '/session' ),
				'events'  => rest_url( REST_Controller::ROUTES . '/events' ),
				'sync'    => rest_url( REST_Controller::ROUTES . '/sync' ),
				// Loaded by presence.js, once a chat begins.
				'live'    => add_query_arg( 'ver', CPB_VERSION, plugins_url( 'assets/live.js', CPB_FILE ) ),
			),
			JSON_HEX_TAG | JSON_HEX_AMP | JSON_UNESCAPED_SLASHES
		);
		$stub   = (string) file_get_contents( dirname( CPB_FILE ) . '/assets/stub.js' ); // phpcs:ignore WordPress.WP.AlternativeFunctions.file_get_contents_file_get_contents -- a file of the plugin itself, not a remote one.
		wp_print_inline_script_tag( "window.ChatPresenceConfig = $config;\n$stub", array( 'id' => self::HANDLE . '-stub' ) );
	}

	/**
	 * Enqueues the script itself. Callback of `wp_enqueue_scripts`.
	 */
	public function enqueue(): void {
		if ( null !== $this->options->connection() ) {
			wp_enqueue_script( self::HANDLE, plugins_url( 'assets/presence.js', CPB_FILE ), array(), CPB_VERSION, false );
		}
	}

	/**
	 * Lets the script wait until the page is there. Callback of `script_loader_tag`.
	 *
	 * WordPress before 6.3 has no other way to say so.
	 *
	 * @param string $tag    Script element.
	 * @param string $handle Name of the script.
	 * @return string
	 */
	public function defer( $tag, $handle ) {
		return self::HANDLE === $handle && false === strpos( $tag, ' defer' ) ? str_replace( ' src=', ' defer src=', $tag ) : $tag;
	}
}

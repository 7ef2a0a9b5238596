<?php
/**
 * What the bridge tells the store.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * `POST bridge` (the wire, "Bridge to store"): takeovers, releases, agents' messages. They come in order, at least
 * once, signed with this store's own key.
 */
final class Bridge_Calls {

	/**
	 * Largest body in bytes. What is refused comes again for a day and holds up all that is behind it, so this lies
	 * far above what the longest messages and notes need.
	 */
	const BODY_LIMIT = 1048576;

	/**
	 * Begins the ids of the bridge's own calls: what this store once signed itself cannot be sent back to it.
	 */
	const ID_PREFIX = 'b_';

	/**
	 * What a call is answered: carried out, carried out earlier, or not meant for this version.
	 */
	const STORED    = 'stored';
	const DUPLICATE = 'duplicate';
	const IGNORED   = 'ignored';

	/**
	 * Where the connection is found.
	 *
	 * @var Options
	 */
	private $options;

	/**
	 * Keeps who is taken over.
	 *
	 * @var Takeovers
	 */
	private $takeovers;

	/**
	 * Knows what came before.
	 *
	 * @var Seen_Ids
	 */
	private $seen;

	/**
	 * Makes the route's callbacks.
	 *
	 * @param Options   $options   Where the connection is found.
	 * @param Takeovers $takeovers Keeps who is taken over.
	 * @param Seen_Ids  $seen      Knows what came before.
	 */
	public function __construct( Options $options, Takeovers $takeovers, Seen_Ids $seen ) {
		$this->options   = $options;
		$this->takeovers = $takeovers;
		$this->seen      = $seen;
	}

	/**
	 * Registers the route; none while not connected. Callback of `rest_api_init`.
	 */
	public function register_route(): void {
		if ( null === $this->options->connection() ) {
			return;
		}
		register_rest_route(
			REST_Controller::ROUTES,
			'/bridge',
			array(
				'methods'             => 'POST',
				'callback'            => array( $this, 'receive' ),
				'permission_callback' => array( $this, 'allow_bridge' ),
				// The type decides what else there must be: `Bridge_Call` checks it.
				'args'                => array(),
			)
		);
	}

	/**
	 * Lets only the bridge in. Permission callback.
	 *
	 * @param \WP_REST_Request $request Request.
	 * @return true|\WP_Error
	 */
	public function allow_bridge( \WP_REST_Request $request ) {
		$body = (string) $request->get_body();
		if ( strlen( $body ) > self::BODY_LIMIT ) {
			return new \WP_Error( 'cpb_body_too_large', __( 'A call of the bridge has at most 1 MiB.', 'chat-presence-bridge' ), array( 'status' => 413 ) );
		}
		$id      = (string) $request->get_header( 'webhook-id' );
		$is_ours = preg_match( '/^' . self::ID_PREFIX . '[\x21-\x7e]{1,126}$/D', $id )
			&& ( new Signer( $this->options->connection() ) )->verifies(
				$id,
				(string) $request->get_header( 'webhook-timestamp' ),
				(string) $request->get_header( 'webhook-signature' ),
				$body,
				time()
			);
		return $is_ours ? true : new \WP_Error( 'cpb_bad_signature', __( 'Only the bridge may call this, with a signature that is not older than five minutes.', 'chat-presence-bridge' ), array( 'status' => 401 ) );
	}

	/**
	 * Answers `POST bridge` once it is stored what the call tells.
	 *
	 * @param \WP_REST_Request $request Request.
	 * @return \WP_REST_Response|\WP_Error 200 with `status`; 422 when it cannot be read; 503 when it cannot be stored.
	 */
	public function receive( \WP_REST_Request $request ) {
		$call = Bridge_Call::from_json( (string) $request->get_body() );
		if ( null === $call ) {
			return new \WP_Error( 'cpb_bad_call', __( 'This is no call of a bridge.', 'chat-presence-bridge' ), array( 'status' => 422 ) );
		}
		try {
			$status = $this->carry_out_once( (string) $request->get_header( 'webhook-id' ), $call );
			$this->seen->forget_past();
			$this->takeovers->forget_past();
		} catch ( \RuntimeException $error ) {
			return new \WP_Error( 'cpb_not_stored', __( 'The store cannot keep this at the moment.', 'chat-presence-bridge' ), array( 'status' => 503 ) );
		}
		return new \WP_REST_Response( array( 'status' => $status ) );
	}

	/**
	 * Carries a call out, or nothing of it: marked as seen and not done it would be lost, done and not marked it would
	 * be done twice.
	 *
	 * @param string      $id   Header `webhook-id`.
	 * @param Bridge_Call $call What is told.
	 * @return string `STORED`, `DUPLICATE` or `IGNORED`.
	 * @throws \RuntimeException When the database does not take it.
	 */
	private function carry_out_once( string $id, Bridge_Call $call ): string {
		global $wpdb;
		$is_kept = false;
		$wpdb->query( 'START TRANSACTION' ); // phpcs:ignore WordPress.DB -- WordPress has no function for it.
		try {
			$status  = $this->seen->add( $id ) ? $this->carry_out( $call ) : self::DUPLICATE;
			$is_kept = false !== $wpdb->query( 'COMMIT' ); // phpcs:ignore WordPress.DB -- as above.
		} finally {
			if ( ! $is_kept ) {
				$wpdb->query( 'ROLLBACK' ); // phpcs:ignore WordPress.DB -- as above.
			}
		}
		if ( ! $is_kept ) {
			throw new \RuntimeException( 'The call could not be kept.' );
		}
		return $status;
	}

	/**
	 * Does what a call tells.
	 *
	 * @param Bridge_Call $call What is told.
	 * @return string `STORED`, `DUPLICATE` or `IGNORED`.
	 * @throws \RuntimeException When the database does not take it.
	 */
	private function carry_out( Bridge_Call $call ): string {
		switch ( $call->type ) {
			case Bridge_Call::TAKEOVER_STARTED:
				$this->takeovers->started( $call->conversation, $call->expires_at );
				return self::STORED;
			case Bridge_Call::TAKEOVER_RELEASED:
				$this->takeovers->released( $call->conversation, $call->at, $call->handoff_note );
				return self::STORED;
			case Bridge_Call::MESSAGE_CREATED:
				return $this->announce( $call );
			default:
				// A bridge newer than this plugin.
				return self::IGNORED;
		}
	}

	/**
	 * Hands an agent's message to whoever shows or keeps it: once per message, whatever delivery brings it.
	 *
	 * @param Bridge_Call $call What is told.
	 * @return string `STORED` or `DUPLICATE`.
	 * @throws \RuntimeException When the database does not take it.
	 */
	private function announce( Bridge_Call $call ): string {
		// Only the owner of a takeover writes (T2), and who writes goes on owning it.
		if ( null !== $call->expires_at ) {
			$this->takeovers->started( $call->conversation, $call->expires_at );
		}
		if ( ! $this->seen->add( "message\n{$call->conversation}\n{$call->message['id']}" ) ) {
			return self::DUPLICATE;
		}
		try {
			/**
			 * Fires once for each message of an agent.
			 *
			 * @param string              $conversation Conversation id.
			 * @param array<string,mixed> $message      `id`, `text` (plain text), `at` (Unix time), and `agent`: `id`,
			 *                                          `name`, `avatar_url`, the last two null when not known.
			 */
			do_action( 'chat_presence_bridge_agent_message', $call->conversation, $call->message );
		} catch ( \Throwable $error ) {
			// A widget that fails must not hold up the calls behind this one, a release of the AI among them.
			trigger_error( esc_html( 'chat_presence_bridge_agent_message: ' . $error->getMessage() ), E_USER_WARNING ); // phpcs:ignore WordPress.PHP.DevelopmentFunctions -- it goes to the log of whoever develops the widget.
		}
		return self::STORED;
	}
}

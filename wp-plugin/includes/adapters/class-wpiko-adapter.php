<?php
/**
 * The adapter for WPiko Chatbot (free).
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * Everything in PHP that knows WPiko Chatbot: its hooks, its transcript table, its fields. It calls none of its
 * functions and uses none of its options.
 *
 * While WPiko Chatbot Pro is there, which brings a takeover of its own, or while no bridge is connected, every method
 * does nothing.
 */
final class WPiko_Adapter {

	/**
	 * Name of our script that joins the widget in the browser.
	 */
	const HANDLE = 'cpb-wpiko';

	/**
	 * Folders of WPiko Chatbot and of WPiko Chatbot Pro.
	 */
	const FREE = 'wpiko-chatbot';
	const PRO  = 'wpiko-chatbot-pro';

	/**
	 * What the browser may send for a thread that does not exist yet.
	 */
	const NO_THREAD = array( '', 'null', 'undefined' );

	/**
	 * Begins the ids of messages that WPiko has shown to the visitor itself.
	 */
	const MESSAGE_PREFIX = 'wpiko_';

	/**
	 * Authors on the wire, by role in the transcript. That the AI failed is something the agents should hear of.
	 */
	const AUTHORS = array(
		'user'      => 'visitor',
		'assistant' => 'bot',
		'error'     => 'system',
	);

	/**
	 * What a heartbeat's status becomes: events without a page, which only the store saw (presence rule P13).
	 *
	 * Anybody can send these, for any thread whose id they know. So nobody's chat is cleared here: that would end a
	 * takeover at once. At worst the store's own page, which lives for 90 seconds and yields to the browser's, is kept
	 * or ended. The clear itself is told by our script, with the visitor's own token.
	 */
	const STATUSES = array(
		'online'       => 'heartbeat',
		'page_left'    => 'page_unload',
		'chat_cleared' => 'page_unload',
	);

	/**
	 * Heartbeats passed on for one thread in a minute; the store's page lives for 90 seconds.
	 */
	const HEARTBEATS_PER_MINUTE = 4;

	/**
	 * Where the connection is found.
	 *
	 * @var Options
	 */
	private $options;

	/**
	 * Takes what happens.
	 *
	 * @var Chat_Events
	 */
	private $events;

	/**
	 * Knows who is behind a visitor.
	 *
	 * @var Customer_Link
	 */
	private $customers;

	/**
	 * Who is taken over.
	 *
	 * @var Takeovers
	 */
	private $takeovers;

	/**
	 * Visitor of the chat request that is being answered; null outside one.
	 *
	 * @var string|null
	 */
	private $visitor;

	/**
	 * Makes the adapter.
	 *
	 * @param Options       $options   Where the connection is found.
	 * @param Chat_Events   $events    Takes what happens.
	 * @param Customer_Link $customers Knows who is behind a visitor.
	 * @param Takeovers     $takeovers Who is taken over.
	 */
	public function __construct( Options $options, Chat_Events $events, Customer_Link $customers, Takeovers $takeovers ) {
		$this->options   = $options;
		$this->events    = $events;
		$this->customers = $customers;
		$this->takeovers = $takeovers;
	}

	/**
	 * Tells the store owner, in a sentence, what was found.
	 *
	 * @return string Plain text.
	 */
	public static function finding(): string {
		if ( self::is_pro_active() ) {
			return __( 'WPiko Chatbot Pro is active. It brings a presence and a takeover of its own, so this plugin leaves WPiko Chatbot alone.', 'chat-presence-bridge' );
		}
		return self::is_active( self::FREE )
			? __( 'WPiko Chatbot was found and joined.', 'chat-presence-bridge' )
			: __( 'None that joins by itself was found. Any other has to say a few words to this plugin; its description tells developers which.', 'chat-presence-bridge' );
	}

	/**
	 * Switches the widget's own loops off: 720 requests an hour to the shop for each open chat.
	 *
	 * Callback of `wpiko_chatbot_frontend_script_data`.
	 *
	 * @param array<string,mixed> $data What the widget's script is told. Its values reach the browser as texts, to which
	 *                                  `0` and `"false"` are true: what is not set must not be there.
	 * @return array<string,mixed>
	 */
	public function switch_loops_off( $data ) {
		if ( is_array( $data ) && $this->is_joined() ) {
			$data['pro_takeover_frontend'] = true;
		}
		return $data;
	}

	/**
	 * Adds our scripts to a page with the widget. Callback of `wpiko_chatbot_enqueue_frontend_assets`.
	 */
	public function enqueue(): void {
		if ( $this->is_joined() ) {
			// In the footer: from the head it would draw the widget's script up with it.
			wp_enqueue_script( self::HANDLE, plugins_url( 'assets/adapters/wpiko.js', CPB_FILE ), array( Visitor_Script::HANDLE, 'wpiko-chatbot-js' ), CPB_VERSION, true );
			wp_localize_script(
				self::HANDLE,
				'ChatPresenceWPiko',
				array(
					/* translators: %s: name of an agent. */
					'joined' => __( '%s has joined the chat.', 'chat-presence-bridge' ),
					/* translators: %s: name of an agent. */
					'left'   => __( '%s has left the chat. The assistant answers again.', 'chat-presence-bridge' ),
				)
			);
		}
	}

	/**
	 * Makes sure that the visitor is known: PHP speaks of a new conversation before the browser can.
	 *
	 * Callback of `wpiko_chatbot_before_chat_request`, before any output.
	 */
	public function begin_request(): void {
		if ( $this->is_joined() && ! headers_sent() ) {
			$this->visitor = $this->customers->identify( (int) wp_validate_auth_cookie( '', 'logged_in' ) );
		}
	}

	/**
	 * Forwards what was said. Callback of `wpiko_chatbot_message_saved`, right after the row was inserted.
	 *
	 * @param mixed $user_id    Unused: the bridge learns from the visitor's token who is signed in.
	 * @param mixed $thread_id  Thread id.
	 * @param mixed $role       `user`, `assistant` or `error`; others are not forwarded.
	 * @param mixed $message    Text.
	 * @param mixed $user_email As the visitor gave it.
	 */
	public function message_saved( $user_id, $thread_id, $role, $message, $user_email = '' ): void {
		if ( ! is_string( $role ) || ! isset( self::AUTHORS[ $role ] ) || ! Chat_Events::is_id( $thread_id ) || ! $this->is_joined() ) {
			return;
		}
		global $wpdb;
		$row  = $this->row_id( (int) $wpdb->insert_id, $thread_id );
		$meta = array( 'id' => self::MESSAGE_PREFIX . ( null === $row ? bin2hex( random_bytes( 16 ) ) : $row ) );
		if ( 'user' === $role ) {
			$meta['email'] = $user_email;
		}
		$is_born = 'user' === $role && null !== $row && $this->is_born_here( $thread_id, $row );
		$this->events->message( $thread_id, self::AUTHORS[ $role ], $message, $meta, $is_born ? $this->visitor : null );
	}

	/**
	 * Pauses the AI while an agent answers. Callback of `wpiko_chatbot_skip_ai_response`, after `message_saved()`: so
	 * what the bridge has just answered decides or, when it could not be asked, the store's copy.
	 *
	 * @param mixed $skip      What others say.
	 * @param mixed $thread_id Thread id.
	 * @return mixed
	 */
	public function pause_ai( $skip, $thread_id ) {
		return $this->is_joined() && $this->takeovers->is_taken_over( $skip, $thread_id ) ? true : $skip;
	}

	/**
	 * Lifts the limits of messages while an agent answers. Callback of `wpiko_chatbot_user_limit_bypass`.
	 *
	 * @param mixed $bypass    What others say.
	 * @param mixed $thread_id Thread id.
	 * @return mixed
	 */
	public function lift_limit( $bypass, $thread_id ) {
		return $this->pause_ai( $bypass, $thread_id );
	}

	/**
	 * Gives the AI the hand-off note (T6). Callback of `wpiko_chatbot_combined_instructions`.
	 *
	 * @param mixed $text System prompt.
	 * @return mixed
	 */
	public function add_handoff_note( $text ) {
		$note = is_string( $text ) && $this->is_joined() ? $this->takeovers->handoff_note( '', self::posted_thread_id() ) : '';
		return '' === $note ? $text : "$text\n\n$note";
	}

	/**
	 * Passes on what the widget's own heartbeat says. Callback of `wpiko_chatbot_user_heartbeat`.
	 *
	 * With the loops off only pages from a cache, and strangers, send any.
	 *
	 * @param mixed $thread_id Thread id.
	 * @param mixed $status    Any text a stranger sends.
	 */
	public function visitor_heard( $thread_id, $status ): void {
		if ( ! is_string( $status ) || ! isset( self::STATUSES[ $status ] ) || ! Chat_Events::is_id( $thread_id ) ) {
			return;
		}
		if ( ! $this->is_joined() || ! $this->is_known( $thread_id ) ) {
			return;
		}
		$limit = new Rate_Limit( 'wpiko', self::HEARTBEATS_PER_MINUTE, MINUTE_IN_SECONDS );
		if ( 0 === $limit->count( $thread_id ) ) {
			$this->events->tell( self::STATUSES[ $status ], $thread_id );
		}
	}

	/**
	 * Asks polls for no heartbeats. Callback of `wpiko_chatbot_check_new_messages_response`.
	 *
	 * @param mixed $data Answer to a poll.
	 * @return mixed
	 */
	public function need_no_heartbeat( $data ) {
		if ( is_array( $data ) && $this->is_joined() ) {
			$data['heartbeat_needed'] = false;
		}
		return $data;
	}

	/**
	 * Tells that an admin has deleted a conversation. Callback of `wpiko_chatbot_conversation_deleted`.
	 *
	 * @param mixed $thread_id Thread id.
	 */
	public function conversation_deleted( $thread_id ): void {
		if ( $this->is_joined() ) {
			$this->events->tell( 'conversation_deleted', $thread_id );
		}
	}

	/**
	 * Keeps an agent's words in the widget's transcript. Callback of `chat_presence_bridge_agent_message`.
	 *
	 * By our own insert: the widget's function looks the visitor's address up at a service outside. Who the visitor is
	 * comes from the thread's newest row; a conversation of another widget has none, and gets none.
	 *
	 * @param mixed               $conversation Conversation id.
	 * @param array<string,mixed> $message      `text`, `at` (Unix time) and more.
	 */
	public function keep_agent_message( $conversation, $message ): void {
		global $wpdb;
		$table = self::transcript();
		if ( ! $this->is_joined() || null === $wpdb->get_var( $wpdb->prepare( 'SHOW TABLES LIKE %s', $wpdb->esc_like( $table ) ) ) ) { // phpcs:ignore WordPress.DB -- WordPress has no function for it.
			return;
		}
		$copied = 'user_id, user_email, user_name, country, city, region, device_type';
		// phpcs:disable WordPress.DB -- a table of the widget's, for which WordPress has no functions.
		$wpdb->query(
			$wpdb->prepare(
				"INSERT INTO $table ( session_id, role, message, timestamp, $copied )
					SELECT session_id, 'admin', %s, %s, $copied FROM $table
					WHERE session_id = %s AND CAST( session_id AS BINARY ) = %s ORDER BY id DESC LIMIT 1",
				$message['text'],
				get_date_from_gmt( gmdate( 'Y-m-d H:i:s', $message['at'] ) ),
				$conversation,
				$conversation
			)
		);
		// phpcs:enable
	}

	/**
	 * Tells whether there is anything for this adapter to do.
	 *
	 * @return bool
	 */
	private function is_joined(): bool {
		return null !== $this->options->connection() && ! self::is_pro_active();
	}

	/**
	 * Tells whether WPiko Chatbot Pro is active.
	 *
	 * @return bool
	 */
	private static function is_pro_active(): bool {
		return defined( 'WPIKO_CHATBOT_PRO_VERSION' ) || self::is_active( self::PRO );
	}

	/**
	 * Tells whether a plugin is active. Pages of the shop do not load is_plugin_active(); WordPress has read both lists
	 * by the time it loads us.
	 *
	 * @param string $folder Folder of the plugin.
	 * @return bool
	 */
	private static function is_active( string $folder ): bool {
		$active = (array) get_option( 'active_plugins', array() );
		if ( is_multisite() ) {
			$active = array_merge( $active, array_keys( (array) get_site_option( 'active_sitewide_plugins', array() ) ) );
		}
		return array() !== preg_grep( '#^' . $folder . '/#', $active );
	}

	/**
	 * Tells whether a thread began with this request and this row: the server made its id just now, so nobody else's it
	 * can be. Of any other, the request shows only that the sender knows the id.
	 *
	 * @param string $thread_id Thread id.
	 * @param int    $row       Row id of the message.
	 * @return bool
	 */
	private function is_born_here( string $thread_id, int $row ): bool {
		return null !== $this->visitor && in_array( self::posted_thread_id(), self::NO_THREAD, true ) && ! $this->is_known( $thread_id, $row );
	}

	/**
	 * Tells whether a thread has been seen.
	 *
	 * @param string   $thread_id Thread id; significant in case, unlike in the table's collation.
	 * @param int|null $besides   Row that does not count.
	 * @return bool
	 */
	private function is_known( string $thread_id, ?int $besides = null ): bool {
		global $wpdb;
		$table = self::transcript();
		return null !== $wpdb->get_var( $wpdb->prepare( "SELECT id FROM $table WHERE session_id = %s AND CAST( session_id AS BINARY ) = %s AND id <> %d LIMIT 1", $thread_id, $thread_id, (int) $besides ) ); // phpcs:ignore WordPress.DB -- a table of the widget's, for which WordPress has no functions.
	}

	/**
	 * Makes sure that a row is this thread's: another plugin may have inserted one of its own since.
	 *
	 * @param int    $row       Row id.
	 * @param string $thread_id Thread id.
	 * @return int|null The row id; null when it is not.
	 */
	private function row_id( int $row, string $thread_id ): ?int {
		global $wpdb;
		$table = self::transcript();
		return $thread_id === $wpdb->get_var( $wpdb->prepare( "SELECT session_id FROM $table WHERE id = %d", $row ) ) ? $row : null; // phpcs:ignore WordPress.DB -- a table of the widget's, for which WordPress has no functions.
	}

	/**
	 * Gives the thread id that the browser sent.
	 *
	 * @return string
	 */
	private static function posted_thread_id(): string {
		// phpcs:disable WordPress.Security.NonceVerification -- the widget has verified its nonce, which all guests share.
		return isset( $_POST['thread_id'] ) && is_string( $_POST['thread_id'] ) ? sanitize_text_field( wp_unslash( $_POST['thread_id'] ) ) : '';
		// phpcs:enable
	}

	/**
	 * Gives the widget's transcript table.
	 *
	 * @return string
	 */
	private static function transcript(): string {
		global $wpdb;
		return $wpdb->prefix . 'wpiko_chatbot_conversations';
	}
}

<?php
/**
 * The adapter for any chat widget.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * The two actions that a widget's PHP can fire: `chat_presence_bridge_message` and `chat_presence_bridge_cleared`.
 *
 * No visitor is named in what is sent. Anybody can send a widget's PHP the id of somebody else's conversation, and the
 * bridge gives a conversation to the visitor whom the store names; the page proves by its own token whose it is.
 */
final class Generic_Adapter {

	/**
	 * Takes what is said.
	 *
	 * @var Chat_Events
	 */
	private $events;

	/**
	 * Forwards what is said.
	 *
	 * @param Chat_Events $events Takes it.
	 */
	public function __construct( Chat_Events $events ) {
		$this->events = $events;
	}

	/**
	 * Forwards one message. Callback of the action `chat_presence_bridge_message`.
	 *
	 * A visitor's is forwarded before this returns, in at most 1.5 seconds: afterwards
	 * `chat_presence_bridge_is_taken_over` tells what the bridge has answered to it.
	 *
	 * @param string               $conversation Conversation id, 1 to 128 printable characters.
	 * @param string               $author       `visitor`, `bot` or `system`.
	 * @param string               $text         Plain text; cut after 16,000 characters.
	 * @param array<string,string> $meta         Optional `id` (of the message: the same again changes nothing), `name` and
	 *                                           `email` (as the visitor gave them).
	 */
	public function message( $conversation, $author, $text, $meta = array() ): void {
		if ( ! $this->events->message( $conversation, $author, $text, $meta ) ) {
			_doing_it_wrong( 'chat_presence_bridge_message', esc_html__( 'Expected a conversation id of 1 to 128 printable characters, an author (visitor, bot or system), and a text.', 'chat-presence-bridge' ), '0.1.0' );
		}
	}

	/**
	 * Forwards that the visitor's side was reset. Callback of the action `chat_presence_bridge_cleared`.
	 *
	 * @param string $conversation Conversation id.
	 */
	public function cleared( $conversation ): void {
		if ( ! $this->events->tell( 'chat_cleared', $conversation ) ) {
			_doing_it_wrong( 'chat_presence_bridge_cleared', esc_html__( 'Expected a conversation id of 1 to 128 printable characters.', 'chat-presence-bridge' ), '0.1.0' );
		}
	}
}

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
	 * Who may write through the store: never an agent, who writes in the app.
	 */
	const AUTHORS = array( 'visitor', 'bot', 'system' );

	/**
	 * Longest id and longest texts, in characters (the wire, "Events").
	 */
	const ID_LENGTH    = 128;
	const TEXT_LENGTH  = 16000;
	const NAME_LENGTH  = 200;
	const EMAIL_LENGTH = 320;

	/**
	 * Takes the events.
	 *
	 * @var Event_Queue
	 */
	private $events;

	/**
	 * Forwards to a queue.
	 *
	 * @param Event_Queue $events Takes the events.
	 */
	public function __construct( Event_Queue $events ) {
		$this->events = $events;
	}

	/**
	 * Forwards one message. Callback of the action `chat_presence_bridge_message`.
	 *
	 * @param string               $conversation Conversation id, 1 to 128 printable characters.
	 * @param string               $author       `visitor`, `bot` or `system`.
	 * @param string               $text         Plain text; cut after 16,000 characters.
	 * @param array<string,string> $meta         Optional `id` (of the message: the same again changes nothing), `name` and
	 *                                           `email` (as the visitor gave them).
	 */
	public function message( $conversation, $author, $text, $meta = array() ): void {
		$text = is_scalar( $text ) ? trim( $this->plain( (string) $text ) ) : '';
		if ( ! $this->is_id( $conversation ) || ! in_array( $author, self::AUTHORS, true ) || '' === $text ) {
			_doing_it_wrong( 'chat_presence_bridge_message', esc_html__( 'Expected a conversation id of 1 to 128 printable characters, an author (visitor, bot or system), and a text.', 'chat-presence-bridge' ), '0.1.0' );
			return;
		}
		$meta    = is_array( $meta ) ? array_filter( $meta, 'is_string' ) : array();
		$message = array(
			'id'     => isset( $meta['id'] ) && $this->is_id( $meta['id'] ) ? $meta['id'] : 'm_' . bin2hex( random_bytes( 16 ) ),
			'author' => $author,
			'text'   => mb_substr( $text, 0, self::TEXT_LENGTH, 'UTF-8' ),
		);
		if ( isset( $meta['name'] ) && '' !== $meta['name'] ) {
			$message['name'] = mb_substr( $this->plain( $meta['name'] ), 0, self::NAME_LENGTH, 'UTF-8' );
		}
		// An address cut short would be somebody else's.
		if ( isset( $meta['email'] ) && is_email( $meta['email'] ) && strlen( $meta['email'] ) <= self::EMAIL_LENGTH ) {
			$message['email'] = $meta['email'];
		}
		$this->events->add(
			array(
				'type'         => 'message',
				'conversation' => (string) $conversation,
				'message'      => $message,
			)
		);
	}

	/**
	 * Forwards that the visitor's side was reset. Callback of the action `chat_presence_bridge_cleared`.
	 *
	 * @param string $conversation Conversation id.
	 */
	public function cleared( $conversation ): void {
		if ( ! $this->is_id( $conversation ) ) {
			_doing_it_wrong( 'chat_presence_bridge_cleared', esc_html__( 'Expected a conversation id of 1 to 128 printable characters.', 'chat-presence-bridge' ), '0.1.0' );
			return;
		}
		$this->events->add(
			array(
				'type'         => 'chat_cleared',
				'conversation' => (string) $conversation,
			)
		);
	}

	/**
	 * Tells whether a value can be an id on the wire.
	 *
	 * @param mixed $value What a widget gave.
	 * @return bool
	 */
	private function is_id( $value ): bool {
		return ( is_string( $value ) || is_int( $value ) )
			&& 1 === preg_match( '/^\P{C}{1,' . self::ID_LENGTH . '}$/Du', (string) $value );
	}

	/**
	 * Takes out NUL, which the bridge refuses.
	 *
	 * @param string $text Any text.
	 * @return string
	 */
	private function plain( string $text ): string {
		return str_replace( "\0", '', $text );
	}
}

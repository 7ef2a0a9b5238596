<?php
/**
 * What happens in a chat, as events.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * Makes events fit for the wire ("Events") of what widgets' PHP says, and sends them at the right moment.
 */
final class Chat_Events {

	/**
	 * Who may write through the store: never an agent, who writes in the app.
	 */
	const AUTHORS = array( 'visitor', 'bot', 'system' );

	/**
	 * Longest id and longest texts, in characters.
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
	private $queue;

	/**
	 * Sends through a queue.
	 *
	 * @param Event_Queue $queue Takes the events.
	 */
	public function __construct( Event_Queue $queue ) {
		$this->queue = $queue;
	}

	/**
	 * Tells of one message: a visitor's at once, since the answer decides whether the AI answers; others' afterwards.
	 *
	 * @param mixed       $conversation Conversation id, 1 to 128 printable characters.
	 * @param mixed       $author       `visitor`, `bot` or `system`.
	 * @param mixed       $text         Plain text; cut after 16,000 characters.
	 * @param mixed       $meta         Optional `id` (of the message: the same again changes nothing), `name` and `email`
	 *                                  (as the visitor gave them).
	 * @param string|null $visitor      Whose conversation it is. The bridge gives it to them: null unless that is certain.
	 * @return bool False when there is no message in it.
	 */
	public function message( $conversation, $author, $text, $meta = array(), ?string $visitor = null ): bool {
		$text = is_scalar( $text ) ? trim( self::plain( (string) $text ) ) : '';
		if ( ! self::is_id( $conversation ) || ! in_array( $author, self::AUTHORS, true ) || '' === $text ) {
			return false;
		}
		$meta    = is_array( $meta ) ? array_filter( $meta, 'is_string' ) : array();
		$message = array(
			'id'     => isset( $meta['id'] ) && self::is_id( $meta['id'] ) ? $meta['id'] : 'm_' . bin2hex( random_bytes( 16 ) ),
			'author' => $author,
			'text'   => mb_substr( $text, 0, self::TEXT_LENGTH, 'UTF-8' ),
		);
		if ( isset( $meta['name'] ) && '' !== $meta['name'] ) {
			$message['name'] = mb_substr( self::plain( $meta['name'] ), 0, self::NAME_LENGTH, 'UTF-8' );
		}
		// An address cut short would be somebody else's.
		if ( isset( $meta['email'] ) && is_email( $meta['email'] ) && strlen( $meta['email'] ) <= self::EMAIL_LENGTH ) {
			$message['email'] = $meta['email'];
		}
		$event = array(
			'type'         => 'message',
			'conversation' => (string) $conversation,
			'message'      => $message,
		);
		$this->queue->add( null === $visitor ? $event : $event + array( 'visitor' => $visitor ) );
		if ( 'visitor' === $author ) {
			$this->queue->send_now();
		}
		return true;
	}

	/**
	 * Tells of something that is about a conversation and has no more to it.
	 *
	 * @param string $type         Type of the event.
	 * @param mixed  $conversation Conversation id, 1 to 128 printable characters.
	 * @return bool False when that is none.
	 */
	public function tell( string $type, $conversation ): bool {
		if ( ! self::is_id( $conversation ) ) {
			return false;
		}
		$this->queue->add(
			array(
				'type'         => $type,
				'conversation' => (string) $conversation,
			)
		);
		return true;
	}

	/**
	 * Tells whether a value can be an id on the wire.
	 *
	 * @param mixed $value What a widget gave.
	 * @return bool
	 */
	public static function is_id( $value ): bool {
		return ( is_string( $value ) || is_int( $value ) )
			&& 1 === preg_match( '/^\P{C}{1,' . self::ID_LENGTH . '}$/Du', (string) $value );
	}

	/**
	 * Takes out NUL, which the bridge refuses.
	 *
	 * @param string $text Any text.
	 * @return string
	 */
	private static function plain( string $text ): string {
		return str_replace( "\0", '', $text );
	}
}

<?php
/**
 * One call of the bridge.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * What the bridge tells, read and checked: the body of `POST bridge` (the wire, "Bridge to store").
 */
final class Bridge_Call {

	/**
	 * Types that this version knows.
	 */
	const TAKEOVER_STARTED  = 'takeover.started';
	const TAKEOVER_RELEASED = 'takeover.released';
	const MESSAGE_CREATED   = 'message.created';

	/**
	 * One of the types above, or what a newer bridge says.
	 *
	 * @var string
	 */
	public $type;

	/**
	 * Conversation id.
	 *
	 * @var string
	 */
	public $conversation = '';

	/**
	 * When it happened: Unix time.
	 *
	 * @var int
	 */
	public $at = 0;

	/**
	 * When the takeover ends by itself: Unix time; null if not told.
	 *
	 * @var int|null
	 */
	public $expires_at;

	/**
	 * What the AI shall know of the takeover; null for nothing.
	 *
	 * @var string|null
	 */
	public $handoff_note;

	/**
	 * Of `MESSAGE_CREATED`: `id`, `text`, `at` (Unix time), `agent` (`id`, `name`, `avatar_url`).
	 *
	 * @var array<string,mixed>|null
	 */
	public $message;

	/**
	 * Made by `from_json()`.
	 *
	 * @param string $type Type of the call.
	 */
	private function __construct( string $type ) {
		$this->type = $type;
	}

	/**
	 * Reads a body.
	 *
	 * @param string $body JSON.
	 * @return self|null Null when it is not what a bridge says. Of a type that is not known only the type is read.
	 */
	public static function from_json( string $body ): ?self {
		$said = json_decode( $body, true, 32 );
		if ( ! is_array( $said ) || ! isset( $said['type'] ) || ! is_string( $said['type'] ) ) {
			return null;
		}
		$call = new self( $said['type'] );
		if ( ! in_array( $call->type, array( self::TAKEOVER_STARTED, self::TAKEOVER_RELEASED, self::MESSAGE_CREATED ), true ) ) {
			return $call;
		}
		$call->at           = Moment::read( $said['at'] ?? null );
		$call->expires_at   = Moment::read( $said['expires_at'] ?? null );
		$call->handoff_note = self::text( $said, 'handoff_note' );
		$call->message      = self::MESSAGE_CREATED === $call->type ? self::message( $said ) : null;
		if ( ! Chat_Events::is_id( $said['conversation'] ?? null ) || null === $call->at || ( self::MESSAGE_CREATED === $call->type && null === $call->message ) ) {
			return null;
		}
		$call->conversation = (string) $said['conversation'];
		return $call;
	}

	/**
	 * Reads an agent's message.
	 *
	 * @param array<string,mixed> $said What the bridge says.
	 * @return array<string,mixed>|null Null when it is none.
	 */
	private static function message( array $said ): ?array {
		$message = isset( $said['message'] ) && is_array( $said['message'] ) ? $said['message'] : array();
		$agent   = isset( $said['agent'] ) && is_array( $said['agent'] ) ? $said['agent'] : array();
		$text    = self::text( $message, 'text' );
		if ( ! Chat_Events::is_id( $message['id'] ?? null ) || null === $text ) {
			return null;
		}
		return array(
			'id'    => (string) $message['id'],
			'text'  => $text,
			'at'    => Moment::read( $message['at'] ?? null ) ?? Moment::read( $said['at'] ?? null ),
			'agent' => array(
				'id'         => self::text( $agent, 'id' ),
				'name'       => self::text( $agent, 'name' ),
				'avatar_url' => self::text( $agent, 'avatar_url' ),
			),
		);
	}

	/**
	 * Gives a field that may hold text.
	 *
	 * @param array<string,mixed> $said Decoded JSON object.
	 * @param string              $name Name of the field.
	 * @return string|null Null when there is none.
	 */
	private static function text( array $said, string $name ): ?string {
		return isset( $said[ $name ] ) && is_string( $said[ $name ] ) && '' !== $said[ $name ] ? $said[ $name ] : null;
	}
}

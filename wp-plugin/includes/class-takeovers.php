<?php
/**
 * Who is taken over, as far as the store knows.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * The store's copy of the bridge's takeovers, each with its end (presence rule T3), and of hand-off notes (T6).
 *
 * It is asked without a remote call, so that a bridge that is away wakes no AI, and a takeover whose end was never
 * told mutes none for ever.
 *
 * Two sources keep it: the bridge's calls, which come in order, and the answers to our own events, which overtake
 * them at times. A call always counts. An answer counts only if it was asked for after the last call was stored:
 * whatever the bridge tells in a call, it knew before we asked. All times compared are this server's.
 */
final class Takeovers {

	/**
	 * Seconds until a takeover ends whose end was not told (T3), and the longest that any lasts unrenewed.
	 */
	const UNTOLD_END  = 30 * MINUTE_IN_SECONDS;
	const LONGEST_END = DAY_IN_SECONDS;

	/**
	 * Seconds after the release for which the AI is given the note (T6).
	 */
	const NOTE_LIFETIME = DAY_IN_SECONDS;

	/**
	 * Seconds after which nothing that a row says can hold any more.
	 */
	const FORGOTTEN_AFTER = 2 * DAY_IN_SECONDS;

	/**
	 * Most rows forgotten at a time: nobody waits for a large clean-up.
	 */
	const FORGET_AT_ONCE = 100;

	/**
	 * Where the connection is found.
	 *
	 * @var Options
	 */
	private $options;

	/**
	 * Makes the copy.
	 *
	 * @param Options $options Where the connection is found.
	 */
	public function __construct( Options $options ) {
		$this->options = $options;
	}

	/**
	 * Tells whether an agent answers instead of the AI. Callback of the filter `chat_presence_bridge_is_taken_over`.
	 *
	 * @param mixed $taken_over   What others say.
	 * @param mixed $conversation Conversation id.
	 * @return bool
	 */
	public function is_taken_over( $taken_over, $conversation ): bool {
		if ( $taken_over ) {
			return true;
		}
		$row = $this->row( $conversation );
		return null !== $row && (int) $row->taken_until > time();
	}

	/**
	 * Gives what the AI shall know of the last takeover. Callback of the filter `chat_presence_bridge_handoff_note`.
	 *
	 * @param mixed $note         What others say.
	 * @param mixed $conversation Conversation id.
	 * @return mixed The note, plain text, for 24 hours after the release (T6); else what others say.
	 */
	public function handoff_note( $note, $conversation ) {
		$row = $this->row( $conversation );
		return null !== $row && null !== $row->note && (int) $row->note_until > time() ? $row->note : $note;
	}

	/**
	 * Keeps that the bridge told of a takeover, or that it goes on.
	 *
	 * @param string   $conversation Conversation id.
	 * @param int|null $expires_at   Unix time at which it ends by itself; null if not told.
	 * @throws \RuntimeException When the database does not take it.
	 */
	public function started( string $conversation, ?int $expires_at ): void {
		$this->write(
			'INSERT INTO %TABLE% ( conversation, taken_until, known_at ) VALUES ( %s, %d, %f )
				ON DUPLICATE KEY UPDATE taken_until = VALUES( taken_until ), known_at = VALUES( known_at )',
			$conversation,
			self::end( $expires_at ),
			microtime( true )
		);
	}

	/**
	 * Keeps that the bridge told of a release.
	 *
	 * @param string      $conversation Conversation id.
	 * @param int         $released_at  Unix time.
	 * @param string|null $note         Hand-off note; null when there is none, and an earlier one goes on holding.
	 * @throws \RuntimeException When the database does not take it.
	 */
	public function released( string $conversation, int $released_at, ?string $note ): void {
		$this->write(
			'INSERT INTO %TABLE% ( conversation, taken_until, known_at ) VALUES ( %s, 0, %f )
				ON DUPLICATE KEY UPDATE taken_until = 0, known_at = VALUES( known_at )',
			$conversation,
			microtime( true )
		);
		if ( null !== $note ) {
			$this->write(
				'UPDATE %TABLE% SET note = %s, note_until = %d WHERE conversation = %s',
				$note,
				min( $released_at, time() ) + self::NOTE_LIFETIME,
				$conversation
			);
		}
	}

	/**
	 * Learns from the answer to events of ours.
	 *
	 * @param string   $conversation Conversation id.
	 * @param bool     $taken_over   Whether it is taken over.
	 * @param int|null $expires_at   Unix time at which that ends by itself; null if not told.
	 * @param float    $asked_at     Unix time, with fractions, at which the events were sent.
	 * @throws \RuntimeException When the database does not take it.
	 */
	public function learn( string $conversation, bool $taken_over, ?int $expires_at, float $asked_at ): void {
		if ( $taken_over ) {
			$this->write(
				'INSERT INTO %TABLE% ( conversation, taken_until, known_at ) VALUES ( %s, %d, %f )
					ON DUPLICATE KEY UPDATE taken_until = IF( known_at < VALUES( known_at ), VALUES( taken_until ), taken_until ),
						known_at = GREATEST( known_at, VALUES( known_at ) )',
				$conversation,
				self::end( $expires_at ),
				$asked_at
			);
			return;
		}
		// Most conversations are never taken over: they get no row.
		$this->write(
			'UPDATE %TABLE% SET taken_until = 0, known_at = %f WHERE conversation = %s AND known_at < %f',
			$asked_at,
			$conversation,
			$asked_at
		);
	}

	/**
	 * Forgets what can hold no more.
	 *
	 * @throws \RuntimeException When the database refuses.
	 */
	public function forget_past(): void {
		$this->write( 'DELETE FROM %TABLE% WHERE known_at < %d LIMIT %d', time() - self::FORGOTTEN_AFTER, self::FORGET_AT_ONCE );
	}

	/**
	 * Forgets everything: the bridge that told it is ours no more.
	 *
	 * @throws \RuntimeException When the database refuses.
	 */
	public function forget_all(): void {
		$this->write( 'DELETE FROM %TABLE% WHERE known_at >= %d', 0 );
	}

	/**
	 * Gives what is kept of a conversation.
	 *
	 * @param mixed $conversation Conversation id.
	 * @return object|null Null when nothing is, and while not connected: then the shop is left alone.
	 */
	private function row( $conversation ) {
		global $wpdb;
		if ( ! is_scalar( $conversation ) || null === $this->options->connection() ) {
			return null;
		}
		$table = Schema::takeovers();
		return $wpdb->get_row( $wpdb->prepare( "SELECT taken_until, note, note_until FROM $table WHERE conversation = %s", (string) $conversation ) ); // phpcs:ignore WordPress.DB -- our own table; a cache could miss what another process wrote.
	}

	/**
	 * Writes to the table.
	 *
	 * @param string                       $sql       Statement; `%TABLE%` stands for the table.
	 * @param array<int,string|int|float> ...$arguments What the placeholders stand for.
	 * @throws \RuntimeException When the database does not take it.
	 */
	private function write( string $sql, ...$arguments ): void {
		global $wpdb;
		$done = $wpdb->query( $wpdb->prepare( str_replace( '%TABLE%', Schema::takeovers(), $sql ), $arguments ) ); // phpcs:ignore WordPress.DB -- our own table; every statement is written above.
		if ( false === $done ) {
			throw new \RuntimeException( 'The takeover could not be kept.' );
		}
	}

	/**
	 * Bounds the end of a takeover.
	 *
	 * @param int|null $expires_at Unix time; null if not told.
	 * @return int Unix time.
	 */
	private static function end( ?int $expires_at ): int {
		return min( $expires_at ?? time() + self::UNTOLD_END, time() + self::LONGEST_END );
	}
}

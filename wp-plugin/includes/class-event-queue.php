<?php
/**
 * The store's own events.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * Collects what the store has to tell during one request, and tells it after the answer has gone to the visitor, or
 * at once where the bridge's answer decides something. Each answer brings the store's copy of takeovers up to date.
 */
final class Event_Queue {

	/**
	 * Most events that one call may carry (the wire, "Events").
	 */
	const BATCH = 100;

	/**
	 * Seconds to wait for the bridge when the visitor already has the answer, and when the visitor waits for it: in
	 * all, name look-up and connection included.
	 */
	const TIMEOUT_AFTER_ANSWER  = 5.0;
	const TIMEOUT_BEFORE_ANSWER = 1.5;

	/**
	 * Where the connection is found.
	 *
	 * @var Options
	 */
	private $options;

	/**
	 * Learns from the answers.
	 *
	 * @var Takeovers
	 */
	private $takeovers;

	/**
	 * Events not yet sent.
	 *
	 * @var array<int,array<string,mixed>>
	 */
	private $events = array();

	/**
	 * Makes an empty queue.
	 *
	 * @param Options   $options   Where the connection is found.
	 * @param Takeovers $takeovers Learns from the answers.
	 */
	public function __construct( Options $options, Takeovers $takeovers ) {
		$this->options   = $options;
		$this->takeovers = $takeovers;
	}

	/**
	 * Adds one event, with an id and the present time as the time at which it happened (presence rule P11).
	 *
	 * @param array<string,mixed> $event `type` and what else the type needs.
	 */
	public function add( array $event ): void {
		$this->events[] = $event + array(
			'id'          => 'e_' . bin2hex( random_bytes( 16 ) ),
			'occurred_at' => Moment::now(),
		);
	}

	/**
	 * Sends what was collected so far while the visitor waits. What cannot be sent stays for `send_after_answer()`.
	 */
	public function send_now(): void {
		$connection = $this->options->connection();
		if ( null !== $connection ) {
			$this->send( $connection, self::TIMEOUT_BEFORE_ANSWER );
		}
	}

	/**
	 * Lets the answer go to the visitor where the server can do so, then sends what was collected.
	 *
	 * Callback of `shutdown`, after everything else that still prints.
	 */
	public function send_after_answer(): void {
		$connection = $this->options->connection();
		if ( array() === $this->events || null === $connection ) {
			return;
		}
		$this->send( $connection, $this->finish_answer() ? self::TIMEOUT_AFTER_ANSWER : self::TIMEOUT_BEFORE_ANSWER );
		$this->events = array();
	}

	/**
	 * Sends in batches, in order, until the bridge is away: that batch and those after it stay. What the bridge refuses
	 * it would refuse again.
	 *
	 * @param Connection $connection Where to.
	 * @param float      $timeout    Seconds for each batch.
	 */
	private function send( Connection $connection, float $timeout ): void {
		$client = new Bridge_Client( $connection );
		while ( array() !== $this->events ) {
			$asked_at = microtime( true );
			$batch    = array_slice( $this->events, 0, self::BATCH );
			$answer   = $client->send_signed( 'POST', '/v1/store/events', array( 'events' => $batch ), $timeout );
			if ( is_wp_error( $answer ) || $answer['status'] >= 500 || 429 === $answer['status'] ) {
				return;
			}
			$this->events = array_slice( $this->events, self::BATCH );
			$this->learn( $answer['data'], $asked_at );
		}
	}

	/**
	 * Learns from the answer who is taken over.
	 *
	 * @param mixed $answer   Decoded answer to a batch.
	 * @param float $asked_at Unix time, with fractions, at which the batch was sent.
	 */
	private function learn( $answer, float $asked_at ): void {
		$conversations = is_object( $answer ) && isset( $answer->conversations ) ? (array) $answer->conversations : array();
		foreach ( $conversations as $id => $known ) {
			if ( ! is_object( $known ) || ! isset( $known->takeover ) || ! is_bool( $known->takeover ) ) {
				continue;
			}
			try {
				$this->takeovers->learn( (string) $id, $known->takeover, Moment::read( $known->takeover_expires_at ?? null ), $asked_at );
			} catch ( \RuntimeException $error ) {
				// No chat may fail for it; the bridge's own calls tell the same.
				return;
			}
		}
	}

	/**
	 * Sends the answer to the visitor while PHP goes on.
	 *
	 * @return bool False where the server has no way to do so.
	 */
	private function finish_answer(): bool {
		foreach ( array( 'fastcgi_finish_request', 'litespeed_finish_request' ) as $finish ) {
			if ( function_exists( $finish ) ) {
				$finish();
				return true;
			}
		}
		return false;
	}
}

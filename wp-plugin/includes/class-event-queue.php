<?php
/**
 * The store's own events.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * Collects what the store has to tell during one request, and tells it after the answer has gone to the visitor.
 */
final class Event_Queue {

	/**
	 * Most events that one call may carry (the wire, "Events").
	 */
	const BATCH = 100;

	/**
	 * Seconds to wait for the bridge when the visitor already has the answer, and when the server cannot send it
	 * before the request ends.
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
	 * Events not yet sent.
	 *
	 * @var array<int,array<string,mixed>>
	 */
	private $events = array();

	/**
	 * Makes an empty queue.
	 *
	 * @param Options $options Where the connection is found.
	 */
	public function __construct( Options $options ) {
		$this->options = $options;
	}

	/**
	 * Adds one event, with an id and the present time as the time at which it happened (presence rule P11).
	 *
	 * @param array<string,mixed> $event `type` and what else the type needs.
	 */
	public function add( array $event ): void {
		$this->events[] = $event + array(
			'id'          => 'e_' . bin2hex( random_bytes( 16 ) ),
			'occurred_at' => ( new \DateTimeImmutable( 'now', new \DateTimeZone( 'UTC' ) ) )->format( 'Y-m-d\TH:i:s.v\Z' ),
		);
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
		$timeout = $this->finish_answer() ? self::TIMEOUT_AFTER_ANSWER : self::TIMEOUT_BEFORE_ANSWER;
		$client  = new Bridge_Client( $connection );
		foreach ( array_chunk( $this->events, self::BATCH ) as $batch ) {
			$client->send_signed( 'POST', '/v1/store/events', array( 'events' => $batch ), $timeout );
		}
		$this->events = array();
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

<?php
/**
 * Requests to the bridge, caught before they leave WordPress.
 *
 * @package ChatPresenceBridge
 */

/**
 * Stands where the network would; real requests are tested over HTTP.
 */
trait Caught_Requests {

	/**
	 * Requests caught.
	 *
	 * @var array<int,array<string,mixed>>
	 */
	private $requests = array();

	/**
	 * What WordPress's HTTP functions are to answer: an answer, an error, or what makes one of the request.
	 *
	 * @var mixed
	 */
	private $answer;

	/**
	 * Begins to catch.
	 *
	 * @before
	 */
	protected function begin_to_catch(): void {
		$this->requests = array();
		$this->answer   = self::answer_with( array() );
		add_filter( 'pre_http_request', array( $this, 'catch_request' ), 10, 3 );
	}

	/**
	 * Ends catching.
	 *
	 * @after
	 */
	protected function end_catching(): void {
		remove_filter( 'pre_http_request', array( $this, 'catch_request' ) );
	}

	public function catch_request( $answer, $arguments, $url ) {
		$this->requests[] = $arguments + array( 'url' => $url );
		return is_callable( $this->answer ) ? call_user_func( $this->answer ) : $this->answer;
	}

	/**
	 * Makes the bridge's answer to events.
	 *
	 * @param array<string,array<string,mixed>> $conversations What it tells of each conversation.
	 * @param int                               $status        HTTP status code.
	 */
	private static function answer_with( array $conversations, int $status = 200 ): array {
		return array(
			'response' => array( 'code' => $status ),
			'headers'  => array(),
			'body'     => wp_json_encode(
				array(
					'results'       => array(),
					'conversations' => (object) $conversations,
				)
			),
		);
	}

	/**
	 * Makes what the bridge tells of a conversation that is, or is not, taken over.
	 *
	 * @param bool     $taken_over Whether it is.
	 * @param int|null $until      Unix time; null for half an hour from now.
	 */
	private static function told( bool $taken_over, ?int $until = null ): array {
		return array(
			'takeover'            => $taken_over,
			'takeover_expires_at' => $taken_over ? gmdate( 'Y-m-d\TH:i:s.000\Z', $until ?? time() + 1800 ) : null,
			'heartbeat_seconds'   => $taken_over ? 10 : 60,
			'state'               => 'online',
		);
	}

	/**
	 * Gives the events of all requests caught.
	 *
	 * @return array<int,array<string,mixed>>
	 */
	private function sent_events(): array {
		return array_merge( array(), ...array_map( static fn( $request ) => json_decode( $request['body'], true )['events'], $this->requests ) );
	}

	/**
	 * Ends the request as far as this plugin is concerned.
	 */
	private static function end_request(): void {
		$callbacks = $GLOBALS['wp_filter']['shutdown']->callbacks;
		ksort( $callbacks );
		foreach ( array_merge( ...$callbacks ) as $callback ) {
			$object = is_array( $callback['function'] ) ? $callback['function'][0] : null;
			if ( is_object( $object ) && 0 === strpos( get_class( $object ), 'ChatPresenceBridge\\' ) ) {
				call_user_func( $callback['function'] );
			}
		}
	}
}

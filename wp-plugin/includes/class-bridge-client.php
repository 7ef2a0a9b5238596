<?php
/**
 * HTTP to the bridge.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * Sends requests to the bridge so that a bridge in trouble never becomes the store's trouble: every call has a
 * time-out, follows no redirect, and a failure opens a circuit that lets nothing through for 30 seconds.
 */
final class Bridge_Client {

	/**
	 * Seconds for which the circuit stays open after a failure.
	 */
	const CIRCUIT_SECONDS = 30;

	/**
	 * Transient that holds the Unix time at which the circuit closes.
	 */
	const CIRCUIT = Options::TRANSIENT_PREFIX . 'circuit';

	/**
	 * More than this the bridge never answers, in bytes.
	 */
	const ANSWER_LIMIT = 1048576;

	/**
	 * Codes of WP_Error: the circuit is open; there was no usable answer.
	 */
	const CIRCUIT_OPEN = 'cpb_circuit_open';
	const UNREACHABLE  = 'cpb_unreachable';

	/**
	 * Which bridge.
	 *
	 * @var Connection
	 */
	private $connection;

	/**
	 * Speaks to one bridge.
	 *
	 * @param Connection $connection Where, and signed by which key.
	 */
	public function __construct( Connection $connection ) {
		$this->connection = $connection;
	}

	/**
	 * Sends a request as the store, signed.
	 *
	 * @param string                   $method  HTTP method.
	 * @param string                   $target  Path and query, beginning with `/v1/`.
	 * @param array<string,mixed>|null $body    To be sent as JSON; null for a request without a body.
	 * @param float                    $timeout Seconds.
	 * @return array{status:int,content_type:string,retry_after:string,data:mixed}|\WP_Error As `send()` answers.
	 */
	public function send_signed( string $method, string $target, ?array $body, float $timeout ) {
		$content = null === $body ? '' : (string) wp_json_encode( $body, JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE );
		$id      = 'msg_' . bin2hex( random_bytes( 16 ) );
		$headers = ( new Signer( $this->connection ) )->headers( $id, time(), null === $body ? "$method $target" : $content );
		if ( null !== $body ) {
			$headers['Content-Type'] = 'application/json';
		}
		return $this->send( $method, $target, $headers, $content, $timeout );
	}

	/**
	 * Sends a request with credentials that somebody else made: a visitor's own. The store's key has no part in it.
	 *
	 * @param string               $method  HTTP method.
	 * @param string               $target  Path and query, beginning with `/v1/`.
	 * @param array<string,string> $headers Request headers.
	 * @param string               $content Raw body, empty for none.
	 * @param float                $timeout Seconds.
	 * @return array{status:int,content_type:string,retry_after:string,data:mixed}|\WP_Error The answer, whatever its
	 *         status, with its JSON decoded (objects as objects); or an error with code `CIRCUIT_OPEN`, or
	 *         `UNREACHABLE` when nothing came that a bridge would say.
	 */
	public function send( string $method, string $target, array $headers, string $content, float $timeout ) {
		$wait = $this->circuit_seconds();
		if ( $wait > 0 ) {
			/* translators: %d: number of seconds. */
			return new \WP_Error( self::CIRCUIT_OPEN, sprintf( __( 'The bridge could not be reached a moment ago; it will be asked again in %d seconds.', 'chat-presence-bridge' ), $wait ) );
		}
		$answer = $this->answer(
			$this->request(
				$this->connection->bridge() . $target,
				array(
					'method'              => $method,
					'headers'             => $headers + array( 'Accept' => 'application/json' ),
					'body'                => '' === $content ? null : $content,
					'timeout'             => $timeout,
					'redirection'         => 0,
					'limit_response_size' => self::ANSWER_LIMIT,
					'user-agent'          => 'ChatPresenceBridge/' . CPB_VERSION,
				)
			)
		);
		if ( is_wp_error( $answer ) || $answer['status'] >= 502 ) {
			set_transient( self::CIRCUIT, time() + self::CIRCUIT_SECONDS, self::CIRCUIT_SECONDS );
		}
		return $answer;
	}

	/**
	 * Tells how long the circuit stays open.
	 *
	 * @return int Seconds; 0 when it is closed.
	 */
	public function circuit_seconds(): int {
		return max( 0, (int) get_transient( self::CIRCUIT ) - time() );
	}

	/**
	 * Closes the circuit: somebody at the settings page wants to know now.
	 */
	public function close_circuit(): void {
		delete_transient( self::CIRCUIT );
	}

	/**
	 * Makes a request in which connecting, too, takes no longer than the time-out: with cURL that holds for all of it
	 * anyhow; without, WordPress would wait ten seconds for a connection.
	 *
	 * @param string              $url       Absolute URL.
	 * @param array<string,mixed> $arguments Of the WordPress HTTP API.
	 * @return array<string,mixed>|\WP_Error From the WordPress HTTP API.
	 */
	private function request( string $url, array $arguments ) {
		$limit = static function ( &$to, &$headers, &$data, &$type, &$options ) use ( $arguments ) {
			$options['connect_timeout'] = $arguments['timeout'];
		};
		add_action( 'requests-requests.before_request', $limit, 10, 5 );
		$response = wp_remote_request( $url, $arguments );
		remove_action( 'requests-requests.before_request', $limit );
		return $response;
	}

	/**
	 * Reads what came back.
	 *
	 * @param array<string,mixed>|\WP_Error $response From the WordPress HTTP API.
	 * @return array{status:int,content_type:string,retry_after:string,data:mixed}|\WP_Error
	 */
	private function answer( $response ) {
		if ( is_wp_error( $response ) ) {
			return new \WP_Error( self::UNREACHABLE, $response->get_error_message() );
		}
		$status  = (int) wp_remote_retrieve_response_code( $response );
		$content = wp_remote_retrieve_body( $response );
		$data    = json_decode( $content, false, 64, JSON_BIGINT_AS_STRING );
		// A proxy's own error page, a redirect, a parked domain: no bridge speaks like that.
		if ( JSON_ERROR_NONE !== json_last_error() || ( $status >= 300 && $status < 400 ) ) {
			/* translators: %d: HTTP status code. */
			return new \WP_Error( self::UNREACHABLE, sprintf( __( 'Something answered there (HTTP status %d), but not as a bridge does.', 'chat-presence-bridge' ), $status ) );
		}
		return array(
			'status'       => $status,
			'content_type' => (string) wp_remote_retrieve_header( $response, 'content-type' ),
			'retry_after'  => (string) wp_remote_retrieve_header( $response, 'retry-after' ),
			'data'         => $data,
		);
	}
}

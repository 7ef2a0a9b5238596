<?php
/**
 * The REST routes that a visitor's page uses.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * `session` gives a visitor their token; `events` and `sync` hand the visitor's own requests on to the bridge, for
 * browsers that cannot reach it. The store adds nothing to these and signs nothing: it would vouch for what a
 * browser said.
 */
final class REST_Controller {

	const ROUTES = 'chat-presence-bridge/v1';

	/**
	 * Lifetime of a visitor's token in seconds: half of what the bridge allows, so that clocks may differ.
	 */
	const TOKEN_LIFETIME = 12 * HOUR_IN_SECONDS;

	/**
	 * Largest body of a visitor's events in bytes (the wire, "Visitor").
	 */
	const EVENTS_LIMIT = 65536;

	/**
	 * Seconds to wait for the bridge.
	 */
	const TIMEOUT = 5.0;

	/**
	 * Where the connection is found.
	 *
	 * @var Options
	 */
	private $options;

	/**
	 * Knows who is behind a visitor.
	 *
	 * @var Customer_Link
	 */
	private $customers;

	/**
	 * Of sessions, by address.
	 *
	 * @var Rate_Limit
	 */
	private $session_limit;

	/**
	 * Makes the controller.
	 *
	 * @param Options       $options       Where the connection is found.
	 * @param Customer_Link $customers     Knows who is behind a visitor.
	 * @param Rate_Limit    $session_limit Of sessions, by address.
	 */
	public function __construct( Options $options, Customer_Link $customers, Rate_Limit $session_limit ) {
		$this->options       = $options;
		$this->customers     = $customers;
		$this->session_limit = $session_limit;
	}

	/**
	 * Registers the routes; none while not connected. Callback of `rest_api_init`.
	 */
	public function register_routes(): void {
		if ( null === $this->options->connection() ) {
			return;
		}
		$id = array(
			'type'              => 'string',
			'minLength'         => 1,
			'maxLength'         => 128,
			'required'          => true,
			'validate_callback' => 'rest_validate_request_arg',
		);
		register_rest_route(
			self::ROUTES,
			'/session',
			array(
				'methods'             => 'POST',
				'callback'            => array( $this, 'session' ),
				'permission_callback' => array( $this, 'allow_own_page' ),
				'args'                => array(),
			)
		);
		register_rest_route(
			self::ROUTES,
			'/events',
			array(
				'methods'             => 'POST',
				'callback'            => array( $this, 'events' ),
				'permission_callback' => array( $this, 'allow_own_page' ),
				// The body is the bridge's to judge: a schema here could only differ from its own.
				'args'                => array(),
			)
		);
		register_rest_route(
			self::ROUTES,
			'/sync',
			array(
				'methods'             => 'GET',
				'callback'            => array( $this, 'sync' ),
				'permission_callback' => array( $this, 'allow_own_page_to_read' ),
				'args'                => array(
					'conversation' => $id,
					'page'         => $id,
					'after'        => array(
						'type'              => 'integer',
						'minimum'           => 0,
						'validate_callback' => 'rest_validate_request_arg',
					),
				),
			)
		);
	}

	/**
	 * Lets only our own pages in. Permission callback.
	 *
	 * @param \WP_REST_Request $request Request.
	 * @return true|\WP_Error
	 */
	public function allow_own_page( \WP_REST_Request $request ) {
		return Origin::is_own_request( $request ) ? true : $this->foreign_page();
	}

	/**
	 * Lets only our own pages read. Permission callback.
	 *
	 * @param \WP_REST_Request $request Request.
	 * @return true|\WP_Error
	 */
	public function allow_own_page_to_read( \WP_REST_Request $request ) {
		return Origin::is_own_read_request( $request ) ? true : $this->foreign_page();
	}

	/**
	 * Answers `POST session`: a token for this visitor.
	 *
	 * @return \WP_REST_Response `token`, `expires_at`, `visitor`; 429 beyond the limit.
	 */
	public function session(): \WP_REST_Response {
		$address = isset( $_SERVER['REMOTE_ADDR'] ) ? sanitize_text_field( wp_unslash( $_SERVER['REMOTE_ADDR'] ) ) : '';
		$wait    = $this->session_limit->count( $address );
		if ( $wait > 0 ) {
			return $this->problem( 429, 'too-many-requests', __( 'Too many sessions were asked for from this address.', 'chat-presence-bridge' ), $wait );
		}
		// Not wp_get_current_user(): REST trusts the cookie only with a nonce, which a cached page cannot have.
		$user    = get_userdata( (int) wp_validate_auth_cookie( '', 'logged_in' ) );
		$visitor = $this->customers->identify( $user ? $user->ID : 0 );
		$now     = time();
		$signer  = new Signer( $this->options->connection() );
		return new \WP_REST_Response(
			array(
				'token'      => $signer->visitor_token( $visitor, $now, self::TOKEN_LIFETIME, $user ? Customer_Link::describe( $user ) : null ),
				'expires_at' => gmdate( 'Y-m-d\TH:i:s.000\Z', $now + self::TOKEN_LIFETIME ),
				'visitor'    => $visitor,
			)
		);
	}

	/**
	 * Answers `POST events`: what the bridge answers to the same body.
	 *
	 * @param \WP_REST_Request $request Request.
	 * @return \WP_REST_Response
	 */
	public function events( \WP_REST_Request $request ): \WP_REST_Response {
		$body = (string) $request->get_body();
		if ( strlen( $body ) > self::EVENTS_LIMIT ) {
			return $this->problem( 413, 'body-too-large', __( 'At most 64 KiB of events can be sent at once.', 'chat-presence-bridge' ) );
		}
		$type = (string) $request->get_header( 'content-type' );
		return $this->hand_on( 'POST', '/v1/visitor/events', $request, $body, array( 'Content-Type' => '' === $type ? 'text/plain' : $type ) );
	}

	/**
	 * Answers `GET sync`: what the bridge answers to the same query.
	 *
	 * @param \WP_REST_Request $request Request.
	 * @return \WP_REST_Response
	 */
	public function sync( \WP_REST_Request $request ): \WP_REST_Response {
		$query = array_filter(
			array(
				'conversation' => $request['conversation'],
				'page'         => $request['page'],
				'after'        => $request['after'],
			),
			'is_scalar'
		);
		return $this->hand_on( 'GET', '/v1/visitor/sync?' . http_build_query( $query, '', '&', PHP_QUERY_RFC3986 ), $request, '', array() );
	}

	/**
	 * Hands a visitor's request on to the bridge, with the visitor's own credential.
	 *
	 * @param string               $method  HTTP method.
	 * @param string               $target  Path and query on the bridge.
	 * @param \WP_REST_Request     $request The visitor's request.
	 * @param string               $body    Raw body.
	 * @param array<string,string> $headers Request headers.
	 * @return \WP_REST_Response
	 */
	private function hand_on( string $method, string $target, \WP_REST_Request $request, string $body, array $headers ): \WP_REST_Response {
		$credential = (string) $request->get_header( 'authorization' );
		// Only a token: a store behind a password has the browser send that one along, and it is not the bridge's.
		if ( 0 === stripos( $credential, 'Bearer ' ) ) {
			$headers['Authorization'] = $credential;
		}
		$client = new Bridge_Client( $this->options->connection() );
		$answer = $client->send( $method, $target, $headers, $body, self::TIMEOUT );
		if ( is_wp_error( $answer ) ) {
			return Bridge_Client::CIRCUIT_OPEN === $answer->get_error_code()
				? $this->problem( 503, 'bridge-unreachable', __( 'The bridge could not be reached a moment ago.', 'chat-presence-bridge' ), max( 1, $client->circuit_seconds() ) )
				: $this->problem( 502, 'bridge-unreachable', __( 'The bridge cannot be reached from this store.', 'chat-presence-bridge' ) );
		}
		$passed_back = array(
			'Content-Type' => $answer['content_type'],
			'Retry-After'  => $answer['retry_after'],
		);
		return new \WP_REST_Response( $answer['data'], $answer['status'], array_filter( $passed_back, 'strlen' ) );
	}

	/**
	 * Makes an error of the kind that the bridge itself answers with (RFC 9457).
	 *
	 * @param int    $status      HTTP status code.
	 * @param string $code        Stable code, kebab-case.
	 * @param string $detail      Sentence for people.
	 * @param int    $retry_after Seconds to wait; 0 to say nothing of it.
	 * @return \WP_REST_Response
	 */
	private function problem( int $status, string $code, string $detail, int $retry_after = 0 ): \WP_REST_Response {
		$headers = array( 'Content-Type' => 'application/problem+json' );
		if ( $retry_after > 0 ) {
			$headers['Retry-After'] = (string) $retry_after;
		}
		$body = array(
			'type'   => 'about:blank',
			'title'  => get_status_header_desc( $status ),
			'status' => $status,
			'detail' => $detail,
			'code'   => $code,
		);
		return new \WP_REST_Response( $body, $status, $headers );
	}

	/**
	 * Makes the error for requests that no page of ours made.
	 *
	 * @return \WP_Error
	 */
	private function foreign_page(): \WP_Error {
		return new \WP_Error( 'cpb_foreign_page', __( 'Only pages of this site may ask for this.', 'chat-presence-bridge' ), array( 'status' => 403 ) );
	}
}

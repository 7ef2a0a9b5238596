<?php
/**
 * Headers of our REST routes.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * What holds for every answer of our routes, errors among them: no cache keeps it, and no other site may read it.
 */
final class REST_Headers {

	/**
	 * Keeps caches away. Callback of `rest_post_dispatch`.
	 *
	 * @param \WP_REST_Response $response Answer.
	 * @param \WP_REST_Server   $server   Unused.
	 * @param \WP_REST_Request  $request  Request.
	 * @return \WP_REST_Response
	 */
	public function forbid_caching( $response, $server, $request ) {
		if ( $this->is_ours( $request ) ) {
			$response->header( 'Cache-Control', 'no-store, no-cache, must-revalidate, max-age=0, private' );
		}
		return $response;
	}

	/**
	 * Takes core's CORS headers off: they would let any site read a token with the visitor's cookies.
	 *
	 * Callback of `rest_pre_serve_request`, after core's.
	 *
	 * @param bool              $served  Whether the answer was already sent.
	 * @param \WP_REST_Response $result  Unused.
	 * @param \WP_REST_Request  $request Request.
	 * @return bool Unchanged.
	 */
	public function remove_cors_headers( $served, $result, $request ) {
		if ( $this->is_ours( $request ) ) {
			foreach ( array( 'Origin', 'Methods', 'Credentials', 'Headers' ) as $what ) {
				header_remove( "Access-Control-Allow-$what" );
			}
			header_remove( 'Access-Control-Expose-Headers' );
		}
		return $served;
	}

	/**
	 * Tells whether a request is for a route of ours. WordPress matches routes without regard to case.
	 *
	 * @param \WP_REST_Request $request Request.
	 * @return bool
	 */
	private function is_ours( \WP_REST_Request $request ): bool {
		return 0 === stripos( $request->get_route(), '/' . REST_Controller::ROUTES . '/' );
	}
}

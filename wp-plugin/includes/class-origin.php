<?php
/**
 * Web origins.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * Tells requests of our own pages from those of other sites.
 *
 * A nonce could not: it would have to stand in the page, and page caches hand out old pages for hours.
 */
final class Origin {

	/**
	 * Gives the origin of an address.
	 *
	 * @param string $url Absolute URL.
	 * @return string Scheme, host and port as browsers write them (lower case, no default port); empty when it has none.
	 */
	public static function of( string $url ): string {
		$parts = wp_parse_url( $url );
		if ( ! is_array( $parts ) || empty( $parts['scheme'] ) || empty( $parts['host'] ) ) {
			return '';
		}
		$scheme  = strtolower( $parts['scheme'] );
		$default = array(
			'http'  => 80,
			'https' => 443,
		);
		$port    = isset( $parts['port'] ) && ( $default[ $scheme ] ?? null ) !== $parts['port'] ? ':' . $parts['port'] : '';
		return $scheme . '://' . strtolower( $parts['host'] ) . $port;
	}

	/**
	 * Gives this store's own origins.
	 *
	 * @return string[] Of the home page first, and of WordPress itself where that is elsewhere.
	 */
	public static function own(): array {
		$home = home_url();
		// By itself site_url() says "http" wherever a proxy in front takes care of HTTPS.
		$wordpress = site_url( '', wp_parse_url( $home, PHP_URL_SCHEME ) );
		return array_values( array_unique( array( self::of( $home ), self::of( $wordpress ) ) ) );
	}

	/**
	 * Tells whether a request was made by a page of ours, by what browsers alone can say.
	 *
	 * @param \WP_REST_Request $request Request with the browser's headers.
	 * @return bool
	 */
	public static function is_own_request( \WP_REST_Request $request ): bool {
		return 'same-origin' === $request->get_header( 'sec-fetch-site' )
			|| in_array( $request->get_header( 'origin' ), self::own(), true );
	}

	/**
	 * Tells the same of a request that only reads.
	 *
	 * Browsers name no `Origin` in such a request, and older ones, and all of them without HTTPS, no
	 * `Sec-Fetch-Site` either: then the referring page decides, which a foreign page cannot forge.
	 *
	 * @param \WP_REST_Request $request Request with the browser's headers.
	 * @return bool
	 */
	public static function is_own_read_request( \WP_REST_Request $request ): bool {
		if ( null !== $request->get_header( 'sec-fetch-site' ) || null !== $request->get_header( 'origin' ) ) {
			return self::is_own_request( $request );
		}
		return in_array( self::of( (string) $request->get_header( 'referer' ) ), self::own(), true );
	}
}

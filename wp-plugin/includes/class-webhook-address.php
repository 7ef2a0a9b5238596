<?php
/**
 * Where WooCommerce's webhooks are delivered to.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * The bridge's address for webhooks, and the permission to reach it. WooCommerce delivers only to addresses that WordPress
 * takes for safe: public ones, at the usual ports. The connected bridge may have another, since the owner has named it.
 */
final class Webhook_Address {

	/**
	 * Path at the bridge; the site id follows.
	 */
	const PATH = '/v1/woocommerce/webhooks/';

	/**
	 * Where the connection is found.
	 *
	 * @var Options
	 */
	private $options;

	/**
	 * Permits the connected bridge.
	 *
	 * @param Options $options Where the connection is found.
	 */
	public function __construct( Options $options ) {
		$this->options = $options;
	}

	/**
	 * Gives where a connection's webhooks are delivered to.
	 *
	 * @param Connection $connection Which bridge and site.
	 * @return string Absolute URL.
	 */
	public static function of( Connection $connection ): string {
		return $connection->bridge() . self::PATH . $connection->site();
	}

	/**
	 * Permits a private address. Callback of `http_request_host_is_external`.
	 *
	 * @param mixed $is_external What others say.
	 * @param mixed $host        Unused.
	 * @param mixed $url         Absolute URL of a request.
	 * @return mixed
	 */
	public function allow_host( $is_external, $host, $url ) {
		return $this->is_bridge( $url ) ? true : $is_external;
	}

	/**
	 * Permits any port. Callback of `http_allowed_safe_ports`.
	 *
	 * @param mixed $ports Ports that WordPress permits.
	 * @param mixed $host  Unused.
	 * @param mixed $url   Absolute URL of a request.
	 * @return mixed
	 */
	public function allow_port( $ports, $host, $url ) {
		return $this->is_bridge( $url ) ? array_merge( (array) $ports, array( (int) wp_parse_url( $url, PHP_URL_PORT ) ) ) : $ports;
	}

	/**
	 * Tells whether a request goes where the connected bridge takes webhooks, and nowhere else.
	 *
	 * @param mixed $url Absolute URL.
	 * @return bool
	 */
	private function is_bridge( $url ): bool {
		$connection = $this->options->connection();
		return null !== $connection && self::of( $connection ) === $url;
	}
}

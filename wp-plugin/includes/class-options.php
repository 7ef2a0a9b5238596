<?php
/**
 * What the plugin keeps in the options table.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * The only reader and writer of our options.
 *
 * All exist from activation on and are autoloaded: a missing option would cost each page view a query.
 */
final class Options {

	/**
	 * The pasted connection string; empty when not connected. Stored only once the bridge has accepted it.
	 */
	const CONNECTION = 'cpb_connection';

	/**
	 * What the bridge answered when it accepted this store: `site`, `name`, `bridge_version`, `connected_at`.
	 */
	const STORE = 'cpb_store';

	/**
	 * What we made in WooCommerce: ids of REST keys (`keys`) and of webhooks (`webhooks`), no secrets.
	 */
	const WOOCOMMERCE = 'cpb_woocommerce';

	/**
	 * Version of our tables (`Schema::VERSION`) that this site has; 0 for none.
	 */
	const SCHEMA = 'cpb_schema';

	/**
	 * Every option with its first value: `Installation` adds and removes these.
	 */
	const ALL = array(
		self::CONNECTION  => '',
		self::STORE       => array(),
		self::WOOCOMMERCE => array(),
		self::SCHEMA      => 0,
	);

	/**
	 * Begins the name of every transient of ours: `Installation` removes those too.
	 */
	const TRANSIENT_PREFIX = 'cpb_';

	/**
	 * Tells whether the connection string comes from wp-config.php, which wins over the settings page.
	 *
	 * @return bool
	 */
	public function is_connection_constant(): bool {
		return defined( 'CPB_CONNECTION' );
	}

	/**
	 * Gives the connection as configured.
	 *
	 * @return Connection|null Null when nothing is configured.
	 * @throws Connection_Error When what is configured is no connection string.
	 */
	public function configured_connection(): ?Connection {
		$text = $this->is_connection_constant() ? constant( 'CPB_CONNECTION' ) : get_option( self::CONNECTION );
		if ( ! is_string( $text ) || '' === $text ) {
			return null;
		}
		return Connection::from_string( $text );
	}

	/**
	 * Gives the connection to work with.
	 *
	 * @return Connection|null Null when not connected or misconfigured: then the shop is left alone.
	 */
	public function connection(): ?Connection {
		try {
			return $this->configured_connection();
		} catch ( Connection_Error $error ) {
			return null;
		}
	}

	/**
	 * Keeps a connection string that the bridge has accepted.
	 *
	 * @param string $text Connection string.
	 */
	public function save_connection( string $text ): void {
		update_option( self::CONNECTION, $text, true );
	}

	/**
	 * Keeps what the bridge answered when it accepted this store.
	 *
	 * @param string $site           Site id it was accepted as.
	 * @param string $name           Name by which the bridge knows this store.
	 * @param string $bridge_version Version of the bridge.
	 */
	public function save_store( string $site, string $name, string $bridge_version ): void {
		update_option(
			self::STORE,
			array(
				'site'           => $site,
				'name'           => $name,
				'bridge_version' => $bridge_version,
				'connected_at'   => time(),
			),
			true
		);
	}

	/**
	 * Gives what the bridge answered when it accepted this store.
	 *
	 * @param Connection $connection The connection in use.
	 * @return array<string,mixed> Empty when it was never asked by this connection.
	 */
	public function store( Connection $connection ): array {
		$store = get_option( self::STORE );
		return is_array( $store ) && isset( $store['site'] ) && $store['site'] === $connection->site() ? $store : array();
	}

	/**
	 * Keeps which keys and webhooks we made in WooCommerce.
	 *
	 * @param int[] $keys     Ids of REST keys.
	 * @param int[] $webhooks Ids of webhooks.
	 */
	public function save_woocommerce( array $keys, array $webhooks ): void {
		update_option(
			self::WOOCOMMERCE,
			array(
				'keys'     => array_values( $keys ),
				'webhooks' => array_values( $webhooks ),
			),
			true
		);
	}

	/**
	 * Gives which keys and webhooks we made in WooCommerce.
	 *
	 * @return array{keys:int[],webhooks:int[]}
	 */
	public function woocommerce(): array {
		$made = get_option( self::WOOCOMMERCE );
		$made = is_array( $made ) ? $made : array();
		return array(
			'keys'     => array_map( 'intval', (array) ( $made['keys'] ?? array() ) ),
			'webhooks' => array_map( 'intval', (array) ( $made['webhooks'] ?? array() ) ),
		);
	}

	/**
	 * Forgets the connection.
	 */
	public function forget_connection(): void {
		foreach ( array( self::CONNECTION, self::STORE ) as $name ) {
			update_option( $name, self::ALL[ $name ], true );
		}
	}
}

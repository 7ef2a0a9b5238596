<?php
/**
 * The bridge's access to WooCommerce.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * Makes and removes what lets the bridge read customers and orders: a read-only key to WooCommerce's REST API, and
 * webhooks. Both appear in WooCommerce's own settings. Their secrets are handed to the bridge once; what is kept here is
 * their ids.
 */
final class WooCommerce_Access {

	/**
	 * Oldest WooCommerce that this plugin works with.
	 */
	const MINIMUM_VERSION = '7.0';

	/**
	 * What the webhooks tell of.
	 */
	const TOPICS = array(
		'customer.created',
		'customer.updated',
		'customer.deleted',
		'order.created',
		'order.updated',
		'order.deleted',
	);

	/**
	 * Where the ids are kept.
	 *
	 * @var Options
	 */
	private $options;

	/**
	 * Ids of what this request has made.
	 *
	 * @var array{keys:int[],webhooks:int[]}
	 */
	private $made = array(
		'keys'     => array(),
		'webhooks' => array(),
	);

	/**
	 * Makes nothing yet.
	 *
	 * @param Options $options Where the ids are kept.
	 */
	public function __construct( Options $options ) {
		$this->options = $options;
	}

	/**
	 * Tells whether there is a WooCommerce to which access can be made.
	 *
	 * @return bool
	 */
	public static function is_available(): bool {
		return defined( 'WC_VERSION' )
			&& version_compare( constant( 'WC_VERSION' ), self::MINIMUM_VERSION, '>=' )
			&& class_exists( 'WC_Webhook' )
			&& function_exists( 'wc_rand_hash' )
			&& function_exists( 'wc_api_hash' );
	}

	/**
	 * Has WooCommerce take its keys for its own routes where permalinks are plain too: older versions look for them
	 * under `/wp-json/` alone. Callback of `woocommerce_rest_is_request_to_rest_api`.
	 *
	 * @param mixed $is_request What WooCommerce says.
	 * @return mixed
	 */
	public static function is_request_to_rest_api( $is_request ) {
		$route = isset( $_GET['rest_route'] ) && is_string( $_GET['rest_route'] ) ? sanitize_text_field( wp_unslash( $_GET['rest_route'] ) ) : ''; // phpcs:ignore WordPress.Security.NonceVerification.Recommended -- the key is what proves the request.
		return preg_match( '#^/(wc/v3|wc-analytics)/#', $route ) ? true : $is_request;
	}

	/**
	 * Tells whether there should be anything of ours in WooCommerce.
	 *
	 * @return bool
	 */
	public function exists(): bool {
		$ids = $this->options->woocommerce();
		return array() !== $ids['keys'] || array() !== $ids['webhooks'];
	}

	/**
	 * Makes a key and the webhooks, which have the rights of the present user. What was there before stays until
	 * `settle()`.
	 *
	 * @param Connection $connection Whose bridge the webhooks are delivered to.
	 * @return array<string,string>|\WP_Error `consumer_key`, `consumer_secret` and `webhook_secret`, to be had only here;
	 *                                        or one sentence that says what is wrong.
	 */
	public function make( Connection $connection ) {
		$webhook_secret = bin2hex( random_bytes( 32 ) );
		try {
			$key = $this->make_key();
			foreach ( self::TOPICS as $topic ) {
				$this->make_webhook( $topic, Webhook_Address::of( $connection ), $webhook_secret );
			}
		} catch ( \Exception $error ) {
			$this->settle( false );
			/* translators: %s: what went wrong. */
			return new \WP_Error( 'cpb_woocommerce', sprintf( __( 'The key and the webhooks could not be made in WooCommerce: %s', 'chat-presence-bridge' ), $error->getMessage() ) );
		}
		return $key + array( 'webhook_secret' => $webhook_secret );
	}

	/**
	 * Keeps either what this request has made, even if that is nothing, or what was there before; the other is removed.
	 *
	 * @param bool $is_accepted Whether the bridge has taken what this request told it.
	 */
	public function settle( bool $is_accepted ): void {
		$all    = $this->options->woocommerce();
		$before = array();
		foreach ( $all as $kind => $ids ) {
			$before[ $kind ] = array_diff( $ids, $this->made[ $kind ] );
		}
		$kept = $is_accepted ? $this->made : $before;
		self::remove( $is_accepted ? $before : $this->made );
		$this->options->save_woocommerce( $kept['keys'], $kept['webhooks'] );
		$this->made = array_fill_keys( array_keys( $this->made ), array() );
	}

	/**
	 * Removes everything of ours from WooCommerce, whether that is active or not.
	 */
	public function remove_all(): void {
		self::remove( $this->options->woocommerce() );
		$this->options->save_woocommerce( array(), array() );
	}

	/**
	 * Tells whether the key is still there.
	 *
	 * @return bool
	 */
	public function has_key(): bool {
		global $wpdb;
		$table = self::keys_table();
		$ids   = implode( ',', array_merge( array( 0 ), $this->options->woocommerce()['keys'] ) );
		return null !== $wpdb->get_var( "SELECT key_id FROM $table WHERE key_id IN ( $ids ) LIMIT 1" ); // phpcs:ignore WordPress.DB -- WooCommerce has no function for it; the ids are integers.
	}

	/**
	 * Gives the webhooks that are still there.
	 *
	 * @return array<string,string> Status by topic: `active`, `paused`, or `disabled` when deliveries failed.
	 */
	public function webhooks(): array {
		$statuses = array();
		foreach ( $this->options->woocommerce()['webhooks'] as $id ) {
			$webhook = self::webhook( $id );
			if ( null !== $webhook ) {
				$statuses[ $webhook->get_topic() ] = $webhook->get_status();
			}
		}
		return $statuses;
	}

	/**
	 * Makes a key just as WooCommerce does.
	 *
	 * @return array<string,string> `consumer_key`, `consumer_secret`.
	 * @throws \RuntimeException When it cannot be stored.
	 */
	private function make_key(): array {
		global $wpdb;
		$key    = 'ck_' . wc_rand_hash();
		$secret = 'cs_' . wc_rand_hash();
		$row    = array(
			'user_id'         => get_current_user_id(),
			'description'     => 'Chat Presence Bridge',
			'permissions'     => 'read',
			'consumer_key'    => wc_api_hash( $key ),
			'consumer_secret' => $secret,
			'truncated_key'   => substr( $key, -7 ),
		);
		if ( ! $wpdb->insert( self::keys_table(), $row ) ) { // phpcs:ignore WordPress.DB.DirectDatabaseQuery -- WooCommerce has no function for it.
			throw new \RuntimeException( __( 'the key could not be stored.', 'chat-presence-bridge' ) );
		}
		$this->made['keys'][] = (int) $wpdb->insert_id;
		$this->remember();
		return array(
			'consumer_key'    => $key,
			'consumer_secret' => $secret,
		);
	}

	/**
	 * Makes a webhook.
	 *
	 * @param string $topic   What it tells of.
	 * @param string $address Absolute URL to which it is delivered.
	 * @param string $secret  What it is signed with.
	 * @throws \RuntimeException When it cannot be stored.
	 */
	private function make_webhook( string $topic, string $address, string $secret ): void {
		$webhook = new \WC_Webhook();
		$webhook->set_name( "Chat Presence Bridge: $topic" );
		$webhook->set_user_id( get_current_user_id() );
		$webhook->set_topic( $topic );
		$webhook->set_delivery_url( $address );
		$webhook->set_secret( $secret );
		$webhook->set_api_version( 'wp_api_v3' );
		$webhook->set_status( 'active' );
		// No ping: the bridge is about to be asked anyhow.
		$webhook->set_pending_delivery( false );
		$webhook->save();
		if ( 0 === (int) $webhook->get_id() ) {
			throw new \RuntimeException( __( 'a webhook could not be stored.', 'chat-presence-bridge' ) );
		}
		$this->made['webhooks'][] = (int) $webhook->get_id();
		$this->remember();
	}

	/**
	 * Keeps the ids of what was just made beside those from before: should this request die, they can still be removed.
	 */
	private function remember(): void {
		$all = $this->options->woocommerce();
		$this->options->save_woocommerce(
			array_unique( array_merge( $all['keys'], $this->made['keys'] ) ),
			array_unique( array_merge( $all['webhooks'], $this->made['webhooks'] ) )
		);
	}

	/**
	 * Removes keys and webhooks.
	 *
	 * @param array{keys:int[],webhooks:int[]} $ids Which.
	 */
	private static function remove( array $ids ): void {
		global $wpdb;
		// With WooCommerce away, its tables may be away, too.
		$were_suppressed = $wpdb->suppress_errors();
		foreach ( $ids['keys'] as $id ) {
			$wpdb->delete( self::keys_table(), array( 'key_id' => $id ) ); // phpcs:ignore WordPress.DB.DirectDatabaseQuery -- WooCommerce has no function for it.
		}
		foreach ( $ids['webhooks'] as $id ) {
			$webhook = self::webhook( $id );
			if ( null !== $webhook ) {
				$webhook->delete( true );
			} elseif ( ! class_exists( 'WC_Webhook' ) ) {
				$wpdb->delete( $wpdb->prefix . 'wc_webhooks', array( 'webhook_id' => $id ) ); // phpcs:ignore WordPress.DB.DirectDatabaseQuery -- WooCommerce is not there to do it.
			}
		}
		$wpdb->suppress_errors( $were_suppressed );
	}

	/**
	 * Finds a webhook.
	 *
	 * @param int $id Its id.
	 * @return \WC_Webhook|null Null when the owner has removed it, or WooCommerce is away.
	 */
	private static function webhook( int $id ): ?\WC_Webhook {
		$webhook = class_exists( 'WC_Webhook' ) ? new \WC_Webhook( $id ) : null;
		return null === $webhook || 0 === (int) $webhook->get_id() ? null : $webhook;
	}

	/**
	 * Gives WooCommerce's table of REST keys.
	 *
	 * @return string
	 */
	private static function keys_table(): string {
		global $wpdb;
		return $wpdb->prefix . 'woocommerce_api_keys';
	}
}

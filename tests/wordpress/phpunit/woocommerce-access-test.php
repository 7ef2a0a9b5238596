<?php
/**
 * Tests of the bridge's access to WooCommerce, with the stand-in active.
 *
 * @package ChatPresenceBridge
 */

use Automattic\WooCommerce\Utilities\FeaturesUtil;
use ChatPresenceBridge\Connection;
use ChatPresenceBridge\Options;
use ChatPresenceBridge\WooCommerce_Access;
use ChatPresenceBridge\WooCommerce_Consent;

/**
 * What is made, what it may, and that it goes again. The forms are tested over HTTP.
 */
final class WooCommerce_Access_Test extends WordPress_Test_Case {

	const TOPICS = array( 'customer.created', 'customer.updated', 'customer.deleted', 'order.created', 'order.updated', 'order.deleted' );

	public function test_the_key_can_only_read(): void {
		$owner = $this->sign_in( 'administrator' );
		$keys  = $this->make();
		$rows  = $this->rows( 'woocommerce_api_keys' );
		$this->assertCount( 1, $rows );
		$this->assertSame( 'read', $rows[0]['permissions'] );
		$this->assertSame( (string) $owner, $rows[0]['user_id'] );
		$this->assertStringContainsString( 'Chat Presence Bridge', $rows[0]['description'] );
		$this->assertSame( hash_hmac( 'sha256', $keys['consumer_key'], 'wc-api' ), $rows[0]['consumer_key'] );
		$this->assertSame( $keys['consumer_secret'], $rows[0]['consumer_secret'] );
		$this->assertSame( substr( $keys['consumer_key'], -7 ), $rows[0]['truncated_key'] );
		$this->assertMatchesRegularExpression( '/^ck_[0-9a-f]{40}$/', $keys['consumer_key'] );
		$this->assertMatchesRegularExpression( '/^cs_[0-9a-f]{40}$/', $keys['consumer_secret'] );
	}

	public function test_the_webhooks(): void {
		$owner = $this->sign_in( 'administrator' );
		$keys  = $this->make();
		$rows  = $this->rows( 'wc_webhooks' );
		$this->assertSame( self::TOPICS, array_column( $rows, 'topic' ) );
		foreach ( $rows as $row ) {
			$this->assertSame( 'https://bridge.example.com/v1/woocommerce/webhooks/st_phpunit', $row['delivery_url'] );
			$this->assertSame( $keys['webhook_secret'], $row['secret'] );
			$this->assertSame( array( 'active', '3', '0', (string) $owner ), array( $row['status'], $row['api_version'], $row['pending_delivery'], $row['user_id'] ) );
		}
		$this->assertMatchesRegularExpression( '/^[0-9a-f]{64}$/', $keys['webhook_secret'] );
	}

	public function test_the_key_is_taken_with_plain_permalinks(): void {
		$this->assertFalse( apply_filters( 'woocommerce_rest_is_request_to_rest_api', false ) );
		foreach ( array( '/wc/v3/orders', '/wc-analytics/customers' ) as $route ) {
			$_GET['rest_route'] = $route;
			$this->assertTrue( apply_filters( 'woocommerce_rest_is_request_to_rest_api', false ) );
		}
		foreach ( array( '/wp/v2/users', '/evil/wc/v3/orders', array( '/wc/v3/orders' ) ) as $other ) {
			$_GET['rest_route'] = $other;
			$this->assertFalse( apply_filters( 'woocommerce_rest_is_request_to_rest_api', false ) );
		}
		unset( $_GET['rest_route'] );
	}

	public function test_secrets_are_in_no_option(): void {
		global $wpdb;
		$keys = $this->make();
		( new WooCommerce_Access( new Options() ) )->settle( true );
		foreach ( $keys as $secret ) {
			$found = $wpdb->get_var( $wpdb->prepare( "SELECT COUNT(*) FROM $wpdb->options WHERE option_value LIKE %s", '%' . $wpdb->esc_like( substr( $secret, 3 ) ) . '%' ) );
			$this->assertSame( '0', $found );
		}
	}

	public function test_accepted_again_the_old_goes(): void {
		$first = new WooCommerce_Access( new Options() );
		$first->make( $this->connection() );
		$first->settle( true );
		$old   = $this->ids();
		$again = new WooCommerce_Access( new Options() );
		$again->make( $this->connection() );
		$this->assertSame( array( 2, 12 ), $this->counts(), 'the old must work until the bridge has the new' );
		$again->settle( true );
		$this->assertSame( array( 1, 6 ), $this->counts() );
		$this->assertSame( array(), array_intersect( $old, $this->ids() ) );
	}

	public function test_refused_the_new_goes(): void {
		$first = new WooCommerce_Access( new Options() );
		$first->make( $this->connection() );
		$first->settle( true );
		$old    = $this->ids();
		$option = get_option( Options::WOOCOMMERCE );
		$again  = new WooCommerce_Access( new Options() );
		$again->make( $this->connection() );
		$again->settle( false );
		$this->assertSame( $old, $this->ids() );
		$this->assertSame( $option, get_option( Options::WOOCOMMERCE ) );
	}

	public function test_accepted_without_consent_all_goes(): void {
		$first = new WooCommerce_Access( new Options() );
		$first->make( $this->connection() );
		$first->settle( true );
		( new WooCommerce_Access( new Options() ) )->settle( true );
		$this->assertSame( array( 0, 0 ), $this->counts() );
		$this->assertFalse( $first->exists() );
	}

	public function test_what_a_request_made_that_died_is_not_lost(): void {
		$this->make();
		$this->assertSame( array( 1, 6 ), $this->counts() );
		( new WooCommerce_Access( new Options() ) )->remove_all();
		$this->assertSame( array( 0, 0 ), $this->counts() );
	}

	public function test_only_ours_goes(): void {
		global $wpdb;
		$wpdb->insert( $wpdb->prefix . 'woocommerce_api_keys', array( 'user_id' => 1, 'permissions' => 'read_write', 'consumer_key' => 'x', 'consumer_secret' => 'y', 'truncated_key' => 'z' ) );
		$webhook = new WC_Webhook();
		$webhook->set_topic( 'order.created' );
		$webhook->set_delivery_url( 'https://bridge.example.com/v1/woocommerce/webhooks/st_phpunit' );
		$webhook->save();
		$others = $this->ids();
		$this->make();
		( new WooCommerce_Access( new Options() ) )->remove_all();
		$this->assertSame( $others, $this->ids() );
	}

	/**
	 * Gives the tables.
	 */
	public function tables(): array {
		return array( array( 'woocommerce_api_keys' ), array( 'wc_webhooks' ) );
	}

	/**
	 * When the database refuses, what was made goes again, and the reason is told.
	 *
	 * @dataProvider tables
	 * @param string $table Table into which nothing can be written.
	 */
	public function test_a_failure_leaves_nothing( string $table ): void {
		global $wpdb;
		$refuse = static fn( $query ) => 0 === strpos( $query, "INSERT INTO `$wpdb->prefix$table`" ) ? '' : $query;
		add_filter( 'query', $refuse );
		$outcome = $this->make();
		remove_filter( 'query', $refuse );
		$this->assertInstanceOf( WP_Error::class, $outcome );
		$this->assertStringContainsString( 'could not be stored', $outcome->get_error_message() );
		$this->assertSame( array( 0, 0 ), $this->counts() );
		$this->assertFalse( ( new WooCommerce_Access( new Options() ) )->exists() );
	}

	public function test_status(): void {
		global $wpdb;
		$access = new WooCommerce_Access( new Options() );
		$status = static fn() => ( new WooCommerce_Consent( $access ) )->status();
		$this->assertSame( 'The bridge has no access to customers and orders.', $status() );
		$access->make( $this->connection() );
		$this->assertSame( 'A read-only key. Webhooks: 6 of 6.', $status() );

		$webhook = new WC_Webhook( $this->rows( 'wc_webhooks' )[3]['webhook_id'] );
		$webhook->set_status( 'disabled' );
		$webhook->save();
		$this->assertStringContainsString( 'Switched off in WooCommerce: order.created.', $status() );

		$webhook->delete( true );
		$wpdb->query( "DELETE FROM {$wpdb->prefix}woocommerce_api_keys" );
		$this->assertSame( 'The key was removed: connect again to make another. Webhooks: 5 of 6.', $status() );
	}

	public function test_what_others_removed_can_be_removed_again(): void {
		global $wpdb;
		$this->make();
		$wpdb->query( "DELETE FROM {$wpdb->prefix}woocommerce_api_keys" );
		$wpdb->query( "DELETE FROM {$wpdb->prefix}wc_webhooks" );
		$access = new WooCommerce_Access( new Options() );
		$access->remove_all();
		$this->assertFalse( $access->exists() );
	}

	public function test_an_option_that_somebody_broke_harms_nothing(): void {
		foreach ( array( 'x', array( 'keys' => 'x' ), array( 'webhooks' => array( array() ) ), false ) as $broken ) {
			update_option( Options::WOOCOMMERCE, $broken );
			( new WooCommerce_Access( new Options() ) )->remove_all();
			$this->assertFalse( ( new WooCommerce_Access( new Options() ) )->exists() );
		}
	}

	public function test_uninstalling_removes_key_and_webhooks(): void {
		$this->make();
		ChatPresenceBridge\Installation::remove_from_site();
		$this->assertSame( array( 0, 0 ), $this->counts() );
		$this->assertFalse( get_option( Options::WOOCOMMERCE ) );
	}

	public function test_webhooks_reach_the_connected_bridge_wherever_it_is_and_nothing_else_does(): void {
		$own  = 'http://127.0.0.1:8123/v1/woocommerce/webhooks/st_phpunit';
		$text = 'http://st_phpunit:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8@127.0.0.1:8123';
		$this->assertFalse( wp_http_validate_url( $own ) );
		( new Options() )->save_connection( $text );
		$this->assertSame( $own, wp_http_validate_url( $own ) );
		foreach ( array( 'http://127.0.0.1:8123/', "$own/", "$own?a=b", 'http://127.0.0.1:8124/v1/woocommerce/webhooks/st_phpunit', 'http://10.0.0.1/' ) as $other ) {
			$this->assertFalse( wp_http_validate_url( $other ), $other );
		}
	}

	public function test_compatibility_is_declared(): void {
		$declared = FeaturesUtil::get_compatible_features_for_plugin( plugin_basename( CPB_FILE ) );
		$this->assertSame( array( 'custom_order_tables', 'cart_checkout_blocks' ), $declared['compatible'] );
		$this->assertSame( array(), $declared['incompatible'] );
	}

	/**
	 * Makes access, as connecting does.
	 *
	 * @return array<string,string>|WP_Error
	 */
	private function make() {
		return ( new WooCommerce_Access( new Options() ) )->make( $this->connection() );
	}

	private function connection(): Connection {
		return Connection::from_string( self::CONNECTION );
	}

	/**
	 * Reads a table of WooCommerce's.
	 *
	 * @param string $table Name without prefix.
	 * @return array<int,array<string,string|null>>
	 */
	private function rows( string $table ): array {
		global $wpdb;
		return $wpdb->get_results( "SELECT * FROM $wpdb->prefix$table ORDER BY 1", ARRAY_A );
	}

	/**
	 * Counts keys and webhooks.
	 *
	 * @return int[]
	 */
	private function counts(): array {
		return array( count( $this->rows( 'woocommerce_api_keys' ) ), count( $this->rows( 'wc_webhooks' ) ) );
	}

	/**
	 * Gives all keys and webhooks.
	 *
	 * @return string[]
	 */
	private function ids(): array {
		return array_merge(
			array_map( static fn( $row ) => "key $row[key_id]", $this->rows( 'woocommerce_api_keys' ) ),
			array_map( static fn( $row ) => "webhook $row[webhook_id]", $this->rows( 'wc_webhooks' ) )
		);
	}
}

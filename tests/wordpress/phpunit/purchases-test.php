<?php
/**
 * Tests of orders and carts, with the stand-in for WooCommerce active.
 *
 * @package ChatPresenceBridge
 */

use ChatPresenceBridge\Visitor_Cookie;

/**
 * Each hook as WooCommerce fires it. Whole checkouts are tested over HTTP.
 */
final class Purchases_Test extends WordPress_Test_Case {

	use Caught_Requests;

	/**
	 * Visitor of this process's browser.
	 *
	 * @var string
	 */
	private $visitor;

	protected function setUp(): void {
		parent::setUp();
		$this->connect();
		$this->visitor = ( new Visitor_Cookie() )->identify( 0 );
	}

	protected function tearDown(): void {
		$_COOKIE = array();
		wc_empty_cart();
		self::end_request();
		$GLOBALS['current_screen'] = null;
		parent::tearDown();
	}

	public function test_an_order_of_the_classic_checkout(): void {
		$order = $this->order( array( 'customer_id' => 17, 'number' => 'A/2026-7' ) );
		do_action( 'woocommerce_checkout_order_processed', $order->get_id(), array(), $order );
		$events = $this->events( 'order_placed' );
		$this->assertCount( 1, $events );
		$this->assertArrayHasKey( 'occurred_at', $events[0] );
		$this->assertSame( $this->visitor, $events[0]['visitor'] );
		$this->assertSame(
			array(
				'id'          => (string) $order->get_id(),
				'number'      => 'A/2026-7',
				'total'       => '61.00',
				'currency'    => 'EUR',
				'email'       => 'jane@example.com',
				'customer_id' => '17',
			),
			$events[0]['order']
		);
	}

	public function test_a_guests_order_of_the_block_checkout(): void {
		$order = $this->order();
		do_action( 'woocommerce_store_api_checkout_order_processed', $order );
		$told = $this->events( 'order_placed' )[0]['order'];
		$this->assertNull( $told['customer_id'] );
		$this->assertSame( (string) $order->get_id(), $told['number'] );
	}

	public function test_an_order_is_told_of_once(): void {
		$order = $this->order();
		do_action( 'woocommerce_store_api_checkout_order_processed', $order );
		do_action( 'woocommerce_checkout_order_processed', $order->get_id(), array(), $order );
		// As some plugins fire it.
		do_action( 'woocommerce_checkout_order_processed', $order->get_id() );
		$this->assertCount( 1, $this->events( 'order_placed' ) );
	}

	public function test_an_order_by_its_id_alone(): void {
		$order = $this->order();
		do_action( 'woocommerce_checkout_order_processed', $order->get_id() );
		do_action( 'woocommerce_checkout_order_processed', 999999999 );
		$this->assertSame( array( (string) $order->get_id() ), array_column( array_column( $this->events( 'order_placed' ), 'order' ), 'id' ) );
	}

	/**
	 * Gives amounts as WooCommerce keeps them, and as the bridge is told.
	 */
	public function amounts(): array {
		return array(
			'cents'             => array( '61.00000000', 2, '61.00' ),
			'no decimals'       => array( '1200.00000000', 0, '1200' ),
			'three decimals'    => array( '7.12500000', 3, '7.125' ),
			'nothing'           => array( '0.00000000', 2, '0.00' ),
			'not exact as such' => array( '0.30000000', 2, '0.30' ),
			'a large one'       => array( '123456789.99000000', 2, '123456789.99' ),
		);
	}

	/**
	 * Amounts are text with the store's own decimals.
	 *
	 * @dataProvider amounts
	 * @param string $kept     Total as kept.
	 * @param int    $decimals Decimals of the store.
	 * @param string $told     What the bridge is told.
	 */
	public function test_amount( string $kept, int $decimals, string $told ): void {
		update_option( 'woocommerce_price_num_decimals', $decimals );
		do_action( 'woocommerce_store_api_checkout_order_processed', $this->order( array( 'total_amount' => $kept ) ) );
		$this->assertSame( $told, $this->events( 'order_placed' )[0]['order']['total'] );
	}

	public function test_what_the_bridge_would_refuse_is_made_fit(): void {
		$order = $this->order(
			array(
				'number'        => str_repeat( 'ä', 65 ),
				'billing_email' => 'no address',
			)
		);
		do_action( 'woocommerce_store_api_checkout_order_processed', $order );
		$told = $this->events( 'order_placed' )[0]['order'];
		$this->assertSame( str_repeat( 'ä', 64 ), $told['number'] );
		$this->assertNull( $told['email'] );
	}

	public function test_an_order_that_the_owner_takes_for_somebody_says_nothing_of_their_browser(): void {
		$owner = $this->sign_in( 'administrator' );
		foreach ( array( 0, $owner + 1 ) as $customer ) {
			do_action( 'woocommerce_store_api_checkout_order_processed', $this->order( array( 'customer_id' => $customer ) ) );
		}
		$this->assertSame( array(), $this->events( 'order_placed' ) );
		do_action( 'woocommerce_store_api_checkout_order_processed', $this->order( array( 'customer_id' => $owner ) ) );
		$this->assertCount( 1, $this->events( 'order_placed' ) );
	}

	public function test_an_order_made_in_wp_admin_is_nobodys(): void {
		set_current_screen( 'dashboard' );
		do_action( 'woocommerce_checkout_order_processed', 0, array(), $this->order() );
		$this->assertSame( array(), $this->events( 'order_placed' ) );
	}

	public function test_what_is_in_the_cart(): void {
		WC()->cart->add_to_cart( 10, 2 );
		WC()->cart->add_to_cart( 11, 1 );
		$events = $this->events( 'cart' );
		$this->assertCount( 1, $events );
		$this->assertSame( $this->visitor, $events[0]['visitor'] );
		$this->assertSame(
			array(
				'items'    => array(
					array( 'product_id' => '10', 'name' => 'Blue mug', 'quantity' => 2, 'total' => '25.00' ),
					array( 'product_id' => '11', 'name' => 'Tea & “Talk” 🍵 ספר', 'quantity' => 1, 'total' => '7.99' ),
				),
				'total'    => '32.99',
				'currency' => 'EUR',
			),
			$events[0]['cart']
		);
	}

	public function test_prices_are_told_as_the_visitor_sees_them(): void {
		update_option( 'standin_tax', 20 );
		WC()->cart->add_to_cart( 10, 1 );
		$this->assertSame( array( '12.50', '15.00' ), self::totals( $this->events( 'cart' )[0] ) );
		update_option( 'woocommerce_tax_display_cart', 'incl' );
		$this->let_time_pass();
		do_action( 'woocommerce_cart_updated' );
		$this->assertSame( array( '15.00', '15.00' ), self::totals( $this->events( 'cart' )[0] ) );
	}

	public function test_a_currency_without_decimals(): void {
		update_option( 'woocommerce_currency', 'JPY' );
		update_option( 'woocommerce_price_num_decimals', 0 );
		update_option( 'standin_products', array( 10 => array( 'name' => 'Tea', 'price' => '400' ) ) );
		WC()->cart->add_to_cart( 10, 3 );
		$event = $this->events( 'cart' )[0];
		$this->assertSame( array( '1200', '1200' ), self::totals( $event ) );
		$this->assertSame( 'JPY', $event['cart']['currency'] );
	}

	public function test_sums_that_binary_fractions_cannot_hold(): void {
		WC()->cart->add_to_cart( 12, 3 );
		$this->assertSame( array( '0.15', '0.15' ), self::totals( $this->events( 'cart' )[0] ) );
	}

	public function test_goods_that_are_weighed(): void {
		WC()->cart->add_to_cart( 10, 0.5 );
		$this->assertSame( 0.5, $this->events( 'cart' )[0]['cart']['items'][0]['quantity'] );
	}

	public function test_at_most_one_event_in_ten_seconds_and_the_last_state_is_told(): void {
		WC()->cart->add_to_cart( 10, 1 );
		$this->assertCount( 1, $this->events( 'cart' ) );
		WC()->cart->add_to_cart( 11, 1 );
		$this->assertSame( array(), $this->events( 'cart' ) );
		WC()->cart->remove_cart_item( md5( '10' ) );
		$this->assertSame( array(), $this->events( 'cart' ) );
		$this->let_time_pass();
		// Any page of the shop loads the cart.
		WC()->cart->get_cart_from_session();
		$events = $this->events( 'cart' );
		$this->assertSame( array( array( '11' ) ), array_map( static fn( $event ) => array_column( $event['cart']['items'], 'product_id' ), $events ) );
	}

	public function test_the_same_cart_is_told_once(): void {
		WC()->cart->add_to_cart( 10, 1 );
		$this->events( 'cart' );
		$this->let_time_pass();
		WC()->cart->get_cart_from_session();
		$this->assertSame( array(), $this->events( 'cart' ) );
	}

	public function test_an_emptied_cart_is_told_and_one_never_filled_is_not(): void {
		WC()->cart->get_cart_from_session();
		wc_empty_cart();
		$this->assertSame( array(), $this->events( 'cart' ) );
		WC()->cart->add_to_cart( 10, 1 );
		$this->events( 'cart' );
		$this->let_time_pass();
		wc_empty_cart();
		$cart = $this->events( 'cart' )[0]['cart'];
		$this->assertSame( array( array(), '0.00' ), array( $cart['items'], $cart['total'] ) );
	}

	public function test_a_new_visitor_has_a_cart_of_their_own(): void {
		WC()->cart->add_to_cart( 10, 1 );
		$this->events( 'cart' );
		$_COOKIE = array();
		$another = ( new Visitor_Cookie() )->identify( 0 );
		do_action( 'woocommerce_cart_updated' );
		$this->assertSame( array( $another ), array_column( $this->events( 'cart' ), 'visitor' ) );
	}

	public function test_a_clock_that_was_set_back_silences_no_cart(): void {
		WC()->cart->add_to_cart( 10, 1 );
		$this->events( 'cart' );
		$this->let_time_pass( -3600 );
		WC()->cart->add_to_cart( 10, 1 );
		$this->assertCount( 1, $this->events( 'cart' ) );
	}

	public function test_only_so_many_items_are_told_and_names_are_cut(): void {
		$products = array_fill( 1, 101, array( 'name' => str_repeat( 'ä', 501 ), 'price' => '1' ) );
		update_option( 'standin_products', $products );
		foreach ( array_keys( $products ) as $product ) {
			WC()->cart->add_to_cart( $product, 1 );
		}
		$cart = $this->events( 'cart' )[0]['cart'];
		$this->assertCount( 100, $cart['items'] );
		$this->assertSame( str_repeat( 'ä', 500 ), $cart['items'][0]['name'] );
		$this->assertSame( '101.00', $cart['total'] );
	}

	public function test_a_request_without_a_cart(): void {
		$cart       = WC()->cart;
		WC()->cart  = null;
		do_action( 'woocommerce_cart_updated' );
		$events     = $this->events( 'cart' );
		WC()->cart  = $cart;
		$this->assertSame( array(), $events );
	}

	public function test_who_the_visitor_is_cannot_be_read_from_what_is_remembered(): void {
		global $wpdb;
		WC()->cart->add_to_cart( 10, 1 );
		$this->events( 'cart' );
		$kept = implode( ' ', $wpdb->get_col( "SELECT CONCAT( option_name, option_value ) FROM $wpdb->options WHERE option_name LIKE '%cpb\_cart%'" ) );
		$this->assertStringContainsString( '_transient_cpb_cart_', $kept );
		$this->assertStringNotContainsString( $this->visitor, $kept );
		$this->assertStringNotContainsString( 'mug', $kept );
	}

	public function test_without_a_chat_nothing_is_sent_set_or_asked_for(): void {
		global $wpdb;
		$_COOKIE = array();
		$order   = $this->order();
		WC()->cart->add_to_cart( 10, 1 );
		$before = $wpdb->num_queries;
		do_action( 'woocommerce_checkout_order_processed', $order->get_id() );
		do_action( 'woocommerce_store_api_checkout_order_processed', $order );
		do_action( 'woocommerce_cart_updated' );
		self::end_request();
		$this->assertSame( array(), $this->sent_events() );
		$this->assertSame( $before, $wpdb->num_queries );
		$this->assertSame( array(), $_COOKIE );
	}

	/**
	 * Makes an order.
	 *
	 * @param array<string,mixed> $data What is not as usual.
	 */
	private function order( array $data = array() ): WC_Order {
		$order = new WC_Order();
		$order->set_props(
			$data + array(
				'total_amount'  => '61.00000000',
				'currency'      => 'EUR',
				'billing_email' => 'jane@example.com',
			)
		);
		return wc_get_order( $order->save() );
	}

	/**
	 * Makes what was told of the visitor's cart older.
	 *
	 * @param int $seconds How much.
	 */
	private function let_time_pass( int $seconds = 10 ): void {
		global $wpdb;
		$name = substr( $wpdb->get_var( "SELECT option_name FROM $wpdb->options WHERE option_name LIKE '\_transient\_cpb\_cart%'" ), strlen( '_transient_' ) );
		$told = get_transient( $name );
		set_transient( $name, array( 'at' => $told['at'] - $seconds ) + $told, HOUR_IN_SECONDS );
	}

	/**
	 * Ends the request, and gives its events of one type.
	 *
	 * @param string $type Type of events.
	 * @return array<int,array<string,mixed>>
	 */
	private function events( string $type ): array {
		self::end_request();
		$events         = $this->sent_events();
		$this->requests = array();
		return array_values( array_filter( $events, static fn( $event ) => $type === $event['type'] ) );
	}

	/**
	 * Gives the total of the first item, and of the cart.
	 *
	 * @param array<string,mixed> $event Event.
	 * @return string[]
	 */
	private static function totals( array $event ): array {
		return array( $event['cart']['items'][0]['total'], $event['cart']['total'] );
	}
}

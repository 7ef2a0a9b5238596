<?php
/**
 * Tests of who is behind a visitor.
 *
 * @package ChatPresenceBridge
 */

use ChatPresenceBridge\Customer_Link;
use ChatPresenceBridge\Event_Queue;
use ChatPresenceBridge\Options;
use ChatPresenceBridge\Takeovers;
use ChatPresenceBridge\Visitor_Cookie;

/**
 * Each hook by which somebody signs in or out. Whole requests are tested over HTTP.
 */
final class Customer_Link_Test extends WordPress_Test_Case {

	use Caught_Requests;

	protected function setUp(): void {
		parent::setUp();
		$this->connect();
	}

	protected function tearDown(): void {
		self::end_request();
		parent::tearDown();
	}

	public function test_c1_signing_in(): void {
		$visitor = $this->begin_chat();
		$jane    = $this->customer( array( 'first_name' => 'Jane', 'last_name' => 'Doe' ) );
		do_action( 'wp_login', $jane->user_login, $jane );
		$events = $this->events();
		$this->assertCount( 1, $events );
		$this->assertMatchesRegularExpression( '/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/', $events[0]['occurred_at'] );
		unset( $events[0]['id'], $events[0]['occurred_at'] );
		$customer = array(
			'id'    => (string) $jane->ID,
			'email' => $jane->user_email,
			'name'  => 'Jane Doe',
		);
		$this->assertSame( array( 'type' => 'customer', 'visitor' => $visitor, 'customer' => $customer ), $events[0] );
		$this->assertStringStartsWith( "$visitor.$jane->ID.", $_COOKIE['cpb_visitor'] );
	}

	public function test_plugins_that_leave_the_user_out_or_sign_in_twice(): void {
		$this->begin_chat();
		$jane = $this->customer();
		do_action( 'wp_login', $jane->user_login );
		do_action( 'wp_login', $jane->user_login, $jane );
		do_action( 'woocommerce_guest_session_to_user_id', 't_guest', (string) $jane->ID );
		$this->assertSame( array( (string) $jane->ID ), $this->told() );
	}

	public function test_a_user_that_is_none_is_told_of_to_nobody(): void {
		$this->begin_chat();
		do_action( 'wp_login', 'nobody-of-that-name' );
		do_action( 'woocommerce_guest_session_to_user_id', 't_guest', '0' );
		do_action( 'woocommerce_guest_session_to_user_id', 't_guest', '999999999' );
		$this->assertSame( array(), $this->events() );
	}

	public function test_c3_another_customer_is_a_new_visitor_and_the_older_ones_tokens_end(): void {
		$older = $this->begin_chat();
		$jane  = $this->customer();
		$max   = $this->customer();
		do_action( 'wp_login', $jane->user_login, $jane );
		$this->events();
		do_action( 'wp_login', $max->user_login, $max );
		$newer  = ( new Visitor_Cookie() )->known();
		$events = $this->events();
		$this->assertNotSame( $older, $newer );
		$this->assertSame( array( $older, $newer ), array_column( $events, 'visitor' ) );
		$this->assertNull( $events[0]['customer'] );
		$this->assertSame( (string) $max->ID, $events[1]['customer']['id'] );
	}

	public function test_c3_a_sign_in_that_nobody_told_of_is_noticed_when_the_chat_asks(): void {
		$older = $this->begin_chat( 17 );
		$queue = new Event_Queue( new Options(), new Takeovers( new Options() ) );
		$newer = ( new Customer_Link( new Options(), new Visitor_Cookie(), $queue ) )->identify( 18 );
		$this->assertNotSame( $older, $newer );
		$queue->send_after_answer();
		$events = $this->sent_events();
		$this->assertCount( 1, $events );
		$this->assertSame( $older, $events[0]['visitor'] );
		$this->assertNull( $events[0]['customer'] );
	}

	public function test_c3_signing_out_and_in_again_keeps_the_visitor(): void {
		$visitor = $this->begin_chat();
		$jane    = $this->customer();
		do_action( 'wp_login', $jane->user_login, $jane );
		do_action( 'wp_logout', $jane->ID );
		do_action( 'wp_login', $jane->user_login, $jane );
		$events = $this->events();
		$this->assertSame( array( $visitor ), array_unique( array_column( $events, 'visitor' ) ) );
		$this->assertSame( array( (string) $jane->ID, null, (string) $jane->ID ), self::ids( $events ) );
	}

	public function test_an_account_made_for_somebody_else_links_nobody(): void {
		$this->begin_chat();
		$this->sign_in( 'administrator' );
		wc_create_new_customer( 'other@example.com' );
		$this->assertSame( array(), $this->events() );
	}

	public function test_registering_in_the_shop(): void {
		$this->begin_chat();
		$account = wc_create_new_customer( 'new@example.com', '', '', array( 'first_name' => 'New', 'last_name' => 'Customer' ) );
		$this->assertSame( array(), $this->events() );
		add_filter( 'send_auth_cookies', '__return_false' );
		wc_set_customer_auth_cookie( $account );
		remove_filter( 'send_auth_cookies', '__return_false' );
		$events = $this->events();
		$this->assertCount( 1, $events );
		$this->assertSame( array( 'id' => (string) $account, 'email' => 'new@example.com', 'name' => 'New Customer' ), $events[0]['customer'] );
	}

	public function test_a_shop_that_signs_in_before_it_tells_of_the_account(): void {
		$this->begin_chat();
		$account = $this->sign_in( 'subscriber' );
		do_action( 'woocommerce_created_customer', $account, array(), '' );
		$this->assertSame( array( (string) $account ), $this->told() );
	}

	public function test_a_renewed_cookie_tells_nothing(): void {
		$this->begin_chat();
		$user = $this->sign_in( 'subscriber' );
		do_action( 'set_logged_in_cookie', 'cookie', 0, 0, $user, 'logged_in', 'token' );
		$this->assertSame( array(), $this->events() );
	}

	public function test_a_session_that_is_joined_without_a_sign_in_told_of(): void {
		$visitor = $this->begin_chat();
		$jane    = $this->customer();
		do_action( 'woocommerce_guest_session_to_user_id', 't_guest', (string) $jane->ID );
		$this->assertSame( array( $visitor ), array_column( $this->events(), 'visitor' ) );
	}

	public function test_a_session_that_is_joined_with_the_page_after_signing_in(): void {
		$jane = $this->customer();
		$this->begin_chat( $jane->ID );
		do_action( 'woocommerce_guest_session_to_user_id', 't_guest', (string) $jane->ID );
		$this->assertSame( array(), $this->events() );
	}

	/**
	 * Without a chat, or without a connection, nothing is sent, set or asked for.
	 */
	public function test_without_a_chat_nothing_happens(): void {
		$jane = $this->customer();
		$this->assertNothingHappens( $jane );
		$this->assertArrayNotHasKey( 'cpb_visitor', $_COOKIE );

		$_COOKIE['cpb_visitor'] = 'v_' . str_repeat( 'A', 22 ) . '.0.' . str_repeat( 'A', 43 );
		$this->assertNothingHappens( $jane );
	}

	public function test_not_connected_nothing_happens(): void {
		( new Options() )->forget_connection();
		$this->begin_chat();
		$cookie = $_COOKIE['cpb_visitor'];
		$this->assertNothingHappens( $this->customer() );
		$this->assertSame( $cookie, $_COOKIE['cpb_visitor'] );
	}

	/**
	 * Gives names as WordPress keeps them, and as people read them.
	 */
	public function names(): array {
		return array(
			'first and last'      => array( 'Jane', 'Doe', 'jd', 'Jane Doe' ),
			'first alone'         => array( 'Jane', '', 'jd', 'Jane' ),
			'neither'             => array( '', ' ', 'Jane D.', 'Jane D.' ),
			'an ampersand'        => array( 'Tom & Ann', "O'Neill", 'x', "Tom & Ann O'Neill" ),
			'emoji'               => array( 'Zoë 🌱', 'Ünal', 'x', 'Zoë 🌱 Ünal' ),
			'right to left'       => array( 'שרה', 'כהן', 'x', 'שרה כהן' ),
			'slashes'             => array( 'A\\B', 'C/D "E"', 'x', 'A\\B C/D "E"' ),
			'HTML'                => array( '<b>Jane</b>', '<script>alert(1)</script>Doe', 'x', 'Jane Doe' ),
			'less than'           => array( 'Jane', '<3', 'x', 'Jane <3' ),
			'longer than allowed' => array( str_repeat( 'ä', 150 ), str_repeat( 'ö', 150 ), 'x', str_repeat( 'ä', 150 ) . ' ' . str_repeat( 'ö', 49 ) ),
		);
	}

	/**
	 * A name reaches the bridge as people read it, the same in events and tokens.
	 *
	 * @dataProvider names
	 * @param string $first   First name, as typed.
	 * @param string $last    Last name, as typed.
	 * @param string $display Display name, as typed.
	 * @param string $expects What the bridge is told.
	 */
	public function test_name( string $first, string $last, string $display, string $expects ): void {
		$user = $this->customer( array( 'first_name' => $first, 'last_name' => $last, 'display_name' => $display ) );
		$this->assertSame( $expects, Customer_Link::describe( $user )['name'] );
	}

	public function test_an_email_that_is_none_is_not_told(): void {
		$user = $this->customer();
		foreach ( array( '', 'nobody', str_repeat( 'a', 320 ) . '@example.com' ) as $email ) {
			$user->user_email = $email;
			$this->assertNull( Customer_Link::describe( $user )['email'] );
		}
	}

	/**
	 * Fires every hook and expects nothing of it.
	 *
	 * @param WP_User $user Who signs in and out.
	 */
	private function assertNothingHappens( WP_User $user ): void {
		global $wpdb;
		$before = $wpdb->num_queries;
		do_action( 'wp_login', $user->user_login, $user );
		do_action( 'woocommerce_guest_session_to_user_id', 't_guest', (string) $user->ID );
		do_action( 'woocommerce_created_customer', $user->ID, array(), '' );
		do_action( 'set_logged_in_cookie', 'cookie', 0, 0, $user->ID, 'logged_in', 'token' );
		self::fire_logout( $user->ID );
		$this->assertSame( array(), $this->events() );
		$this->assertSame( $before, $wpdb->num_queries );
	}

	/**
	 * Signs out, without what WooCommerce does meanwhile.
	 *
	 * @param int $user User id.
	 */
	private static function fire_logout( int $user ): void {
		remove_action( 'wp_logout', array( WC()->session, 'destroy_session' ) );
		do_action( 'wp_logout', $user );
		add_action( 'wp_logout', array( WC()->session, 'destroy_session' ) );
	}

	/**
	 * Begins a chat in this process's browser.
	 *
	 * @param int $user User id of who is signed in.
	 * @return string Visitor id.
	 */
	private function begin_chat( int $user = 0 ): string {
		return ( new Visitor_Cookie() )->identify( $user );
	}

	/**
	 * Makes a customer.
	 *
	 * @param array<string,string> $data Of wp_insert_user(), as typed.
	 */
	private function customer( array $data = array() ): WP_User {
		$name = uniqid( 'customer' );
		$user = wp_insert_user(
			wp_slash(
				$data + array(
					'user_login' => $name,
					'user_pass'  => 'x',
					'user_email' => "$name@example.com",
					'role'       => 'subscriber',
				)
			)
		);
		return get_userdata( $user );
	}

	/**
	 * Ends the request, and gives its events about customers.
	 *
	 * @return array<int,array<string,mixed>>
	 */
	private function events(): array {
		self::end_request();
		$events         = $this->sent_events();
		$this->requests = array();
		return array_values( array_filter( $events, static fn( $event ) => 'customer' === $event['type'] ) );
	}

	/**
	 * Ends the request, and gives of whom it told.
	 *
	 * @return array<int,string|null>
	 */
	private function told(): array {
		return self::ids( $this->events() );
	}

	/**
	 * Gives the customers of events.
	 *
	 * @param array<int,array<string,mixed>> $events Events.
	 * @return array<int,string|null>
	 */
	private static function ids( array $events ): array {
		return array_map( static fn( $event ) => $event['customer']['id'] ?? null, $events );
	}
}

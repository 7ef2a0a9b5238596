<?php
/**
 * Tests of the visitor's cookie.
 *
 * @package ChatPresenceBridge
 */

use ChatPresenceBridge\Visitor_Cookie;

/**
 * Who a browser is, and whom it cannot pretend to be. That the cookie is sent is tested over HTTP.
 */
final class Visitor_Cookie_Test extends WordPress_Test_Case {

	public function test_a_visitor_stays_the_same(): void {
		$visitor = $this->identify( 0 );
		$this->assertMatchesRegularExpression( '/^v_[A-Za-z0-9_-]{22}$/', $visitor );
		$this->assertSame( $visitor, $this->identify( 0 ) );
	}

	public function test_visitors_differ(): void {
		$first   = $this->identify( 0 );
		$_COOKIE = array();
		$this->assertNotSame( $first, $this->identify( 0 ) );
	}

	public function test_c3_signing_in_and_out_keeps_the_visitor(): void {
		$visitor = $this->identify( 0 );
		$this->assertSame( $visitor, $this->identify( 17 ) );
		$this->assertSame( $visitor, $this->identify( 0 ) );
		$this->assertSame( $visitor, $this->identify( 17 ) );
	}

	public function test_c3_another_customer_is_a_new_visitor(): void {
		$visitor = $this->identify( 17 );
		$this->identify( 0 );
		$another = $this->identify( 18 );
		$this->assertNotSame( $visitor, $another );
		$this->assertSame( $another, $this->identify( 18 ) );
	}

	/**
	 * Gives ways to alter a cookie.
	 */
	public function forgeries(): array {
		return array(
			'another visitor'       => array( static fn( $value ) => 'v_' . str_repeat( 'A', 22 ) . substr( $value, 24 ) ),
			'another customer'      => array( static fn( $value ) => str_replace( '.17.', '.18.', $value ) ),
			'another signature'     => array( static fn( $value ) => substr( $value, 0, -43 ) . str_repeat( 'A', 43 ) ),
			'signature left out'    => array( static fn( $value ) => substr( $value, 0, strrpos( $value, '.' ) ) ),
			'a bare visitor id'     => array( static fn( $value ) => substr( $value, 0, 24 ) ),
			'something behind'      => array( static fn( $value ) => $value . 'A' ),
			'nothing'               => array( static fn() => '' ),
			'an array'              => array( static fn( $value ) => array( $value ) ),
			'no text at all'        => array( static fn() => "\xff\0" ),
		);
	}

	/**
	 * A cookie that we did not make names nobody.
	 *
	 * @dataProvider forgeries
	 * @param callable $forge Alters a value.
	 */
	public function test_forgery( callable $forge ): void {
		$visitor                         = $this->identify( 17 );
		$_COOKIE[ Visitor_Cookie::NAME ] = $forge( $_COOKIE[ Visitor_Cookie::NAME ] );
		$given                           = $this->identify( 17 );
		$this->assertNotContains( $given, array( $visitor, 'v_' . str_repeat( 'A', 22 ) ) );
	}

	public function test_a_cookie_of_another_store_names_nobody(): void {
		$visitor = $this->identify( 17 );
		$salt    = static fn() => 'the salt of another store';
		add_filter( 'salt', $salt );
		$elsewhere = $this->identify( 17 );
		remove_filter( 'salt', $salt );
		$this->assertNotSame( $visitor, $elsewhere );
	}

	public function test_attributes(): void {
		$attributes = Visitor_Cookie::attributes();
		$this->assertFalse( $attributes['secure'] );
		$this->assertTrue( $attributes['httponly'] );
		$this->assertSame( 'Lax', $attributes['samesite'] );
		$this->assertSame( '/', $attributes['path'] );

		$_SERVER['HTTPS'] = 'on';
		$secure           = Visitor_Cookie::attributes()['secure'];
		unset( $_SERVER['HTTPS'] );
		$this->assertTrue( $secure );
	}

	/**
	 * Identifies as the session route does.
	 *
	 * @param int $customer User id.
	 */
	private function identify( int $customer ): string {
		return ( new Visitor_Cookie() )->identify( $customer );
	}
}

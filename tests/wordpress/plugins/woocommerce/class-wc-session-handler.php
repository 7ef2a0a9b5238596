<?php
/**
 * A shop's session.
 *
 * @package WooCommerceStandIn
 */

defined( 'ABSPATH' ) || exit;

/**
 * One browser's session, kept for two days; a guest's becomes the customer's who signs in.
 */
class WC_Session_Handler {

	const LIFETIME = 2 * DAY_IN_SECONDS;

	private $cookie;
	private $customer_id = '';
	private $has_cookie  = false;
	private $is_dirty    = false;
	private $data        = array();

	public function __construct() {
		$this->cookie = 'wp_woocommerce_session_' . COOKIEHASH;
	}

	public function init() {
		$this->init_session_cookie();
		add_action( 'woocommerce_set_cart_cookies', array( $this, 'set_customer_session_cookie' ) );
		add_action( 'shutdown', array( $this, 'save_data' ), 20 );
		add_action( 'wp_logout', array( $this, 'destroy_session' ) );
	}

	public function init_session_cookie() {
		$this->customer_id = $this->read_cookie();
		if ( '' === $this->customer_id ) {
			$this->customer_id = $this->generate_customer_id();
			$this->data        = $this->has_session() ? $this->get_session( $this->customer_id ) : array();
			return;
		}
		$this->has_cookie = true;
		$this->data       = $this->get_session( $this->customer_id );
		$user             = (string) get_current_user_id();
		$is_guests        = 0 === strpos( $this->customer_id, 't_' );
		if ( ! $is_guests && $user !== $this->customer_id ) {
			$this->destroy_session();
		}
		if ( is_user_logged_in() && $user !== $this->customer_id ) {
			$guest             = $this->customer_id;
			$this->customer_id = $user;
			$this->is_dirty    = true;
			$this->save_data();
			$this->delete_session( $guest );
			$this->set_customer_session_cookie( true );
			do_action( 'woocommerce_guest_session_to_user_id', $guest, $this->customer_id );
		}
	}

	public function set_customer_session_cookie( $set ) {
		if ( $set ) {
			$this->has_cookie = true;
			wc_setcookie( $this->cookie, $this->signed( $this->customer_id ), time() + self::LIFETIME );
		}
	}

	public function has_session() {
		return $this->has_cookie || is_user_logged_in();
	}

	public function get( $key, $default = null ) {
		return $this->data[ $key ] ?? $default;
	}

	public function set( $key, $value ) {
		if ( $this->get( $key ) !== $value ) {
			$this->data[ $key ] = $value;
			$this->is_dirty     = true;
		}
	}

	public function save_data() {
		global $wpdb;
		if ( $this->is_dirty && $this->has_session() ) {
			$row = array(
				'session_key'    => $this->customer_id,
				'session_value'  => wp_json_encode( $this->data ),
				'session_expiry' => time() + self::LIFETIME,
			);
			$wpdb->replace( $wpdb->prefix . 'woocommerce_sessions', $row );
			$this->is_dirty = false;
		}
	}

	public function destroy_session() {
		$this->delete_session( $this->customer_id );
		wc_setcookie( $this->cookie, '', time() - YEAR_IN_SECONDS );
		if ( ! is_admin() ) {
			wc_empty_cart();
		}
		$this->data        = array();
		$this->is_dirty    = false;
		$this->customer_id = $this->generate_customer_id();
	}

	private function generate_customer_id() {
		return is_user_logged_in() ? (string) get_current_user_id() : 't_' . bin2hex( random_bytes( 15 ) );
	}

	private function read_cookie() {
		$value = isset( $_COOKIE[ $this->cookie ] ) ? sanitize_text_field( wp_unslash( $_COOKIE[ $this->cookie ] ) ) : '';
		$id    = strtok( $value, '|' );
		return false !== $id && hash_equals( $this->signed( $id ), $value ) ? $id : '';
	}

	private function signed( $id ) {
		return $id . '|' . hash_hmac( 'sha256', $id, wp_salt() );
	}

	private function get_session( $id ) {
		global $wpdb;
		$value = $wpdb->get_var( $wpdb->prepare( "SELECT session_value FROM {$wpdb->prefix}woocommerce_sessions WHERE session_key = %s AND session_expiry > %d", $id, time() ) );
		return null === $value ? array() : json_decode( $value, true );
	}

	private function delete_session( $id ) {
		global $wpdb;
		$wpdb->delete( $wpdb->prefix . 'woocommerce_sessions', array( 'session_key' => $id ) );
	}
}

<?php
/**
 * The shop.
 *
 * @package WooCommerceStandIn
 */

defined( 'ABSPATH' ) || exit;

/**
 * What `WC()` gives.
 */
final class WooCommerce {

	/**
	 * Session of the visitor; null where nobody visits the shop.
	 *
	 * @var WC_Session_Handler|null
	 */
	public $session;

	/**
	 * Cart of the visitor; null where nobody visits the shop.
	 *
	 * @var WC_Cart|null
	 */
	public $cart;

	private static $instance;

	public static function instance() {
		if ( null === self::$instance ) {
			self::$instance = new self();
		}
		return self::$instance;
	}

	public function init() {
		do_action( 'before_woocommerce_init' );
		if ( $this->is_frontend() ) {
			wc_load_cart();
		}
		do_action( 'woocommerce_init' );
	}

	public function initialize_session() {
		if ( null === $this->session ) {
			$this->session = new WC_Session_Handler();
			$this->session->init();
		}
	}

	public function initialize_cart() {
		if ( null === $this->cart ) {
			$this->cart = new WC_Cart();
			if ( did_action( 'wp_loaded' ) ) {
				$this->cart->get_cart_from_session();
			}
		}
	}

	private function is_frontend() {
		$path = isset( $_SERVER['REQUEST_URI'] ) ? sanitize_text_field( wp_unslash( $_SERVER['REQUEST_URI'] ) ) : '';
		$rest = false !== strpos( $path, '/wp-json/' );
		return ( ! is_admin() || wp_doing_ajax() ) && ! wp_doing_cron() && ! $rest;
	}
}

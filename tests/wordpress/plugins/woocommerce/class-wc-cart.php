<?php
/**
 * The cart.
 *
 * @package WooCommerceStandIn
 */

defined( 'ABSPATH' ) || exit;

/**
 * One visitor's cart, kept in their session.
 */
class WC_Cart {

	private $contents = array();
	private $total    = 0;

	public function __construct() {
		add_action( 'wp_loaded', array( $this, 'get_cart_from_session' ) );
		add_action( 'woocommerce_add_to_cart', array( $this, 'calculate_totals' ), 20, 0 );
		add_action( 'woocommerce_cart_item_removed', array( $this, 'calculate_totals' ), 20, 0 );
		add_action( 'woocommerce_cart_item_restored', array( $this, 'calculate_totals' ), 20, 0 );
		add_action( 'woocommerce_cart_emptied', array( $this, 'forget_session' ) );
		add_action( 'woocommerce_after_calculate_totals', array( $this, 'set_session' ), 1000 );
		add_action( 'woocommerce_cart_loaded_from_session', array( $this, 'set_session' ) );
		add_action( 'shutdown', array( $this, 'maybe_set_cart_cookies' ), 0 );
		add_action( 'woocommerce_add_to_cart', array( $this, 'maybe_set_cart_cookies' ) );
	}

	public function get_cart_from_session() {
		$this->contents = array();
		foreach ( (array) WC()->session->get( 'cart', array() ) as $key => $item ) {
			$product = wc_get_product( $item['product_id'] );
			if ( $product ) {
				$this->contents[ $key ] = array( 'data' => $product ) + $item;
			}
		}
		$this->total = WC()->session->get( 'cart_totals', 0 );
		do_action( 'woocommerce_cart_loaded_from_session', $this );
	}

	public function set_session() {
		$kept = array();
		foreach ( $this->contents as $key => $item ) {
			$kept[ $key ] = array_diff_key( $item, array( 'data' => true ) );
		}
		WC()->session->set( 'cart', $kept );
		WC()->session->set( 'cart_totals', $this->total );
		do_action( 'woocommerce_cart_updated' );
	}

	public function forget_session() {
		WC()->session->set( 'cart', null );
		WC()->session->set( 'cart_totals', null );
	}

	public function maybe_set_cart_cookies() {
		if ( ! headers_sent() && did_action( 'wp_loaded' ) && ! $this->is_empty() ) {
			do_action( 'woocommerce_set_cart_cookies', true );
		}
	}

	public function add_to_cart( $product_id = 0, $quantity = 1 ) {
		$product = wc_get_product( $product_id );
		if ( ! $product ) {
			return false;
		}
		$key = md5( (string) $product_id );
		if ( isset( $this->contents[ $key ] ) ) {
			$this->set_quantity( $key, $this->contents[ $key ]['quantity'] + $quantity, false );
		} else {
			$this->contents[ $key ] = array(
				'key'          => $key,
				'product_id'   => $product->get_id(),
				'variation_id' => 0,
				'variation'    => array(),
				'quantity'     => $quantity,
				'data'         => $product,
			);
		}
		do_action( 'woocommerce_add_to_cart', $key, $product_id, $quantity, 0, array(), array() );
		return $key;
	}

	public function set_quantity( $cart_item_key, $quantity = 1, $refresh_totals = true ) {
		if ( 0 >= $quantity ) {
			return $this->remove_cart_item( $cart_item_key );
		}
		$old                                          = $this->contents[ $cart_item_key ]['quantity'];
		$this->contents[ $cart_item_key ]['quantity'] = $quantity;
		do_action( 'woocommerce_after_cart_item_quantity_update', $cart_item_key, $quantity, $old, $this );
		if ( $refresh_totals ) {
			$this->calculate_totals();
		}
		do_action( 'woocommerce_cart_item_set_quantity', $cart_item_key, $quantity, $this );
		return true;
	}

	public function remove_cart_item( $cart_item_key ) {
		if ( ! isset( $this->contents[ $cart_item_key ] ) ) {
			return false;
		}
		do_action( 'woocommerce_remove_cart_item', $cart_item_key, $this );
		unset( $this->contents[ $cart_item_key ] );
		do_action( 'woocommerce_cart_item_removed', $cart_item_key, $this );
		return true;
	}

	public function empty_cart( $clear_persistent_cart = true ) {
		do_action( 'woocommerce_before_cart_emptied', $clear_persistent_cart );
		$this->contents = array();
		$this->total    = 0;
		do_action( 'woocommerce_cart_emptied', $clear_persistent_cart );
	}

	public function calculate_totals() {
		$this->total = 0;
		if ( $this->is_empty() ) {
			$this->set_session();
			return;
		}
		do_action( 'woocommerce_before_calculate_totals', $this );
		foreach ( $this->contents as $key => $item ) {
			// Numbers, as in WooCommerce.
			$line = $item['data']->get_price() * $item['quantity'];
			$tax  = $line * get_option( WOO_STANDIN_TAX, 0 ) / 100;

			$this->contents[ $key ]['line_total'] = $line;
			$this->contents[ $key ]['line_tax']   = $tax;

			$this->total += $line + $tax;
		}
		do_action( 'woocommerce_after_calculate_totals', $this );
	}

	public function get_cart() {
		return $this->contents;
	}

	public function is_empty() {
		return array() === $this->contents;
	}

	public function get_total( $context = 'view' ) {
		return 'view' === $context ? '<span class="amount">' . $this->total . '</span>' : $this->total;
	}

	public function display_prices_including_tax() {
		return 'incl' === get_option( 'woocommerce_tax_display_cart' );
	}
}

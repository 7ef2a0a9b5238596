<?php
/**
 * What visitors do to their cart.
 *
 * @package WooCommerceStandIn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Answers `/?wc-ajax=…`: add_to_cart, remove_from_cart, and what a cart's own page sends otherwise.
 */
function woo_standin_ajax() {
	// phpcs:disable WordPress.Security.NonceVerification -- as in WooCommerce, for the cart.
	$action   = isset( $_GET['wc-ajax'] ) ? sanitize_key( $_GET['wc-ajax'] ) : '';
	$product  = isset( $_POST['product_id'] ) ? absint( $_POST['product_id'] ) : 0;
	$quantity = isset( $_POST['quantity'] ) ? (float) $_POST['quantity'] : 1;
	// phpcs:enable
	$actions = array(
		'add_to_cart'      => static fn() => WC()->cart->add_to_cart( $product, $quantity ),
		'remove_from_cart' => static fn() => WC()->cart->remove_cart_item( md5( (string) $product ) ),
		'set_quantity'     => static fn() => WC()->cart->set_quantity( md5( (string) $product ), $quantity ),
		'empty_cart'       => 'wc_empty_cart',
		'checkout'         => 'woo_standin_classic_checkout',
	);
	if ( isset( $actions[ $action ] ) ) {
		$answer = $actions[ $action ]();
		wp_send_json( is_array( $answer ) ? $answer : array( 'items' => count( WC()->cart->get_cart() ) ) );
	}
}
add_action( 'template_redirect', 'woo_standin_ajax', 0 );

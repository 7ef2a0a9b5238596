<?php
/**
 * Functions that WooCommerce gives to other plugins.
 *
 * @package WooCommerceStandIn
 */

defined( 'ABSPATH' ) || exit;

function WC() {
	return WooCommerce::instance();
}

function wc_rand_hash() {
	return bin2hex( random_bytes( 20 ) );
}

function wc_api_hash( $data ) {
	return hash_hmac( 'sha256', $data, 'wc-api' );
}

function get_woocommerce_currency() {
	return apply_filters( 'woocommerce_currency', get_option( 'woocommerce_currency', 'EUR' ) );
}

function wc_get_price_decimals() {
	return absint( apply_filters( 'wc_get_price_decimals', get_option( 'woocommerce_price_num_decimals', 2 ) ) );
}

function wc_format_decimal( $number, $dp = false ) {
	return false === $dp ? (string) $number : number_format( (float) $number, absint( $dp ), '.', '' );
}

function wc_setcookie( $name, $value, $expire = 0 ) {
	if ( ! headers_sent() ) {
		setcookie( $name, $value, $expire, '/' );
	}
}

function wc_get_product( $id ) {
	$products = get_option( WOO_STANDIN_PRODUCTS, array() );
	return isset( $products[ $id ] ) ? new WC_Product( $id, $products[ $id ] ) : false;
}

function wc_get_order( $order = false ) {
	$found = $order instanceof WC_Order ? $order : new WC_Order( (int) $order );
	return 0 === $found->get_id() ? false : $found;
}

function wc_load_cart() {
	WC()->initialize_session();
	WC()->initialize_cart();
}

function wc_empty_cart() {
	if ( null !== WC()->cart ) {
		WC()->cart->empty_cart();
	}
}

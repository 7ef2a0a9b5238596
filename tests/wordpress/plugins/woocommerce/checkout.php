<?php
/**
 * The two checkouts.
 *
 * @package WooCommerceStandIn
 */

defined( 'ABSPATH' ) || exit;

/**
 * The classic one: makes an account if asked to, then the order, then tells of it, then empties the cart.
 *
 * @return array<string,mixed> The answer.
 */
function woo_standin_classic_checkout() {
	$posted = wp_unslash( $_POST ); // phpcs:ignore WordPress.Security.NonceVerification -- a stand-in of the tests.
	if ( ! is_user_logged_in() && ! empty( $posted['createaccount'] ) ) {
		wc_set_customer_auth_cookie( woo_standin_register( $posted['billing_email'], $posted['billing_first_name'], $posted['billing_last_name'] ) );
		WC()->cart->calculate_totals();
	}
	$order = woo_standin_order( $posted['billing_email'] );
	do_action( 'woocommerce_checkout_order_processed', $order->get_id(), $posted, $order );
	wc_empty_cart();
	return array(
		'result'   => 'success',
		'order_id' => $order->get_id(),
	);
}

/**
 * The block checkout's: the order is there as a draft before anybody checks out, and the account is joined to it before
 * it is signed in.
 *
 * @param WP_REST_Request $request Request.
 * @return array<string,mixed> The answer.
 */
function woo_standin_block_checkout( WP_REST_Request $request ) {
	wc_load_cart();
	$address = $request['billing_address'];
	$order   = woo_standin_order( $address['email'] );
	if ( ! is_user_logged_in() && $request['create_account'] ) {
		$customer = woo_standin_register( $address['email'], $address['first_name'], $address['last_name'] );
		$order->set_props( array( 'customer_id' => $customer ) );
		$order->save();
		wp_set_current_user( $customer );
		wp_set_auth_cookie( $customer, true );
		WC()->session->init_session_cookie();
	}
	do_action( 'woocommerce_store_api_checkout_order_processed', $order );
	wc_empty_cart();
	return array( 'order_id' => $order->get_id() );
}

/**
 * Puts something into the cart as the block does.
 *
 * @param WP_REST_Request $request Request.
 * @return array<string,mixed> The answer.
 */
function woo_standin_block_add( WP_REST_Request $request ) {
	wc_load_cart();
	WC()->cart->add_to_cart( $request['id'], $request['quantity'] );
	return array( 'items' => count( WC()->cart->get_cart() ) );
}

function woo_standin_register( $email, $first_name, $last_name ) {
	return wc_create_new_customer(
		$email,
		'',
		'',
		array(
			'first_name' => $first_name,
			'last_name'  => $last_name,
		)
	);
}

function woo_standin_order( $email ) {
	$order = new WC_Order();
	$order->set_props(
		array(
			'currency'      => get_woocommerce_currency(),
			'total_amount'  => number_format( WC()->cart->get_total( 'edit' ), 8, '.', '' ),
			'customer_id'   => apply_filters( 'woocommerce_checkout_customer_id', get_current_user_id() ),
			'billing_email' => $email,
		)
	);
	$order->save();
	return wc_get_order( $order->get_id() );
}

add_action(
	'rest_api_init',
	static function () {
		$routes = array(
			'/checkout'      => 'woo_standin_block_checkout',
			'/cart/add-item' => 'woo_standin_block_add',
		);
		foreach ( $routes as $route => $callback ) {
			register_rest_route(
				'wc/store/v1',
				$route,
				array(
					'methods'             => 'POST',
					'callback'            => $callback,
					'permission_callback' => '__return_true',
				)
			);
		}
	}
);

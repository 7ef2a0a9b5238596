<?php
/**
 * Making customers, and signing them in.
 *
 * @package WooCommerceStandIn
 */

defined( 'ABSPATH' ) || exit;

function wc_create_new_customer( $email, $username = '', $password = '', $args = array() ) {
	$data = array_merge(
		$args,
		array(
			'user_login' => '' === $username ? $email : $username,
			'user_pass'  => '' === $password ? wp_generate_password() : $password,
			'user_email' => $email,
			'role'       => 'customer',
		)
	);
	$data = apply_filters( 'woocommerce_new_customer_data', $data );
	$id   = wp_insert_user( wp_slash( $data ) );
	if ( ! is_wp_error( $id ) ) {
		do_action( 'woocommerce_created_customer', $id, $data, '' === $password );
	}
	return $id;
}

function wc_set_customer_auth_cookie( $customer_id ) {
	wp_set_current_user( $customer_id );
	wp_set_auth_cookie( $customer_id, true );
	if ( is_callable( array( WC()->session, 'init_session_cookie' ) ) ) {
		WC()->session->init_session_cookie();
	}
}

/**
 * The owner makes an account for somebody else, as the REST API and plugins in wp-admin do.
 */
function woo_standin_make_customer() {
	$email = isset( $_POST['email'] ) ? sanitize_email( wp_unslash( $_POST['email'] ) ) : ''; // phpcs:ignore WordPress.Security.NonceVerification -- a stand-in of the tests.
	echo esc_html( (string) wc_create_new_customer( $email ) );
}
add_action( 'admin_post_standin_make_customer', 'woo_standin_make_customer' );

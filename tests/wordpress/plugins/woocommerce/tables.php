<?php
/**
 * The stand-in's tables: named as WooCommerce's, with those of their columns that matter here.
 *
 * @package WooCommerceStandIn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Makes the tables, and the rights that come with WooCommerce.
 */
function woo_standin_install() {
	global $wpdb;
	$tables = array(
		'woocommerce_api_keys' => 'key_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id BIGINT UNSIGNED NOT NULL,
			description VARCHAR(200) NULL, permissions VARCHAR(10) NOT NULL, consumer_key CHAR(64) NOT NULL,
			consumer_secret CHAR(43) NOT NULL, nonces LONGTEXT NULL, truncated_key CHAR(7) NOT NULL, last_access DATETIME NULL',
		'wc_webhooks'          => 'webhook_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, status VARCHAR(200) NOT NULL,
			name TEXT NOT NULL, user_id BIGINT UNSIGNED NOT NULL, delivery_url TEXT NOT NULL, secret TEXT NOT NULL,
			topic VARCHAR(200) NOT NULL, api_version SMALLINT NOT NULL, failure_count SMALLINT NOT NULL DEFAULT 0,
			pending_delivery TINYINT(1) NOT NULL DEFAULT 0',
		'woocommerce_sessions' => 'session_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, session_key CHAR(32) NOT NULL UNIQUE,
			session_value LONGTEXT NOT NULL, session_expiry BIGINT UNSIGNED NOT NULL',
		'wc_orders'            => 'id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, number VARCHAR(100) NOT NULL, currency VARCHAR(10) NULL,
			total_amount DECIMAL(26,8) NULL, customer_id BIGINT UNSIGNED NULL, billing_email VARCHAR(320) NULL',
	);
	foreach ( $tables as $name => $columns ) {
		$wpdb->query( "CREATE TABLE IF NOT EXISTS {$wpdb->prefix}$name ( $columns ) ENGINE=InnoDB" );
	}
	add_role( 'customer', 'Customer', array( 'read' => true ) );
	foreach ( array( 'manage_woocommerce', 'edit_shop_orders' ) as $right ) {
		get_role( 'administrator' )->add_cap( $right );
	}
}

/**
 * Removes all that the stand-in stored.
 */
function woo_standin_uninstall() {
	global $wpdb;
	foreach ( array( 'woocommerce_api_keys', 'wc_webhooks', 'woocommerce_sessions', 'wc_orders' ) as $name ) {
		$wpdb->query( "DROP TABLE IF EXISTS {$wpdb->prefix}$name" );
	}
	remove_role( 'customer' );
	foreach ( array( 'manage_woocommerce', 'edit_shop_orders' ) as $right ) {
		get_role( 'administrator' )->remove_cap( $right );
	}
	array_map( 'delete_option', array( WOO_STANDIN_VERSION, WOO_STANDIN_PRODUCTS, WOO_STANDIN_TAX, 'woocommerce_currency', 'woocommerce_price_num_decimals', 'woocommerce_tax_display_cart' ) );
}

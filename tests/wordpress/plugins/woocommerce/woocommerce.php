<?php
/**
 * Plugin Name: WooCommerce (stand-in)
 * Description: Stands where WooCommerce would in the tests: the names that other plugins use, and its hooks in their order and with their arguments.
 * Version:     9.5.1
 *
 * @package WooCommerceStandIn
 */

defined( 'ABSPATH' ) || exit;

/**
 * Options of the tests: version to pretend, products by id (`name`, `price`), and the tax on them in percent.
 */
const WOO_STANDIN_VERSION  = 'standin_version';
const WOO_STANDIN_PRODUCTS = 'standin_products';
const WOO_STANDIN_TAX      = 'standin_tax';

define( 'WC_VERSION', get_option( WOO_STANDIN_VERSION, '9.5.1' ) );

require_once __DIR__ . '/class-featuresutil.php';
require_once __DIR__ . '/functions.php';
require_once __DIR__ . '/customers.php';
require_once __DIR__ . '/class-wc-product.php';
require_once __DIR__ . '/class-wc-order.php';
require_once __DIR__ . '/class-wc-webhook.php';
require_once __DIR__ . '/class-wc-session-handler.php';
require_once __DIR__ . '/class-wc-cart.php';
require_once __DIR__ . '/class-woocommerce.php';
require_once __DIR__ . '/shop.php';
require_once __DIR__ . '/checkout.php';
require_once __DIR__ . '/tables.php';

register_activation_hook( __FILE__, 'woo_standin_install' );
add_action( 'init', array( WC(), 'init' ), 0 );

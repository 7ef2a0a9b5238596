<?php
/**
 * Loads WordPress, with the plugin active, for PHPUnit.
 *
 * PHPUnit includes this file inside a function: what WordPress expects to be global has to be made so here.
 *
 * @package ChatPresenceBridge
 */

global $wp, $wp_query, $wp_the_query, $wp_rewrite, $wp_roles, $wp_locale, $wpdb, $table_prefix, $wp_version, $wp_widget_factory, $wp_embed, $wp_textdomain_registry;

require getenv( 'WORDPRESS_LOAD' );
require_once ABSPATH . 'wp-admin/includes/admin.php';
require_once __DIR__ . '/class-wordpress-test-case.php';
require_once __DIR__ . '/trait-caught-requests.php';

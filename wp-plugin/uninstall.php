<?php
/**
 * Removes what the plugin stored, and nothing else.
 *
 * @package ChatPresenceBridge
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

require_once __DIR__ . '/includes/class-options.php';
require_once __DIR__ . '/includes/class-schema.php';
require_once __DIR__ . '/includes/class-woocommerce-access.php';
require_once __DIR__ . '/includes/class-installation.php';

ChatPresenceBridge\Installation::uninstall();

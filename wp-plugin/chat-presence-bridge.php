<?php
/**
 * Plugin Name:       Chat Presence Bridge
 * Description:       Shows the people who answer your chats who is still there: online, changing pages, gone, or chat cleared. Works with any chat widget.
 * Version:           0.1.0
 * Requires at least: 6.1
 * Requires PHP:      7.4
 * Author:            Chat Presence Bridge contributors
 * License:           GPL-2.0-or-later
 * License URI:       https://www.gnu.org/licenses/gpl-2.0.html
 * Text Domain:       chat-presence-bridge
 *
 * @package ChatPresenceBridge
 */

defined( 'ABSPATH' ) || exit;

// A second copy of the plugin, in a folder of another name, must not end the site with "cannot redeclare".
if ( defined( 'CPB_VERSION' ) ) {
	return;
}

define( 'CPB_VERSION', '0.1.0' );
define( 'CPB_FILE', __FILE__ );

// The connection, and the proof that a request comes from this store.
require_once __DIR__ . '/includes/class-connection-error.php';
require_once __DIR__ . '/includes/class-connection.php';
require_once __DIR__ . '/includes/class-options.php';
require_once __DIR__ . '/includes/class-signer.php';

// What the store knows of takeovers.
require_once __DIR__ . '/includes/class-schema.php';
require_once __DIR__ . '/includes/class-moment.php';
require_once __DIR__ . '/includes/class-takeovers.php';

// What is sent to the bridge.
require_once __DIR__ . '/includes/class-bridge-client.php';
require_once __DIR__ . '/includes/class-event-queue.php';
require_once __DIR__ . '/includes/class-plain-text.php';
require_once __DIR__ . '/includes/class-chat-events.php';

// What the bridge tells.
require_once __DIR__ . '/includes/class-seen-ids.php';
require_once __DIR__ . '/includes/class-bridge-call.php';
require_once __DIR__ . '/includes/class-bridge-calls.php';

// The visitor's side.
require_once __DIR__ . '/includes/class-origin.php';
require_once __DIR__ . '/includes/class-rate-limit.php';
require_once __DIR__ . '/includes/class-visitor-cookie.php';
require_once __DIR__ . '/includes/class-customer-link.php';
require_once __DIR__ . '/includes/class-purchases.php';
require_once __DIR__ . '/includes/class-rest-controller.php';
require_once __DIR__ . '/includes/class-rest-headers.php';
require_once __DIR__ . '/includes/class-visitor-script.php';

// Chat widgets.
require_once __DIR__ . '/includes/adapters/class-generic-adapter.php';
require_once __DIR__ . '/includes/adapters/class-wpiko-adapter.php';

// The bridge's access to WooCommerce.
require_once __DIR__ . '/includes/class-webhook-address.php';
require_once __DIR__ . '/includes/class-woocommerce-access.php';
require_once __DIR__ . '/includes/class-woocommerce-consent.php';

// The store owner's side.
require_once __DIR__ . '/includes/class-installation.php';
require_once __DIR__ . '/includes/class-store-connection.php';
require_once __DIR__ . '/includes/class-settings-page.php';

require_once __DIR__ . '/includes/class-plugin.php';

( new ChatPresenceBridge\Plugin() )->boot();

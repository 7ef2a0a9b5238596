<?php
/**
 * The owner's consent to the bridge's access to WooCommerce.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * The checkbox on the settings page, and the line that says what it has led to.
 */
final class WooCommerce_Consent {

	/**
	 * Name of the form field.
	 */
	const FIELD = 'cpb_woocommerce_access';

	/**
	 * What the consent is to.
	 *
	 * @var WooCommerce_Access
	 */
	private $access;

	/**
	 * Asks for consent.
	 *
	 * @param WooCommerce_Access $access To what.
	 */
	public function __construct( WooCommerce_Access $access ) {
		$this->access = $access;
	}

	/**
	 * Tells whether the form that was sent gives consent. Its nonce must have been verified.
	 *
	 * @return bool
	 */
	public static function is_given(): bool {
		$value = isset( $_POST[ self::FIELD ] ) && is_string( $_POST[ self::FIELD ] ) ? sanitize_text_field( wp_unslash( $_POST[ self::FIELD ] ) ) : ''; // phpcs:ignore WordPress.Security.NonceVerification.Missing -- the page has verified it.
		return '1' === $value && WooCommerce_Access::is_available();
	}

	/**
	 * Prints the checkbox, ticked if consent was given before; nothing without WooCommerce.
	 *
	 * @param string $id Id of the element: the page has two forms.
	 */
	public function print_checkbox( string $id ): void {
		if ( ! WooCommerce_Access::is_available() ) {
			return;
		}
		printf(
			'<p><label for="%1$s"><input type="checkbox" id="%1$s" name="%2$s" value="1"%3$s aria-describedby="%1$s-help"> %4$s</label></p><p class="description" id="%1$s-help">%5$s</p>',
			esc_attr( $id ),
			esc_attr( self::FIELD ),
			checked( $this->access->exists(), true, false ),
			esc_html__( 'Let the bridge read customers and orders of WooCommerce', 'chat-presence-bridge' ),
			esc_html__( 'This makes a read-only key to your store\'s REST API and six webhooks, with your own rights, and gives them to the bridge, so that agents see a customer\'s name, orders and amount spent. The key can read all that its owner can read in the REST API. You find both in WooCommerce\'s settings under Advanced; disconnecting, or connecting without this tick, removes them.', 'chat-presence-bridge' )
		);
	}

	/**
	 * Says what there is.
	 *
	 * @return string Plain text, one line.
	 */
	public function status(): string {
		if ( ! $this->access->exists() ) {
			return __( 'The bridge has no access to customers and orders.', 'chat-presence-bridge' );
		}
		if ( ! WooCommerce_Access::is_available() ) {
			return __( 'WooCommerce is not active. The key and the webhooks that were made in it stay until you disconnect.', 'chat-presence-bridge' );
		}
		$webhooks = $this->access->webhooks();
		$parts    = array(
			$this->access->has_key()
				? __( 'A read-only key.', 'chat-presence-bridge' )
				: __( 'The key was removed: connect again to make another.', 'chat-presence-bridge' ),
			/* translators: 1: number of webhooks there are, 2: number of webhooks there should be. */
			sprintf( __( 'Webhooks: %1$d of %2$d.', 'chat-presence-bridge' ), count( $webhooks ), count( WooCommerce_Access::TOPICS ) ),
		);
		$inactive = array_keys( array_diff( $webhooks, array( 'active' ) ) );
		if ( array() !== $inactive ) {
			/* translators: %s: names of webhooks, like "order.created". */
			$parts[] = sprintf( __( 'Switched off in WooCommerce: %s. It does so by itself when deliveries fail several times in a row; connect again to make them anew.', 'chat-presence-bridge' ), implode( ', ', $inactive ) );
		}
		return implode( ' ', $parts );
	}
}

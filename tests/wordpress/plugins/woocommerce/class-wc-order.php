<?php
/**
 * An order.
 *
 * @package WooCommerceStandIn
 */

defined( 'ABSPATH' ) || exit;

/**
 * An order in a table of its own, as since 7.1: there is no post, and so no post meta, of the same id.
 */
class WC_Order {

	private $id   = 0;
	private $data = array(
		'number'        => '',
		'currency'      => '',
		'total_amount'  => '0',
		'customer_id'   => 0,
		'billing_email' => '',
	);

	public function __construct( $id = 0 ) {
		global $wpdb;
		$row = $wpdb->get_row( $wpdb->prepare( "SELECT * FROM {$wpdb->prefix}wc_orders WHERE id = %d", $id ), ARRAY_A );
		if ( $row ) {
			$this->id   = (int) $row['id'];
			$this->data = array_intersect_key( $row, $this->data );
		}
	}

	/**
	 * Sets several fields.
	 *
	 * @param array<string,mixed> $data By name.
	 */
	public function set_props( array $data ) {
		$this->data = array_merge( $this->data, $data );
	}

	public function save() {
		global $wpdb;
		if ( 0 === $this->id ) {
			$wpdb->insert( $wpdb->prefix . 'wc_orders', $this->data );
			$this->id = (int) $wpdb->insert_id;
		} else {
			$wpdb->update( $wpdb->prefix . 'wc_orders', $this->data, array( 'id' => $this->id ) );
		}
		return $this->id;
	}

	public function get_id() {
		return $this->id;
	}

	public function get_order_number() {
		$number = '' === $this->data['number'] ? (string) $this->id : $this->data['number'];
		return (string) apply_filters( 'woocommerce_order_number', $number, $this );
	}

	public function get_total( $context = 'view' ) {
		// As the database has it: text with eight decimals.
		return 'view' === $context ? apply_filters( 'woocommerce_order_get_total', $this->data['total_amount'], $this ) : $this->data['total_amount'];
	}

	public function get_currency() {
		return $this->data['currency'];
	}

	public function get_customer_id() {
		return (int) $this->data['customer_id'];
	}

	public function get_billing_email() {
		return $this->data['billing_email'];
	}
}

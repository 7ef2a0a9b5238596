<?php
/**
 * A product.
 *
 * @package WooCommerceStandIn
 */

defined( 'ABSPATH' ) || exit;

/**
 * What the cart needs of a product.
 */
class WC_Product {

	private $id;
	private $data;

	public function __construct( $id, array $data ) {
		$this->id   = (int) $id;
		$this->data = $data;
	}

	public function get_id() {
		return $this->id;
	}

	public function get_name( $context = 'view' ) {
		return 'view' === $context ? apply_filters( 'woocommerce_product_get_name', $this->data['name'], $this ) : $this->data['name'];
	}

	public function get_price() {
		return (string) $this->data['price'];
	}
}

<?php
/**
 * What a visitor buys.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * Tells the bridge which orders a visitor with a chat has placed, and what is in their cart. Amounts are decimal text
 * with the store's own number of decimals. Orders are read through WooCommerce's own getters alone, wherever it keeps
 * them.
 */
final class Purchases {

	/**
	 * Hooks that say that something was done to a cart. Of WooCommerce's own doings the first tells alone, also at pages
	 * that only show the cart: there, what was held back is told.
	 */
	const CART_HOOKS = array(
		'woocommerce_cart_loaded_from_session',
		'woocommerce_cart_updated',
		'woocommerce_add_to_cart',
		'woocommerce_cart_item_removed',
		'woocommerce_cart_item_restored',
		'woocommerce_after_cart_item_quantity_update',
		'woocommerce_applied_coupon',
		'woocommerce_removed_coupon',
		'woocommerce_cart_emptied',
	);

	/**
	 * Fewest seconds between two events about one visitor's cart.
	 */
	const CART_SECONDS = 10;

	/**
	 * Seconds for which it is remembered what was last told of a cart.
	 */
	const CART_REMEMBERED = MONTH_IN_SECONDS;

	/**
	 * Most items of a cart, and longest texts in characters, that the bridge takes.
	 */
	const ITEMS           = 100;
	const NUMBER_LENGTH   = 64;
	const CURRENCY_LENGTH = 8;
	const PRODUCT_LENGTH  = 500;

	/**
	 * Knows the visitor.
	 *
	 * @var Customer_Link
	 */
	private $customers;

	/**
	 * Takes the events.
	 *
	 * @var Event_Queue
	 */
	private $queue;

	/**
	 * Ids of the orders that this request has told of, as keys.
	 *
	 * @var array<int,true>
	 */
	private $told = array();

	/**
	 * Whether this request did something to the cart.
	 *
	 * @var bool
	 */
	private $is_cart_touched = false;

	/**
	 * Tells through a queue.
	 *
	 * @param Customer_Link $customers Knows the visitor.
	 * @param Event_Queue   $queue     Takes the events.
	 */
	public function __construct( Customer_Link $customers, Event_Queue $queue ) {
		$this->customers = $customers;
		$this->queue     = $queue;
	}

	/**
	 * An order was placed by the classic checkout. Callback of `woocommerce_checkout_order_processed`.
	 *
	 * @param mixed $order_id Order id.
	 * @param mixed $posted   Unused.
	 * @param mixed $order    WC_Order; some plugins leave it out.
	 */
	public function classic_order_placed( $order_id, $posted = null, $order = null ): void {
		if ( null !== $this->customers->visitor() ) {
			$this->order_placed( $order instanceof \WC_Order ? $order : wc_get_order( $order_id ) );
		}
	}

	/**
	 * An order was placed. Callback of `woocommerce_store_api_checkout_order_processed`, the block checkout's.
	 *
	 * @param mixed $order WC_Order.
	 */
	public function order_placed( $order ): void {
		if ( null === $this->customers->visitor() || ! $order instanceof \WC_Order || isset( $this->told[ $order->get_id() ] ) || self::is_for_somebody_else( $order ) ) {
			return;
		}
		$this->told[ $order->get_id() ] = true;

		$customer = (int) $order->get_customer_id();
		$visitor  = $this->customers->buyer( $customer );
		if ( null === $visitor ) {
			return;
		}
		$this->queue->add(
			array(
				'type'    => 'order_placed',
				'visitor' => $visitor,
				'order'   => array(
					'id'          => (string) $order->get_id(),
					'number'      => mb_substr( (string) $order->get_order_number(), 0, self::NUMBER_LENGTH, 'UTF-8' ),
					'total'       => self::amount( $order->get_total( 'edit' ) ),
					'currency'    => self::currency( $order->get_currency() ),
					'email'       => Plain_Text::email( $order->get_billing_email() ),
					'customer_id' => 0 === $customer ? null : (string) $customer,
				),
			)
		);
	}

	/**
	 * Something was done to the cart. Callback of `woocommerce_cart_updated` and its like, which fire many times in one
	 * request, and on pages that only show the cart.
	 */
	public function cart_touched(): void {
		$this->is_cart_touched = true;
	}

	/**
	 * Tells what is in the cart, if that differs from what was told last and was not told just now. What is held back
	 * is told with the visitor's next page, which loads the cart. Callback of `shutdown`, before the queue sends.
	 */
	public function tell_cart(): void {
		$visitor = $this->is_cart_touched ? $this->customers->visitor() : null;
		$cart    = null !== $visitor && function_exists( 'WC' ) ? WC()->cart : null;
		if ( ! is_object( $cart ) ) {
			return;
		}
		$this->is_cart_touched = false;

		$cart = self::cart( $cart );
		$name = Options::TRANSIENT_PREFIX . 'cart_' . substr( wp_hash( $visitor, 'nonce' ), 0, 20 );
		$told = get_transient( $name );
		$hash = hash( 'sha256', (string) wp_json_encode( $cart ) );
		$same = is_array( $told ) ? $told['hash'] === $hash : array() === $cart['items'];
		if ( $same || ( is_array( $told ) && abs( time() - $told['at'] ) < self::CART_SECONDS ) ) {
			return;
		}
		set_transient(
			$name,
			array(
				'hash' => $hash,
				'at'   => time(),
			),
			self::CART_REMEMBERED
		);
		$this->queue->add(
			array(
				'type'    => 'cart',
				'visitor' => $visitor,
				'cart'    => $cart,
			)
		);
	}

	/**
	 * Tells whether an order is placed by somebody who makes orders for others: that says nothing of their own browser.
	 *
	 * @param \WC_Order $order Order.
	 * @return bool
	 */
	private static function is_for_somebody_else( \WC_Order $order ): bool {
		return ( is_admin() && ! wp_doing_ajax() )
			|| ( get_current_user_id() !== (int) $order->get_customer_id() && current_user_can( 'edit_shop_orders' ) );
	}

	/**
	 * Reads a cart.
	 *
	 * @param object $cart WC_Cart.
	 * @return array<string,mixed> As the wire has it.
	 */
	private static function cart( $cart ): array {
		// As the visitor sees the prices.
		$with_tax = is_callable( array( $cart, 'display_prices_including_tax' ) ) && $cart->display_prices_including_tax();
		$items    = array();
		foreach ( array_slice( $cart->get_cart(), 0, self::ITEMS ) as $item ) {
			$name     = is_object( $item['data'] ?? null ) ? (string) $item['data']->get_name() : '';
			$tax      = $with_tax ? (float) ( $item['line_tax'] ?? 0 ) : 0;
			$quantity = $item['quantity'] ?? 0;
			$items[]  = array(
				'product_id' => (string) ( $item['product_id'] ?? 0 ),
				'name'       => (string) Plain_Text::of_html( $name, self::PRODUCT_LENGTH ),
				'quantity'   => is_numeric( $quantity ) ? $quantity + 0 : 0,
				'total'      => self::amount( (float) ( $item['line_total'] ?? 0 ) + $tax ),
			);
		}
		return array(
			'items'    => $items,
			'total'    => self::amount( $cart->get_total( 'edit' ) ),
			'currency' => self::currency( get_woocommerce_currency() ),
		);
	}

	/**
	 * Writes an amount of money.
	 *
	 * @param mixed $amount Number, or text that holds one.
	 * @return string Decimal number, with as many decimals as the store's prices have.
	 */
	private static function amount( $amount ): string {
		return (string) wc_format_decimal( $amount, wc_get_price_decimals() );
	}

	/**
	 * Gives a currency as the bridge takes it.
	 *
	 * @param mixed $currency Code, as a rule of three letters.
	 * @return string
	 */
	private static function currency( $currency ): string {
		return substr( (string) $currency, 0, self::CURRENCY_LENGTH );
	}
}

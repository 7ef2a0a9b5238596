<?php
/**
 * A webhook.
 *
 * @package WooCommerceStandIn
 */

defined( 'ABSPATH' ) || exit;

/**
 * A webhook that is kept and delivers nothing by itself; `ping()` goes the way that deliveries go.
 */
class WC_Webhook {

	const TOPICS = array( 'customer.created', 'customer.updated', 'customer.deleted', 'order.created', 'order.updated', 'order.deleted' );

	private $id   = 0;
	private $data = array(
		'status'           => 'disabled',
		'name'             => '',
		'user_id'          => 0,
		'delivery_url'     => '',
		'secret'           => '',
		'topic'            => '',
		'api_version'      => 3,
		'pending_delivery' => 1,
	);

	public function __construct( $data = 0 ) {
		global $wpdb;
		$row = $wpdb->get_row( $wpdb->prepare( "SELECT * FROM {$wpdb->prefix}wc_webhooks WHERE webhook_id = %d", $data ), ARRAY_A );
		if ( $row ) {
			$this->id   = (int) $row['webhook_id'];
			$this->data = array_intersect_key( $row, $this->data );
		}
	}

	public function save() {
		global $wpdb;
		if ( 0 === $this->id ) {
			$wpdb->insert( $wpdb->prefix . 'wc_webhooks', $this->data );
			$this->id = (int) $wpdb->insert_id;
		} else {
			$wpdb->update( $wpdb->prefix . 'wc_webhooks', $this->data, array( 'webhook_id' => $this->id ) );
		}
		return $this->id;
	}

	public function delete( $force_delete = false ) {
		global $wpdb;
		$wpdb->delete( $wpdb->prefix . 'wc_webhooks', array( 'webhook_id' => $this->id ) );
		do_action( 'woocommerce_webhook_deleted', $this->id, $this );
		$this->id = 0;
		return true;
	}

	/**
	 * Sends what the first delivery of a new webhook is.
	 *
	 * @return true|WP_Error
	 */
	public function deliver_ping() {
		$answer = wp_safe_remote_post( $this->data['delivery_url'], array( 'body' => 'webhook_id=' . $this->id ) );
		return is_wp_error( $answer ) ? $answer : true;
	}

	public function get_id() {
		return $this->id;
	}

	public function get_status() {
		return $this->data['status'];
	}

	public function get_topic() {
		return $this->data['topic'];
	}

	public function set_status( $status ) {
		$this->data['status'] = in_array( $status, array( 'active', 'paused', 'disabled' ), true ) ? $status : 'disabled';
	}

	public function set_name( $name ) {
		$this->data['name'] = $name;
	}

	public function set_user_id( $user_id ) {
		$this->data['user_id'] = (int) $user_id;
	}

	public function set_topic( $topic ) {
		$this->data['topic'] = in_array( $topic, self::TOPICS, true ) ? $topic : '';
	}

	public function set_delivery_url( $url ) {
		$this->data['delivery_url'] = esc_url_raw( $url, array( 'http', 'https' ) );
	}

	public function set_secret( $secret ) {
		$this->data['secret'] = $secret;
	}

	public function set_api_version( $version ) {
		$this->data['api_version'] = (int) substr( $version, -1 );
	}

	public function set_pending_delivery( $pending ) {
		$this->data['pending_delivery'] = (int) $pending;
	}
}

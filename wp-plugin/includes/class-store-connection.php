<?php
/**
 * The handshake with the bridge.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * Tells the bridge who this store is (`POST /v1/store/connect`) and turns its answer into words for the owner.
 */
final class Store_Connection {

	/**
	 * Seconds to wait: somebody has pressed a button and looks on.
	 */
	const TIMEOUT = 10.0;

	/**
	 * Longest name of a store, in characters, that the bridge takes.
	 */
	const NAME_LENGTH = 200;

	/**
	 * Where the answer is kept.
	 *
	 * @var Options
	 */
	private $options;

	/**
	 * Makes the handshake.
	 *
	 * @param Options $options Where the answer is kept.
	 */
	public function __construct( Options $options ) {
		$this->options = $options;
	}

	/**
	 * Asks the bridge to accept this store, and keeps its answer if it does.
	 *
	 * @param Connection                $connection  The connection to ask by.
	 * @param array<string,string>|null $woocommerce Access to WooCommerce, as `WooCommerce_Access::make()` gives it; null for
	 *                                               none.
	 * @return true|\WP_Error One sentence that says what is wrong.
	 */
	public function connect( Connection $connection, ?array $woocommerce = null ) {
		$client = new Bridge_Client( $connection );
		$client->close_circuit();
		$answer = $client->send_signed( 'POST', '/v1/store/connect', $this->description( $woocommerce ), self::TIMEOUT );
		if ( is_wp_error( $answer ) ) {
			/* translators: 1: address of the bridge, 2: what went wrong. */
			return new \WP_Error( 'cpb_unreachable', sprintf( __( 'The bridge at %1$s cannot be reached from this store. %2$s', 'chat-presence-bridge' ), $connection->bridge(), $answer->get_error_message() ) );
		}
		if ( 200 !== $answer['status'] ) {
			return new \WP_Error( 'cpb_refused', $this->refusal( $answer['status'], $answer['data'] ) );
		}
		$data = (array) $answer['data'];
		if ( ( $data['site'] ?? null ) !== $connection->site() ) {
			/* translators: %s: address of the bridge. */
			return new \WP_Error( 'cpb_no_bridge', sprintf( __( 'What answers at %s is not a bridge that knows this site.', 'chat-presence-bridge' ), $connection->bridge() ) );
		}
		$this->options->save_store( $connection->site(), $this->text( $data, 'name' ), $this->text( $data, 'bridge_version' ) );
		return true;
	}

	/**
	 * Describes this store.
	 *
	 * @param array<string,string>|null $woocommerce Access to WooCommerce.
	 * @return array<string,mixed> Body of `POST /v1/store/connect`.
	 */
	private function description( ?array $woocommerce ): array {
		return array(
			'store_url'           => home_url( '/' ),
			'rest_url'            => rest_url(),
			'admin_url'           => admin_url(),
			'name'                => mb_substr( wp_specialchars_decode( get_bloginfo( 'name' ), ENT_QUOTES ), 0, self::NAME_LENGTH, 'UTF-8' ),
			'origins'             => Origin::own(),
			'plugin_version'      => CPB_VERSION,
			'wordpress_version'   => get_bloginfo( 'version' ),
			'woocommerce_version' => defined( 'WC_VERSION' ) ? constant( 'WC_VERSION' ) : null,
			'timezone'            => wp_timezone_string(),
			'woocommerce'         => $woocommerce,
		);
	}

	/**
	 * Says why the bridge refused.
	 *
	 * @param int   $status HTTP status code.
	 * @param mixed $data   Decoded answer: a problem (RFC 9457), if it is the bridge that speaks.
	 * @return string One sentence.
	 */
	private function refusal( int $status, $data ): string {
		$problem = (array) $data;
		$reason  = $this->text( $problem, 'detail' );
		$reason  = '' === $reason ? $this->text( $problem, 'title' ) : $reason;
		$code    = $this->text( $problem, 'code' );
		return sprintf(
			/* translators: 1: reason given by the bridge, 2: error code or HTTP status. */
			__( 'The bridge refused this store: %1$s (%2$s)', 'chat-presence-bridge' ),
			'' === $reason ? __( 'it gave no reason', 'chat-presence-bridge' ) : $reason,
			'' === $code ? (string) $status : $code
		);
	}

	/**
	 * Gives a field that should hold text.
	 *
	 * @param array<string,mixed> $data Decoded JSON object.
	 * @param string              $name Name of the field.
	 * @return string Empty when it is not there or no text.
	 */
	private function text( array $data, string $name ): string {
		return isset( $data[ $name ] ) && is_string( $data[ $name ] ) ? sanitize_text_field( $data[ $name ] ) : '';
	}
}

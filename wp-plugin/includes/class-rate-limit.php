<?php
/**
 * Limits by address.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * Counts requests of one address in windows of fixed length. Addresses are kept as keyed hashes only.
 */
final class Rate_Limit {

	/**
	 * Begins the name of the transients that hold the counts.
	 *
	 * @var string
	 */
	private $name;

	/**
	 * Requests allowed in one window.
	 *
	 * @var int
	 */
	private $limit;

	/**
	 * Length of a window in seconds.
	 *
	 * @var int
	 */
	private $window;

	/**
	 * Makes a limit.
	 *
	 * @param string $name   What is limited: short, part of an option's name.
	 * @param int    $limit  Requests allowed in one window.
	 * @param int    $window Seconds.
	 */
	public function __construct( string $name, int $limit, int $window ) {
		$this->name   = $name;
		$this->limit  = $limit;
		$this->window = $window;
	}

	/**
	 * Counts one request.
	 *
	 * @param string $address IP address of the one who asks.
	 * @return int Seconds to wait; 0 when the request is within the limit.
	 */
	public function count( string $address ): int {
		$name  = Options::TRANSIENT_PREFIX . $this->name . '_' . substr( wp_hash( self::network( $address ), 'nonce' ), 0, 20 );
		$now   = time();
		$state = get_transient( $name );
		if ( ! is_array( $state ) || $state['until'] <= $now ) {
			$state = array(
				'count' => 0,
				'until' => $now + $this->window,
			);
		}
		if ( $state['count'] >= $this->limit ) {
			return $state['until'] - $now;
		}
		++$state['count'];
		set_transient( $name, $state, $state['until'] - $now );
		return 0;
	}

	/**
	 * Gives what one person holds: an IPv4 address, or a /64 of IPv6.
	 *
	 * @param string $address IP address.
	 * @return string Bytes of the address or network; the text itself when it is no address.
	 */
	private static function network( string $address ): string {
		$bytes = filter_var( $address, FILTER_VALIDATE_IP ) ? inet_pton( $address ) : $address;
		return 16 === strlen( $bytes ) && false !== strpos( $address, ':' ) ? substr( $bytes, 0, 8 ) : $bytes;
	}
}

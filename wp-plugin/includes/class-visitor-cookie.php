<?php
/**
 * Who a browser is.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * The first-party cookie that holds the visitor id: `v_RANDOM.CUSTOMER.MAC`.
 *
 * It is signed, or a stranger could write another visitor's id into their own cookie and be given that visitor's
 * token. It remembers the customer who was last signed in, so that the next one starts a new visitor (rule C3).
 */
final class Visitor_Cookie {

	const NAME = 'cpb_visitor';

	/**
	 * Gives the visitor of this request, starting a new one for an unknown browser or for another customer.
	 *
	 * Must be called before any output.
	 *
	 * @param int $customer WordPress user id of who is signed in; 0 for nobody.
	 * @return string Visitor id: `v_` and 128 random bits.
	 */
	public function identify( int $customer ): string {
		$known = $this->read();
		if ( null === $known || $this->is_of_another( $customer ) ) {
			return $this->write( 'v_' . Signer::base64url( random_bytes( 16 ) ), $customer );
		}
		// Signing out parts nobody from their conversations: the cookie goes on remembering who it was.
		if ( 0 !== $customer && $customer !== $known['customer'] ) {
			return $this->write( $known['visitor'], $customer );
		}
		return $known['visitor'];
	}

	/**
	 * Gives the visitor whom the browser names, starting none.
	 *
	 * @return string|null Visitor id; null for a browser that has begun no chat.
	 */
	public function known(): ?string {
		return $this->read()['visitor'] ?? null;
	}

	/**
	 * Gives the customer whose browser this was last.
	 *
	 * @return int WordPress user id; 0 for nobody.
	 */
	public function last_customer(): int {
		return $this->read()['customer'] ?? 0;
	}

	/**
	 * Tells whether the browser was another customer's: then this one is a new visitor.
	 *
	 * @param int $customer WordPress user id of who is signed in; 0 for nobody.
	 * @return bool
	 */
	public function is_of_another( int $customer ): bool {
		return 0 !== $customer && ! in_array( $this->last_customer(), array( 0, $customer ), true );
	}

	/**
	 * Gives the attributes of the cookie.
	 *
	 * @return array<string,mixed> As setcookie() takes them.
	 */
	public static function attributes(): array {
		return array(
			'expires'  => time() + YEAR_IN_SECONDS,
			'path'     => '/',
			'secure'   => is_ssl(),
			'httponly' => true,
			'samesite' => 'Lax',
		);
	}

	/**
	 * Sends the cookie, and lets the rest of this request see it.
	 *
	 * @param string $visitor  Visitor id.
	 * @param int    $customer WordPress user id; 0 for nobody.
	 * @return string The visitor id.
	 */
	private function write( string $visitor, int $customer ): string {
		$value                 = $this->signed( "$visitor.$customer" );
		$_COOKIE[ self::NAME ] = $value;
		setcookie( self::NAME, $value, self::attributes() );
		return $visitor;
	}

	/**
	 * Reads the cookie.
	 *
	 * @return array{visitor:string,customer:int}|null Null when there is none, or not one of ours.
	 */
	private function read(): ?array {
		$value = isset( $_COOKIE[ self::NAME ] ) && is_string( $_COOKIE[ self::NAME ] ) ? sanitize_text_field( wp_unslash( $_COOKIE[ self::NAME ] ) ) : '';
		if ( ! preg_match( '/^(v_[A-Za-z0-9_-]{22})\.([0-9]{1,18})\.[A-Za-z0-9_-]{43}$/D', $value, $found ) ) {
			return null;
		}
		if ( ! hash_equals( $this->signed( "$found[1].$found[2]" ), $value ) ) {
			return null;
		}
		return array(
			'visitor'  => $found[1],
			'customer' => (int) $found[2],
		);
	}

	/**
	 * Signs with a key that only this WordPress has.
	 *
	 * @param string $content `VISITOR.CUSTOMER`.
	 * @return string The content and its MAC.
	 */
	private function signed( string $content ): string {
		return $content . '.' . Signer::base64url( hash_hmac( 'sha256', self::NAME . '|' . $content, wp_salt( 'auth' ), true ) );
	}
}

<?php
/**
 * Signatures and visitor tokens.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * Proves to the bridge that a request, or a visitor's token, was made by this store; and proves the bridge's calls.
 */
final class Signer {

	/**
	 * Seconds that a request's timestamp may be away from our time.
	 */
	const TOLERANCE = 5 * MINUTE_IN_SECONDS;

	/**
	 * Most signatures looked at: two are needed while a secret is being rotated.
	 */
	const MOST_SIGNATURES = 8;

	/**
	 * Site id and key.
	 *
	 * @var Connection
	 */
	private $connection;

	/**
	 * Signs for one connection.
	 *
	 * @param Connection $connection Whose site id and key to use.
	 */
	public function __construct( Connection $connection ) {
		$this->connection = $connection;
	}

	/**
	 * Makes the headers of a signed request (Standard Webhooks, and `Bridge-Site`).
	 *
	 * @param string $id        Message id; a retry keeps it. Ids that begin with `b_` are the bridge's own.
	 * @param int    $timestamp Unix time in seconds.
	 * @param string $content   Raw body; for a request without one, `METHOD path?query`.
	 * @return array<string,string>
	 */
	public function headers( string $id, int $timestamp, string $content ): array {
		return array(
			'Bridge-Site'       => $this->connection->site(),
			'webhook-id'        => $id,
			'webhook-timestamp' => (string) $timestamp,
			'webhook-signature' => $this->signature( $id, $timestamp, $content ),
		);
	}

	/**
	 * Tells whether a request was signed with this store's key, and lately (Standard Webhooks).
	 *
	 * @param string $id         Header `webhook-id`.
	 * @param string $timestamp  Header `webhook-timestamp`: Unix time in seconds.
	 * @param string $signatures Header `webhook-signature`: one or more, separated by spaces.
	 * @param string $content    Raw body.
	 * @param int    $now        Unix time in seconds.
	 * @return bool
	 */
	public function verifies( string $id, string $timestamp, string $signatures, string $content, int $now ): bool {
		if ( ! preg_match( '/^[1-9][0-9]{0,11}$/D', $timestamp ) || abs( $now - (int) $timestamp ) > self::TOLERANCE ) {
			return false;
		}
		$expected = $this->signature( $id, (int) $timestamp, $content );
		$matches  = false;
		foreach ( array_slice( explode( ' ', $signatures ), 0, self::MOST_SIGNATURES ) as $signature ) {
			$matches = hash_equals( $expected, $signature ) || $matches;
		}
		return $matches;
	}

	/**
	 * Makes a visitor's token: a JWT, HS256, `kid` = site, `aud` = `visitor`.
	 *
	 * @param string                         $visitor   Visitor id.
	 * @param int                            $issued_at Unix time in seconds.
	 * @param int                            $lifetime  Seconds until it ends; the bridge refuses more than 24 hours.
	 * @param array<string,string|null>|null $customer  `id`, `email`, `name` of the signed-in customer; null when nobody is.
	 * @return string Compact serialisation.
	 */
	public function visitor_token( string $visitor, int $issued_at, int $lifetime, ?array $customer ): string {
		$header = array(
			'alg' => 'HS256',
			'typ' => 'JWT',
			'kid' => $this->connection->site(),
		);
		$claims = array(
			'sub' => $visitor,
			'aud' => 'visitor',
			'iat' => $issued_at,
			'exp' => $issued_at + $lifetime,
		);
		if ( null !== $customer ) {
			$claims['customer'] = $customer;
		}
		$signed = self::encode_part( $header ) . '.' . self::encode_part( $claims );
		return $signed . '.' . self::base64url( hash_hmac( 'sha256', $signed, $this->connection->key(), true ) );
	}

	/**
	 * Encodes bytes as base64url without padding.
	 *
	 * @param string $bytes Raw bytes.
	 * @return string
	 */
	public static function base64url( string $bytes ): string {
		return rtrim( strtr( base64_encode( $bytes ), '+/', '-_' ), '=' );
	}

	/**
	 * Makes one signature.
	 *
	 * @param string $id        Message id.
	 * @param int    $timestamp Unix time in seconds.
	 * @param string $content   What is signed besides.
	 * @return string
	 */
	private function signature( string $id, int $timestamp, string $content ): string {
		return 'v1,' . base64_encode( hash_hmac( 'sha256', "$id.$timestamp.$content", $this->connection->key(), true ) );
	}

	/**
	 * Encodes one part of a JWT.
	 *
	 * @param array<string,mixed> $part Header or claims.
	 * @return string
	 */
	private static function encode_part( array $part ): string {
		return self::base64url( (string) wp_json_encode( $part, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ) );
	}
}

<?php
/**
 * Signatures and visitor tokens.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * Proves to the bridge that a request, or a visitor's token, was made by this store.
 */
final class Signer {

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
		$mac = hash_hmac( 'sha256', "$id.$timestamp.$content", $this->connection->key(), true );
		return array(
			'Bridge-Site'       => $this->connection->site(),
			'webhook-id'        => $id,
			'webhook-timestamp' => (string) $timestamp,
			'webhook-signature' => 'v1,' . base64_encode( $mac ),
		);
	}

	/**
	 * Makes a visitor's token: a JWT, HS256, `kid` = site, `aud` = `visitor`.
	 *
	 * @param string                    $visitor   Visitor id.
	 * @param int                       $issued_at Unix time in seconds.
	 * @param int                       $lifetime  Seconds until it ends; the bridge refuses more than 24 hours.
	 * @param array<string,string>|null $customer  `id`, `email`, `name` of the signed-in customer; null when nobody is.
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
	 * Encodes one part of a JWT.
	 *
	 * @param array<string,mixed> $part Header or claims.
	 * @return string
	 */
	private static function encode_part( array $part ): string {
		return self::base64url( (string) wp_json_encode( $part, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ) );
	}
}

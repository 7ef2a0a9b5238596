<?php
/**
 * The connection string: `https://SITE:SECRET@bridge.example.com`.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * A parsed connection string (the wire, "Three callers, three credentials"). Immutable.
 */
final class Connection {

	/**
	 * Shortest secret accepted, in bytes: below 128 bits a signature could be guessed offline.
	 */
	const MINIMUM_SECRET_BYTES = 16;

	/**
	 * Site id, `st_…`.
	 *
	 * @var string
	 */
	private $site;

	/**
	 * The key: the secret, decoded.
	 *
	 * @var string
	 */
	private $key;

	/**
	 * Origin of the bridge, without credentials and without a slash at its end.
	 *
	 * @var string
	 */
	private $bridge;

	/**
	 * Takes parts that were already checked.
	 *
	 * @param string $site   Site id.
	 * @param string $key    Raw bytes of the key.
	 * @param string $bridge Origin of the bridge.
	 */
	private function __construct( string $site, string $key, string $bridge ) {
		$this->site   = $site;
		$this->key    = $key;
		$this->bridge = $bridge;
	}

	/**
	 * Parses a connection string, left to right, so that the first wrong part is the one named.
	 *
	 * @param string $text What was pasted; space around it is ignored.
	 * @return self
	 * @throws Connection_Error When a part is missing or wrong.
	 */
	public static function from_string( string $text ): self {
		$text = trim( $text );
		if ( '' === $text ) {
			throw new Connection_Error( 'empty', __( 'The connection string is empty. Copy the whole line that the bridge shows for this site.', 'chat-presence-bridge' ) );
		}

		list( $scheme, $rest )            = self::split_scheme( $text );
		list( $credentials, $authority )  = self::split_credentials( $rest );
		list( $site, $secret )            = array_pad( explode( ':', $credentials, 2 ), 2, '' );
		list( $host_and_port, $leftover ) = array_pad( preg_split( '~(?=[/?#\\\\])~', $authority, 2 ), 2, '' );

		self::check_site( $site );
		$key = self::decode_secret( $secret );
		list( $host, $port ) = self::split_port( $host_and_port );
		if ( ! in_array( $leftover, array( '', '/' ), true ) ) {
			throw new Connection_Error( 'has-path', __( 'The connection string goes on after the address of the bridge. It must end there: nothing may follow the host name.', 'chat-presence-bridge' ) );
		}
		if ( 'https' !== $scheme && ! ( 'http' === $scheme && self::is_loopback( $host ) ) ) {
			throw new Connection_Error( 'not-https', __( 'The connection string must begin with "https://": the bridge is never spoken to unencrypted (but on this same machine).', 'chat-presence-bridge' ) );
		}

		return new self( $site, $key, $scheme . '://' . $host . $port );
	}

	/**
	 * Gives the site id.
	 *
	 * @return string `st_…`
	 */
	public function site(): string {
		return $this->site;
	}

	/**
	 * Gives the signing key: a secret, never to be shown or logged.
	 *
	 * @return string Raw bytes.
	 */
	public function key(): string {
		return $this->key;
	}

	/**
	 * Gives the origin of the bridge.
	 *
	 * @return string Like `https://bridge.example.com`, no credentials, no slash at the end.
	 */
	public function bridge(): string {
		return $this->bridge;
	}

	/**
	 * Keeps the key out of var_dump() and of error reports made with it.
	 *
	 * @return array<string,string> What may be shown.
	 */
	public function __debugInfo(): array {
		return array(
			'site'   => $this->site,
			'bridge' => $this->bridge,
		);
	}

	/**
	 * Takes the scheme off.
	 *
	 * @param string $text Connection string.
	 * @return string[] Scheme in lower case; what follows `://`.
	 * @throws Connection_Error When there is none.
	 */
	private static function split_scheme( string $text ): array {
		if ( ! preg_match( '~^([a-z][a-z0-9+.-]*)://(.*)$~is', $text, $found ) ) {
			throw new Connection_Error( 'missing-scheme', __( 'The connection string must begin with "https://".', 'chat-presence-bridge' ) );
		}
		return array( strtolower( $found[1] ), $found[2] );
	}

	/**
	 * Parts the credentials from the address of the bridge.
	 *
	 * @param string $rest What follows the scheme.
	 * @return string[] `SITE:SECRET`, empty when there is no `@`; the rest.
	 */
	private static function split_credentials( string $rest ): array {
		$at = strrpos( $rest, '@' );
		return false === $at
			? array( '', $rest )
			: array( substr( $rest, 0, $at ), substr( $rest, $at + 1 ) );
	}

	/**
	 * Checks the site id.
	 *
	 * @param string $site What stands before the colon.
	 * @throws Connection_Error When it is missing or not a site id.
	 */
	private static function check_site( string $site ): void {
		if ( '' === $site ) {
			throw new Connection_Error( 'missing-site', __( 'The connection string has no site id. It stands after "https://" and begins with "st_".', 'chat-presence-bridge' ) );
		}
		if ( ! preg_match( '/^st_[A-Za-z0-9_-]{1,125}$/D', $site ) ) {
			throw new Connection_Error( 'bad-site', __( 'The site id in the connection string is not one: it begins with "st_", followed by letters, digits, "-" and "_" only.', 'chat-presence-bridge' ) );
		}
	}

	/**
	 * Decodes the secret: base64url without padding.
	 *
	 * @param string $secret What stands between the colon and the `@`.
	 * @return string Raw bytes.
	 * @throws Connection_Error When it is missing, not base64url, or too short.
	 */
	private static function decode_secret( string $secret ): string {
		if ( '' === $secret ) {
			throw new Connection_Error( 'missing-secret', __( 'The connection string has no secret. It stands between the ":" after the site id and the "@".', 'chat-presence-bridge' ) );
		}
		$well_formed = preg_match( '/^[A-Za-z0-9_-]+$/D', $secret ) && 1 !== strlen( $secret ) % 4;
		$key         = $well_formed ? base64_decode( strtr( $secret, '-_', '+/' ), true ) : false;
		if ( false === $key || strlen( $key ) < self::MINIMUM_SECRET_BYTES ) {
			throw new Connection_Error( 'bad-secret', __( 'The secret in the connection string is damaged or cut short. Copy the whole line again.', 'chat-presence-bridge' ) );
		}
		return $key;
	}

	/**
	 * Parts host and port.
	 *
	 * @param string $host_and_port What stands between the `@` and the end.
	 * @return string[] Host in lower case; port with its colon, or nothing.
	 * @throws Connection_Error When there is no host, or it is not one.
	 */
	private static function split_port( string $host_and_port ): array {
		if ( '' === $host_and_port || ':' === $host_and_port[0] ) {
			throw new Connection_Error( 'missing-host', __( 'The connection string has no address of a bridge. It stands after the "@".', 'chat-presence-bridge' ) );
		}
		$label = '[a-z0-9]([a-z0-9-]*[a-z0-9])?';
		if ( ! preg_match( '/^(' . $label . '(?:\.' . $label . ')*|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?$/iD', $host_and_port, $found, PREG_UNMATCHED_AS_NULL ) ) {
			throw new Connection_Error( 'bad-host', __( 'The address of the bridge after the "@" is not a host name.', 'chat-presence-bridge' ) );
		}
		$port = end( $found );
		if ( null !== $port && ( (int) $port < 1 || (int) $port > 65535 ) ) {
			throw new Connection_Error( 'bad-host', __( 'The port of the bridge in the connection string must lie between 1 and 65535.', 'chat-presence-bridge' ) );
		}
		return array( strtolower( $found[1] ), null === $port ? '' : ':' . (int) $port );
	}

	/**
	 * Tells whether a host is this machine itself, where unencrypted HTTP harms nobody.
	 *
	 * @param string $host Host in lower case.
	 * @return bool
	 */
	private static function is_loopback( string $host ): bool {
		return in_array( $host, array( 'localhost', '[::1]' ), true ) || preg_match( '/^127(\.[0-9]{1,3}){3}$/D', $host );
	}
}

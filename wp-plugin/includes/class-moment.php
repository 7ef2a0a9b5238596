<?php
/**
 * Times on the wire.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * RFC 3339, in UTC, with milliseconds.
 */
final class Moment {

	/**
	 * Writes the present time.
	 *
	 * @return string
	 */
	public static function now(): string {
		return ( new \DateTimeImmutable( 'now', new \DateTimeZone( 'UTC' ) ) )->format( 'Y-m-d\TH:i:s.v\Z' );
	}

	/**
	 * Reads a time.
	 *
	 * @param mixed $text What should be one.
	 * @return int|null Unix time in whole seconds; null when it is none.
	 */
	public static function read( $text ): ?int {
		if ( ! is_string( $text ) || ! preg_match( '/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/D', $text ) ) {
			return null;
		}
		$time = strtotime( $text );
		return false === $time ? null : $time;
	}
}

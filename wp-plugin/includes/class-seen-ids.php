<?php
/**
 * Which deliveries were taken in.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * Remembers ids for 48 hours (the wire, "Three callers, three credentials"), so that what comes twice is done once.
 */
final class Seen_Ids {

	/**
	 * Seconds for which an id is remembered.
	 */
	const REMEMBERED = 2 * DAY_IN_SECONDS;

	/**
	 * Most ids forgotten at a time: nobody waits for a large clean-up.
	 */
	const FORGET_AT_ONCE = 100;

	/**
	 * Marks an id as seen. Within a transaction, another process that brings the same id waits for its end.
	 *
	 * @param string $id Any text.
	 * @return bool False when it was seen before.
	 * @throws \RuntimeException When the database does not take it.
	 */
	public function add( string $id ): bool {
		global $wpdb;
		$table = Schema::seen_ids();
		$added = $wpdb->query( $wpdb->prepare( "INSERT IGNORE INTO $table ( id, seen_at ) VALUES ( UNHEX( %s ), %d )", hash( 'sha256', $id ), time() ) ); // phpcs:ignore WordPress.DB -- our own table, which no cache may answer for.
		if ( false === $added ) {
			throw new \RuntimeException( 'The id could not be kept.' );
		}
		return 1 === $added;
	}

	/**
	 * Forgets what was seen long ago. Not within a transaction, whose locks would have others wait.
	 */
	public function forget_past(): void {
		global $wpdb;
		$table = Schema::seen_ids();
		$wpdb->query( $wpdb->prepare( "DELETE FROM $table WHERE seen_at < %d LIMIT %d", time() - self::REMEMBERED, self::FORGET_AT_ONCE ) ); // phpcs:ignore WordPress.DB -- our own table.
	}
}

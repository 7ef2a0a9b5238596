<?php
/**
 * The plugin's own tables.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * Names, makes and drops the tables. They hold what must outlast an object cache and must not be read at each page
 * view: an option would be one or the other.
 *
 * Ids are bytes (VARBINARY): the database's collations would take `a`, `A` and `a ` for the same.
 */
final class Schema {

	/**
	 * Raised with every change to the tables: `Installation` makes them anew where another version is recorded.
	 */
	const VERSION = 1;

	/**
	 * Longest id in bytes: 128 characters of four bytes each.
	 */
	const ID_BYTES = 512;

	/**
	 * Gives the table of `Takeovers`.
	 *
	 * @return string Name of the present site's table.
	 */
	public static function takeovers(): string {
		global $wpdb;
		return $wpdb->prefix . 'cpb_takeovers';
	}

	/**
	 * Gives the table of `Seen_Ids`.
	 *
	 * @return string Name of the present site's table.
	 */
	public static function seen_ids(): string {
		global $wpdb;
		return $wpdb->prefix . 'cpb_seen_ids';
	}

	/**
	 * Makes the tables that are missing.
	 */
	public static function create(): void {
		global $wpdb;
		// InnoDB: a delivery is marked as seen and carried out in one transaction.
		$definitions = array(
			self::takeovers() => 'conversation VARBINARY(' . self::ID_BYTES . ') NOT NULL PRIMARY KEY,
				taken_until BIGINT UNSIGNED NOT NULL DEFAULT 0,
				known_at DOUBLE NOT NULL,
				note MEDIUMBLOB NULL,
				note_until BIGINT UNSIGNED NOT NULL DEFAULT 0,
				KEY known_at (known_at)',
			self::seen_ids()  => 'id BINARY(32) NOT NULL PRIMARY KEY,
				seen_at BIGINT UNSIGNED NOT NULL,
				KEY seen_at (seen_at)',
		);
		foreach ( $definitions as $table => $columns ) {
			$wpdb->query( "CREATE TABLE IF NOT EXISTS $table ( $columns ) ENGINE=InnoDB" ); // phpcs:ignore WordPress.DB -- names and columns are constants of ours; this runs once.
		}
	}

	/**
	 * Drops the tables.
	 */
	public static function drop(): void {
		global $wpdb;
		foreach ( array( self::takeovers(), self::seen_ids() ) as $table ) {
			$wpdb->query( "DROP TABLE IF EXISTS $table" ); // phpcs:ignore WordPress.DB -- the name is a constant of ours; this runs once.
		}
	}
}

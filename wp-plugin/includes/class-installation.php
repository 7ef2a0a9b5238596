<?php
/**
 * What activation adds, and uninstalling removes.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * Options, tables and capabilities of the plugin, on one site or on all of a network.
 */
final class Installation {

	/**
	 * May change the settings.
	 */
	const MANAGE = 'cpb_manage';

	/**
	 * May answer chats in the mobile app.
	 */
	const ANSWER_CHATS = 'cpb_answer_chats';

	/**
	 * Roles that get both capabilities.
	 */
	const ROLES = array( 'administrator', 'shop_manager' );

	/**
	 * Adds options, tables and capabilities. Callback of the activation hook.
	 *
	 * @param bool $network_wide Whether all sites of a network are meant.
	 */
	public static function activate( bool $network_wide = false ): void {
		self::on_each_site( $network_wide, array( self::class, 'add_to_site' ) );
	}

	/**
	 * Makes the tables of a newer version of the plugin, which no activation announces. Callback of `plugins_loaded`.
	 */
	public static function upgrade(): void {
		if ( Schema::VERSION !== (int) get_option( Options::SCHEMA ) ) {
			self::add_storage();
		}
	}

	/**
	 * Removes everything the plugin ever stored.
	 */
	public static function uninstall(): void {
		self::on_each_site( is_multisite(), array( self::class, 'remove_from_site' ) );
	}

	/**
	 * Adds options, tables and capabilities to the present site.
	 */
	public static function add_to_site(): void {
		self::add_storage();
		foreach ( array_filter( array_map( 'get_role', self::ROLES ) ) as $role ) {
			$role->add_cap( self::MANAGE );
			$role->add_cap( self::ANSWER_CHATS );
		}
	}

	/**
	 * Removes what we made in WooCommerce, and options, transients, tables and capabilities, from the present site.
	 */
	public static function remove_from_site(): void {
		global $wpdb;

		( new WooCommerce_Access( new Options() ) )->remove_all();
		array_map( 'delete_option', array_keys( Options::ALL ) );
		// The names of some hold hashed addresses, so only a search finds them.
		$transients = $wpdb->get_col( // phpcs:ignore WordPress.DB.DirectDatabaseQuery -- WordPress has no function that finds options by prefix; this runs once.
			$wpdb->prepare(
				"SELECT option_name FROM $wpdb->options WHERE option_name LIKE %s",
				$wpdb->esc_like( '_transient_' . Options::TRANSIENT_PREFIX ) . '%'
			)
		);
		foreach ( $transients as $option ) {
			delete_transient( substr( $option, strlen( '_transient_' ) ) );
		}
		Schema::drop();
		foreach ( wp_roles()->role_objects as $role ) {
			$role->remove_cap( self::MANAGE );
			$role->remove_cap( self::ANSWER_CHATS );
		}
	}

	/**
	 * Adds options and tables to the present site.
	 */
	private static function add_storage(): void {
		foreach ( Options::ALL as $name => $first_value ) {
			add_option( $name, $first_value, '', true );
		}
		Schema::create();
		update_option( Options::SCHEMA, Schema::VERSION, true );
	}

	/**
	 * Runs something for the present site, or for each of a network.
	 *
	 * @param bool     $all  Whether for all sites.
	 * @param callable $work What to run.
	 */
	private static function on_each_site( bool $all, callable $work ): void {
		if ( ! $all ) {
			$work();
			return;
		}
		$sites = get_sites(
			array(
				'fields' => 'ids',
				'number' => 0,
			)
		);
		foreach ( $sites as $site ) {
			switch_to_blog( $site );
			$work();
			restore_current_blog();
		}
	}
}

<?php
/**
 * Tests of the options.
 *
 * @package ChatPresenceBridge
 */

use ChatPresenceBridge\Connection;
use ChatPresenceBridge\Installation;
use ChatPresenceBridge\Options;

/**
 * What is kept, what it costs, and that it goes again.
 */
final class Options_Test extends WordPress_Test_Case {

	public function test_nothing_configured_is_no_connection(): void {
		$this->assertNull( ( new Options() )->connection() );
	}

	public function test_a_broken_option_is_no_connection(): void {
		foreach ( array( 'nonsense', array( 'x' ), 17 ) as $broken ) {
			update_option( Options::CONNECTION, $broken );
			$this->assertNull( ( new Options() )->connection() );
		}
	}

	public function test_what_another_site_was_told_is_not_shown(): void {
		$options = new Options();
		$options->save_store( 'st_another', 'Another', '1' );
		$this->assertSame( array(), $options->store( Connection::from_string( self::CONNECTION ) ) );
		$options->save_store( 'st_phpunit', 'Mine', '1' );
		$this->assertSame( 'Mine', $options->store( Connection::from_string( self::CONNECTION ) )['name'] );
	}

	public function test_options_are_read_without_a_query(): void {
		global $wpdb;
		wp_load_alloptions();
		$before = $wpdb->num_queries;
		( new Options() )->connection();
		( new Options() )->store( Connection::from_string( self::CONNECTION ) );
		$this->connect();
		wp_load_alloptions( true );
		$after_writing = $wpdb->num_queries;
		( new Options() )->connection();
		$this->assertSame( $after_writing, $wpdb->num_queries );
		$this->assertGreaterThan( $before, $after_writing, 'the write itself should have asked the database' );
	}

	public function test_activation_adds_all_options_autoloaded(): void {
		array_map( 'delete_option', array_keys( Options::ALL ) );
		Installation::activate();
		$autoloaded = wp_load_alloptions( true );
		foreach ( array_keys( Options::ALL ) as $name ) {
			$this->assertArrayHasKey( $name, $autoloaded );
		}
	}

	public function test_uninstalling_leaves_nothing(): void {
		global $wpdb;
		$this->connect();
		set_transient( 'cpb_circuit', 1, 60 );
		set_transient( 'cpb_sessions_0123456789abcdef0123', array( 'count' => 1 ), 60 );
		set_transient( 'cpbx', 'not ours', 60 );
		$this->assertGreaterThan( 5, $this->traces() );
		$this->assertTrue( get_role( 'administrator' )->has_cap( 'cpb_manage' ) );
		$others = $wpdb->get_var( "SELECT COUNT(*) FROM $wpdb->options WHERE option_name NOT LIKE '%cpb\_%'" );

		define( 'WP_UNINSTALL_PLUGIN', plugin_basename( CPB_FILE ) );
		require dirname( CPB_FILE ) . '/uninstall.php';

		$this->assertSame( 0, $this->traces() );
		foreach ( wp_roles()->roles as $role ) {
			$this->assertArrayNotHasKey( 'cpb_manage', $role['capabilities'] );
			$this->assertArrayNotHasKey( 'cpb_answer_chats', $role['capabilities'] );
		}
		$this->assertSame( $others, $wpdb->get_var( "SELECT COUNT(*) FROM $wpdb->options WHERE option_name NOT LIKE '%cpb\_%'" ) );
		$this->assertSame( 'not ours', get_transient( 'cpbx' ) );
	}

	public function test_activating_again_keeps_the_connection(): void {
		add_role( 'shop_manager', 'Shop manager', array( 'read' => true ) );
		$this->connect();
		Installation::activate();
		$this->assertSame( self::CONNECTION, get_option( Options::CONNECTION ) );
		foreach ( array( 'administrator', 'shop_manager' ) as $role ) {
			$this->assertTrue( get_role( $role )->has_cap( 'cpb_manage' ) );
			$this->assertTrue( get_role( $role )->has_cap( 'cpb_answer_chats' ) );
		}
		$this->assertFalse( get_role( 'editor' )->has_cap( 'cpb_manage' ) );
	}

	/**
	 * Counts rows of ours.
	 */
	private function traces(): int {
		global $wpdb;
		return (int) $wpdb->get_var( "SELECT COUNT(*) FROM $wpdb->options WHERE option_name LIKE '%cpb\_%'" );
	}
}

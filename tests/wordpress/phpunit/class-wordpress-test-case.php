<?php
/**
 * The base of the plugin's tests.
 *
 * @package ChatPresenceBridge
 */

use PHPUnit\Framework\TestCase;

/**
 * A test inside WordPress that leaves no trace: what it writes is rolled back.
 */
abstract class WordPress_Test_Case extends TestCase {

	/**
	 * A connection string that parses; nothing listens there.
	 */
	const CONNECTION = 'https://st_phpunit:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8@bridge.example.com';

	protected function setUp(): void {
		global $wpdb;
		$wpdb->query( 'START TRANSACTION' );
		add_filter( 'query', array( $this, 'spare_the_transaction' ) );
	}

	protected function tearDown(): void {
		global $wpdb;
		remove_filter( 'query', array( $this, 'spare_the_transaction' ) );
		$wpdb->query( 'ROLLBACK' );
		wp_cache_flush();
		wp_roles()->for_site();
		wp_set_current_user( 0 );
		$_COOKIE  = array();
		$_POST    = array();
		$_REQUEST = array();
	}

	/**
	 * Keeps what would end this test's transaction from doing so: tables are made and dropped as temporary ones (the
	 * real ones are tested over HTTP), and a transaction within it becomes a savepoint.
	 *
	 * @param string $query SQL.
	 */
	public function spare_the_transaction( $query ) {
		$instead = array(
			'/^(CREATE|DROP) TABLE /'   => '$1 TEMPORARY TABLE ',
			'/^START TRANSACTION$/'     => 'SAVEPOINT within_test',
			'/^COMMIT$/'                => 'RELEASE SAVEPOINT within_test',
			'/^ROLLBACK$/'              => 'ROLLBACK TO SAVEPOINT within_test',
		);
		return preg_replace( array_keys( $instead ), $instead, $query );
	}

	/**
	 * Connects the plugin, without asking any bridge.
	 */
	protected function connect(): void {
		( new ChatPresenceBridge\Options() )->save_connection( self::CONNECTION );
	}

	/**
	 * Signs somebody in for this process.
	 *
	 * @param string $role Role of a new user.
	 * @return int User id.
	 */
	protected function sign_in( string $role ): int {
		$user = wp_insert_user(
			array(
				'user_login' => uniqid( $role ),
				'user_pass'  => wp_generate_password(),
				'user_email' => uniqid() . '@example.com',
				'role'       => $role,
			)
		);
		wp_set_current_user( $user );
		return $user;
	}

	/**
	 * Reads a file of test vectors.
	 *
	 * @param string $name Name of the file without its ending.
	 * @return array<string,array<int,array<string,mixed>>> Arguments of a test, by the name of the case.
	 */
	protected static function vectors( string $name ): array {
		$cases = json_decode( file_get_contents( dirname( __DIR__, 2 ) . "/vectors/$name.json" ), true )['cases'];
		return array_combine( array_column( $cases, 'name' ), array_map( static fn( $one ) => array( $one ), $cases ) );
	}

	/**
	 * Gives what an action prints.
	 *
	 * @param callable $prints What prints.
	 * @return string
	 */
	protected static function printed_by( callable $prints ): string {
		ob_start();
		$prints();
		return ob_get_clean();
	}
}

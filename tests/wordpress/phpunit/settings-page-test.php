<?php
/**
 * Tests of what the settings page prints. What its forms do is tested over HTTP.
 *
 * @package ChatPresenceBridge
 */

use ChatPresenceBridge\Options;
use ChatPresenceBridge\Settings_Page;
use ChatPresenceBridge\Takeovers;

/**
 * The page as each user sees it.
 */
final class Settings_Page_Test extends WordPress_Test_Case {

	const SECRET = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';

	public function test_nothing_for_those_without_the_right(): void {
		$this->connect();
		foreach ( array( 'subscriber', 'editor' ) as $role ) {
			$this->sign_in( $role );
			$this->assertSame( '', $this->page() );
		}
	}

	public function test_first_visit(): void {
		$this->sign_in( 'administrator' );
		$page = $this->page();
		$this->assertStringContainsString( 'name="cpb_connection"', $page );
		$this->assertStringContainsString( 'Save and connect', $page );
		$this->assertStringNotContainsString( 'Disconnect', $page );
	}

	public function test_the_secret_is_never_printed(): void {
		$this->sign_in( 'administrator' );
		$this->connect();
		$page = $this->page();
		$this->assertStringContainsString( 'st_phpunit', $page );
		$this->assertStringContainsString( 'https://bridge.example.com', $page );
		$this->assertStringContainsString( 'Disconnect', $page );
		$this->assertStringNotContainsString( self::SECRET, $page );
		$this->assertStringNotContainsString( substr( self::SECRET, 0, 10 ), $page );
	}

	public function test_what_the_bridge_said_is_escaped(): void {
		$this->sign_in( 'administrator' );
		$this->connect();
		( new Options() )->save_store( 'st_phpunit', '<script>alert(1)</script>', '"><img src=x>' );
		$page = $this->page();
		$this->assertStringNotContainsString( '<script>', $page );
		$this->assertStringNotContainsString( '<img', $page );
		$this->assertStringContainsString( '&lt;script&gt;', $page );
	}

	public function test_a_notice_is_escaped_and_shown_once_to_its_own_user(): void {
		$owner = $this->sign_in( 'administrator' );
		set_transient( "cpb_notice_$owner", array( 'error', '<script>alert(1)</script>' ), 60 );
		$this->sign_in( 'administrator' );
		$this->assertStringNotContainsString( 'alert(1)', $this->page() );
		wp_set_current_user( $owner );
		$this->assertStringContainsString( '&lt;script&gt;alert(1)', $this->page() );
		$this->assertStringNotContainsString( 'alert(1)', $this->page() );
	}

	public function test_a_broken_option_is_explained(): void {
		$this->sign_in( 'administrator' );
		update_option( Options::CONNECTION, 'https://st_phpunit@bridge.example.com' );
		$this->assertStringContainsString( 'The connection string has no secret.', $this->page() );
	}

	/**
	 * The constant can be defined once in a process, so each of these runs in one of its own.
	 */
	public function test_the_constant_wins_and_is_shown_as_such(): void {
		$page = $this->page_with_constant( self::CONNECTION );
		$this->assertStringContainsString( 'CPB_CONNECTION in wp-config.php', $page );
		$this->assertStringContainsString( 'st_phpunit', $page );
		$this->assertStringNotContainsString( 'name="cpb_connection"', $page );
		$this->assertStringNotContainsString( 'Disconnect', $page );
		$this->assertStringNotContainsString( self::SECRET, $page );
	}

	public function test_a_broken_constant_is_explained(): void {
		$page = $this->page_with_constant( 'http://st_phpunit:' . self::SECRET . '@bridge.example.com' );
		$this->assertStringContainsString( 'must begin with &quot;https://&quot;', $page );
		$this->assertStringNotContainsString( self::SECRET, $page );
	}

	/**
	 * Gives the page.
	 */
	private function page(): string {
		return self::printed_by( array( new Settings_Page( new Options(), new Takeovers( new Options() ) ), 'render' ) );
	}

	/**
	 * Gives the page of a WordPress whose wp-config.php sets the constant.
	 *
	 * @param string $text The connection string.
	 */
	private function page_with_constant( string $text ): string {
		$code = 'define( "CPB_CONNECTION", ' . var_export( $text, true ) . ' );
			require getenv( "WORDPRESS_LOAD" );
			require ABSPATH . "wp-admin/includes/admin.php";
			wp_set_current_user( 1 );
			$options = new ChatPresenceBridge\Options();
			( new ChatPresenceBridge\Settings_Page( $options, new ChatPresenceBridge\Takeovers( $options ) ) )->render();';
		exec( escapeshellarg( PHP_BINARY ) . ' -r ' . escapeshellarg( $code ) . ' 2>&1', $lines, $status );
		$this->assertSame( 0, $status, implode( "\n", $lines ) );
		return implode( "\n", $lines );
	}
}

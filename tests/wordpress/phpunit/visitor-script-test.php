<?php
/**
 * Tests of what is printed into pages. The page as a whole is tested over HTTP.
 *
 * @package ChatPresenceBridge
 */

use ChatPresenceBridge\Options;
use ChatPresenceBridge\Visitor_Script;

/**
 * Nothing when not connected; nothing that could break out of the script element.
 */
final class Visitor_Script_Test extends WordPress_Test_Case {

	protected function tearDown(): void {
		wp_dequeue_script( Visitor_Script::HANDLE );
		wp_deregister_script( Visitor_Script::HANDLE );
		parent::tearDown();
	}

	public function test_not_connected_prints_nothing(): void {
		$script = new Visitor_Script( new Options() );
		$script->enqueue();
		$this->assertSame( '', self::printed_by( array( $script, 'print_stub' ) ) );
		$this->assertFalse( wp_script_is( Visitor_Script::HANDLE ) );
	}

	public function test_connected(): void {
		$this->connect();
		$script = new Visitor_Script( new Options() );
		$script->enqueue();
		$this->assertTrue( wp_script_is( Visitor_Script::HANDLE ) );
		$head = self::printed_by( array( $script, 'print_stub' ) );
		$this->assertStringContainsString( 'window.ChatPresenceConfig = {"bridge":"https://bridge.example.com",', $head );
		$this->assertStringContainsString( trim( file_get_contents( dirname( CPB_FILE ) . '/assets/stub.js' ) ), $head );
		$this->assertSame( 1, substr_count( strtolower( $head ), '</script' ) );
	}

	public function test_addresses_cannot_end_the_script(): void {
		$this->connect();
		$evil = static fn() => 'https://example.com/</script><script>alert(1)</script>&amp;<!--';
		add_filter( 'rest_url', $evil );
		$head = self::printed_by( array( new Visitor_Script( new Options() ), 'print_stub' ) );
		remove_filter( 'rest_url', $evil );
		$this->assertSame( 1, substr_count( $head, '</script' ) );
		$this->assertSame( 1, substr_count( $head, '<script' ) );
		$this->assertStringNotContainsString( '<!--', $head );
	}

	public function test_plain_permalinks(): void {
		$this->connect();
		$GLOBALS['wp_rewrite']->set_permalink_structure( '' );
		$head = self::printed_by( array( new Visitor_Script( new Options() ), 'print_stub' ) );
		$GLOBALS['wp_rewrite']->set_permalink_structure( '/%postname%/' );
		$this->assertStringContainsString( '/index.php?rest_route=/chat-presence-bridge/v1/session"', $head );
	}

	public function test_only_our_script_is_deferred_and_once(): void {
		$script = new Visitor_Script( new Options() );
		$tag    = "<script src='https://example.com/a.js' id='a-js'></script>";
		$this->assertSame( $tag, $script->defer( $tag, 'another' ) );
		$deferred = $script->defer( $tag, Visitor_Script::HANDLE );
		$this->assertSame( "<script defer src='https://example.com/a.js' id='a-js'></script>", $deferred );
		$this->assertSame( $deferred, $script->defer( $deferred, Visitor_Script::HANDLE ) );
	}
}

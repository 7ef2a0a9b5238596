<?php
/**
 * Tests of the connection string.
 *
 * @package ChatPresenceBridge
 */

use ChatPresenceBridge\Connection;
use ChatPresenceBridge\Connection_Error;
use ChatPresenceBridge\Signer;

/**
 * By the shared vectors.
 */
final class Connection_Test extends WordPress_Test_Case {

	/**
	 * Gives the shared vectors.
	 */
	public function cases(): array {
		return self::vectors( 'connection' );
	}

	/**
	 * A string that is right gives its parts; another names its first fault.
	 *
	 * @dataProvider cases
	 * @param array<string,mixed> $case From the vectors.
	 */
	public function test_vector( array $case ): void {
		try {
			$connection = Connection::from_string( $case['text'] );
		} catch ( Connection_Error $error ) {
			$this->assertSame( $case['error'], $error->reason() );
			$this->assertStringEndsWith( '.', $error->getMessage() );
			return;
		}
		$this->assertNull( $case['error'], 'should have been refused' );
		$this->assertSame( $case['site'], $connection->site() );
		$this->assertSame( $case['secret'], Signer::base64url( $connection->key() ) );
		$this->assertSame( $case['bridge'], $connection->bridge() );
	}

	/**
	 * A fault's message may be shown anywhere: it quotes nothing of what was pasted.
	 *
	 * @dataProvider cases
	 * @param array<string,mixed> $case From the vectors.
	 */
	public function test_no_secret_in_a_message( array $case ): void {
		try {
			Connection::from_string( $case['text'] );
		} catch ( Connection_Error $error ) {
			$this->assertDoesNotMatchRegularExpression( '/AAECAwQFBgc|-__--__-/', $error->getMessage() );
		}
		$this->addToAssertionCount( 1 );
	}

	/**
	 * Dumping a connection, as error reporters do, shows no key.
	 */
	public function test_no_key_in_a_dump(): void {
		$connection = Connection::from_string( self::CONNECTION );
		$dump       = self::printed_by( static fn() => var_dump( $connection ) );
		$this->assertStringContainsString( 'st_phpunit', $dump );
		$this->assertStringNotContainsString( "\x10\x11\x12", $dump );
	}
}

<?php
/**
 * Tests of signatures and visitor tokens.
 *
 * @package ChatPresenceBridge
 */

use ChatPresenceBridge\Connection;
use ChatPresenceBridge\Signer;

/**
 * By the shared vectors: what we make is what the bridge accepts, and nothing that it must refuse.
 */
final class Signer_Test extends WordPress_Test_Case {

	/**
	 * Gives the shared vectors of signed requests.
	 */
	public function signatures(): array {
		return self::vectors( 'signature' );
	}

	/**
	 * Gives the shared vectors of tokens that the plugin would make.
	 */
	public function tokens(): array {
		return array_filter( self::vectors( 'jwt' ), static fn( $arguments ) => null !== $arguments[0]['reproduce'] );
	}

	/**
	 * Our signature is among those of the header exactly when that is right for this secret.
	 *
	 * @dataProvider signatures
	 * @param array<string,mixed> $case From the vectors.
	 */
	public function test_signature( array $case ): void {
		$headers = $this->signer( $case )->headers( $case['id'], $case['timestamp'], $case['body'] ?? "{$case['method']} {$case['target']}" );
		$this->assertSame( $case['signature_matches'], in_array( $headers['webhook-signature'], explode( ' ', $case['signature'] ), true ) );
		$this->assertSame( $case['site'], $headers['Bridge-Site'] );
		$this->assertSame( $case['id'], $headers['webhook-id'] );
		$this->assertSame( (string) $case['timestamp'], $headers['webhook-timestamp'] );
	}

	/**
	 * What the bridge must take or refuse of us is what we take or refuse of it.
	 *
	 * @dataProvider signatures
	 * @param array<string,mixed> $case From the vectors.
	 */
	public function test_verification( array $case ): void {
		$verified = $this->signer( $case )->verifies( $case['id'], (string) $case['timestamp'], $case['signature'], $case['body'] ?? "{$case['method']} {$case['target']}", $case['now'] );
		$this->assertSame( $case['valid'], $verified );
	}

	public function test_a_timestamp_that_is_no_number_verifies_nothing(): void {
		$signer = new Signer( Connection::from_string( self::CONNECTION ) );
		$signed = $signer->headers( 'b_1', 1767225600, 'x' )['webhook-signature'];
		$this->assertTrue( $signer->verifies( 'b_1', '1767225600', $signed, 'x', 1767225600 ) );
		foreach ( array( '', '1767225600.0', ' 1767225600', "1767225600\n", '+1767225600', '1.7672256e9', str_repeat( '9', 30 ) ) as $timestamp ) {
			$this->assertFalse( $signer->verifies( 'b_1', $timestamp, $signed, 'x', 1767225600 ) );
		}
	}

	public function test_nobody_can_have_us_look_at_any_number_of_signatures(): void {
		$signer = new Signer( Connection::from_string( self::CONNECTION ) );
		$signed = $signer->headers( 'b_1', 1767225600, 'x' )['webhook-signature'];
		$this->assertTrue( $signer->verifies( 'b_1', '1767225600', str_repeat( 'v1,AAAA ', 7 ) . $signed, 'x', 1767225600 ) );
		$this->assertFalse( $signer->verifies( 'b_1', '1767225600', str_repeat( 'v1,AAAA ', 8 ) . $signed, 'x', 1767225600 ) );
	}

	/**
	 * The same visitor, times and customer give the same token.
	 *
	 * @dataProvider tokens
	 * @param array<string,mixed> $case From the vectors.
	 */
	public function test_token( array $case ): void {
		$made = $case['reproduce'];
		$this->assertSame(
			$case['token'],
			$this->signer( $case )->visitor_token( $made['visitor'], $made['issued_at'], $made['lifetime'], $made['customer'] )
		);
	}

	/**
	 * Makes the signer of a case.
	 *
	 * @param array<string,mixed> $case From the vectors.
	 */
	private function signer( array $case ): Signer {
		return new Signer( Connection::from_string( "https://{$case['site']}:{$case['secret']}@bridge.example.com" ) );
	}
}

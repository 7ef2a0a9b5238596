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

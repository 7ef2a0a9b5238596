<?php
/**
 * Tests of the time that a call to the bridge may take.
 *
 * @package ChatPresenceBridge
 */

use ChatPresenceBridge\Bridge_Client;
use ChatPresenceBridge\Connection;

/**
 * What WordPress's HTTP library is told. That it is kept is tested with a bridge that never answers.
 */
final class Bridge_Client_Test extends WordPress_Test_Case {

	public function test_connecting_takes_no_longer_than_all_of_it_may(): void {
		$seen = array();
		$look = static function ( $url, $headers, $data, $type, $options ) use ( &$seen ) {
			$seen[] = array( $options['connect_timeout'], $options['timeout'] );
		};
		add_action( 'requests-requests.before_request', $look, 20, 5 );
		$closed = str_replace( 'https://', 'http://', str_replace( 'bridge.example.com', '127.0.0.1:1', self::CONNECTION ) );
		$answer = ( new Bridge_Client( Connection::from_string( $closed ) ) )->send( 'GET', '/v1/', array(), '', 1.5 );
		wp_remote_get( 'http://127.0.0.1:1/' );
		remove_action( 'requests-requests.before_request', $look, 20 );
		$this->assertSame( Bridge_Client::UNREACHABLE, $answer->get_error_code() );
		$this->assertSame( array( 1.5, 1.5 ), $seen[0] );
		$this->assertSame( 10, $seen[1][0], 'a request of somebody else' );
	}
}

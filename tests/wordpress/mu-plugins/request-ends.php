<?php
/**
 * Lets a test know when a request is over: PHP goes on after the visitor has the answer, and only then is it certain
 * that nothing more was sent to the bridge.
 *
 * @package ChatPresenceBridge
 */

if ( 'cli' !== PHP_SAPI ) {
	$request_id = bin2hex( random_bytes( 8 ) );
	header( "X-Test-Request: $request_id" );
	add_action(
		'plugins_loaded',
		static function () use ( $request_id ) {
			add_action(
				'shutdown',
				static function () use ( $request_id ) {
					file_put_contents( CPB_TEST_NOTICES . '.ended', "$request_id\n", FILE_APPEND | LOCK_EX );
				},
				PHP_INT_MAX
			);
		},
		PHP_INT_MAX
	);
}

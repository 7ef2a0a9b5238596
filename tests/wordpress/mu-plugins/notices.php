<?php
/**
 * Writes down every notice, warning and deprecation that the plugin has a part in.
 *
 * WordPress 6.1 has deprecations of its own under PHP 8.2, so its log alone proves nothing; what matters is whether
 * code of ours was running, be it that WordPress itself stumbled over what we gave it.
 *
 * @package ChatPresenceBridge
 */

set_error_handler(
	static function ( $level, $message, $file, $line ) {
		// Its HTTP library is complained of when it is loaded, whoever is first to ask for it.
		if ( E_DEPRECATED === $level && 0 === strpos( $file, ABSPATH . 'wp-includes/Requests/' ) ) {
			return false;
		}
		$frames = array_column( debug_backtrace( DEBUG_BACKTRACE_IGNORE_ARGS ), 'file' );
		foreach ( array_merge( array( $file ), $frames ) as $frame ) {
			if ( 0 === strpos( $frame, CPB_TEST_PLUGIN . '/' ) && ( error_reporting() & $level ) ) {
				file_put_contents( CPB_TEST_NOTICES, "$message in $file:$line, by $frame\n", FILE_APPEND );
				break;
			}
		}
		return false;
	}
);

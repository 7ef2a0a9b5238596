<?php
/**
 * What is wrong with a connection string.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * One precise fault of a connection string: a stable code for programs, a sentence for the store owner.
 *
 * The message never holds any part of the string: it may contain the secret.
 */
final class Connection_Error extends \InvalidArgumentException {

	/**
	 * Stable code, kebab-case: one of those in `tests/vectors/connection.json`.
	 *
	 * @var string
	 */
	private $reason;

	/**
	 * Makes the error.
	 *
	 * @param string $reason  Stable code, kebab-case.
	 * @param string $message Sentence for the store owner, translated.
	 */
	public function __construct( string $reason, string $message ) {
		parent::__construct( $message );
		$this->reason = $reason;
	}

	/**
	 * Gives the stable code.
	 *
	 * @return string Kebab-case.
	 */
	public function reason(): string {
		return $this->reason;
	}
}

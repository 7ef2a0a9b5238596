<?php
/**
 * Plain text.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * Makes the plain text of the wire out of what WordPress and WooCommerce keep for pages: names with `&amp;`, products
 * with tags in their names.
 */
final class Plain_Text {

	/**
	 * Gives the text of a piece of HTML, as people read it.
	 *
	 * @param string $html   HTML; tags are left out, entities become what they stand for.
	 * @param int    $length Most characters; the rest is cut off.
	 * @return string|null Null when nothing is left.
	 */
	public static function of_html( string $html, int $length ): ?string {
		$text = html_entity_decode( wp_strip_all_tags( $html ), ENT_QUOTES | ENT_HTML5, 'UTF-8' );
		// The bridge refuses NUL.
		$text = trim( mb_substr( trim( str_replace( "\0", '', $text ) ), 0, $length, 'UTF-8' ) );
		return '' === $text ? null : $text;
	}

	/**
	 * Gives an email address.
	 *
	 * @param mixed $email What should be one.
	 * @return string|null Null when it is none, or longer than the bridge takes: cut short it would be somebody else's.
	 */
	public static function email( $email ): ?string {
		return is_string( $email ) && is_email( $email ) && strlen( $email ) <= Chat_Events::EMAIL_LENGTH ? $email : null;
	}
}

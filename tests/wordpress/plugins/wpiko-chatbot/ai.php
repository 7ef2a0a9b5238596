<?php
/**
 * The AI.
 *
 * @package WPikoStandIn
 */

/**
 * Option that holds the instructions of the AI's last request, for tests to read.
 */
const WPIKO_STANDIN_INSTRUCTIONS = 'standin_instructions';

/**
 * Answers a message.
 *
 * @param string $message What the visitor wrote.
 * @return string
 * @throws RuntimeException When the visitor asks it to fail.
 */
function wpiko_standin_ask_ai( $message ) {
	update_option( WPIKO_STANDIN_INSTRUCTIONS, apply_filters( 'wpiko_chatbot_combined_instructions', 'Be kind.' ), false );
	if ( false !== strpos( $message, 'fail please' ) ) {
		throw new RuntimeException( 'The AI did not answer.' );
	}
	return "You said: $message";
}

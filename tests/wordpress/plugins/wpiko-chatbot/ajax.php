<?php
/**
 * The AJAX actions.
 *
 * @package WPikoStandIn
 */

// phpcs:disable WordPress.Security.NonceVerification -- each action begins with check_ajax_referer().

/**
 * Gives a posted text.
 *
 * @param string $name Name of the field.
 * @return string
 */
function wpiko_standin_posted( $name ) {
	return isset( $_POST[ $name ] ) ? sanitize_textarea_field( wp_unslash( $_POST[ $name ] ) ) : '';
}

/**
 * Answers `wpiko_chatbot_send_message`: `thread_id`, `response` (null while a person answers), `human_takeover`.
 */
function wpiko_standin_send() {
	check_ajax_referer( 'wpiko_chatbot_nonce', 'security' );
	do_action( 'wpiko_chatbot_before_chat_request' );
	$message   = wpiko_standin_posted( 'message' );
	$thread_id = wpiko_standin_posted( 'thread_id' );
	$limit     = (int) get_option( WPIKO_STANDIN_LIMIT );
	if ( $limit > 0 && wpiko_standin_count( $thread_id ) >= $limit && ! apply_filters( 'wpiko_chatbot_user_limit_bypass', false, $thread_id ) ) {
		wp_send_json_error( array( 'message' => 'That is enough for today.', 'error_type' => 'limit' ) );
	}
	if ( '' === $thread_id ) {
		$thread_id = 'resp_' . wp_generate_password( 12, false );
	}
	$user_id = get_current_user_id();
	wpiko_chatbot_save_message( $user_id, $thread_id, 'user', $message, wpiko_standin_posted( 'user_email' ) );
	if ( apply_filters( 'wpiko_chatbot_skip_ai_response', false, $thread_id ) ) {
		wp_send_json_success( array( 'thread_id' => $thread_id, 'response' => null, 'human_takeover' => true ) );
	}
	try {
		$response = wpiko_standin_ask_ai( $message );
	} catch ( RuntimeException $failure ) {
		wpiko_chatbot_save_message( $user_id, $thread_id, 'error', $failure->getMessage() );
		wp_send_json_error( array( 'message' => $failure->getMessage(), 'error_type' => 'ai', 'thread_id' => $thread_id ) );
	}
	wpiko_chatbot_save_message( $user_id, $thread_id, 'assistant', $response );
	wp_send_json_success( array( 'thread_id' => $thread_id, 'response' => $response, 'human_takeover' => false ) );
}

/**
 * Answers `wpiko_chatbot_check_new_messages`: `messages`, `human_takeover`, `user_online`.
 */
function wpiko_standin_poll() {
	check_ajax_referer( 'wpiko_chatbot_nonce', 'security' );
	$thread_id = wpiko_standin_posted( 'thread_id' );
	$last_id   = (int) wpiko_standin_posted( 'last_message_id' );
	if ( '1' === wpiko_standin_posted( 'heartbeat' ) ) {
		do_action( 'wpiko_chatbot_user_heartbeat', $thread_id, 'online' );
	}
	$messages = wpiko_standin_admin_messages( $thread_id, $last_id );
	$data     = array(
		'messages'       => $messages,
		'human_takeover' => (bool) apply_filters( 'wpiko_chatbot_skip_ai_response', false, $thread_id ),
		'user_online'    => false,
	);
	wp_send_json_success( apply_filters( 'wpiko_chatbot_check_new_messages_response', $data, $thread_id, $messages, $last_id ) );
}

/**
 * Answers `wpiko_chatbot_user_heartbeat`: `ok`. The status is whatever was sent.
 */
function wpiko_standin_heartbeat() {
	check_ajax_referer( 'wpiko_chatbot_nonce', 'security' );
	$status = wpiko_standin_posted( 'status' );
	do_action( 'wpiko_chatbot_user_heartbeat', wpiko_standin_posted( 'thread_id' ), '' === $status ? 'online' : $status );
	wp_send_json_success( array( 'ok' => true ) );
}

/**
 * Answers `wpiko_chatbot_refresh_nonce`: `nonce`.
 */
function wpiko_standin_refresh_nonce() {
	wp_send_json_success( array( 'nonce' => wp_create_nonce( 'wpiko_chatbot_nonce' ) ) );
}

foreach ( array( 'send_message' => 'send', 'check_new_messages' => 'poll', 'user_heartbeat' => 'heartbeat', 'refresh_nonce' => 'refresh_nonce' ) as $standin_action => $standin_function ) {
	add_action( "wp_ajax_wpiko_chatbot_$standin_action", "wpiko_standin_$standin_function" );
	add_action( "wp_ajax_nopriv_wpiko_chatbot_$standin_action", "wpiko_standin_$standin_function" );
}

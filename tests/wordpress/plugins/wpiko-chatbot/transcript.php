<?php
/**
 * The transcript.
 *
 * @package WPikoStandIn
 */

// phpcs:disable WordPress.DB -- a table of the stand-in's own.

/**
 * Gives the name of the table.
 *
 * @return string
 */
function wpiko_standin_table() {
	global $wpdb;
	return $wpdb->prefix . 'wpiko_chatbot_conversations';
}

/**
 * Makes the table.
 */
function wpiko_standin_create_table() {
	global $wpdb;
	$table = wpiko_standin_table();
	$wpdb->query(
		"CREATE TABLE IF NOT EXISTS $table (
			id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
			user_id BIGINT UNSIGNED NOT NULL DEFAULT 0,
			session_id VARCHAR(255) NOT NULL,
			role VARCHAR(20) NOT NULL,
			message LONGTEXT NOT NULL,
			timestamp DATETIME NOT NULL,
			user_email VARCHAR(100) NULL,
			user_name VARCHAR(100) NULL,
			country VARCHAR(100) NULL,
			city VARCHAR(100) NULL,
			region VARCHAR(100) NULL,
			device_type VARCHAR(50) NULL,
			openai_response_id VARCHAR(255) NULL,
			KEY session_id (session_id)
		) {$wpdb->get_charset_collate()}"
	);
}

/**
 * Keeps a row, and says so at once.
 *
 * @param int    $user_id    WordPress user id; 0 for a guest.
 * @param string $thread_id  Thread id.
 * @param string $role       `user`, `assistant` or `error`.
 * @param string $message    Text.
 * @param string $user_email As the visitor gave it.
 */
function wpiko_chatbot_save_message( $user_id, $thread_id, $role, $message, $user_email = '' ) {
	global $wpdb;
	$wpdb->insert(
		wpiko_standin_table(),
		array(
			'user_id'     => $user_id,
			'session_id'  => $thread_id,
			'role'        => $role,
			'message'     => $message,
			'timestamp'   => current_time( 'mysql' ),
			'user_email'  => $user_email,
			'user_name'   => $user_id ? wp_get_current_user()->display_name : 'Guest',
			'country'     => 'Utopia',
			'device_type' => 'Desktop',
		)
	);
	do_action( 'wpiko_chatbot_message_saved', $user_id, $thread_id, $role, $message, $user_email );
}

/**
 * Gives a thread's rows.
 *
 * @param string $thread_id Thread id.
 * @return array<int,array<int,string>> Role and message of each, in order.
 */
function wpiko_standin_transcript( $thread_id ) {
	global $wpdb;
	$table = wpiko_standin_table();
	return $wpdb->get_results( $wpdb->prepare( "SELECT role, message FROM $table WHERE session_id = %s ORDER BY id", $thread_id ), ARRAY_N );
}

/**
 * Gives what admins wrote in a thread since.
 *
 * @param string $thread_id Thread id.
 * @param int    $last_id   Row id already known.
 * @return array<int,object>
 */
function wpiko_standin_admin_messages( $thread_id, $last_id ) {
	global $wpdb;
	$table = wpiko_standin_table();
	return $wpdb->get_results( $wpdb->prepare( "SELECT id, role, message, timestamp FROM $table WHERE session_id = %s AND role = 'admin' AND id > %d ORDER BY id", $thread_id, $last_id ) );
}

/**
 * Counts what a visitor wrote in a thread.
 *
 * @param string $thread_id Thread id.
 * @return int
 */
function wpiko_standin_count( $thread_id ) {
	global $wpdb;
	$table = wpiko_standin_table();
	return (int) $wpdb->get_var( $wpdb->prepare( "SELECT COUNT(*) FROM $table WHERE session_id = %s AND role = 'user'", $thread_id ) );
}

/**
 * Deletes a thread, as an admin does.
 *
 * @param string $thread_id Thread id.
 */
function wpiko_standin_delete( $thread_id ) {
	global $wpdb;
	$wpdb->delete( wpiko_standin_table(), array( 'session_id' => $thread_id ) );
	do_action( 'wpiko_chatbot_conversation_deleted', $thread_id );
}

<?php
/**
 * Tests of the adapter for WPiko Chatbot, with the stand-in active. What its AJAX actions do is tested over HTTP.
 *
 * @package ChatPresenceBridge
 */

use ChatPresenceBridge\Options;
use ChatPresenceBridge\Takeovers;
use ChatPresenceBridge\WPiko_Adapter;

/**
 * Each hook of the widget, as it fires them.
 */
final class WPiko_Adapter_Test extends WordPress_Test_Case {

	use Caught_Requests;

	/**
	 * A thread that has begun.
	 */
	const THREAD = 'resp_aBcDeF123456';

	protected function setUp(): void {
		parent::setUp();
		$this->connect();
	}

	protected function tearDown(): void {
		self::end_request();
		wp_dequeue_script( WPiko_Adapter::HANDLE );
		parent::tearDown();
	}

	public function test_its_loops_are_switched_off(): void {
		$data = apply_filters( 'wpiko_chatbot_frontend_script_data', array( 'nonce' => 'x' ) );
		$this->assertSame( array( 'nonce' => 'x', 'pro_takeover_frontend' => true ), $data );
	}

	public function test_our_script_comes_after_both_others_in_the_footer(): void {
		do_action( 'wpiko_chatbot_enqueue_frontend_assets' );
		$this->assertTrue( wp_script_is( WPiko_Adapter::HANDLE ) );
		$script = wp_scripts()->registered[ WPiko_Adapter::HANDLE ];
		$this->assertStringEndsWith( '/chat-presence-bridge/assets/adapters/wpiko.js', $script->src );
		$this->assertSame( array( 'chat-presence-bridge', 'wpiko-chatbot-js' ), $script->deps );
		$this->assertSame( 1, $script->extra['group'] );
	}

	public function test_the_first_message_names_the_visitor(): void {
		do_action( 'wpiko_chatbot_before_chat_request' );
		$this->assertMatchesRegularExpression( '/^v_.{22}\.0\./', $_COOKIE['cpb_visitor'] );
		wpiko_chatbot_save_message( 0, self::THREAD, 'user', 'Hi', 'jane@example.com' );
		$event = $this->sent_events()[0];
		$this->assertSame( 'message', $event['type'] );
		$this->assertSame( self::THREAD, $event['conversation'] );
		$this->assertSame( strtok( $_COOKIE['cpb_visitor'], '.' ), $event['visitor'] );
		$this->assertSame( 'visitor', $event['message']['author'] );
		$this->assertSame( 'Hi', $event['message']['text'] );
		$this->assertSame( 'jane@example.com', $event['message']['email'] );
		$this->assertMatchesRegularExpression( '/^wpiko_[0-9]+$/', $event['message']['id'] );
	}

	public function test_no_later_message_names_anybody(): void {
		do_action( 'wpiko_chatbot_before_chat_request' );
		wpiko_chatbot_save_message( 0, self::THREAD, 'user', 'one' );
		wpiko_chatbot_save_message( 0, self::THREAD, 'user', 'two' );
		$events = $this->sent_events();
		$this->assertArrayHasKey( 'visitor', $events[0] );
		$this->assertArrayNotHasKey( 'visitor', $events[1] );
		$this->assertNotSame( $events[0]['message']['id'], $events[1]['message']['id'] );
	}

	public function test_who_brings_a_thread_id_along_is_not_named_as_its_visitor(): void {
		do_action( 'wpiko_chatbot_before_chat_request' );
		foreach ( array( self::THREAD, ' ' . self::THREAD, self::THREAD . '<b>' ) as $posted ) {
			$_POST['thread_id'] = wp_slash( $posted );
			wpiko_chatbot_save_message( 0, self::THREAD, 'user', 'Hi' );
			$this->assertArrayNotHasKey( 'visitor', $this->sent_events()[0], $posted );
			$this->requests = array();
			$GLOBALS['wpdb']->query( 'DELETE FROM ' . wpiko_standin_table() );
		}
	}

	public function test_who_brings_no_thread_id_along_is_one_that_begins(): void {
		foreach ( array( '', 'null', 'undefined' ) as $number => $posted ) {
			do_action( 'wpiko_chatbot_before_chat_request' );
			$_POST['thread_id'] = $posted;
			wpiko_chatbot_save_message( 0, self::THREAD . $number, 'user', 'Hi' );
			$this->assertArrayHasKey( 'visitor', $this->sent_events()[ $number ] );
		}
	}

	public function test_the_ai_and_its_failures_are_told_after_the_answer(): void {
		wpiko_chatbot_save_message( 0, self::THREAD, 'assistant', '**Hello** <i>you</i>', 'jane@example.com' );
		wpiko_chatbot_save_message( 0, self::THREAD, 'error', 'The AI did not answer.' );
		$this->assertSame( array(), $this->requests );
		self::end_request();
		list( $bot, $system ) = array_column( $this->sent_events(), 'message' );
		$this->assertSame( array( 'bot', '**Hello** <i>you</i>' ), array( $bot['author'], $bot['text'] ) );
		$this->assertSame( array( 'system', 'The AI did not answer.' ), array( $system['author'], $system['text'] ) );
		$this->assertArrayNotHasKey( 'email', $bot );
		$this->assertStringStartsWith( 'wpiko_', $system['id'] );
		$this->assertArrayNotHasKey( 'visitor', $this->sent_events()[0] );
	}

	public function test_what_is_not_forwarded(): void {
		foreach ( array( array( self::THREAD, 'admin', 'x' ), array( self::THREAD, array(), 'x' ), array( '', 'user', 'x' ), array( str_repeat( 'x', 129 ), 'user', 'x' ), array( self::THREAD, 'user', ' ' ), array( null, 'user', 'x' ) ) as list( $thread, $role, $text ) ) {
			do_action( 'wpiko_chatbot_message_saved', 0, $thread, $role, $text, '' );
		}
		self::end_request();
		$this->assertSame( array(), $this->requests );
	}

	public function test_an_id_of_another_plugins_row_is_not_taken(): void {
		global $wpdb;
		$wpdb->insert( $wpdb->options, array( 'option_name' => 'another', 'option_value' => '' ) );
		do_action( 'wpiko_chatbot_message_saved', 0, self::THREAD, 'user', 'Hi', '' );
		$this->assertMatchesRegularExpression( '/^wpiko_[0-9a-f]{32}$/', $this->sent_events()[0]['message']['id'] );
	}

	public function test_the_ai_is_paused_by_the_answer_of_that_same_call(): void {
		foreach ( array( true, false ) as $told ) {
			$this->answer = self::answer_with( array( self::THREAD => self::told( $told ) ) );
			wpiko_chatbot_save_message( 0, self::THREAD, 'user', 'Hi' );
			$this->assertSame( $told, apply_filters( 'wpiko_chatbot_skip_ai_response', false, self::THREAD ) );
			$this->assertSame( $told, apply_filters( 'wpiko_chatbot_user_limit_bypass', false, self::THREAD ) );
		}
	}

	public function test_the_ai_is_paused_by_the_copy_when_the_bridge_is_away_and_not_for_ever(): void {
		$takeovers    = new Takeovers( new Options() );
		$this->answer = new WP_Error( 'http_request_failed', 'timed out' );
		$takeovers->started( self::THREAD, time() + 60 );
		wpiko_chatbot_save_message( 0, self::THREAD, 'user', 'Hi' );
		$this->assertTrue( apply_filters( 'wpiko_chatbot_skip_ai_response', false, self::THREAD ) );
		$takeovers->started( self::THREAD, time() - 1 );
		$this->assertFalse( apply_filters( 'wpiko_chatbot_skip_ai_response', false, self::THREAD ) );
	}

	public function test_what_others_filter_stays(): void {
		foreach ( array( 'wpiko_chatbot_skip_ai_response', 'wpiko_chatbot_user_limit_bypass' ) as $hook ) {
			$this->assertTrue( apply_filters( $hook, true, self::THREAD ) );
			$this->assertNull( apply_filters( $hook, null, self::THREAD ) );
		}
	}

	public function test_t6_the_note_reaches_the_ai_for_24_hours(): void {
		$takeovers          = new Takeovers( new Options() );
		$_POST['thread_id'] = self::THREAD;
		$instructions       = static fn() => apply_filters( 'wpiko_chatbot_combined_instructions', 'Be kind.' );
		$this->assertSame( 'Be kind.', $instructions() );
		$takeovers->released( self::THREAD, time() - DAY_IN_SECONDS + 60, 'They spoke of ferns.' );
		for ( $i = 0; $i < 2; $i++ ) {
			$this->assertStringStartsWith( 'Be kind.', $instructions() );
			$this->assertStringContainsString( 'They spoke of ferns.', $instructions() );
		}
		$takeovers->released( self::THREAD, time() - DAY_IN_SECONDS, 'They spoke of ferns.' );
		$this->assertSame( 'Be kind.', $instructions() );
	}

	public function test_another_threads_note_is_not_given(): void {
		( new Takeovers( new Options() ) )->released( self::THREAD, time(), 'secret' );
		foreach ( array( strtolower( self::THREAD ), '', array( self::THREAD ) ) as $posted ) {
			$_POST['thread_id'] = $posted;
			$this->assertSame( 'Be kind.', apply_filters( 'wpiko_chatbot_combined_instructions', 'Be kind.' ) );
		}
	}

	/**
	 * Gives what a heartbeat's status becomes.
	 */
	public function statuses(): array {
		return array(
			'online'       => array( 'online', 'heartbeat' ),
			'page_left'    => array( 'page_left', 'page_unload' ),
			// A stranger can send it: it clears nothing.
			'chat_cleared' => array( 'chat_cleared', 'page_unload' ),
		);
	}

	/**
	 * It becomes what only the store saw: an event without a page.
	 *
	 * @dataProvider statuses
	 * @param string $status Of the heartbeat.
	 * @param string $type   Of the event.
	 */
	public function test_heartbeat( string $status, string $type ): void {
		wpiko_chatbot_save_message( 0, self::THREAD, 'user', 'Hi' );
		$this->requests = array();
		do_action( 'wpiko_chatbot_user_heartbeat', self::THREAD, $status );
		self::end_request();
		$this->assertCount( 1, $this->sent_events() );
		$event = $this->sent_events()[0];
		unset( $event['id'], $event['occurred_at'] );
		$this->assertSame( array( 'type' => $type, 'conversation' => self::THREAD ), $event );
	}

	public function test_heartbeats_that_strangers_make_up(): void {
		wpiko_chatbot_save_message( 0, self::THREAD, 'user', 'Hi' );
		$this->requests = array();
		foreach ( array( 'Online', 'away', '', '<script>', str_repeat( 'x', 100000 ), null, array( 'online' ) ) as $status ) {
			do_action( 'wpiko_chatbot_user_heartbeat', self::THREAD, $status );
		}
		foreach ( array( 'resp_neverSeen123', strtolower( self::THREAD ), '', str_repeat( 'x', 100000 ), null, array( self::THREAD ), "\xff" ) as $thread ) {
			do_action( 'wpiko_chatbot_user_heartbeat', $thread, 'online' );
		}
		self::end_request();
		$this->assertSame( array(), $this->requests );
	}

	public function test_a_flood_of_heartbeats_does_not_reach_the_bridge(): void {
		wpiko_chatbot_save_message( 0, self::THREAD, 'user', 'Hi' );
		$this->requests = array();
		for ( $i = 0; $i < 50; $i++ ) {
			do_action( 'wpiko_chatbot_user_heartbeat', self::THREAD, 'online' );
		}
		self::end_request();
		$this->assertCount( 4, $this->sent_events() );
	}

	public function test_polls_are_asked_for_no_heartbeat(): void {
		$this->assertSame( array( 'messages' => array(), 'heartbeat_needed' => false ), apply_filters( 'wpiko_chatbot_check_new_messages_response', array( 'messages' => array() ), self::THREAD, array(), 0 ) );
	}

	public function test_a_deleted_conversation(): void {
		wpiko_standin_delete( self::THREAD );
		self::end_request();
		$this->assertSame( array( 'conversation_deleted', self::THREAD ), array( $this->sent_events()[0]['type'], $this->sent_events()[0]['conversation'] ) );
	}

	public function test_an_agents_words_are_kept_in_the_transcript(): void {
		update_option( 'timezone_string', 'Asia/Tokyo' );
		wpiko_chatbot_save_message( 7, self::THREAD, 'user', 'Hi', 'jane@example.com' );
		$this->requests = array();
		$this->agent_writes( self::THREAD, '<b>Hello</b> & "welcome" \\ 👋' );
		$row = $this->admin_rows()[0];
		$this->assertSame( self::THREAD, $row->session_id );
		$this->assertSame( '<b>Hello</b> & "welcome" \\ 👋', $row->message );
		$this->assertSame( '2026-01-01 09:00:02', $row->timestamp );
		$this->assertSame( array( '7', 'jane@example.com', 'Utopia' ), array( $row->user_id, $row->user_email, $row->country ) );
		self::end_request();
		$this->assertSame( array(), $this->requests, 'an own insert, of which nobody is told' );
	}

	public function test_other_widgets_conversations_are_not_kept_there(): void {
		wpiko_chatbot_save_message( 0, self::THREAD, 'user', 'Hi' );
		$this->agent_writes( 'demo_1', 'Hi' );
		$this->agent_writes( strtolower( self::THREAD ), 'Hi' );
		$this->assertSame( array(), $this->admin_rows() );
	}

	/**
	 * Gives what makes the adapter stand down.
	 */
	public function reasons_to_stand_down(): array {
		return array(
			'Pro is active'    => array( static fn() => update_option( 'active_plugins', array_merge( get_option( 'active_plugins' ), array( 'wpiko-chatbot-pro/wpiko-chatbot-pro.php' ) ) ) ),
			'no bridge'        => array( static fn() => ( new Options() )->forget_connection() ),
		);
	}

	/**
	 * The widget works as if we were not there.
	 *
	 * @dataProvider reasons_to_stand_down
	 * @param callable $reason What makes it stand down.
	 */
	public function test_standing_down( callable $reason ): void {
		wpiko_chatbot_save_message( 0, self::THREAD, 'user', 'Hi' );
		$takeovers = new Takeovers( new Options() );
		$takeovers->released( self::THREAD, time(), 'note' );
		$takeovers->started( self::THREAD, time() + 60 );
		$this->requests = array();
		$reason();

		$data = array( 'nonce' => 'x' );
		$this->assertSame( $data, apply_filters( 'wpiko_chatbot_frontend_script_data', $data ) );
		$this->assertSame( $data, apply_filters( 'wpiko_chatbot_check_new_messages_response', $data, self::THREAD, array(), 0 ) );
		$this->assertFalse( apply_filters( 'wpiko_chatbot_skip_ai_response', false, self::THREAD ) );
		$this->assertFalse( apply_filters( 'wpiko_chatbot_user_limit_bypass', false, self::THREAD ) );
		$_POST['thread_id'] = self::THREAD;
		$this->assertSame( 'Be kind.', apply_filters( 'wpiko_chatbot_combined_instructions', 'Be kind.' ) );
		do_action( 'wpiko_chatbot_enqueue_frontend_assets' );
		$this->assertFalse( wp_script_is( WPiko_Adapter::HANDLE ) );
		do_action( 'wpiko_chatbot_before_chat_request' );
		$this->assertArrayNotHasKey( 'cpb_visitor', $_COOKIE );
		foreach ( array( 'user', 'assistant', 'error' ) as $role ) {
			wpiko_chatbot_save_message( 0, self::THREAD, $role, 'Hi' );
		}
		do_action( 'wpiko_chatbot_user_heartbeat', self::THREAD, 'online' );
		wpiko_standin_delete( self::THREAD );
		wpiko_chatbot_save_message( 0, self::THREAD, 'user', 'Hi' );
		$this->agent_writes( self::THREAD, 'Hi' );
		$this->assertSame( array(), $this->admin_rows() );
		self::end_request();
		$this->assertSame( array(), $this->requests );
	}

	public function test_nothing_that_pro_looks_for_is_defined(): void {
		$this->assertFalse( function_exists( 'wpiko_chatbot_build_takeover_handoff_context' ) );
		$this->assertFalse( function_exists( 'wpiko_chatbot_pro_is_takeover_active' ) );
	}

	public function test_the_owner_is_told_what_was_found(): void {
		$this->assertSame( 'WPiko Chatbot was found and joined.', WPiko_Adapter::finding() );
		update_option( 'active_plugins', array( 'wpiko-chatbot/wpiko-chatbot.php', 'wpiko-chatbot-pro/wpiko-chatbot-pro.php' ) );
		$this->assertStringStartsWith( 'WPiko Chatbot Pro is active.', WPiko_Adapter::finding() );
		update_option( 'active_plugins', array( 'my-wpiko-chatbot/wpiko-chatbot.php' ) );
		$this->assertStringStartsWith( 'None that joins by itself was found.', WPiko_Adapter::finding() );
	}

	public function test_pro_is_also_known_by_its_constant(): void {
		$code = 'define( "WPIKO_CHATBOT_PRO_VERSION", "1" ); require getenv( "WORDPRESS_LOAD" ); echo ChatPresenceBridge\WPiko_Adapter::finding();';
		exec( escapeshellarg( PHP_BINARY ) . ' -r ' . escapeshellarg( $code ), $lines );
		$this->assertStringStartsWith( 'WPiko Chatbot Pro is active.', implode( "\n", $lines ) );
	}

	public function test_b12_a_page_with_the_widget_costs_no_query(): void {
		global $wpdb;
		wp_load_alloptions();
		$before = $wpdb->num_queries;
		apply_filters( 'wpiko_chatbot_frontend_script_data', array() );
		do_action( 'wpiko_chatbot_enqueue_frontend_assets' );
		ChatPresenceBridge\Installation::upgrade();
		$this->assertSame( $before, $wpdb->num_queries );
	}

	/**
	 * Announces a message as the bridge's call does.
	 *
	 * @param string $thread Thread id.
	 * @param string $text   What the agent wrote.
	 */
	private function agent_writes( string $thread, string $text ): void {
		do_action( 'chat_presence_bridge_agent_message', $thread, array( 'id' => 'm_1', 'text' => $text, 'at' => strtotime( '2026-01-01T00:00:02Z' ), 'agent' => null ) );
	}

	private function admin_rows(): array {
		global $wpdb;
		return $wpdb->get_results( 'SELECT * FROM ' . wpiko_standin_table() . " WHERE role = 'admin'" );
	}
}

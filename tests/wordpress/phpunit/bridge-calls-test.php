<?php
/**
 * Tests of what the bridge tells the store.
 *
 * @package ChatPresenceBridge
 */

use ChatPresenceBridge\Connection;
use ChatPresenceBridge\Schema;
use ChatPresenceBridge\Signer;

/**
 * What each call does, and which calls do nothing. Who may call at all is tested over HTTP.
 */
final class Bridge_Calls_Test extends WordPress_Test_Case {

	/**
	 * Agents' messages that were announced.
	 *
	 * @var array<int,array<int,mixed>>
	 */
	private $announced = array();

	protected function setUp(): void {
		parent::setUp();
		$this->connect();
		$GLOBALS['wp_rest_server'] = null;
		add_action( 'chat_presence_bridge_agent_message', array( $this, 'hear' ), 10, 2 );
	}

	protected function tearDown(): void {
		remove_action( 'chat_presence_bridge_agent_message', array( $this, 'hear' ) );
		parent::tearDown();
		$GLOBALS['wp_rest_server'] = null;
	}

	public function hear( $conversation, $message ): void {
		$this->announced[] = array( $conversation, $message );
	}

	public function test_started_and_released(): void {
		$this->assertSame( 'stored', $this->call( 'b_1', self::started() ) );
		$this->assertTrue( apply_filters( 'chat_presence_bridge_is_taken_over', false, 'resp_1' ) );
		$this->assertSame( 'stored', $this->call( 'b_2', self::released( 'They spoke of ferns.' ) ) );
		$this->assertFalse( apply_filters( 'chat_presence_bridge_is_taken_over', false, 'resp_1' ) );
		$this->assertSame( 'They spoke of ferns.', apply_filters( 'chat_presence_bridge_handoff_note', '', 'resp_1' ) );
	}

	public function test_a_release_by_nobody_and_without_a_note(): void {
		$this->call( 'b_1', self::started() );
		$this->assertSame( 'stored', $this->call( 'b_2', array( 'agent' => null ) + self::released( null ) ) );
		$this->assertFalse( apply_filters( 'chat_presence_bridge_is_taken_over', false, 'resp_1' ) );
		$this->assertSame( '', apply_filters( 'chat_presence_bridge_handoff_note', '', 'resp_1' ) );
	}

	public function test_an_id_seen_before_changes_nothing(): void {
		$this->call( 'b_1', self::started() );
		$this->call( 'b_2', self::released( null ) );
		$this->assertSame( 'duplicate', $this->call( 'b_1', self::started() ) );
		$this->assertFalse( apply_filters( 'chat_presence_bridge_is_taken_over', false, 'resp_1' ) );
		$this->assertSame( 'duplicate', $this->call( 'b_2', self::started() ) );
	}

	public function test_ids_differ_by_case(): void {
		$this->call( 'b_a', self::released( null ) );
		$this->assertSame( 'stored', $this->call( 'b_A', self::started() ) );
	}

	public function test_an_agents_message_is_announced(): void {
		$this->assertSame( 'stored', $this->call( 'b_1', self::message() ) );
		$this->assertSame(
			array(
				array(
					'resp_1',
					array(
						'id'    => 'm_1',
						'text'  => '<b>Hello</b> & "welcome" 👋',
						'at'    => strtotime( '2026-01-01T00:00:02Z' ),
						'agent' => array(
							'id'         => '1',
							'name'       => 'Sam',
							'avatar_url' => null,
						),
					),
				),
			),
			$this->announced
		);
	}

	public function test_once_per_message_whatever_delivery_brings_it(): void {
		$this->call( 'b_1', self::message() );
		$this->assertSame( 'duplicate', $this->call( 'b_1', self::message() ) );
		$this->assertSame( 'duplicate', $this->call( 'b_2', self::message() ) );
		$this->assertCount( 1, $this->announced );
		$this->call( 'b_3', array( 'conversation' => 'resp_2' ) + self::message() );
		$this->assertCount( 2, $this->announced );
	}

	public function test_a_message_with_an_end_keeps_the_takeover(): void {
		$this->call( 'b_1', self::message() );
		$this->assertFalse( apply_filters( 'chat_presence_bridge_is_taken_over', false, 'resp_1' ) );
		$this->call( 'b_2', array( 'expires_at' => gmdate( 'Y-m-d\TH:i:s\Z', time() + 60 ), 'message' => array( 'id' => 'm_2', 'text' => 'Hi' ) ) + self::message() );
		$this->assertTrue( apply_filters( 'chat_presence_bridge_is_taken_over', false, 'resp_1' ) );
	}

	public function test_a_listener_that_fails_holds_nothing_up(): void {
		$fails = static function () {
			throw new LogicException( 'broken <widget>' );
		};
		add_action( 'chat_presence_bridge_agent_message', $fails, 20 );
		$warnings = array();
		set_error_handler(
			static function ( $level, $message ) use ( &$warnings ) {
				$warnings[] = $message;
				return true;
			},
			E_USER_WARNING
		);
		$status = $this->call( 'b_1', self::message() );
		restore_error_handler();
		remove_action( 'chat_presence_bridge_agent_message', $fails, 20 );
		$this->assertSame( 'stored', $status );
		$this->assertCount( 1, $this->announced );
		$this->assertSame( array( 'chat_presence_bridge_agent_message: broken &lt;widget&gt;' ), $warnings );
	}

	public function test_what_a_newer_bridge_says_is_ignored(): void {
		$this->assertSame( 'ignored', $this->call( 'b_1', array( 'type' => 'agent.waved' ) ) );
		$this->assertSame( 'stored', $this->call( 'b_2', array( 'weather' => array( 'fine' ) ) + self::started() ) );
	}

	/**
	 * Gives bodies that no bridge sends.
	 */
	public function malformed(): array {
		$started = static fn( array $other ) => wp_json_encode( $other + self::started() );
		$message = static fn( array $other ) => wp_json_encode( array( 'message' => $other ) + self::message() );
		return array(
			'a list'                     => array( '[]' ),
			'a text'                     => array( '"takeover.started"' ),
			'null'                       => array( 'null' ),
			'nothing'                    => array( '' ),
			'no type'                    => array( $started( array( 'type' => null ) ) ),
			'a number as type'           => array( $started( array( 'type' => 1 ) ) ),
			'no conversation'            => array( $started( array( 'conversation' => null ) ) ),
			'a list as conversation'     => array( $started( array( 'conversation' => array( 'resp_1' ) ) ) ),
			'a conversation too long'    => array( $started( array( 'conversation' => str_repeat( 'a', 129 ) ) ) ),
			'a line break in it'         => array( $started( array( 'conversation' => "resp\n1" ) ) ),
			'no time'                    => array( $started( array( 'at' => null ) ) ),
			'no time at all'             => array( $started( array( 'at' => 'yesterday' ) ) ),
			'a message without an id'    => array( $message( array( 'text' => 'Hi' ) ) ),
			'a message without a text'   => array( $message( array( 'id' => 'm_1' ) ) ),
			'a number as text'           => array( $message( array( 'id' => 'm_1', 'text' => 7 ) ) ),
			'no message'                 => array( wp_json_encode( array( 'message' => 'Hi' ) + self::message() ) ),
			'deeper than anything meant' => array( str_repeat( '[', 100 ) . str_repeat( ']', 100 ) ),
		);
	}

	/**
	 * It is refused, and nothing is kept.
	 *
	 * @dataProvider malformed
	 * @param string $body Body.
	 */
	public function test_malformed( string $body ): void {
		$response = $this->post( 'b_1', $body );
		$this->assertSame( 422, $response->get_status() );
		$this->assertSame( array(), $this->announced );
		$this->assertFalse( apply_filters( 'chat_presence_bridge_is_taken_over', false, 'resp_1' ) );
		$this->assertSame( 'stored', $this->call( 'b_1', self::started() ), 'the id should still be free' );
	}

	public function test_what_cannot_be_stored_is_not_taken_for_seen(): void {
		global $wpdb;
		$refuse = static fn( $query ) => 0 === strpos( ltrim( $query ), 'INSERT INTO ' . Schema::takeovers() ) ? 'INSERT INTO nowhere VALUES ( 1 )' : $query;
		add_filter( 'query', $refuse );
		$wpdb->suppress_errors( true );
		$response = $this->post( 'b_1', wp_json_encode( self::started() ) );
		$wpdb->suppress_errors( false );
		remove_filter( 'query', $refuse );
		$this->assertSame( 503, $response->get_status() );
		$this->assertSame( 'stored', $this->call( 'b_1', self::started() ) );
	}

	public function test_ids_are_forgotten_after_48_hours(): void {
		global $wpdb;
		$this->call( 'b_1', self::started() );
		$wpdb->query( 'UPDATE ' . Schema::seen_ids() . ' SET seen_at = seen_at - 48 * 3600 - 1' );
		$this->call( 'b_2', self::released( null ) );
		$this->assertSame( '1', $wpdb->get_var( 'SELECT COUNT(*) FROM ' . Schema::seen_ids() ) );
	}

	/**
	 * Makes a call as the bridge does.
	 *
	 * @param string              $id   Header `webhook-id`.
	 * @param array<string,mixed> $said Body.
	 * @return string What it was answered.
	 */
	private function call( string $id, array $said ): string {
		$response = $this->post( $id, wp_json_encode( $said ) );
		$this->assertSame( 200, $response->get_status(), wp_json_encode( $response->get_data() ) );
		return $response->get_data()['status'];
	}

	/**
	 * Sends a body, signed.
	 *
	 * @param string $id   Header `webhook-id`.
	 * @param string $body Raw body.
	 */
	private function post( string $id, string $body ): WP_REST_Response {
		$request = new WP_REST_Request( 'POST', '/chat-presence-bridge/v1/bridge' );
		$request->set_body( $body );
		foreach ( ( new Signer( Connection::from_string( self::CONNECTION ) ) )->headers( $id, time(), $body ) as $name => $value ) {
			$request->set_header( $name, $value );
		}
		return rest_do_request( $request );
	}

	private static function started(): array {
		return array(
			'type'         => 'takeover.started',
			'conversation' => 'resp_1',
			'agent'        => array( 'id' => '1', 'name' => 'Sam', 'avatar_url' => null ),
			'expires_at'   => gmdate( 'Y-m-d\TH:i:s.000\Z', time() + 1800 ),
			'at'           => gmdate( 'Y-m-d\TH:i:s.000\Z' ),
		);
	}

	/**
	 * Makes a release.
	 *
	 * @param string|null $note Hand-off note.
	 */
	private static function released( ?string $note ): array {
		return array(
			'type'         => 'takeover.released',
			'handoff_note' => $note,
			'expires_at'   => null,
		) + self::started();
	}

	private static function message(): array {
		return array(
			'type'       => 'message.created',
			'message'    => array(
				'id'   => 'm_1',
				'text' => '<b>Hello</b> & "welcome" 👋',
				'at'   => '2026-01-01T00:00:02.123Z',
			),
			'expires_at' => null,
		) + self::started();
	}
}

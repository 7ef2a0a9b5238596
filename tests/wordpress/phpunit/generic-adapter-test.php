<?php
/**
 * Tests of the adapter for any widget.
 *
 * @package ChatPresenceBridge
 */

use ChatPresenceBridge\Bridge_Client;
use ChatPresenceBridge\Chat_Events;
use ChatPresenceBridge\Event_Queue;
use ChatPresenceBridge\Generic_Adapter;
use ChatPresenceBridge\Options;
use ChatPresenceBridge\Takeovers;

/**
 * What widgets' PHP says becomes events. Requests are caught before they leave WordPress; real ones are tested over
 * HTTP.
 */
final class Generic_Adapter_Test extends WordPress_Test_Case {

	use Caught_Requests;

	/**
	 * What was reported as a developer's mistake.
	 *
	 * @var string[]
	 */
	private $mistakes = array();

	protected function setUp(): void {
		parent::setUp();
		$this->connect();
		add_filter( 'doing_it_wrong_trigger_error', '__return_false' );
		add_action( 'doing_it_wrong_run', array( $this, 'catch_mistake' ) );
	}

	protected function tearDown(): void {
		remove_filter( 'doing_it_wrong_trigger_error', '__return_false' );
		remove_action( 'doing_it_wrong_run', array( $this, 'catch_mistake' ) );
		parent::tearDown();
	}

	public function catch_mistake( $function ) {
		$this->mistakes[] = $function;
	}

	public function test_nothing_said_is_nothing_sent(): void {
		$this->assertSame( array(), $this->events_of( static function () {} ) );
		$this->assertSame( array(), $this->requests );
	}

	public function test_a_message(): void {
		$before = microtime( true );
		$events = $this->events_of(
			static function ( Generic_Adapter $adapter ) {
				$adapter->message( 'demo_1', 'bot', ' Grüße <b>"hi"</b> 東京 ', array( 'id' => 'm_1', 'name' => 'Jane', 'email' => 'jane@example.com', 'phone' => 'x' ) );
			}
		);
		$this->assertCount( 1, $events );
		$this->assertSame( 'message', $events[0]['type'] );
		$this->assertSame( 'demo_1', $events[0]['conversation'] );
		$this->assertArrayNotHasKey( 'visitor', $events[0] );
		$this->assertArrayNotHasKey( 'page', $events[0] );
		$this->assertSame(
			array(
				'id'     => 'm_1',
				'author' => 'bot',
				'text'   => 'Grüße <b>"hi"</b> 東京',
				'name'   => 'Jane',
				'email'  => 'jane@example.com',
			),
			$events[0]['message']
		);
		$this->assertMatchesRegularExpression( '/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/', $events[0]['occurred_at'] );
		// In whole milliseconds: as fractions of a second the same time differs from itself.
		$occurred = (int) ( new DateTimeImmutable( $events[0]['occurred_at'] ) )->format( 'Uv' );
		$this->assertGreaterThanOrEqual( (int) floor( $before * 1000 ), $occurred );
		$this->assertLessThanOrEqual( (int) ceil( microtime( true ) * 1000 ), $occurred );
		$this->assertSame( array(), $this->mistakes );
	}

	public function test_a_clear(): void {
		$events = $this->events_of( static fn( Generic_Adapter $adapter ) => $adapter->cleared( 'demo_1' ) );
		$this->assertCount( 1, $events );
		$this->assertSame( 'chat_cleared', $events[0]['type'] );
		$this->assertSame( 'demo_1', $events[0]['conversation'] );
	}

	public function test_every_event_and_message_has_an_id_of_its_own(): void {
		$events = $this->events_of(
			static function ( Generic_Adapter $adapter ) {
				$adapter->message( 'demo_1', 'visitor', 'one' );
				$adapter->message( 'demo_1', 'visitor', 'one' );
			}
		);
		$this->assertCount( 2, array_unique( array_column( $events, 'id' ) ) );
		$this->assertCount( 2, array_unique( array_column( array_column( $events, 'message' ), 'id' ) ) );
	}

	/**
	 * Gives what no widget should say.
	 */
	public function mistakes(): array {
		return array(
			'no conversation'           => array( array( '', 'bot', 'hi' ) ),
			'an array as conversation'  => array( array( array(), 'bot', 'hi' ) ),
			'129 characters'            => array( array( str_repeat( 'ä', 129 ), 'bot', 'hi' ) ),
			'a line break in it'        => array( array( "demo\n1", 'bot', 'hi' ) ),
			'a line break after it'     => array( array( "demo1\n", 'bot', 'hi' ) ),
			'bytes that are no UTF-8'   => array( array( "\xff\xfe", 'bot', 'hi' ) ),
			'an agent'                  => array( array( 'demo_1', 'agent', 'hi' ) ),
			'an author that is nothing' => array( array( 'demo_1', 0, 'hi' ) ),
			'no text'                   => array( array( 'demo_1', 'bot', " \0 " ) ),
			'an object as text'         => array( array( 'demo_1', 'bot', new stdClass() ) ),
		);
	}

	/**
	 * A mistake is reported to developers and sent to nobody.
	 *
	 * @dataProvider mistakes
	 * @param array<int,mixed> $arguments Of the action.
	 */
	public function test_mistake( array $arguments ): void {
		$events = $this->events_of( static fn( Generic_Adapter $adapter ) => $adapter->message( ...$arguments ) );
		$this->assertSame( array(), $events );
		$this->assertSame( array( 'chat_presence_bridge_message' ), $this->mistakes );
	}

	public function test_text_the_bridge_would_refuse_is_made_fit(): void {
		$events = $this->events_of(
			static function ( Generic_Adapter $adapter ) {
				$adapter->message( 17, 'visitor', str_repeat( 'ä', 16001 ) );
				$adapter->message( str_repeat( 'ä', 128 ), 'visitor', "a\0b\xffc", 'no array' );
				$adapter->message( 'demo_1', 'visitor', 'hi', array( 'id' => "\n", 'name' => str_repeat( 'ä', 201 ), 'email' => 'nobody' ) );
			}
		);
		$this->assertSame( '17', $events[0]['conversation'] );
		$this->assertSame( str_repeat( 'ä', 16000 ), $events[0]['message']['text'] );
		$this->assertSame( "ab\u{fffd}c", $events[1]['message']['text'] );
		$this->assertStringStartsWith( 'm_', $events[2]['message']['id'] );
		$this->assertSame( str_repeat( 'ä', 200 ), $events[2]['message']['name'] );
		$this->assertArrayNotHasKey( 'email', $events[2]['message'] );
		$this->assertSame( array(), $this->mistakes );
	}

	public function test_the_request_is_signed_and_bounded(): void {
		$this->events_of( static fn( Generic_Adapter $adapter ) => $adapter->cleared( 'demo_1' ) );
		$request = $this->requests[0];
		$this->assertSame( 'https://bridge.example.com/v1/store/events', $request['url'] );
		$this->assertSame( 'POST', $request['method'] );
		$this->assertSame( 0, $request['redirection'] );
		$this->assertTrue( $request['sslverify'] );
		$this->assertLessThanOrEqual( 5, $request['timeout'] );
		$this->assertSame( 'st_phpunit', $request['headers']['Bridge-Site'] );
		$this->assertStringStartsWith( 'msg_', $request['headers']['webhook-id'] );
		$key      = base64_decode( 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8' );
		$expected = base64_encode( hash_hmac( 'sha256', "{$request['headers']['webhook-id']}.{$request['headers']['webhook-timestamp']}.{$request['body']}", $key, true ) );
		$this->assertSame( "v1,$expected", $request['headers']['webhook-signature'] );
	}

	public function test_more_than_a_batch(): void {
		$events = $this->events_of(
			static function ( Generic_Adapter $adapter ) {
				for ( $i = 0; $i < 101; $i++ ) {
					$adapter->message( 'demo_1', 'bot', "message $i" );
				}
			}
		);
		$this->assertCount( 2, $this->requests );
		$this->assertCount( 101, $events );
		$this->assertSame( 'message 100', $events[100]['message']['text'] );
		$this->assertNotSame( $this->requests[0]['headers']['webhook-id'], $this->requests[1]['headers']['webhook-id'] );
	}

	public function test_not_connected_is_nothing_sent(): void {
		( new Options() )->forget_connection();
		$this->events_of( static fn( Generic_Adapter $adapter ) => $adapter->cleared( 'demo_1' ) );
		$this->assertSame( array(), $this->requests );
	}

	/**
	 * Gives answers of a bridge in trouble.
	 */
	public function failures(): array {
		$answer = static fn( int $status, string $body ) => array(
			'response' => array( 'code' => $status ),
			'headers'  => array(),
			'body'     => $body,
		);
		return array(
			'no answer'     => array( new WP_Error( 'http_request_failed', 'timed out' ) ),
			'503'           => array( $answer( 503, '{"code":"storage-away"}' ) ),
			'HTML with 200' => array( $answer( 200, '<h1>Parked</h1>' ) ),
			'a redirect'    => array( $answer( 302, '{}' ) ),
			'nothing in it' => array( $answer( 200, '' ) ),
		);
	}

	/**
	 * A failure opens the circuit: nothing more is tried for half a minute, then again.
	 *
	 * @dataProvider failures
	 * @param mixed $answer Of WordPress's HTTP functions.
	 */
	public function test_circuit( $answer ): void {
		$this->answer = $answer;
		$say          = static fn( Generic_Adapter $adapter ) => $adapter->cleared( 'demo_1' );
		$this->events_of( $say );
		$this->assertCount( 1, $this->requests );
		$this->events_of( $say );
		$this->assertCount( 1, $this->requests );

		set_transient( Bridge_Client::CIRCUIT, time() - 1, 30 );
		$this->events_of( $say );
		$this->assertCount( 2, $this->requests );
	}

	public function test_a_refusal_opens_no_circuit(): void {
		$this->answer['response']['code'] = 401;
		$say                              = static fn( Generic_Adapter $adapter ) => $adapter->cleared( 'demo_1' );
		$this->events_of( $say );
		$this->events_of( $say );
		$this->assertCount( 2, $this->requests );
	}

	public function test_a_visitors_message_is_sent_at_once_and_others_after_the_answer(): void {
		do_action( 'chat_presence_bridge_message', 'demo_1', 'bot', 'Hello!' );
		$this->assertCount( 0, $this->requests );
		do_action( 'chat_presence_bridge_message', 'demo_1', 'visitor', 'Hi', array( 'id' => 'm_2' ) );
		$this->assertCount( 1, $this->requests );
		$this->assertSame( array( 'Hello!', 'Hi' ), array_column( array_column( $this->sent_events(), 'message' ), 'text' ) );
		$this->assertSame( 1.5, $this->requests[0]['timeout'] );
		self::end_request();
		$this->assertCount( 1, $this->requests );
	}

	public function test_the_answer_to_a_visitors_message_decides(): void {
		$taken_over = static fn() => apply_filters( 'chat_presence_bridge_is_taken_over', false, 'demo_1' );
		foreach ( array( true, false, true ) as $told ) {
			$this->answer = self::answer_with( array( 'demo_1' => self::told( $told ) ) );
			do_action( 'chat_presence_bridge_message', 'demo_1', 'visitor', 'Hi' );
			$this->assertSame( $told, $taken_over() );
		}
		$this->assertFalse( apply_filters( 'chat_presence_bridge_is_taken_over', false, 'demo_2' ) );
	}

	public function test_the_answer_to_any_event_is_learnt_from(): void {
		$this->answer = self::answer_with( array( '17' => self::told( true ) ) );
		do_action( 'chat_presence_bridge_message', 17, 'bot', 'Hi' );
		self::end_request();
		$this->assertTrue( apply_filters( 'chat_presence_bridge_is_taken_over', false, 17 ) );
	}

	/**
	 * Gives answers that tell nothing of takeovers.
	 */
	public function answers_that_tell_nothing(): array {
		$answers = array( '[]', '{}', '{"conversations":[]}', '{"conversations":7}', '{"conversations":{"demo_1":true}}', '{"conversations":{"demo_1":{"takeover":1}}}' );
		return array_combine( $answers, array_map( static fn( $answer ) => array( $answer ), $answers ) );
	}

	/**
	 * What tells nothing changes nothing.
	 *
	 * @dataProvider answers_that_tell_nothing
	 * @param string $body Answer of the bridge.
	 */
	public function test_an_answer_that_tells_nothing( string $body ): void {
		( new Takeovers( new Options() ) )->started( 'demo_1', time() + 60 );
		$this->answer['body'] = $body;
		do_action( 'chat_presence_bridge_message', 'demo_1', 'visitor', 'Hi' );
		$this->assertTrue( apply_filters( 'chat_presence_bridge_is_taken_over', false, 'demo_1' ) );
	}

	public function test_what_could_not_be_sent_at_once_is_tried_again_after_the_answer(): void {
		$this->answer = self::answer_with( array(), 503 );
		do_action( 'chat_presence_bridge_message', 'demo_1', 'visitor', 'Hi', array( 'id' => 'm_1' ) );
		delete_transient( Bridge_Client::CIRCUIT );
		self::end_request();
		list( $first, $second ) = $this->sent_events();
		$this->assertSame( $first, $second );
		$this->assertSame( 'm_1', $second['message']['id'] );
		$this->assertArrayHasKey( 'occurred_at', $second );
	}

	public function test_with_the_bridge_away_the_copy_decides(): void {
		( new Takeovers( new Options() ) )->started( 'demo_1', time() + 60 );
		$this->answer = new WP_Error( 'http_request_failed', 'timed out' );
		foreach ( array( 'demo_1' => true, 'demo_2' => false ) as $conversation => $expected ) {
			do_action( 'chat_presence_bridge_message', $conversation, 'visitor', 'Hi' );
			$this->assertSame( $expected, apply_filters( 'chat_presence_bridge_is_taken_over', false, $conversation ) );
		}
		$this->assertCount( 1, $this->requests, 'the circuit should be open' );
		self::end_request();
	}

	/**
	 * Gives the events that are sent at the end of a request.
	 *
	 * @param callable $say What a widget does.
	 * @return array<int,array<string,mixed>>
	 */
	private function events_of( callable $say ): array {
		$queue = new Event_Queue( new Options(), new Takeovers( new Options() ) );
		$say( new Generic_Adapter( new Chat_Events( $queue ) ) );
		$queue->send_after_answer();
		return $this->sent_events();
	}
}

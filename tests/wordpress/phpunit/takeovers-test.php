<?php
/**
 * Tests of the store's copy of takeovers.
 *
 * @package ChatPresenceBridge
 */

use ChatPresenceBridge\Options;
use ChatPresenceBridge\Schema;
use ChatPresenceBridge\Takeovers;

/**
 * Who is taken over, until when, by whose word; and the note that is left.
 */
final class Takeovers_Test extends WordPress_Test_Case {

	/**
	 * The copy.
	 *
	 * @var Takeovers
	 */
	private $takeovers;

	protected function setUp(): void {
		parent::setUp();
		$this->connect();
		$this->takeovers = new Takeovers( new Options() );
	}

	public function test_nobody_is_taken_over_at_first(): void {
		$this->assertFalse( $this->is_taken_over( 'resp_1' ) );
		$this->assertSame( '', $this->note( 'resp_1' ) );
	}

	public function test_from_start_to_release(): void {
		$this->takeovers->started( 'resp_1', time() + 60 );
		$this->assertTrue( $this->is_taken_over( 'resp_1' ) );
		$this->takeovers->released( 'resp_1', time(), 'They spoke of ferns. 🌿' );
		$this->assertFalse( $this->is_taken_over( 'resp_1' ) );
		$this->assertSame( 'They spoke of ferns. 🌿', $this->note( 'resp_1' ) );
	}

	public function test_conversations_are_told_apart(): void {
		$this->takeovers->started( 'resp_a', time() + 60 );
		foreach ( array( 'resp_A', 'resp_a ', 'resp_ä', 'resp_', 'RESP_A' ) as $other ) {
			$this->assertFalse( $this->is_taken_over( $other ), $other );
		}
		$longest = str_repeat( '🌿', 128 );
		$this->takeovers->started( $longest, time() + 60 );
		$this->assertTrue( $this->is_taken_over( $longest ) );
		$this->assertFalse( $this->is_taken_over( str_repeat( '🌿', 127 ) ) );
	}

	public function test_what_is_no_id_is_not_taken_over(): void {
		foreach ( array( null, array( 'resp_1' ), new stdClass(), "\xff", '' ) as $garbage ) {
			$this->assertFalse( $this->is_taken_over( $garbage ) );
		}
	}

	public function test_t3_it_ends_by_itself(): void {
		$this->takeovers->started( 'resp_1', time() - 1 );
		$this->assertFalse( $this->is_taken_over( 'resp_1' ) );
		$this->takeovers->learn( 'resp_2', true, time() - 1, microtime( true ) );
		$this->assertFalse( $this->is_taken_over( 'resp_2' ) );
	}

	public function test_t3_an_end_that_was_not_told_comes_all_the_same(): void {
		$this->takeovers->started( 'resp_1', null );
		$this->assertTrue( $this->is_taken_over( 'resp_1' ) );
		$this->assertLessThanOrEqual( time() + 1800, $this->column( 'taken_until' ) );
	}

	public function test_t3_no_end_is_further_than_a_day(): void {
		$this->takeovers->started( 'resp_1', PHP_INT_MAX );
		$this->assertLessThanOrEqual( time() + DAY_IN_SECONDS, $this->column( 'taken_until' ) );
		$this->assertTrue( $this->is_taken_over( 'resp_1' ) );
	}

	public function test_an_answer_asked_for_after_a_call_counts(): void {
		$this->takeovers->started( 'resp_1', time() + 60 );
		$this->takeovers->learn( 'resp_1', false, null, microtime( true ) + 1 );
		$this->assertFalse( $this->is_taken_over( 'resp_1' ) );
		$this->takeovers->learn( 'resp_1', true, time() + 60, microtime( true ) + 2 );
		$this->assertTrue( $this->is_taken_over( 'resp_1' ) );
	}

	public function test_an_answer_asked_for_before_a_call_does_not(): void {
		$asked_at = microtime( true ) - 0.1;
		$this->takeovers->started( 'resp_1', time() + 60 );
		$this->takeovers->learn( 'resp_1', false, null, $asked_at );
		$this->assertTrue( $this->is_taken_over( 'resp_1' ) );
		$this->takeovers->released( 'resp_1', time(), null );
		$this->takeovers->learn( 'resp_1', true, time() + 60, $asked_at );
		$this->assertFalse( $this->is_taken_over( 'resp_1' ) );
	}

	public function test_a_call_counts_whatever_was_answered(): void {
		$this->takeovers->learn( 'resp_1', true, time() + 60, microtime( true ) + 100 );
		$this->takeovers->released( 'resp_1', time(), null );
		$this->assertFalse( $this->is_taken_over( 'resp_1' ) );
		$this->takeovers->started( 'resp_1', time() + 60 );
		$this->assertTrue( $this->is_taken_over( 'resp_1' ) );
	}

	public function test_of_two_answers_the_one_asked_for_later_counts(): void {
		$now = microtime( true );
		$this->takeovers->learn( 'resp_1', true, time() + 60, $now );
		$this->takeovers->learn( 'resp_1', false, null, $now - 1 );
		$this->assertTrue( $this->is_taken_over( 'resp_1' ) );
	}

	public function test_conversations_that_were_never_taken_over_take_no_room(): void {
		$this->takeovers->learn( 'resp_1', false, null, microtime( true ) );
		$this->assertSame( 0, $this->rows() );
	}

	public function test_t6_the_note_holds_for_24_hours(): void {
		$this->takeovers->released( 'resp_1', time() - DAY_IN_SECONDS + 60, 'note' );
		$this->assertSame( 'note', $this->note( 'resp_1' ) );
		$this->takeovers->released( 'resp_1', time() - DAY_IN_SECONDS, 'note' );
		$this->assertSame( '', $this->note( 'resp_1' ) );
		$this->takeovers->released( 'resp_1', time() + 7 * DAY_IN_SECONDS, 'note' );
		$this->assertLessThanOrEqual( time() + DAY_IN_SECONDS, $this->column( 'note_until' ) );
	}

	public function test_a_note_replaces_the_last_and_none_replaces_none(): void {
		$this->takeovers->released( 'resp_1', time(), 'first' );
		$this->takeovers->started( 'resp_1', time() + 60 );
		$this->takeovers->released( 'resp_1', time(), null );
		$this->assertSame( 'first', $this->note( 'resp_1' ) );
		$this->takeovers->released( 'resp_1', time(), 'second' );
		$this->assertSame( 'second', $this->note( 'resp_1' ) );
	}

	public function test_what_others_say(): void {
		$this->assertTrue( apply_filters( 'chat_presence_bridge_is_taken_over', true, 'resp_1' ) );
		$this->assertSame( 'theirs', apply_filters( 'chat_presence_bridge_handoff_note', 'theirs', 'resp_1' ) );
	}

	public function test_not_connected_nobody_is_taken_over(): void {
		$this->takeovers->started( 'resp_1', time() + 60 );
		$this->takeovers->released( 'resp_2', time(), 'note' );
		( new Options() )->forget_connection();
		$this->assertFalse( $this->is_taken_over( 'resp_1' ) );
		$this->assertSame( '', $this->note( 'resp_2' ) );
	}

	public function test_nothing_depends_on_a_cache(): void {
		$this->takeovers->started( 'resp_1', time() + 60 );
		wp_cache_flush();
		$this->connect();
		$this->assertTrue( $this->is_taken_over( 'resp_1' ) );
	}

	public function test_what_can_hold_no_more_is_forgotten(): void {
		global $wpdb;
		$this->takeovers->released( 'resp_old', time(), 'note' );
		$wpdb->query( 'UPDATE ' . Schema::takeovers() . ' SET known_at = known_at - 2 * 86400 - 1' );
		$this->takeovers->started( 'resp_new', time() + 60 );
		$this->takeovers->forget_past();
		$this->assertSame( 1, $this->rows() );
		$this->assertTrue( $this->is_taken_over( 'resp_new' ) );
		$this->takeovers->forget_all();
		$this->assertSame( 0, $this->rows() );
	}

	private function is_taken_over( $conversation ): bool {
		return apply_filters( 'chat_presence_bridge_is_taken_over', false, $conversation );
	}

	private function note( string $conversation ): string {
		return apply_filters( 'chat_presence_bridge_handoff_note', '', $conversation );
	}

	private function rows(): int {
		global $wpdb;
		return (int) $wpdb->get_var( 'SELECT COUNT(*) FROM ' . Schema::takeovers() );
	}

	/**
	 * Reads what is kept of `resp_1`.
	 *
	 * @param string $name Column.
	 */
	private function column( string $name ): int {
		global $wpdb;
		return (int) $wpdb->get_var( "SELECT $name FROM " . Schema::takeovers() . " WHERE conversation = 'resp_1'" );
	}
}

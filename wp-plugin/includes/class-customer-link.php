<?php
/**
 * Who is behind a visitor.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * Tells the bridge who signs in and out in a browser that has begun a chat (rules C1 and C3). In any other browser
 * nothing is sent, stored or asked for.
 */
final class Customer_Link {

	/**
	 * Where the connection is found.
	 *
	 * @var Options
	 */
	private $options;

	/**
	 * Who a browser is.
	 *
	 * @var Visitor_Cookie
	 */
	private $visitors;

	/**
	 * Takes the events.
	 *
	 * @var Event_Queue
	 */
	private $queue;

	/**
	 * User id of whom this request has told to be signed in; 0 for nobody.
	 *
	 * @var int
	 */
	private $linked = 0;

	/**
	 * User id of the account that this request has made; 0 for none.
	 *
	 * @var int
	 */
	private $created = 0;

	/**
	 * Tells through a queue.
	 *
	 * @param Options        $options  Where the connection is found.
	 * @param Visitor_Cookie $visitors Who a browser is.
	 * @param Event_Queue    $queue    Takes the events.
	 */
	public function __construct( Options $options, Visitor_Cookie $visitors, Event_Queue $queue ) {
		$this->options  = $options;
		$this->visitors = $visitors;
		$this->queue    = $queue;
	}

	/**
	 * Describes a customer: the same in events and in tokens.
	 *
	 * @param \WP_User $user Who.
	 * @return array{id:string,email:string|null,name:string|null} WordPress user id, which is WooCommerce's customer id.
	 */
	public static function describe( \WP_User $user ): array {
		return array(
			'id'    => (string) $user->ID,
			'email' => Plain_Text::email( $user->user_email ),
			'name'  => Plain_Text::of_html( "$user->first_name $user->last_name", Chat_Events::NAME_LENGTH )
				?? Plain_Text::of_html( $user->display_name, Chat_Events::NAME_LENGTH ),
		);
	}

	/**
	 * Gives the visitor of this request, if they have begun a chat and the store is connected.
	 *
	 * @return string|null Visitor id.
	 */
	public function visitor(): ?string {
		$visitor = $this->visitors->known();
		return null === $visitor || null === $this->options->connection() ? null : $visitor;
	}

	/**
	 * Gives the visitor of a chat, starting one where there is none. Must be called before any output.
	 *
	 * When another customer was signed in on this browser, the visitor is a new one, and the tokens of the older one
	 * end (rule C3).
	 *
	 * @param int $user_id WordPress user id of who is signed in; 0 for nobody.
	 * @return string Visitor id.
	 */
	public function identify( int $user_id ): string {
		$earlier = $this->visitors->known();
		$visitor = $this->visitors->identify( $user_id );
		if ( null !== $earlier && $earlier !== $visitor ) {
			$this->tell( $earlier, null );
		}
		return $visitor;
	}

	/**
	 * Gives the visitor who places an order. Some ways to sign in are told by nothing else.
	 *
	 * @param int $user_id WordPress user id of the order's customer; 0 for a guest.
	 * @return string|null Visitor id; null when the visitor is another customer, and no cookie can be sent any more.
	 */
	public function buyer( int $user_id ): ?string {
		if ( 0 !== $user_id && get_current_user_id() === $user_id ) {
			$this->session_joined( null, $user_id );
			if ( $this->visitors->is_of_another( $user_id ) ) {
				return null;
			}
		}
		return $this->visitor();
	}

	/**
	 * Somebody signs in. Callback of `wp_login`.
	 *
	 * @param mixed $login User name.
	 * @param mixed $user  WP_User; some plugins leave it out.
	 */
	public function signed_in( $login, $user = null ): void {
		if ( null !== $this->visitor() ) {
			$user = $user instanceof \WP_User ? $user : get_user_by( 'login', $login );
			$this->link( $user ? $user->ID : 0 );
		}
	}

	/**
	 * An account is made. Callback of `woocommerce_created_customer`.
	 *
	 * Of itself that links nobody: the owner makes accounts for others. The shop signs its own customer in next.
	 *
	 * @param mixed $user_id User id.
	 */
	public function account_created( $user_id ): void {
		$this->created = (int) $user_id;
		if ( get_current_user_id() === $this->created ) {
			$this->link( $this->created );
		}
	}

	/**
	 * This browser gets a cookie that signs it in. Callback of `set_logged_in_cookie`.
	 *
	 * It matters only where an account was just made, of which `wp_login` does not tell: the cookie is also renewed for
	 * those who are signed in already.
	 *
	 * @param mixed $cookie     Unused.
	 * @param mixed $expire     Unused.
	 * @param mixed $expiration Unused.
	 * @param mixed $user_id    User id.
	 */
	public function cookie_made( $cookie, $expire, $expiration, $user_id ): void {
		if ( 0 !== $this->created && (int) $user_id === $this->created ) {
			$this->link( $this->created );
		}
	}

	/**
	 * A guest's session in the shop becomes a customer's. Callback of `woocommerce_guest_session_to_user_id`.
	 *
	 * It comes as late as with the first page after signing in: as a rule `wp_login` has told before.
	 *
	 * @param mixed $session Unused.
	 * @param mixed $user_id User id.
	 */
	public function session_joined( $session, $user_id ): void {
		if ( (int) $user_id !== $this->visitors->last_customer() ) {
			$this->link( (int) $user_id );
		}
	}

	/**
	 * Somebody signs out: that ends tokens and parts nobody. Callback of `wp_logout`.
	 */
	public function signed_out(): void {
		$visitor = $this->visitor();
		if ( null !== $visitor ) {
			$this->linked = 0;
			$this->tell( $visitor, null );
		}
	}

	/**
	 * Tells once who is signed in.
	 *
	 * @param int $user_id User id.
	 */
	private function link( int $user_id ): void {
		$visitor = $user_id === $this->linked ? null : $this->visitor();
		$user    = null === $visitor ? false : get_userdata( $user_id );
		if ( ! $user ) {
			return;
		}
		$this->linked = $user_id;
		if ( ! headers_sent() ) {
			$this->tell( $this->identify( $user_id ), self::describe( $user ) );
			return;
		}
		// Too late for a cookie: the next session starts the new visitor, and its token says who that is.
		$is_another = $this->visitors->is_of_another( $user_id );
		$this->tell( $visitor, $is_another ? null : self::describe( $user ) );
	}

	/**
	 * Adds the event.
	 *
	 * @param string                         $visitor  Visitor id.
	 * @param array<string,string|null>|null $customer Who is signed in; null for nobody.
	 */
	private function tell( string $visitor, ?array $customer ): void {
		$this->queue->add(
			array(
				'type'     => 'customer',
				'visitor'  => $visitor,
				'customer' => $customer,
			)
		);
	}
}

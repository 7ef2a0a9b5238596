<?php
/**
 * Settings → Chat Presence Bridge.
 *
 * @package ChatPresenceBridge
 */

namespace ChatPresenceBridge;

defined( 'ABSPATH' ) || exit;

/**
 * One page: paste the connection string, connect, disconnect. The secret is never shown again.
 */
final class Settings_Page {

	const SLUG = 'chat-presence-bridge';

	/**
	 * Name of the form field.
	 */
	const FIELD = 'cpb_connection';

	/**
	 * Actions of admin-post.php.
	 */
	const CONNECT    = 'cpb_connect';
	const DISCONNECT = 'cpb_disconnect';

	/**
	 * Seconds for which the outcome of a form waits for the page that shows it.
	 */
	const NOTICE_SECONDS = 60;

	/**
	 * Where the connection is kept.
	 *
	 * @var Options
	 */
	private $options;

	/**
	 * What the bridge has told.
	 *
	 * @var Takeovers
	 */
	private $takeovers;

	/**
	 * The bridge's access to WooCommerce.
	 *
	 * @var WooCommerce_Access
	 */
	private $access;

	/**
	 * The owner's consent to it.
	 *
	 * @var WooCommerce_Consent
	 */
	private $consent;

	/**
	 * Makes the page.
	 *
	 * @param Options   $options   Where the connection is kept.
	 * @param Takeovers $takeovers What the bridge has told.
	 */
	public function __construct( Options $options, Takeovers $takeovers ) {
		$this->options   = $options;
		$this->takeovers = $takeovers;
		$this->access    = new WooCommerce_Access( $options );
		$this->consent   = new WooCommerce_Consent( $this->access );
	}

	/**
	 * Adds the page to the menu. Callback of `admin_menu`.
	 */
	public function add_to_menu(): void {
		add_options_page(
			__( 'Chat Presence Bridge', 'chat-presence-bridge' ),
			__( 'Chat Presence', 'chat-presence-bridge' ),
			Installation::MANAGE,
			self::SLUG,
			array( $this, 'render' )
		);
	}

	/**
	 * Adds a link to the page to our line in the list of plugins. Callback of `plugin_action_links_…`.
	 *
	 * @param string[] $links Links already there.
	 * @return string[]
	 */
	public function add_link( $links ) {
		if ( current_user_can( Installation::MANAGE ) ) {
			$link = sprintf( '<a href="%s">%s</a>', esc_url( self::url() ), esc_html__( 'Settings', 'chat-presence-bridge' ) );
			array_unshift( $links, $link );
		}
		return $links;
	}

	/**
	 * Saves and connects, or connects again. Callback of `admin_post_cpb_connect`.
	 *
	 * A new string takes the old one's place only when the bridge has accepted it: a mistake disconnects nobody.
	 */
	public function handle_connect(): void {
		$this->check_right( self::CONNECT );
		$pasted = isset( $_POST[ self::FIELD ] ) && is_string( $_POST[ self::FIELD ] ) ? sanitize_text_field( wp_unslash( $_POST[ self::FIELD ] ) ) : null; // phpcs:ignore WordPress.Security.NonceVerification.Missing -- check_right() has verified it.
		$is_new = null !== $pasted && ! $this->options->is_connection_constant();
		try {
			$connection = $is_new ? Connection::from_string( $pasted ) : $this->options->configured_connection();
		} catch ( Connection_Error $error ) {
			$this->leave( 'error', $error->getMessage() );
		}
		if ( null === $connection ) {
			$this->leave( 'error', __( 'There is no connection string yet.', 'chat-presence-bridge' ) );
		}
		$outcome = $this->connect( $connection );
		if ( is_wp_error( $outcome ) ) {
			$this->leave( 'error', $outcome->get_error_message() . ' ' . __( 'Nothing was changed.', 'chat-presence-bridge' ) );
		}
		if ( $is_new ) {
			$this->options->save_connection( $pasted );
		}
		$this->leave( 'success', __( 'Connected.', 'chat-presence-bridge' ) );
	}

	/**
	 * Forgets the connection, and what came by it. Callback of `admin_post_cpb_disconnect`.
	 */
	public function handle_disconnect(): void {
		$this->check_right( self::DISCONNECT );
		$connection = $this->options->connection();
		if ( null !== $connection && $this->access->exists() ) {
			// So that the bridge forgets its key too. If it cannot be told, the key is of no use to it all the same.
			( new Store_Connection( $this->options ) )->connect( $connection );
		}
		$this->access->remove_all();
		$this->options->forget_connection();
		$this->takeovers->forget_all();
		$this->leave( 'success', __( 'Disconnected. The connection string was forgotten.', 'chat-presence-bridge' ) );
	}

	/**
	 * Prints the page.
	 */
	public function render(): void {
		if ( ! current_user_can( Installation::MANAGE ) ) {
			return;
		}
		$connection = null;
		$fault      = '';
		try {
			$connection = $this->options->configured_connection();
		} catch ( Connection_Error $error ) {
			$fault = $error->getMessage();
		}
		echo '<div class="wrap"><h1>' . esc_html__( 'Chat Presence Bridge', 'chat-presence-bridge' ) . '</h1>';
		$this->print_notice();
		if ( '' !== $fault ) {
			$this->print_message( 'error', $fault );
		}
		if ( null !== $connection ) {
			$this->print_status( $connection );
		}
		printf( '<p>%s %s</p>', esc_html__( 'Chat widget:', 'chat-presence-bridge' ), esc_html( WPiko_Adapter::finding() ) );
		if ( WooCommerce_Access::is_available() || $this->access->exists() ) {
			printf( '<p>%s %s</p>', esc_html__( 'WooCommerce:', 'chat-presence-bridge' ), esc_html( $this->consent->status() ) );
		}
		$this->print_connect_form( null !== $connection );
		if ( ( null !== $connection || $this->access->exists() ) && ! $this->options->is_connection_constant() ) {
			$this->print_disconnect_form();
		}
		echo '</div>';
	}

	/**
	 * Gives the address of the page.
	 *
	 * @return string
	 */
	public static function url(): string {
		return admin_url( 'options-general.php?page=' . self::SLUG );
	}

	/**
	 * Asks the bridge to accept this store, with access to WooCommerce if the form gives consent to it.
	 *
	 * @param Connection $connection The connection to ask by.
	 * @return true|\WP_Error One sentence that says what is wrong; then nothing was changed.
	 */
	private function connect( Connection $connection ) {
		$keys = WooCommerce_Consent::is_given() ? $this->access->make( $connection ) : null;
		if ( is_wp_error( $keys ) ) {
			return $keys;
		}
		$outcome = ( new Store_Connection( $this->options ) )->connect( $connection, $keys );
		$this->access->settle( ! is_wp_error( $outcome ) );
		return $outcome;
	}

	/**
	 * Ends the request unless it comes from a form of ours, sent by somebody who may change settings.
	 *
	 * @param string $action Action of the form.
	 */
	private function check_right( string $action ): void {
		if ( ! current_user_can( Installation::MANAGE ) ) {
			wp_die( esc_html__( 'You may not change these settings.', 'chat-presence-bridge' ), '', array( 'response' => 403 ) );
		}
		check_admin_referer( $action );
	}

	/**
	 * Ends the request at the page, where the outcome is shown once, to this user only.
	 *
	 * @param string $kind    `success` or `error`.
	 * @param string $message Plain text.
	 * @return never
	 */
	private function leave( string $kind, string $message ): void {
		set_transient( $this->notice_name(), array( $kind, $message ), self::NOTICE_SECONDS );
		wp_safe_redirect( self::url() );
		exit;
	}

	/**
	 * Prints the outcome of the last form.
	 */
	private function print_notice(): void {
		$notice = get_transient( $this->notice_name() );
		if ( is_array( $notice ) ) {
			delete_transient( $this->notice_name() );
			$this->print_message( $notice[0], $notice[1] );
		}
	}

	/**
	 * Gives the transient that holds the outcome of this user's last form.
	 *
	 * @return string
	 */
	private function notice_name(): string {
		return Options::TRANSIENT_PREFIX . 'notice_' . get_current_user_id();
	}

	/**
	 * Prints a message.
	 *
	 * @param string $kind    `success` or `error`.
	 * @param string $message Plain text.
	 */
	private function print_message( string $kind, string $message ): void {
		printf( '<div class="notice notice-%s"><p>%s</p></div>', esc_attr( $kind ), esc_html( $message ) );
	}

	/**
	 * Prints what is known of the connection.
	 *
	 * @param Connection $connection The connection in use.
	 */
	private function print_status( Connection $connection ): void {
		$store = $this->options->store( $connection );
		$rows  = array(
			array( __( 'Bridge', 'chat-presence-bridge' ), $connection->bridge() ),
			array( __( 'Site id', 'chat-presence-bridge' ), $connection->site() ),
		);
		if ( array() === $store ) {
			$rows[] = array( __( 'Connected', 'chat-presence-bridge' ), __( 'The bridge has not been asked yet.', 'chat-presence-bridge' ) );
		} else {
			$rows[] = array( __( 'Known there as', 'chat-presence-bridge' ), $store['name'] );
			$rows[] = array( __( 'Version of the bridge', 'chat-presence-bridge' ), $store['bridge_version'] );
			$rows[] = array( __( 'Connected', 'chat-presence-bridge' ), wp_date( get_option( 'date_format' ) . ' ' . get_option( 'time_format' ), $store['connected_at'] ) );
		}
		echo '<table class="form-table" role="presentation"><tbody>';
		foreach ( $rows as list( $title, $value ) ) {
			printf( '<tr><th scope="row">%s</th><td>%s</td></tr>', esc_html( $title ), esc_html( $value ) );
		}
		echo '</tbody></table>';
	}

	/**
	 * Prints the form that connects.
	 *
	 * @param bool $is_configured Whether there is a connection string.
	 */
	private function print_connect_form( bool $is_configured ): void {
		$this->open_form( self::CONNECT );
		if ( $this->options->is_connection_constant() ) {
			printf( '<p>%s</p>', esc_html__( 'The connection string is set by the constant CPB_CONNECTION in wp-config.php. It can be changed there only.', 'chat-presence-bridge' ) );
			$this->consent->print_checkbox( 'cpb-woocommerce' );
			submit_button( __( 'Connect', 'chat-presence-bridge' ) );
		} else {
			printf(
				'<p><label for="%1$s">%2$s</label></p><p><input type="password" id="%1$s" name="%1$s" class="large-text code" autocomplete="off" spellcheck="false" required aria-describedby="%1$s-help"></p><p class="description" id="%1$s-help">%3$s</p>',
				esc_attr( self::FIELD ),
				$is_configured ? esc_html__( 'Another connection string', 'chat-presence-bridge' ) : esc_html__( 'Connection string', 'chat-presence-bridge' ),
				esc_html__( 'One line that the bridge shows for this site. It holds a secret: it is kept, but never shown here again.', 'chat-presence-bridge' )
			);
			$this->consent->print_checkbox( 'cpb-woocommerce' );
			submit_button( __( 'Save and connect', 'chat-presence-bridge' ) );
		}
		echo '</form>';
		if ( $is_configured && ! $this->options->is_connection_constant() ) {
			$this->open_form( self::CONNECT );
			$this->consent->print_checkbox( 'cpb-woocommerce-again' );
			submit_button( __( 'Connect again', 'chat-presence-bridge' ), 'secondary' );
			echo '</form>';
		}
	}

	/**
	 * Prints the form that disconnects.
	 */
	private function print_disconnect_form(): void {
		$this->open_form( self::DISCONNECT );
		submit_button( __( 'Disconnect', 'chat-presence-bridge' ), 'delete' );
		echo '</form>';
	}

	/**
	 * Opens a form of ours.
	 *
	 * @param string $action Action of admin-post.php; its nonce has the same name.
	 */
	private function open_form( string $action ): void {
		printf( '<form method="post" action="%s"><input type="hidden" name="action" value="%s">', esc_url( admin_url( 'admin-post.php' ) ), esc_attr( $action ) );
		wp_nonce_field( $action );
	}
}

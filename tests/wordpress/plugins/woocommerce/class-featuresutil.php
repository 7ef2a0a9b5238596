<?php
/**
 * What plugins declare to be compatible with.
 *
 * @package WooCommerceStandIn
 */

namespace Automattic\WooCommerce\Utilities;

defined( 'ABSPATH' ) || exit;

/**
 * Writes declarations down.
 */
final class FeaturesUtil {

	/**
	 * Features by plugin.
	 *
	 * @var array<string,array<string,bool>>
	 */
	private static $declared = array();

	public static function declare_compatibility( string $feature_id, string $plugin_file, bool $positive_compatibility = true ): bool {
		if ( ! doing_action( 'before_woocommerce_init' ) ) {
			_doing_it_wrong( __METHOD__, 'Only while before_woocommerce_init is fired.', '7.0' );
			return false;
		}
		self::$declared[ plugin_basename( $plugin_file ) ][ $feature_id ] = $positive_compatibility;
		return true;
	}

	public static function get_compatible_features_for_plugin( string $plugin_name ): array {
		$declared = self::$declared[ $plugin_name ] ?? array();
		return array(
			'compatible'   => array_keys( $declared, true, true ),
			'incompatible' => array_keys( $declared, false, true ),
		);
	}
}

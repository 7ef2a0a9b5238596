"""One WordPress for all tests here, and a bridge that writes down what it is asked."""

import json
from collections.abc import Iterator

import pytest

from tests.servers.wordpress import WordPress, php_text
from tests.wordpress.recording_bridge import RecordingBridge


@pytest.fixture(scope="session")
def wordpress() -> Iterator[WordPress]:
    with WordPress() as site:
        yield site


@pytest.fixture(autouse=True)
def no_php_notice(wordpress: WordPress) -> Iterator[None]:
    """No test may make our PHP cause a notice, a warning, a deprecation or worse."""
    before = wordpress.complaints()
    yield
    assert wordpress.complaints() == before


@pytest.fixture
def recording_bridge() -> Iterator[RecordingBridge]:
    with RecordingBridge() as bridge:
        yield bridge


@pytest.fixture
def connected(wordpress: WordPress, recording_bridge: RecordingBridge) -> Iterator[RecordingBridge]:
    """The store is connected to a recording bridge, which has forgotten that this happened."""
    wordpress.connect(recording_bridge.connection_string)
    recording_bridge.requests.clear()
    yield recording_bridge
    wordpress.disconnect()


@pytest.fixture
def wpiko(wordpress: WordPress) -> Iterator[None]:
    """The stand-in for WPiko Chatbot is active, with an empty transcript."""
    plugin = "require_once ABSPATH . 'wp-admin/includes/plugin.php';"
    wordpress.php(f"{plugin} activate_plugin( 'wpiko-chatbot/wpiko-chatbot.php' );")
    yield
    wordpress.php(
        "global $wpdb; $wpdb->query( 'TRUNCATE TABLE ' . wpiko_standin_table() );"
        "array_map( 'delete_option', array( WPIKO_STANDIN_LIMIT, WPIKO_STANDIN_INSTRUCTIONS ) );"
        f"{plugin} deactivate_plugins( 'wpiko-chatbot/wpiko-chatbot.php' );"
    )


@pytest.fixture
def woocommerce(wordpress: WordPress) -> Iterator[None]:
    """The stand-in for WooCommerce is active; it sells a mug (10), a book (11) and a seed (12)."""
    plugin = "require_once ABSPATH . 'wp-admin/includes/plugin.php';"
    talk = "<em>Tea</em> &amp; \u201cTalk\u201d \U0001f375 \u05e1\u05e4\u05e8"
    products = {
        10: {"name": "Blue mug", "price": "12.50"},
        11: {"name": talk, "price": "7.99"},
        12: {"name": "Seed", "price": "0.05"},
    }
    given = f"json_decode( {php_text(json.dumps(products))}, true )"
    wordpress.php(
        f"{plugin} activate_plugin( 'woocommerce/woocommerce.php' );"
        f"update_option( 'standin_products', {given} );"
    )
    yield
    wordpress.php(
        f"{plugin} activate_plugin( 'woocommerce/woocommerce.php' );"
        "woo_standin_uninstall(); deactivate_plugins( 'woocommerce/woocommerce.php' );"
        "delete_option( 'cpb_woocommerce' ); add_option( 'cpb_woocommerce', array() );"
    )

"""One WordPress for all tests here, and a bridge that writes down what it is asked."""

from collections.abc import Iterator

import pytest

from tests.servers.wordpress import WordPress
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

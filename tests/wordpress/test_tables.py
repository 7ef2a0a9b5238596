"""Our tables: made on activation and after an update, gone after uninstalling."""

from collections.abc import Iterator

import pytest

from tests.servers.wordpress import PLUGIN, WordPress, php_text
from tests.wordpress.test_page import page

_INCLUDING = "require_once ABSPATH . 'wp-admin/includes/plugin.php';"
_DEACTIVATE = f"{_INCLUDING} deactivate_plugins( {php_text(PLUGIN)} );"
_ACTIVATE = f"{_INCLUDING} activate_plugin( {php_text(PLUGIN)} );"
_UNINSTALL = f"{_INCLUDING} uninstall_plugin( {php_text(PLUGIN)} );"


def tables(wordpress: WordPress) -> list[str]:
    code = "global $wpdb; echo implode( ' ', $wpdb->get_col( \"SHOW TABLES LIKE '%cpb%'\" ) );"
    return wordpress.php(code).split()


OURS = ["wp_cpb_seen_ids", "wp_cpb_takeovers"]


@pytest.fixture(autouse=True)
def active_again(wordpress: WordPress) -> Iterator[None]:
    yield
    wordpress.php(_ACTIVATE)


def test_activation_makes_them(wordpress: WordPress) -> None:
    assert tables(wordpress) == OURS


def test_an_update_makes_them(wordpress: WordPress) -> None:
    """The version before had none, and no activation hook runs when files are replaced."""
    wordpress.php("ChatPresenceBridge\\Schema::drop(); delete_option( 'cpb_schema' );")
    page(wordpress)
    assert tables(wordpress) == OURS
    assert wordpress.option("cpb_schema") == "1"


def test_activating_again_keeps_what_they_hold(wordpress: WordPress) -> None:
    wordpress.php(
        "$takeovers = new ChatPresenceBridge\\Takeovers( new ChatPresenceBridge\\Options() );"
        "$takeovers->started( 'resp_kept', null );"
    )
    wordpress.php(_DEACTIVATE)
    assert tables(wordpress) == OURS
    wordpress.php(_ACTIVATE)
    count = "global $wpdb; echo $wpdb->get_var( 'SELECT COUNT(*) FROM wp_cpb_takeovers WHERE"
    assert wordpress.php(f'{count} conversation = "resp_kept"\' );') == "1"


def test_uninstalling_drops_them(wordpress: WordPress) -> None:
    wordpress.php(_DEACTIVATE)
    wordpress.php(_UNINSTALL)
    assert tables(wordpress) == []
    assert wordpress.option("cpb_schema") is False
    wordpress.php(_ACTIVATE)
    assert tables(wordpress) == OURS

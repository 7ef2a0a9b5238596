"""The bridge's access to WooCommerce: made when the owner agrees, and gone without a trace."""

import html
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers.wordpress import PLUGIN, WordPress, php_text
from tests.wordpress.recording_bridge import SITE, RecordingBridge, json_answer
from tests.wordpress.test_settings_page import Admin, notice

pytestmark = pytest.mark.usefixtures("woocommerce")

AGREED = {"cpb_woocommerce_access": "1"}
_INCLUDING = "require_once ABSPATH . 'wp-admin/includes/plugin.php';"
_WITHOUT_WOOCOMMERCE = f"{_INCLUDING} deactivate_plugins( 'woocommerce/woocommerce.php' );"


@pytest.fixture
def owner(wordpress: WordPress) -> Iterator[Admin]:
    yield Admin(wordpress, "owner", wordpress.password)
    wordpress.disconnect()


def connect(owner: Admin, bridge: RecordingBridge | None, **fields: str) -> str:
    """Send a form to connect, again without ``bridge``; return what the page then says."""
    if bridge is not None:
        fields["cpb_connection"] = bridge.connection_string
    owner.post("cpb_connect", _wpnonce=owner.nonce("cpb_connect"), **fields)
    return notice(owner.page().text)


def sent(bridge: RecordingBridge) -> dict[str, Any] | None:
    """The access that the bridge was given last."""
    request = bridge.requests[-1]
    assert request.target == "/v1/store/connect"
    assert request.is_signed()
    given: dict[str, Any] | None = json.loads(request.body)["woocommerce"]
    return given


def rows(wordpress: WordPress, table: str) -> list[dict[str, str]]:
    """All of a table of WooCommerce's, the oldest first."""
    query = f"'SELECT * FROM ' . $wpdb->prefix . '{table}'"  # noqa: S608 -- a name of these tests
    found: list[dict[str, str]] = json.loads(
        wordpress.php(f"global $wpdb; echo wp_json_encode( $wpdb->get_results( {query} ) );")
    )
    return found


def made(wordpress: WordPress) -> tuple[int, int]:
    """How many keys and webhooks there are."""
    return len(rows(wordpress, "woocommerce_api_keys")), len(rows(wordpress, "wc_webhooks"))


def status(owner: Admin) -> str:
    found = re.search(r"<p>WooCommerce: (.*?)</p>", owner.page().text)
    return html.unescape(found[1]) if found else ""


def boxes(owner: Admin) -> list[bool]:
    """Whether each checkbox of the page is ticked."""
    found = re.findall(r'<input type="checkbox"[^>]*>', owner.page().text)
    assert all('name="cpb_woocommerce_access"' in box for box in found)
    return ["checked" in box for box in found]


def test_the_box_is_not_ticked_at_first_and_remembers(
    owner: Admin, recording_bridge: RecordingBridge
) -> None:
    assert boxes(owner) == [False]
    assert connect(owner, recording_bridge) == "success: Connected."
    assert sent(recording_bridge) is None
    assert made(owner.wordpress) == (0, 0)
    assert boxes(owner) == [False, False]
    connect(owner, None, **AGREED)
    assert boxes(owner) == [True, True]


def test_agreed(owner: Admin, recording_bridge: RecordingBridge) -> None:
    wordpress = owner.wordpress
    assert connect(owner, recording_bridge, **AGREED) == "success: Connected."
    given = sent(recording_bridge)
    assert given is not None
    assert set(given) == {"consumer_key", "consumer_secret", "webhook_secret"}
    (key,) = rows(wordpress, "woocommerce_api_keys")
    assert (key["permissions"], key["user_id"]) == ("read", "1")
    assert key["truncated_key"] == given["consumer_key"][-7:]
    webhooks = rows(wordpress, "wc_webhooks")
    assert {each["delivery_url"] for each in webhooks} == {
        f"{recording_bridge.url}/v1/woocommerce/webhooks/{SITE}"
    }
    assert {each["secret"] for each in webhooks} == {given["webhook_secret"]}
    assert status(owner) == "A read-only key. Webhooks: 6 of 6."
    everything = wordpress.mariadb.execute("SELECT * FROM wordpress.wp_options") + owner.page().text
    for secret in given.values():
        assert secret[3:] not in everything
    assert json.loads(recording_bridge.requests[-1].body)["woocommerce_version"] == "9.5.1"


def test_a_webhook_reaches_the_bridge(owner: Admin, recording_bridge: RecordingBridge) -> None:
    """Whose address is not one that WordPress takes for safe."""
    connect(owner, recording_bridge, **AGREED)
    webhook = rows(owner.wordpress, "wc_webhooks")[0]["webhook_id"]
    said = owner.wordpress.php(
        f"$sent = ( new WC_Webhook( {webhook} ) )->deliver_ping();"
        "echo true === $sent ? '' : $sent->get_error_message();"
    )
    assert said == ""
    ping = recording_bridge.requests[-1]
    assert ping.target == f"/v1/woocommerce/webhooks/{SITE}"
    assert ping.body == f"webhook_id={webhook}".encode()


def test_agreed_and_refused(owner: Admin, recording_bridge: RecordingBridge) -> None:
    recording_bridge.answer = json_answer(422, {"code": "invalid", "detail": "No."})
    said = connect(owner, recording_bridge, **AGREED)
    assert said.startswith("error: ")
    assert sent(recording_bridge) is not None
    assert made(owner.wordpress) == (0, 0)
    assert boxes(owner) == [False]


def test_agreed_and_no_answer(owner: Admin, recording_bridge: RecordingBridge) -> None:
    recording_bridge.close()
    assert "cannot be reached" in connect(owner, recording_bridge, **AGREED)
    assert made(owner.wordpress) == (0, 0)


def test_connecting_again_replaces_them(owner: Admin, recording_bridge: RecordingBridge) -> None:
    connect(owner, recording_bridge, **AGREED)
    first = sent(recording_bridge)
    before = rows(owner.wordpress, "woocommerce_api_keys")
    connect(owner, None, **AGREED)
    second = sent(recording_bridge)
    assert first is not None
    assert second is not None
    assert not set(first.values()) & set(second.values())
    assert made(owner.wordpress) == (1, 6)
    assert rows(owner.wordpress, "woocommerce_api_keys") != before


def test_connecting_again_in_vain_keeps_them(
    owner: Admin, recording_bridge: RecordingBridge
) -> None:
    connect(owner, recording_bridge, **AGREED)
    before = [rows(owner.wordpress, table) for table in ("woocommerce_api_keys", "wc_webhooks")]
    recording_bridge.answer = json_answer(503, {})
    for agreed in (AGREED, {}):
        assert connect(owner, None, **agreed).startswith("error: ")
        after = [rows(owner.wordpress, table) for table in ("woocommerce_api_keys", "wc_webhooks")]
        assert after == before
    assert boxes(owner) == [True, True]


def test_connecting_again_without_the_tick_removes_them(
    owner: Admin, recording_bridge: RecordingBridge
) -> None:
    connect(owner, recording_bridge, **AGREED)
    connect(owner, None)
    assert sent(recording_bridge) is None
    assert made(owner.wordpress) == (0, 0)
    assert status(owner) == "The bridge has no access to customers and orders."


def test_disconnecting_removes_them(owner: Admin, recording_bridge: RecordingBridge) -> None:
    connect(owner, recording_bridge, **AGREED)
    owner.post("cpb_disconnect", _wpnonce=owner.nonce("cpb_disconnect"))
    assert made(owner.wordpress) == (0, 0)
    assert owner.wordpress.option("cpb_woocommerce") == {"keys": [], "webhooks": []}


def test_disconnecting_while_woocommerce_is_away_removes_them(
    owner: Admin, recording_bridge: RecordingBridge
) -> None:
    connect(owner, recording_bridge, **AGREED)
    owner.wordpress.php(_WITHOUT_WOOCOMMERCE)
    assert status(owner).startswith("WooCommerce is not active.")
    assert boxes(owner) == []
    owner.post("cpb_disconnect", _wpnonce=owner.nonce("cpb_disconnect"))
    assert made(owner.wordpress) == (0, 0)


@pytest.mark.parametrize("first", ["", _WITHOUT_WOOCOMMERCE, "woo_standin_uninstall();"])
def test_uninstalling_leaves_nothing(
    owner: Admin, recording_bridge: RecordingBridge, first: str
) -> None:
    wordpress = owner.wordpress
    connect(owner, recording_bridge, **AGREED)
    assert made(wordpress) == (1, 6)
    wordpress.php(first)
    plugin = php_text(PLUGIN)
    wordpress.php(f"{_INCLUDING} deactivate_plugins( {plugin} ); uninstall_plugin( {plugin} );")
    try:
        assert wordpress.option("cpb_woocommerce") is False
        if "uninstall" not in first:
            assert made(wordpress) == (0, 0)
        left = wordpress.mariadb.execute(
            "SELECT option_name FROM wordpress.wp_options WHERE option_name LIKE '%cpb\\_%'"
        )
        assert left.strip() == ""
    finally:
        wordpress.php(f"{_INCLUDING} activate_plugin( {plugin} );")


def test_a_webhook_that_woocommerce_switched_off_is_named(
    owner: Admin, recording_bridge: RecordingBridge
) -> None:
    connect(owner, recording_bridge, **AGREED)
    owner.wordpress.mariadb.execute(
        "UPDATE wordpress.wp_wc_webhooks SET status = 'disabled' WHERE topic = 'order.updated'"
    )
    assert "Switched off in WooCommerce: order.updated." in status(owner)


@pytest.mark.parametrize("ticked", [True, False])
def test_without_woocommerce_nothing_is_asked_or_made(
    owner: Admin, recording_bridge: RecordingBridge, ticked: bool
) -> None:
    owner.wordpress.php(_WITHOUT_WOOCOMMERCE)
    assert boxes(owner) == []
    assert status(owner) == ""
    connect(owner, recording_bridge, **(AGREED if ticked else {}))
    assert sent(recording_bridge) is None
    assert made(owner.wordpress) == (0, 0)


def test_a_woocommerce_that_is_too_old(owner: Admin, recording_bridge: RecordingBridge) -> None:
    owner.wordpress.php("update_option( 'standin_version', '6.9.4' );")
    assert boxes(owner) == []
    connect(owner, recording_bridge, **AGREED)
    assert sent(recording_bridge) is None
    assert made(owner.wordpress) == (0, 0)


@pytest.mark.parametrize("value", ["", "0", "on", "<script>"])
def test_only_the_tick_is_consent(
    owner: Admin, recording_bridge: RecordingBridge, value: str
) -> None:
    connect(owner, recording_bridge, cpb_woocommerce_access=value)
    assert sent(recording_bridge) is None


def test_without_the_forms_own_nonce_nothing_is_made(
    owner: Admin, recording_bridge: RecordingBridge
) -> None:
    nonce = owner.nonce("cpb_connect")
    connect(owner, recording_bridge)
    recording_bridge.requests.clear()
    answer = owner.post("cpb_connect", _wpnonce=nonce[::-1], **AGREED)
    assert answer.status_code == 403
    assert made(owner.wordpress) == (0, 0)
    assert recording_bridge.requests == []

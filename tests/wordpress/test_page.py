"""What the plugin adds to a page of the shop."""

import json
import re
from typing import Any

import pytest
import requests

from tests.servers.wordpress import CHECKOUT, WordPress
from tests.wordpress.recording_bridge import SITE, RecordingBridge


def page(wordpress: WordPress, path: str = "/first/", **arguments: Any) -> str:
    response = requests.get(wordpress.url + path, timeout=30, **arguments)
    assert response.status_code == 200
    return response.text


def our_part(html: str) -> list[str]:
    """The lines of a page that speak of us."""
    return [line for line in html.splitlines() if re.search("(?i)presence|cpb_", line)]


def configuration(html: str) -> dict[str, str]:
    found = re.search(r"window\.ChatPresenceConfig = (\{.*\});", html)
    assert found is not None
    read: dict[str, str] = json.loads(found[1])
    return read


def test_not_connected_prints_nothing(wordpress: WordPress) -> None:
    assert our_part(page(wordpress)) == []


@pytest.mark.parametrize("broken", ["hello", "http://st_a:b@bridge.example.com", ""])
def test_misconfigured_prints_nothing(wordpress: WordPress, broken: str) -> None:
    wordpress.php(f"update_option( 'cpb_connection', {json.dumps(broken)} );")
    try:
        assert our_part(page(wordpress)) == []
        session = requests.post(
            f"{wordpress.url}/wp-json/chat-presence-bridge/v1/session",
            headers={"Origin": wordpress.url},
            timeout=30,
        )
        assert session.status_code == 404
    finally:
        wordpress.disconnect()


def test_configuration(wordpress: WordPress, connected: RecordingBridge) -> None:
    routes = f"{wordpress.url}/wp-json/chat-presence-bridge/v1"
    assets = f"{wordpress.url}/wp-content/plugins/chat-presence-bridge/assets"
    assert configuration(page(wordpress)) == {
        "bridge": connected.url,
        "session": f"{routes}/session",
        "events": f"{routes}/events",
        "sync": f"{routes}/sync",
        "live": f"{assets}/live.js?ver={wordpress.php('echo CPB_VERSION;')}",
    }


def test_the_stub_comes_before_every_other_script(
    wordpress: WordPress, connected: RecordingBridge
) -> None:
    html = page(wordpress)
    stub = (CHECKOUT / "wp-plugin/assets/stub.js").read_text().strip()
    assert html.index(stub) < html.index("demo-chat.js")
    assert html.index("<script") < html.index("ChatPresenceConfig") < html.index("</script")
    assert html.count("ChatPresenceConfig = ") == 1


def test_the_script_is_deferred_and_served(
    wordpress: WordPress, connected: RecordingBridge
) -> None:
    tags = re.findall(r"<script[^>]*presence\.js[^>]*>", page(wordpress))
    assert len(tags) == 1
    assert re.search(r"\sdefer\b", tags[0])
    source = re.search("src=['\"]([^'\"]+)", tags[0])
    assert source is not None
    assert source[1].endswith(f"?ver={wordpress.php('echo CPB_VERSION;')}")
    assert requests.get(source[1], timeout=30).text == (
        CHECKOUT / "wp-plugin/assets/presence.js"
    ).read_text(encoding="utf-8")


def test_a_page_is_the_same_for_all(wordpress: WordPress, connected: RecordingBridge) -> None:
    """A page cache may give one visitor's page to all the others."""
    session = requests.Session()
    given = session.post(
        f"{wordpress.url}/wp-json/chat-presence-bridge/v1/session",
        headers={"Origin": wordpress.url},
        timeout=30,
    ).json()
    again = session.get(f"{wordpress.url}/first/", timeout=30).text
    assert again == page(wordpress)
    assert given["visitor"] not in again
    assert given["token"] not in again
    assert SITE not in again
    assert "nonce" not in "".join(our_part(again)).lower()


def test_a_page_sets_no_cookie(wordpress: WordPress, connected: RecordingBridge) -> None:
    assert not requests.get(f"{wordpress.url}/first/", timeout=30).cookies


def test_rendering_asks_the_bridge_nothing(
    wordpress: WordPress, connected: RecordingBridge
) -> None:
    page(wordpress)
    page(wordpress, "/second/")
    assert connected.requests == []


def test_a_page_is_served_while_the_bridge_is_away(
    wordpress: WordPress, connected: RecordingBridge
) -> None:
    before = page(wordpress)
    connected.close()
    assert page(wordpress) == before


def test_rendering_costs_no_query(wordpress: WordPress, connected: RecordingBridge) -> None:
    """The same page asks as often with the plugin, connected or not, as without it."""
    ours = queries_of_a_page(wordpress)
    wordpress.php("update_option( 'active_plugins', array( 'demo-chat/demo-chat.php' ) );")
    try:
        assert our_part(page(wordpress)) == []
        without = queries_of_a_page(wordpress)
    finally:
        wordpress.php(
            "update_option( 'active_plugins', array(\n"
            "'chat-presence-bridge/chat-presence-bridge.php', 'demo-chat/demo-chat.php' ) );"
        )
    wordpress.disconnect()
    assert 0 < ours == without == queries_of_a_page(wordpress)


def queries_of_a_page(wordpress: WordPress) -> int:
    page(wordpress)
    counted = re.search(r"Queries: (\d+)", page(wordpress))
    assert counted is not None
    return int(counted[1])


def test_plain_permalinks(wordpress: WordPress, connected: RecordingBridge) -> None:
    wordpress.php("update_option( 'permalink_structure', '' );")
    try:
        address = configuration(page(wordpress, "/?page_id=4"))["session"]
        assert "?rest_route=" in address
        answer = requests.post(address, headers={"Origin": wordpress.url}, timeout=30)
        assert answer.status_code == 200
    finally:
        wordpress.php("update_option( 'permalink_structure', '/%postname%/' );")


def test_nothing_in_the_admin_pages(wordpress: WordPress, connected: RecordingBridge) -> None:
    html = page(wordpress, "/wp-login.php")
    assert "ChatPresence" not in html

"""presence.js in a real browser: what it says of the page's life, and when (presence-rules)."""

import gzip
import json
import threading

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.e2e.exchange import Answer, Arrival, accepted
from tests.e2e.shop_and_bridge import (
    ASSETS,
    HIDE,
    SHOW,
    ShopAndBridge,
    begin_chat,
    mark,
    wait_until_answered,
)
from tests.e2e.stopped_clock import move_clock, stop_clock


def test_nothing_is_sent_or_stored_before_a_chat_begins(
    tab: Page, visitor: BrowserContext, servers: ShopAndBridge
) -> None:
    stop_clock(tab)
    tab.goto(servers.page_url("a"))
    tab.evaluate(HIDE)
    tab.evaluate(SHOW)
    move_clock(tab, "01:00:00")
    tab.click("text=b")
    tab.evaluate("() => history.back()")
    tab.wait_for_url("**/page/a", wait_until="commit")  # a cached page does not load
    tab.evaluate("() => { ChatPresence.cleared(); ChatPresence.message({ id: 'm', text: 'x' }); }")
    mark(tab, servers)
    assert servers.record.paths() == ["shop /mark"]
    assert tab.evaluate("() => sessionStorage.length + localStorage.length") == 0
    assert visitor.cookies() == []


def test_a_chat_begins_with_a_session_and_a_page_view(tab: Page, servers: ShopAndBridge) -> None:
    tab.goto(servers.page_url("a") + "?secret=1#part")
    tab.evaluate("() => ChatPresence.conversation('c1')")
    tab.evaluate("() => ChatPresence.conversation({ id: 'c1' }.id)")
    servers.record.wait_for(servers.record.events)
    assert servers.record.paths() == ["shop /session", "bridge /v1/visitor/events"]
    asked, told = servers.record.requests()
    assert asked.body == b""
    assert told.headers["content-type"].startswith("text/plain")
    assert json.loads(told.body)["token"] == "token-1"
    (view,) = told.events
    assert view == {
        "id": view["id"],
        "type": "page_view",
        "conversation": "c1",
        "page": view["page"],
        "seq": 1,
        "url": servers.page_url("a"),
        "title": "Page a",
    }
    assert len(view["id"]) >= 22
    assert len(view["page"]) >= 22


def test_messages_travel_with_page_and_sequence(tab: Page, servers: ShopAndBridge) -> None:
    begin_chat(tab, servers)
    tab.evaluate("() => ChatPresence.message({ id: 'm1', text: 'Hello' })")
    servers.record.wait_for(lambda: servers.record.events("message"))
    view, message = servers.record.events()
    assert message["message"] == {"id": "m1", "author": "visitor", "text": "Hello"}
    assert (message["page"], message["conversation"]) == (view["page"], "c1")
    assert message["seq"] > view["seq"]


def test_c1_what_a_visitor_says_of_themselves_goes_along(tab: Page, servers: ShopAndBridge) -> None:
    begin_chat(tab, servers)
    tab.evaluate("""() => ChatPresence.message({
        id: 'm1', text: 'Hello', name: 'Jane \\ud83d', email: 'jane@example.test', phone: '1'
    })""")
    servers.record.wait_for(lambda: servers.record.events("message"))
    said = servers.record.events("message")[0]["message"]
    assert (said["name"], said["email"]) == ("Jane \ufffd", "jane@example.test")
    assert said.keys() == {"id", "author", "text", "name", "email"}


def test_what_a_widget_says_before_the_script_has_loaded_is_said(
    tab: Page, servers: ShopAndBridge
) -> None:
    servers.early_script = """
        window.early = ChatPresence.state();
        document.dispatchEvent(
            new CustomEvent('chat-presence:conversation', { detail: { id: 'c1' } }));
        ChatPresence.message({ id: 'm1', text: 'early' });
        document.dispatchEvent(new CustomEvent('chat-presence:cleared', { detail: 'c1' }));
    """
    tab.goto(servers.page_url("a"))
    servers.record.wait_for(lambda: servers.record.events("chat_cleared"))
    # The page view went out of date before it could be sent.
    assert servers.record.types() == ["message", "chat_cleared"]
    assert {event["conversation"] for event in servers.record.events()} == {"c1"}
    assert tab.evaluate("() => early.conversation") is None


def test_the_state_tells_all_but_the_token(tab: Page, servers: ShopAndBridge) -> None:
    begin_chat(tab, servers)
    state = tab.evaluate("() => ChatPresence.state()")
    assert state == {
        "conversation": "c1",
        "page": servers.record.events()[0]["page"],
        "seq": 1,
        "route": "bridge",
        "transport": None,
        "hidden": False,
        "heartbeat_seconds": 0,
        "visitor": "v_1",
        "queued": 0,
        "last_error": None,
    }


def test_p3_leaving_a_page_sends_one_unload(tab: Page, servers: ShopAndBridge) -> None:
    begin_chat(tab, servers)
    tab.click("text=b")
    servers.record.wait_for(lambda: servers.record.events("page_unload"))
    tab.evaluate("() => ChatPresence.conversation('c1')")
    servers.record.wait_for(lambda: len(servers.record.events("page_view")) == 2)
    first, unload, second = servers.record.events()
    assert (unload["page"], unload["seq"]) == (first["page"], first["seq"] + 1)
    assert second["page"] != first["page"]
    # A page change costs the store no PHP: the token went along.
    assert servers.record.paths().count("shop /session") == 1
    beacon = servers.record.requests("bridge")[1]
    assert beacon.headers["content-type"].startswith("text/plain")
    assert json.loads(beacon.body)["token"] == "token-1"


def test_p9_back_to_a_cached_page(tab: Page, servers: ShopAndBridge) -> None:
    """The same page, a greater sequence, and nothing in between."""
    begin_chat(tab, servers)
    tab.click("text=b")
    servers.record.wait_for(lambda: servers.record.events("page_unload"))
    mark(tab, servers)
    tab.evaluate("() => history.back()")
    servers.record.wait_for(lambda: len(servers.record.events("page_view")) == 2)
    mark(tab, servers)
    seen = tab.evaluate("() => seen")
    assert ["pageshow", True] in seen
    # It is this that must not be taken for a hidden tab.
    assert ["visibilitychange", False] in seen[seen.index(["pagehide", True]) :]
    assert servers.record.types() == ["page_view", "page_unload", "page_view"]
    view, unload, again = servers.record.events()
    assert view["page"] == unload["page"] == again["page"]
    assert view["seq"] < unload["seq"] < again["seq"]


@pytest.mark.parametrize("late_status", [200, None])
def test_a_request_under_way_does_not_keep_a_page_out_of_the_cache(
    tab: Page, servers: ShopAndBridge, late_status: int | None
) -> None:
    """Nor does it say anything about the way to the bridge when it is cut off there."""
    begin_chat(tab, servers)
    arrived = threading.Event()

    def answer_once_the_page_is_away(arrival: Arrival) -> Answer:
        servers.bridge_answer = accepted
        arrived.set()
        servers.record.wait_for(lambda: "shop /mark" in servers.record.paths())
        return accepted(arrival) if late_status else Answer(status=None)

    servers.bridge_answer = answer_once_the_page_is_away
    tab.evaluate("() => ChatPresence.message({ id: 'm1', text: 'slow' })")
    assert arrived.wait(30)  # before what the next page sends, which is the same once more
    tab.click("text=b")
    mark(tab, servers)
    tab.evaluate("() => history.back()")
    servers.record.wait_for(lambda: len(servers.record.events("page_view")) == 2)
    assert ["pageshow", True] in tab.evaluate("() => seen")
    wait_until_answered(tab)
    mark(tab, servers)
    assert "m1" in {event["message"]["id"] for event in servers.record.events("message")}
    assert "shop /events" not in servers.record.paths()
    assert tab.evaluate("() => ChatPresence.state().route") == "bridge"


def test_p12_a_hidden_tab_says_so_and_a_shown_one_too(tab: Page, servers: ShopAndBridge) -> None:
    begin_chat(tab, servers)
    tab.evaluate(HIDE)
    servers.record.wait_for(lambda: servers.record.events("page_hidden"))
    tab.evaluate(SHOW)
    servers.record.wait_for(lambda: len(servers.record.events("page_view")) == 2)
    assert servers.record.types() == ["page_view", "page_hidden", "page_view"]
    assert [event["seq"] for event in servers.record.events()] == [1, 2, 3]


def test_p12_a_page_opened_in_the_background(tab: Page, servers: ShopAndBridge) -> None:
    servers.early_script = (
        "Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' });"
        "ChatPresence.conversation('c1');"
    )
    tab.goto(servers.page_url("a"))
    servers.record.wait_for(servers.record.events)
    assert servers.record.types() == ["page_view", "page_hidden"]


def test_d2_heartbeats_only_when_told(tab: Page, servers: ShopAndBridge) -> None:
    beats = servers.record.events
    servers.bridge_answer = lambda arrival: accepted(arrival, heartbeat_seconds=10)
    stop_clock(tab)
    begin_chat(tab, servers)
    move_clock(tab, "00:08")
    mark(tab, servers)
    assert not beats("heartbeat")
    for count, later in ((1, "00:03"), (2, "00:11"), (3, "00:11")):
        move_clock(tab, later)
        servers.record.wait_for(lambda: len(beats("heartbeat")) == count)  # noqa: B023 (called now)
    servers.bridge_answer = accepted
    move_clock(tab, "00:11")
    servers.record.wait_for(lambda: len(beats("heartbeat")) == 4)
    tab.wait_for_function("() => ChatPresence.state().heartbeat_seconds === 0")
    move_clock(tab, "01:00:00")
    mark(tab, servers)
    assert len(beats("heartbeat")) == 4


def test_p12_a_hidden_page_beats_once_a_minute_at_most(tab: Page, servers: ShopAndBridge) -> None:
    servers.bridge_answer = lambda arrival: accepted(arrival, heartbeat_seconds=10)
    stop_clock(tab)
    begin_chat(tab, servers)
    tab.evaluate(HIDE)
    servers.record.wait_for(lambda: servers.record.events("page_hidden"))
    move_clock(tab, "00:58")
    mark(tab, servers)
    assert not servers.record.events("heartbeat")
    move_clock(tab, "00:03")
    servers.record.wait_for(lambda: servers.record.events("heartbeat"))


@pytest.mark.parametrize("taken", [True, False])
def test_a_cleared_chat_is_left_alone(tab: Page, servers: ShopAndBridge, taken: bool) -> None:
    servers.bridge_answer = lambda arrival: accepted(arrival, heartbeat_seconds=10)
    stop_clock(tab)
    begin_chat(tab, servers)
    if not taken:
        servers.bridge_answer = lambda _: Answer(400)
    tab.evaluate("() => ChatPresence.cleared()")
    wait_until_answered(tab)
    move_clock(tab, "01:00:00")
    tab.evaluate(HIDE)
    tab.click("text=b")
    mark(tab, servers)
    assert servers.record.types() == ["page_view", "chat_cleared"]


def test_p8_another_conversation_on_the_same_page(tab: Page, servers: ShopAndBridge) -> None:
    begin_chat(tab, servers)
    tab.evaluate("() => ChatPresence.conversation('c2')")
    servers.record.wait_for(lambda: len(servers.record.events("page_view")) == 2)
    said = [(event["type"], event["conversation"]) for event in servers.record.events()]
    assert said == [("page_view", "c1"), ("page_unload", "c1"), ("page_view", "c2")]
    assert len({event["page"] for event in servers.record.events()}) == 1


def test_a_prerendered_page_is_silent_until_it_is_seen(tab: Page, servers: ShopAndBridge) -> None:
    servers.early_script = (
        "Object.defineProperty(document, 'prerendering',"
        " { configurable: true, get: () => true });"
        "ChatPresence.conversation('c1');"
    )
    tab.goto(servers.page_url("a"))
    mark(tab, servers)
    assert servers.record.paths() == ["shop /mark"]
    tab.evaluate("() => document.dispatchEvent(new Event('prerenderingchange'))")
    servers.record.wait_for(lambda: servers.record.events("page_view"))


def test_the_script_included_twice_is_one_page(tab: Page, servers: ShopAndBridge) -> None:
    begin_chat(tab, servers)
    tab.add_script_tag(url="/presence.js")
    tab.click("text=b")
    servers.record.wait_for(lambda: servers.record.events("page_unload"))
    mark(tab, servers)
    assert servers.record.types() == ["page_view", "page_unload"]


def test_a_widget_that_talks_nonsense_gets_no_error(tab: Page, servers: ShopAndBridge) -> None:
    tab.goto(servers.page_url("a"))
    tab.evaluate("""() => {
        for (const method of ['conversation', 'cleared', 'message', 'onMessage', 'onTakeover']) {
            for (const value of [undefined, null, '', 0, {}, [], Symbol('x')]) {
                ChatPresence[method](value);
            }
        }
    }""")
    mark(tab, servers)


def test_b11_the_script_is_small() -> None:
    scripts = (ASSETS / "presence.js").read_bytes() + (ASSETS / "stub.js").read_bytes()
    assert len(gzip.compress(scripts)) <= 4096
    # What is fetched once a chat begins.
    assert len(gzip.compress((ASSETS / "live.js").read_bytes())) <= 4096

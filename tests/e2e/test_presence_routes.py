"""presence.js in a real browser: by which way its events travel, and with which token."""

import json
from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import Page

from tests.e2e.exchange import EVENTS_PATH, Answer, Arrival, accepted, session
from tests.e2e.shop_and_bridge import (
    ShopAndBridge,
    begin_chat,
    mark,
    say,
    wait_until_answered,
)
from tests.e2e.stopped_clock import move_clock, stop_clock


def test_the_store_passes_events_on_where_the_bridge_is_out_of_reach(
    tab: Page, servers: ShopAndBridge
) -> None:
    servers.bridge.stop()
    begin_chat(tab, servers)
    assert servers.record.paths() == ["shop /session", "shop /events"]
    told = servers.record.requests()[1]
    assert told.headers["content-type"].startswith("text/plain")
    assert json.loads(told.body)["token"] == "token-1"
    assert servers.record.types() == ["page_view"]
    assert tab.evaluate("() => ChatPresence.state().route") == "store"
    tab.click("text=b")
    servers.record.wait_for(lambda: servers.record.events("page_unload"))
    assert servers.record.paths()[-1] == "shop /events"


def test_a_policy_of_the_shop_that_blocks_the_bridge(tab: Page, servers: ShopAndBridge) -> None:
    servers.page_headers = {"Content-Security-Policy": "connect-src 'self'"}
    begin_chat(tab, servers)
    assert servers.record.paths() == ["shop /session", "shop /events"]


def test_a_bridge_that_does_not_answer(tab: Page, servers: ShopAndBridge) -> None:
    def answer_too_late(arrival: Arrival) -> Answer:
        servers.record.wait_for(lambda: "shop /events" in servers.record.paths())
        return accepted(arrival)

    servers.bridge_answer = answer_too_late
    stop_clock(tab)
    tab.goto(servers.page_url("a"))
    with tab.expect_request(f"**{EVENTS_PATH}"):
        tab.evaluate("() => ChatPresence.conversation('c1')")
    tab.clock.run_for("00:06")  # with the request under way
    wait_until_answered(tab)
    assert tab.evaluate("() => ChatPresence.state().route") == "store"


def test_the_way_that_worked_is_kept_and_the_direct_one_tried_again(
    tab: Page, servers: ShopAndBridge
) -> None:
    servers.bridge_answer = lambda _: Answer(status=None)
    stop_clock(tab)
    begin_chat(tab, servers)
    assert servers.record.paths()[-1] == "shop /events"
    servers.bridge_answer = accepted
    tried = len(servers.record.requests("bridge"))
    tab.goto(servers.page_url("b"))
    tab.evaluate("() => ChatPresence.conversation('c1')")
    wait_until_answered(tab)
    assert len(servers.record.requests("bridge")) == tried
    move_clock(tab, "05:01")
    say(tab, "m1")
    wait_until_answered(tab)
    assert servers.record.requests()[-1].server == "bridge"
    assert tab.evaluate("() => ChatPresence.state().route") == "bridge"


def test_an_ended_token_is_renewed_once_and_then_with_patience(
    tab: Page, servers: ShopAndBridge
) -> None:
    def only(token: str) -> Callable[[Arrival], Answer]:
        return lambda arrival: (
            accepted(arrival) if json.loads(arrival.body)["token"] == token else Answer(401)
        )

    sessions = servers.record.paths
    begin_chat(tab, servers)
    servers.bridge_answer = only("token-2")
    servers.session_answer = lambda: session("token-2")
    say(tab, "m1")
    wait_until_answered(tab)
    assert sessions().count("shop /session") == 2
    stop_clock(tab)
    tab.goto(servers.page_url("b"))
    servers.bridge_answer = only("a token that the store never makes")
    tab.evaluate("() => ChatPresence.conversation('c1')")
    tab.wait_for_function("() => ChatPresence.state().last_error === 'HTTP 401'")
    move_clock(tab, "00:02")
    servers.record.wait_for(lambda: sessions().count("shop /session") == 3)
    servers.record.wait_for(lambda: len(servers.record.events("page_view")) == 3)
    tab.wait_for_function("() => ChatPresence.state().visitor === null")
    move_clock(tab, "04:50")
    mark(tab, servers)
    assert sessions().count("shop /session") == 3


def test_a_token_is_renewed_before_it_ends(tab: Page, servers: ShopAndBridge) -> None:
    servers.session_answer = lambda: session(lifetime=timedelta(hours=3))
    stop_clock(tab)
    begin_chat(tab, servers)
    tab.clock.fast_forward("02:50:00")
    say(tab, "m1")
    wait_until_answered(tab)
    assert servers.record.paths().count("shop /session") == 1
    servers.session_answer = lambda: session("token-2")
    tab.clock.fast_forward("00:06:00")
    say(tab, "m2")
    wait_until_answered(tab)
    assert servers.record.paths().count("shop /session") == 2
    assert json.loads(servers.record.requests()[-1].body)["token"] == "token-2"


def test_a_store_that_gives_no_session_is_not_pestered(tab: Page, servers: ShopAndBridge) -> None:
    servers.session_answer = lambda: Answer(403)
    stop_clock(tab)
    tab.goto(servers.page_url("a"))
    tab.evaluate("() => ChatPresence.conversation('c1')")
    tab.wait_for_function("() => ChatPresence.state().last_error === 'HTTP 403'")
    say(tab, "m1")
    move_clock(tab, "04:50")
    mark(tab, servers)
    assert servers.record.paths() == ["shop /session", "shop /mark"]
    servers.session_answer = session
    move_clock(tab, "00:11")
    wait_until_answered(tab)
    assert servers.record.types() == ["page_view", "message"]


def test_no_preflight_is_ever_needed(tab: Page, servers: ShopAndBridge) -> None:
    begin_chat(tab, servers)
    say(tab, "m1")
    wait_until_answered(tab)
    tab.click("text=b")
    servers.record.wait_for(lambda: servers.record.events("page_unload"))
    assert {arrival.method for arrival in servers.record.requests()} == {"POST"}
    assert {arrival.path for arrival in servers.record.requests("bridge")} == {EVENTS_PATH}

"""presence.js in a real browser: what it has to say arrives, and what never can is dropped."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.e2e.exchange import Answer, Arrival, accepted
from tests.e2e.shop_and_bridge import (
    ShopAndBridge,
    begin_chat,
    mark,
    say,
    wait_until_answered,
)
from tests.e2e.stopped_clock import move_clock, stop_clock

FORBID_STORAGE = """Object.defineProperty(window, 'sessionStorage', {
    get() { throw new DOMException('denied', 'SecurityError'); },
});"""
UNAVAILABLE = Answer(503)


def refuse(answer: Answer) -> Callable[[Arrival], Answer]:
    return lambda _: answer


def test_the_first_page_view_is_repeated_until_it_is_answered(
    tab: Page, servers: ShopAndBridge
) -> None:
    servers.bridge_answer = refuse(UNAVAILABLE)
    tab.goto(servers.page_url("a"))
    tab.evaluate("() => ChatPresence.conversation('c1')")
    servers.record.wait_for(lambda: len(servers.record.events()) == 3)
    servers.bridge_answer = accepted
    wait_until_answered(tab)
    views = servers.record.events()
    assert len(views) >= 4
    assert views == [views[0]] * len(views)
    # An answer, be it a bad one, is no reason to bother the store.
    assert "shop /events" not in servers.record.paths()


def test_retry_after_is_honoured(tab: Page, servers: ShopAndBridge) -> None:
    stop_clock(tab)
    begin_chat(tab, servers)
    servers.bridge_answer = refuse(Answer(429, headers={"Retry-After": "120"}))
    say(tab, "m1")
    tab.wait_for_function("() => ChatPresence.state().last_error === 'HTTP 429'")
    servers.bridge_answer = accepted
    move_clock(tab, "01:58")
    say(tab, "m2")
    mark(tab, servers)
    assert [event["message"]["id"] for event in servers.record.events("message")] == ["m1"]
    move_clock(tab, "00:03")
    wait_until_answered(tab)
    ids = [event["message"]["id"] for event in servers.record.events("message")]
    assert ids == ["m1", "m1", "m2"]


def test_messages_survive_a_page_change(tab: Page, servers: ShopAndBridge) -> None:
    begin_chat(tab, servers)
    servers.bridge_answer = refuse(UNAVAILABLE)
    say(tab, "m1")
    tab.wait_for_function("() => ChatPresence.state().last_error === 'HTTP 503'")
    tab.evaluate("() => ChatPresence.cleared('c1')")
    tab.click("text=b")
    mark(tab, servers)
    before = servers.record.events()
    servers.bridge_answer = accepted
    tab.goto(servers.page_url("a"))
    wait_until_answered(tab)
    message, cleared = servers.record.events()[-2:]
    assert message == next(event for event in before if event["type"] == "message")
    assert cleared["type"] == "chat_cleared"
    assert (cleared["page"], cleared["conversation"]) == (message["page"], "c1")
    assert cleared["seq"] > message["seq"]
    assert tab.evaluate("() => sessionStorage.cpb_queue") == "[]"
    assert servers.record.paths().count("shop /session") == 1


def test_the_beacon_takes_unsent_messages_along(tab: Page, servers: ShopAndBridge) -> None:
    begin_chat(tab, servers)
    servers.bridge_answer = refuse(UNAVAILABLE)
    say(tab, "m1")
    tab.wait_for_function("() => ChatPresence.state().last_error === 'HTTP 503'")
    tab.close()
    servers.record.wait_for(lambda: servers.record.events("page_unload"))
    assert [event["type"] for event in servers.record.requests()[-1].events] == [
        "message",
        "page_unload",
    ]


def test_the_queue_is_bounded(tab: Page, servers: ShopAndBridge) -> None:
    begin_chat(tab, servers)
    servers.bridge_answer = refuse(UNAVAILABLE)
    for number in range(60):
        say(tab, f"m{number}")
    tab.wait_for_function("() => ChatPresence.state().last_error === 'HTTP 503'")
    servers.bridge_answer = accepted
    wait_until_answered(tab)
    last = servers.record.requests()[-1].events
    assert [event["message"]["id"] for event in last] == [f"m{n}" for n in range(10, 60)]


def test_long_texts_are_cut_and_bodies_kept_below_64_kib(tab: Page, servers: ShopAndBridge) -> None:
    begin_chat(tab, servers)
    tab.evaluate("""() => {
        for (const id of ['m0', 'm1', 'm2']) {
            ChatPresence.message({ id, text: String.fromCodePoint(0x1f600).repeat(17000) });
        }
    }""")
    tab.evaluate("() => ChatPresence.message({ id: 'm3', text: 'a\\0b\\ud800c' })")
    wait_until_answered(tab)
    said = [event["message"] for event in servers.record.events("message")]
    assert [message["id"] for message in said] == ["m0", "m1", "m2", "m3"]
    assert [len(message["text"]) for message in said] == [16_000, 16_000, 16_000, 5]
    assert said[3]["text"] == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"
    assert max(len(arrival.body) for arrival in servers.record.requests()) <= 65_536


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_can_never_be_taken_is_dropped(tab: Page, servers: ShopAndBridge, status: int) -> None:
    begin_chat(tab, servers)
    servers.bridge_answer = refuse(Answer(status))
    say(tab, "m1")
    wait_until_answered(tab)
    assert tab.evaluate("() => ChatPresence.state().last_error") == f"HTTP {status}"
    servers.bridge_answer = accepted
    say(tab, "m2")
    wait_until_answered(tab)
    sent = [event["message"]["id"] for event in servers.record.events("message")]
    assert sent == ["m1", "m2"]


def test_a_rejected_event_is_dropped_and_told(tab: Page, servers: ShopAndBridge) -> None:
    def reject(arrival: Arrival) -> Answer:
        results = [
            {"id": event["id"], "status": "rejected", "code": "not-yours"}
            for event in arrival.events
        ]
        return Answer(body=json.dumps({"results": results, "conversations": {}}))

    servers.bridge_answer = lambda arrival: accepted(arrival, heartbeat_seconds=10)
    begin_chat(tab, servers)
    servers.bridge_answer = reject
    say(tab, "m1")
    wait_until_answered(tab)
    assert tab.evaluate("() => ChatPresence.state().last_error") == "not-yours"
    assert len(servers.record.events("message")) == 1
    tab.evaluate("() => ChatPresence.conversation('c2')")
    wait_until_answered(tab)
    assert tab.evaluate("() => ChatPresence.state().heartbeat_seconds") == 0


def test_a_browser_that_forbids_storage(
    visitor: BrowserContext, tab: Page, servers: ShopAndBridge
) -> None:
    visitor.add_init_script(FORBID_STORAGE)
    begin_chat(tab, servers)
    say(tab, "m1")
    wait_until_answered(tab)
    tab.click("text=b")
    servers.record.wait_for(lambda: servers.record.events("page_unload"))
    tab.evaluate("() => ChatPresence.conversation('c1')")
    wait_until_answered(tab)
    assert servers.record.types() == ["page_view", "message", "page_unload", "page_view"]


def test_the_network_coming_back_is_used_at_once(
    visitor: BrowserContext, tab: Page, servers: ShopAndBridge
) -> None:
    stop_clock(tab)
    begin_chat(tab, servers)
    visitor.set_offline(True)
    say(tab, "m1")
    tab.wait_for_function("() => ChatPresence.state().last_error")
    visitor.set_offline(False)
    # The clock stands still: no back-off can end.
    wait_until_answered(tab)
    assert servers.record.types() == ["page_view", "message"]

"""live.js in a real browser: where no stream comes through, the page asks instead."""

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.e2e.exchange import Answer, Arrival, accepted, open_stream, synced
from tests.e2e.live_chat import REMEMBER, streams, told
from tests.e2e.shop_and_bridge import (
    HIDE,
    SHOW,
    ShopAndBridge,
    begin_chat,
    mark,
    transport_is,
    wait_until_answered,
)
from tests.e2e.stopped_clock import move_clock, stop_clock
from tests.e2e.streams import SAM, message

HTML = Answer(body="<p>Please sign in to this network.</p>")


def cut_off(arrival: Arrival) -> Answer:
    """As a filter in between does."""
    return Answer(status=None)


def syncs_are(live: ShopAndBridge, count: int) -> Arrival:
    live.record.wait_for(lambda: len(live.record.syncs()) == count)
    return live.record.syncs()[-1]


def test_a_blocked_stream_is_replaced_by_sync(tab: Page, live: ShopAndBridge) -> None:
    live.stream_answer = cut_off
    stop_clock(tab)
    live.sync_answer = lambda _: synced(
        message(4), next_sync_seconds=3, takeover={"active": True, "agent": SAM}
    )
    begin_chat(tab, live)
    first = syncs_are(live, 1)
    transport_is(tab, "sync")
    tab.evaluate(REMEMBER)
    assert (first.server, first.token) == ("bridge", "token-1")
    assert first.query == {"conversation": "c1", "page": live.record.events()[0]["page"]}
    told(tab, "text 4", [True, "Sam"])
    live.record.wait_for(lambda: live.record.events("message_delivered"))
    live.sync_answer = lambda _: synced(message(5), message(6), next_sync_seconds=60)
    move_clock(tab, "00:04")
    assert syncs_are(live, 2).query["after"] == "4"
    told(tab, "text 4", [True, "Sam"], [False, None], "text 5", "text 6")
    move_clock(tab, "00:50")
    mark(tab, live)
    assert len(live.record.syncs()) == 2
    move_clock(tab, "00:11")
    syncs_are(live, 3)
    assert {arrival.server for arrival in live.record.requests()} == {"bridge", "shop"}
    assert "shop /events" not in live.record.paths()


def test_a_page_that_is_looked_at_again_asks_at_once(tab: Page, live: ShopAndBridge) -> None:
    live.stream_answer = cut_off
    stop_clock(tab)
    begin_chat(tab, live)
    syncs_are(live, 1)
    transport_is(tab, "sync")
    tab.evaluate(HIDE)
    wait_until_answered(tab)
    mark(tab, live)
    assert len(live.record.syncs()) == 1
    # The clock stands still.
    tab.evaluate(SHOW)
    syncs_are(live, 2)


def test_what_the_system_says_between_two_syncs_is_not_missed(
    tab: Page, live: ShopAndBridge
) -> None:
    """Without ``after``, the bridge tells only what an agent wrote and nobody has seen."""
    live.stream_answer = cut_off
    live.sync_answer = lambda _: synced(rev=41)
    stop_clock(tab)
    begin_chat(tab, live)
    assert "after" not in syncs_are(live, 1).query
    transport_is(tab, "sync")
    tab.evaluate(REMEMBER)
    live.sync_answer = lambda _: synced(message(43, delivery=None, author="system"), rev=44)
    move_clock(tab, "01:01")
    assert syncs_are(live, 2).query["after"] == "41"
    told(tab, "text 43")
    # One from before that was held back, as in a chat that was cleared meanwhile, is still shown.
    live.sync_answer = lambda _: synced(message(45), rev=50)
    move_clock(tab, "01:01")
    assert syncs_are(live, 3).query["after"] == "43"
    told(tab, "text 43", "text 45")


def test_d2_a_page_that_syncs_beats_at_the_pace_it_is_told(tab: Page, live: ShopAndBridge) -> None:
    live.stream_answer = cut_off
    stop_clock(tab)
    live.bridge_answer = lambda arrival: accepted(arrival, heartbeat_seconds=10)
    live.sync_answer = lambda _: synced(heartbeat_seconds=10, next_sync_seconds=3)
    begin_chat(tab, live)
    for count in range(1, 5):
        syncs_are(live, count)
        move_clock(tab, "00:03")
    # Answers that come more often than it is due do not put it off.
    live.record.wait_for(lambda: live.record.events("heartbeat"))


@pytest.mark.parametrize("answer", [HTML, Answer(body=""), Answer(status=None)])
def test_what_is_no_stream_is_replaced_by_sync(
    tab: Page, live: ShopAndBridge, answer: Answer
) -> None:
    live.stream_answer = lambda _: answer
    begin_chat(tab, live)
    transport_is(tab, "sync")


def test_a_proxy_that_holds_the_stream_back(tab: Page, live: ShopAndBridge) -> None:
    live.stream_answer = open_stream
    stop_clock(tab)
    begin_chat(tab, live)
    stream = streams(live, 1)
    move_clock(tab, "00:09")
    mark(tab, live)
    assert not live.record.syncs()
    move_clock(tab, "00:02")
    syncs_are(live, 1)
    assert stream.closed.wait(30)


def test_a_browser_without_streams(visitor: BrowserContext, tab: Page, live: ShopAndBridge) -> None:
    visitor.add_init_script("delete Response.prototype.body;")
    begin_chat(tab, live)
    transport_is(tab, "sync")


def test_too_many_streams_for_the_bridge(tab: Page, live: ShopAndBridge) -> None:
    opens = live.stream_answer
    live.stream_answer = lambda _: Answer(429, headers={"Retry-After": "100"})
    stop_clock(tab)
    begin_chat(tab, live)
    syncs_are(live, 1)
    transport_is(tab, "sync")
    move_clock(tab, "01:01")
    syncs_are(live, 2)
    assert len(live.record.stream_requests()) == 1
    live.stream_answer = opens
    move_clock(tab, "01:01")
    transport_is(tab, "stream")
    assert len(live.record.syncs()) == 2


def test_the_stream_is_tried_again_less_and_less_often(tab: Page, live: ShopAndBridge) -> None:
    live.stream_answer = cut_off
    stop_clock(tab)
    begin_chat(tab, live)
    for count in range(1, 61):
        syncs_are(live, count)
        move_clock(tab, "01:00")
    assert 10 <= len(live.record.stream_requests()) <= 30


def test_the_store_passes_syncs_on_where_the_bridge_is_out_of_reach(
    tab: Page, live: ShopAndBridge
) -> None:
    live.bridge.stop()
    live.sync_answer = lambda _: synced(message(1))
    begin_chat(tab, live)
    transport_is(tab, "store")
    tab.evaluate(REMEMBER)
    told(tab, "text 1")
    (sync,) = live.record.syncs()
    assert (sync.server, sync.token) == ("shop", "token-1")
    assert sync.query["conversation"] == "c1"
    live.record.wait_for(lambda: live.record.events("message_delivered"))
    assert not live.record.stream_requests()


def test_a_shop_whose_routes_are_queries(tab: Page, live: ShopAndBridge) -> None:
    """WordPress without pretty permalinks: ``/?rest_route=/…``."""
    live.bridge.stop()
    live.sync_path = "/sync?rest_route=/x/v1/sync"
    begin_chat(tab, live)
    transport_is(tab, "store")
    (sync,) = live.record.syncs()
    assert sync.query["rest_route"] == "/x/v1/sync"
    assert sync.query["conversation"] == "c1"


def test_p7_a_sync_says_that_the_chat_was_cleared(tab: Page, live: ShopAndBridge) -> None:
    live.stream_answer = cut_off
    stop_clock(tab)
    live.sync_answer = lambda _: synced(state="chat_cleared", heartbeat_seconds=0)
    begin_chat(tab, live)
    tab.wait_for_function("() => ChatPresence.state().conversation === null")
    move_clock(tab, "01:00:00")
    mark(tab, live)
    assert live.record.types() == ["page_view"]
    assert len(live.record.syncs()) == 1


@pytest.mark.parametrize("garbage", ["{}", "[]", "null", "<p>"])
def test_an_answer_that_makes_no_sense_does_not_make_it_run_wild(
    tab: Page, live: ShopAndBridge, garbage: str
) -> None:
    live.stream_answer = cut_off
    stop_clock(tab)
    live.sync_answer = lambda _: Answer(body=garbage)
    begin_chat(tab, live)
    live.record.wait_for(live.record.syncs)
    for _ in range(10):
        move_clock(tab, "00:01")
    mark(tab, live)
    assert 2 <= len(live.record.syncs()) <= 12

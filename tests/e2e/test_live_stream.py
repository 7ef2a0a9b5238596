"""live.js in a real browser: the stream that a page with a chat holds (P2, D2, D3)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.e2e.exchange import Answer, Arrival, accepted, open_stream, ready_stream, session
from tests.e2e.live_chat import begin_live_chat, streams, told
from tests.e2e.shop_and_bridge import (
    ShopAndBridge,
    begin_chat,
    mark,
    transport_is,
)
from tests.e2e.stopped_clock import move_clock, stop_clock
from tests.e2e.streams import SAM, frame, message

# The network puts together what was written in pieces, and takes apart what was not.
BYTE_BY_BYTE = """
const read = ReadableStreamDefaultReader.prototype.read;
ReadableStreamDefaultReader.prototype.read = async function () {
    while (!this.bytes || !this.bytes.length) {
        const { done, value } = await read.call(this);
        if (done) {
            return { done };
        }
        this.bytes = Array.from(value, (byte) => Uint8Array.of(byte));
    }
    return { done: false, value: this.bytes.shift() };
};
"""
# Where a wait is of random length.
LONGEST_WAITS = "Math.random = () => 1 - Number.EPSILON;"


def test_nothing_live_is_fetched_before_a_chat(
    visitor: BrowserContext, tab: Page, live: ShopAndBridge
) -> None:
    asked: list[str] = []
    visitor.on("request", lambda request: asked.append(request.url))
    tab.goto(live.page_url("a"))
    mark(tab, live)
    assert not [url for url in asked if "live.js" in url]
    tab.evaluate("() => ChatPresence.conversation('c1')")
    transport_is(tab, "stream")
    assert len([url for url in asked if "live.js" in url]) == 1


def test_the_stream_opens_after_the_first_page_view(tab: Page, live: ShopAndBridge) -> None:
    """It is the page view that makes the conversation known to the bridge, and this visitor's."""
    stream = begin_live_chat(tab, live)
    (view,) = live.record.events()
    assert stream.query == {"conversation": "c1", "page": view["page"]}
    assert stream.token == "token-1"
    (asked,) = live.record.stream_requests()
    assert "token" not in asked.path
    assert asked.body == b""


def test_d3_a_page_told_to_beat_beats_at_once(tab: Page, live: ShopAndBridge) -> None:
    stop_clock(tab)
    stream = begin_live_chat(tab, live)
    beats = live.record.events
    live.bridge_answer = lambda arrival: accepted(arrival, heartbeat_seconds=10)
    stream.say("demand", {"heartbeat_seconds": 10})
    live.record.wait_for(lambda: len(beats("heartbeat")) == 1)
    move_clock(tab, "00:11")
    live.record.wait_for(lambda: len(beats("heartbeat")) == 2)
    live.bridge_answer = accepted
    stream.say("demand", {"heartbeat_seconds": 0})
    tab.wait_for_function("() => ChatPresence.state().heartbeat_seconds === 0")
    move_clock(tab, "00:30")
    mark(tab, live)
    assert len(beats("heartbeat")) == 2


def test_p2_a_page_held_for_gone_beats_as_its_stream_is_ready(
    tab: Page, live: ShopAndBridge
) -> None:
    def ready_and_watched(arrival: Arrival) -> Answer:
        answer = open_stream(arrival)
        assert answer.stream is not None
        answer.stream.ready(heartbeat_seconds=10)
        return answer

    live.stream_answer = ready_and_watched
    begin_chat(tab, live)
    live.record.wait_for(lambda: live.record.events("heartbeat"))


def test_p2_a_page_held_for_gone_is_viewed_and_opens_a_stream_that_counts(
    tab: Page, live: ShopAndBridge
) -> None:
    def gone_at_first(arrival: Arrival) -> Answer:
        live.stream_answer = ready_stream
        answer = open_stream(arrival)
        assert answer.stream is not None
        answer.stream.ready(heartbeat_seconds=60, live=False)
        return answer

    live.stream_answer = gone_at_first
    begin_chat(tab, live)
    live.record.wait_for(lambda: len(live.record.stream_requests()) == 2)
    transport_is(tab, "stream")
    mark(tab, live)
    assert [event["type"] for event in live.record.events()] == ["page_view", "page_view"]


def test_a_message_in_pieces(visitor: BrowserContext, tab: Page, live: ShopAndBridge) -> None:
    """Pieces end in the middle of a line, of a character, and between two line ends."""
    visitor.add_init_script(BYTE_BY_BYTE)
    text = "Grüße 🌍\u2028event: cleared\u2029data: {}"
    stream = begin_live_chat(tab, live)
    stream.write(b":\n\n" + frame("message", message(7, text), 7) + b": and\n\n")
    told(tab, text)
    assert tab.evaluate("() => ChatPresence.state().conversation") == "c1"


def test_several_events_in_one_piece(tab: Page, live: ShopAndBridge) -> None:
    stream = begin_live_chat(tab, live)
    stream.write(
        frame("message", message(1))
        + b":\n\n"
        + frame("takeover", {"active": True, "agent": SAM})
        + frame("something-new", {"unknown": True})
        + frame("message", message(2))
    )
    told(tab, "text 1", [True, "Sam"], "text 2")


def test_a_stream_that_drops_comes_back_within_ten_seconds(tab: Page, live: ShopAndBridge) -> None:
    stop_clock(tab)
    stream = begin_live_chat(tab, live)
    stream.message(message(4))
    live.record.wait_for(lambda: live.record.events("message_delivered"))
    stream.drop()
    transport_is(tab, None)
    move_clock(tab, "00:10")
    again = streams(live, 2)
    assert again.query["after"] == "4"
    transport_is(tab, "stream")
    again.message(message(4))
    again.message(message(5))
    told(tab, "text 4", "text 5")


def test_pages_that_lose_their_streams_together_come_back_apart(
    tab: Page, live: ShopAndBridge
) -> None:
    """The clock moves only here: what is measured is what the page chose, not how long it took."""
    stop_clock(tab)
    begin_live_chat(tab, live)
    waits: set[int] = set()
    for count in range(2, 8):
        live.record.streams[-1].end()
        transport_is(tab, None)
        waited = 0
        while len(live.record.streams) < count:
            assert waited < 101, "within ten seconds"
            waited += 1
            move_clock(tab, 100)
        waits.add(waited)
        transport_is(tab, "stream")
    # In tenths of a second; the same wait each time would be met a step earlier or later.
    assert max(waits) - min(waits) > 2


def test_a_stream_that_ends_as_planned_is_opened_again_at_once(
    tab: Page, live: ShopAndBridge
) -> None:
    stop_clock(tab)
    tab.add_init_script(LONGEST_WAITS)
    stream = begin_live_chat(tab, live)
    for number in range(10):
        move_clock(tab, "00:25")
        stream.message(message(number + 1))
        tab.wait_for_function("count => told.length === count", arg=number + 1)
    stream.end()
    transport_is(tab, None)
    # No more than a timer of no length; one of a random length would take ten seconds here.
    move_clock(tab, 1)
    streams(live, 2)


def test_a_stream_that_falls_silent_is_opened_again(tab: Page, live: ShopAndBridge) -> None:
    stop_clock(tab)
    tab.add_init_script(LONGEST_WAITS)
    stream = begin_live_chat(tab, live)
    move_clock(tab, "00:39")
    mark(tab, live)
    assert not stream.closed.is_set()
    move_clock(tab, "00:02")
    assert stream.closed.wait(30)
    transport_is(tab, None)
    move_clock(tab, "00:10")
    streams(live, 2)


def test_nothing_between_pagehide_and_pageshow(tab: Page, live: ShopAndBridge) -> None:
    stream = begin_live_chat(tab, live)
    tab.click("text=b")
    assert stream.closed.wait(30)
    mark(tab, live)
    assert len(live.record.stream_requests()) == 1
    tab.evaluate("() => history.back()")
    again = streams(live, 2)
    assert ["pageshow", True] in tab.evaluate("() => seen")
    assert again.query["page"] == stream.query["page"]
    again.message(message(1))
    told(tab, "text 1")


def test_a_page_in_the_background_keeps_its_stream(tab: Page, live: ShopAndBridge) -> None:
    stop_clock(tab)
    stream = begin_live_chat(tab, live)
    tab.evaluate("""() => {
        Object.defineProperty(
            document, 'visibilityState', { configurable: true, get: () => 'hidden' });
        document.dispatchEvent(new Event('visibilitychange'));
    }""")
    live.record.wait_for(lambda: live.record.events("page_hidden"))
    move_clock(tab, "00:50")  # its own timers and network are held up: silence means nothing
    stream.message(message(1))
    told(tab, "text 1")
    assert len(live.record.streams) == 1


def test_p8_another_conversation_has_a_stream_of_its_own(tab: Page, live: ShopAndBridge) -> None:
    stream = begin_live_chat(tab, live)
    stream.say("takeover", {"active": True, "agent": SAM})
    told(tab, [True, "Sam"])
    tab.evaluate("() => ChatPresence.conversation('c2')")
    other = streams(live, 2)
    assert stream.closed.wait(30)
    assert other.query["conversation"] == "c2"
    told(tab, [True, "Sam"], [False, None])


@pytest.mark.parametrize("by", ["the visitor", "another tab"])
def test_p7_a_cleared_chat_has_no_stream(tab: Page, live: ShopAndBridge, by: str) -> None:
    stop_clock(tab)
    stream = begin_live_chat(tab, live)
    if by == "the visitor":
        tab.evaluate("() => ChatPresence.cleared()")
    else:
        stream.say("cleared", {})
    assert stream.closed.wait(30)
    tab.wait_for_function("() => ChatPresence.state().conversation === null")
    move_clock(tab, "01:00:00")
    tab.click("text=b")
    mark(tab, live)
    expected = ["page_view"] + ["chat_cleared"] * (by == "the visitor")
    assert live.record.types() == expected
    assert len(live.record.stream_requests()) == 1
    assert not live.record.syncs()


def test_p7_a_message_brings_a_chat_back_that_another_tab_cleared(
    tab: Page, live: ShopAndBridge
) -> None:
    stream = begin_live_chat(tab, live)
    stream.say("cleared", {})
    tab.wait_for_function("() => ChatPresence.state().conversation === null")
    tab.evaluate("() => ChatPresence.message({ id: 'm', text: 'still here' })")
    live.record.wait_for(lambda: live.record.events("message"))
    assert live.record.events("message")[0]["conversation"] == "c1"
    assert streams(live, 2).query["conversation"] == "c1"


def test_an_ended_token_is_renewed_once(tab: Page, live: ShopAndBridge) -> None:
    def only(token: str, answer: Callable[[Arrival], Answer]) -> Callable[[Arrival], Answer]:
        return lambda arrival: answer(arrival) if arrival.token == token else Answer(401)

    stop_clock(tab)
    live.stream_answer = only("token-2", live.stream_answer)
    live.session_answer = lambda: session(f"token-{len(sessions()) + 1}")

    def sessions() -> list[str]:
        return [path for path in live.record.paths() if path == "shop /session"]

    begin_chat(tab, live)
    live.record.wait_for(live.record.stream_requests)
    tab.wait_for_function("() => ChatPresence.state().last_error === 'HTTP 401'")
    move_clock(tab, "00:02")
    transport_is(tab, "stream")
    assert len(sessions()) == 2
    assert live.record.streams[-1].token == "token-2"


@pytest.mark.parametrize("status", [403, 404])
def test_a_conversation_the_bridge_does_not_know_is_viewed_again(
    tab: Page, live: ShopAndBridge, status: int
) -> None:
    opens = live.stream_answer
    live.stream_answer = lambda _: Answer(status)
    stop_clock(tab)
    begin_chat(tab, live)
    live.record.wait_for(live.record.stream_requests)
    tab.wait_for_function("() => ChatPresence.state().last_error")
    live.stream_answer = opens
    move_clock(tab, "00:02")
    transport_is(tab, "stream")
    assert live.record.types() == ["page_view", "page_view"]


def test_a_bridge_that_is_overloaded_is_not_pestered(tab: Page, live: ShopAndBridge) -> None:
    opens = live.stream_answer
    live.stream_answer = lambda _: Answer(503, headers={"Retry-After": "60"})
    stop_clock(tab)
    begin_chat(tab, live)
    live.record.wait_for(live.record.stream_requests)
    tab.wait_for_function("() => ChatPresence.state().last_error === 'HTTP 503'")
    move_clock(tab, "00:58")
    mark(tab, live)
    assert len(live.record.stream_requests()) == 1
    live.stream_answer = opens
    move_clock(tab, "00:03")
    transport_is(tab, "stream")
    assert not live.record.syncs()


def test_the_network_coming_back_is_used_at_once(
    visitor: BrowserContext, tab: Page, live: ShopAndBridge
) -> None:
    stop_clock(tab)
    begin_live_chat(tab, live)
    visitor.set_offline(True)
    live.record.streams[-1].drop()
    transport_is(tab, None)
    visitor.set_offline(False)
    streams(live, 2)

"""live.js in a real browser: agents' messages are shown once, in order, and confirmed (M2)."""

from playwright.sync_api import BrowserContext, Page

from tests.e2e.exchange import Answer, accepted
from tests.e2e.live_chat import begin_live_chat, streams, told
from tests.e2e.shop_and_bridge import (
    ShopAndBridge,
    begin_chat,
    mark,
    transport_is,
    wait_until_answered,
)
from tests.e2e.stopped_clock import move_clock, stop_clock
from tests.e2e.streams import SAM, frame, message


def delivered(live: ShopAndBridge) -> list[str]:
    """The ids of the messages that the page confirmed, in order."""
    return [event["message"]["id"] for event in live.record.events("message_delivered")]


def test_m2_a_message_is_confirmed_when_it_was_shown(tab: Page, live: ShopAndBridge) -> None:
    stream = begin_live_chat(tab, live)
    tab.evaluate("""() => ChatPresence.onMessage(
        () => new Promise((resolve) => { window.shownNow = resolve; }))""")
    stream.message(message(1))
    told(tab, "text 1")
    mark(tab, live)
    assert delivered(live) == []
    tab.evaluate("() => shownNow()")
    live.record.wait_for(lambda: delivered(live) == ["m1"])
    (event,) = live.record.events("message_delivered")
    assert event["conversation"] == "c1"


def test_what_the_system_says_needs_no_confirmation(tab: Page, live: ShopAndBridge) -> None:
    stream = begin_live_chat(tab, live)
    stream.message(message(1, author="system", agent=None, delivery=None))
    stream.message(message(2))
    live.record.wait_for(lambda: delivered(live) == ["m2"])
    told(tab, "text 1", "text 2")


def test_m2_what_comes_again_is_confirmed_again_and_not_shown(
    tab: Page, live: ShopAndBridge
) -> None:
    stream = begin_live_chat(tab, live)
    for rev in (1, 2, 2, 1):
        stream.message(message(rev))
    live.record.wait_for(lambda: delivered(live) == ["m1", "m2", "m2", "m1"])
    told(tab, "text 1", "text 2")


def test_m2_messages_that_wait_are_shown_in_their_order(tab: Page, live: ShopAndBridge) -> None:
    """As when one that is still waiting is told of once more, by another stream."""
    begin_chat(tab, live)
    stream = streams(live, 1)
    stream.write(b"".join(frame("message", message(rev)) for rev in (3, 1, 2, 3)))
    stream.say("demand", {"heartbeat_seconds": 1000})
    live.record.wait_for(lambda: live.record.events("heartbeat"))
    assert delivered(live) == []
    tab.evaluate("""() => {
        window.told = [];
        ChatPresence.onMessage(({ text }) => { told.push(text); });
    }""")
    told(tab, "text 1", "text 2", "text 3")
    live.record.wait_for(lambda: delivered(live) == ["m1", "m2", "m3"])


def test_a_listener_that_fails_is_asked_again_and_nothing_overtakes(
    tab: Page, live: ShopAndBridge
) -> None:
    stop_clock(tab)
    stream = begin_live_chat(tab, live)
    tab.evaluate("""() => {
        window.second = [];
        let failures = 2;
        ChatPresence.onMessage(async ({ text }) => {
            if (failures-- > 0) {
                throw failures ? new Error('not yet') : undefined;
            }
            second.push(text);
        });
    }""")
    stream.message(message(1))
    stream.message(message(2))
    told(tab, "text 1")
    tab.wait_for_function("() => /^onMessage: /.test(ChatPresence.state().last_error)")
    assert delivered(live) == []
    for _ in range(4):
        move_clock(tab, "00:01")
    live.record.wait_for(lambda: delivered(live) == ["m1", "m2"])
    # The other listener has seen each of them once.
    told(tab, "text 1", "text 2")
    assert tab.evaluate("() => second") == ["text 1", "text 2"]


def test_shown_once_in_a_tab_whatever_page_shows_it(tab: Page, live: ShopAndBridge) -> None:
    stream = begin_live_chat(tab, live)
    stream.message(message(5))
    live.record.wait_for(lambda: delivered(live) == ["m5"])
    wait_until_answered(tab)
    tab.click("text=b")
    begin = "() => { window.told = []; ChatPresence.onMessage(({ text }) => { told.push(text); });"
    tab.evaluate(begin + " ChatPresence.conversation('c1'); }")
    second = streams(live, 2)
    assert second.query["after"] == "5"
    second.message(message(5, delivery="delivered"))
    second.message(message(8))
    told(tab, "text 8")
    live.record.wait_for(lambda: delivered(live) == ["m5", "m8"])
    # And the first page, from the back/forward cache, knows of it.
    tab.evaluate("() => history.back()")
    third = streams(live, 3)
    assert third.query["after"] == "8"
    third.message(message(8))
    third.message(message(9))
    told(tab, "text 5", "text 9")


def test_two_tabs_show_it_each(visitor: BrowserContext, tab: Page, live: ShopAndBridge) -> None:
    begin_live_chat(tab, live)
    other = visitor.new_page()
    begin_chat(other, live)
    transport_is(other, "stream")
    other.evaluate("() => ChatPresence.onMessage(({ text }) => { window.shown = text; })")
    for stream in live.record.streams:
        stream.message(message(1))
    told(tab, "text 1")
    other.wait_for_function("() => window.shown === 'text 1'")


def test_confirmations_survive_a_page_change(tab: Page, live: ShopAndBridge) -> None:
    stream = begin_live_chat(tab, live)
    live.bridge_answer = lambda _: Answer(503)
    stream.message(message(1))
    told(tab, "text 1")
    tab.wait_for_function("() => ChatPresence.state().last_error === 'HTTP 503'")
    tab.click("text=b")
    mark(tab, live)
    live.bridge_answer = accepted
    before = len(delivered(live))
    tab.goto(live.page_url("a"))
    wait_until_answered(tab)
    assert set(delivered(live)[before:]) == {"m1"}
    assert tab.evaluate("() => sessionStorage.cpb_queue") == "[]"


def test_t1_a_takeover_is_told_on_each_change(tab: Page, live: ShopAndBridge) -> None:
    stream = begin_live_chat(tab, live)
    taken = {"active": True, "agent": SAM}
    for takeover in (taken, taken, {"active": False, "agent": None}, taken):
        stream.say("takeover", takeover)
    told(tab, [True, "Sam"], [False, None], [True, "Sam"])
    # One that comes later is told how it stands.
    tab.evaluate("""() => ChatPresence.onTakeover(
        ({ active, agent }) => { window.late = [active, agent.name]; })""")
    assert tab.evaluate("() => late") == [True, "Sam"]


def test_a_takeover_is_not_told_again_by_a_new_stream(tab: Page, live: ShopAndBridge) -> None:
    stop_clock(tab)
    stream = begin_live_chat(tab, live)
    taken = {"active": True, "agent": SAM}
    stream.say("takeover", taken)
    told(tab, [True, "Sam"])
    opens = live.stream_answer
    live.stream_answer = lambda _: Answer(503)
    stream.drop()
    transport_is(tab, None)
    move_clock(tab, "00:10")
    live.record.wait_for(lambda: len(live.record.stream_requests()) == 2)
    live.stream_answer = opens
    move_clock(tab, "00:02")
    again = streams(live, 2)
    again.say("takeover", taken)
    again.message(message(1))
    # The default stream says at first that nobody answers.
    told(tab, [True, "Sam"], [False, None], [True, "Sam"], "text 1")


def test_a_listener_that_throws_leaves_the_others_and_the_shop_alone(
    tab: Page, live: ShopAndBridge
) -> None:
    begin_chat(tab, live)
    tab.evaluate("() => ChatPresence.onTakeover(() => { throw new Error('widget'); })")
    transport_is(tab, "stream")
    tab.evaluate("""() => {
        window.told = [];
        ChatPresence.onTakeover(({ active }) => { told.push(active); });
    }""")
    streams(live, 1).say("takeover", {"active": True, "agent": SAM})
    told(tab, True)

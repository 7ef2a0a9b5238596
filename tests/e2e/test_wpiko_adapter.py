"""adapters/wpiko.js in a real browser, beside a page that does what WPiko Chatbot's script may do.

The story with the stand-in plugin is in ``test_wpiko_story``; here is what is hard to bring about
there: other orders of loading, slow questions, scripts of others.
"""

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.e2e.live_chat import streams
from tests.e2e.shop_and_bridge import ASSETS, ShopAndBridge, mark, transport_is
from tests.e2e.stopped_clock import move_clock, stop_clock
from tests.e2e.streams import NOBODY, SAM, message

ADAPTER = (ASSETS / "adapters" / "wpiko.js").read_text()
THREAD = "resp_AbCdEfGhIjKl"
KEEP_THREAD = f"sessionStorage.wpiko_chatbot_thread_id = '{THREAD}';"
REMEMBER_LINES = """window.lines = [];
window.wpikoChatbotAppendMessage = (type, content, errorType, skipStoring, suppress, meta) => {
    lines.push([type, content, meta.label || meta.eventType]);
};"""
KIM = {"id": "2", "name": "Kim $& %s", "avatar_url": "https://shop.example/kim.png"}
JOINED = ["system", "Sam has joined the chat.", "takeover_notice"]
LEFT = ["system", "Sam has left the chat. The assistant answers again.", "release_notice"]


def shows(tab: Page, *lines: list[str]) -> None:
    """Wait until the widget was given exactly these lines."""
    tab.wait_for_function("count => window.lines && lines.length === count", arg=len(lines))
    assert tab.evaluate("() => lines") == list(lines)


def open_page(tab: Page, live: ShopAndBridge, script: str) -> None:
    """A page whose head runs this before presence.js."""
    live.early_script = script
    tab.goto(live.page_url("a"))


def test_a_thread_that_is_there_is_told(tab: Page, live: ShopAndBridge) -> None:
    open_page(tab, live, KEEP_THREAD + ADAPTER)
    transport_is(tab, "stream")
    assert streams(live, 1).query["conversation"] == THREAD


@pytest.mark.parametrize("early", [True, False])
def test_the_adapter_may_come_before_the_widget_or_after(
    tab: Page, live: ShopAndBridge, early: bool
) -> None:
    handler = "window.wpikoChatbotHandleTakeoverResponse = (data) => { window.got = data; };"
    if early:
        open_page(tab, live, handler + ADAPTER)
    else:
        open_page(tab, live, REMEMBER_LINES + handler)
        tab.add_script_tag(content=ADAPTER)
    tab.evaluate("id => wpikoChatbotHandleTakeoverResponse({ thread_id: id })", THREAD)
    assert tab.evaluate("() => got.thread_id") == THREAD
    tab.evaluate("id => { sessionStorage.wpiko_chatbot_thread_id = id; }", THREAD)
    transport_is(tab, "stream")
    # A message for which there is no widget yet waits for it.
    streams(live, 1).message(message(1, conversation=THREAD))
    if early:
        tab.wait_for_function("() => /^onMessage/.test(ChatPresence.state().last_error)")
        assert not live.record.events("message_delivered")
        tab.evaluate("() => {" + REMEMBER_LINES + "}")
    shows(tab, ["admin", "text 1", "Sam"])
    live.record.wait_for(lambda: live.record.events("message_delivered"))


def test_takeovers_are_announced_once_each(tab: Page, live: ShopAndBridge) -> None:
    open_page(tab, live, KEEP_THREAD + REMEMBER_LINES + ADAPTER)
    stream = streams(live, 1)
    stream.say("takeover", {"active": True, "agent": SAM})
    # What the bridge says of the same in the transcript, and what WPiko has shown itself.
    said = {"author": "system", "agent": None, "delivery": None}
    stream.message(message(1, "Sam has joined the chat.", **said))
    stream.message(message(2, "The AI did not answer.", id="wpiko_7", **said))
    stream.say("takeover", {"active": True, "agent": KIM})
    stream.say("takeover", NOBODY)
    kim = KIM["name"]
    shows(
        tab,
        JOINED,
        LEFT,
        ["system", f"{kim} has joined the chat.", "takeover_notice"],
        ["system", f"{kim} has left the chat. The assistant answers again.", "release_notice"],
    )


def test_a_takeover_is_not_announced_again_on_the_next_page(tab: Page, live: ShopAndBridge) -> None:
    open_page(tab, live, KEEP_THREAD + REMEMBER_LINES + ADAPTER)
    streams(live, 1).say("takeover", {"active": True, "agent": SAM})
    shows(tab, JOINED)
    tab.click("text=b")
    second = streams(live, 2)
    second.message(message(1, conversation=THREAD))
    # The stream's first word was that nobody answers.
    shows(tab, LEFT, ["admin", "text 1", "Sam"])
    second.say("takeover", {"active": True, "agent": SAM})
    shows(tab, LEFT, ["admin", "text 1", "Sam"], JOINED)


def test_the_shop_may_bring_its_own_words(tab: Page, live: ShopAndBridge) -> None:
    words = "window.ChatPresenceWPiko = { joined: '%s ist da.', left: '%s ist weg.' };"
    open_page(tab, live, KEEP_THREAD + REMEMBER_LINES + words + ADAPTER)
    streams(live, 1).say("takeover", {"active": True, "agent": SAM})
    shows(tab, ["system", "Sam ist da.", "takeover_notice"])


def test_a_clear_whose_question_takes_long(tab: Page, live: ShopAndBridge) -> None:
    stop_clock(tab)
    open_page(tab, live, KEEP_THREAD + ADAPTER)
    transport_is(tab, "stream")
    tab.evaluate("""() => document.body.insertAdjacentHTML(
        'beforeend', '<button id="clear-chat"><svg width="9" height="9"></svg></button>')""")
    tab.click("#clear-chat svg")
    move_clock(tab, "00:20")
    mark(tab, live)
    assert not live.record.events("chat_cleared")
    tab.evaluate("() => sessionStorage.removeItem('wpiko_chatbot_thread_id')")
    move_clock(tab, "00:01")
    live.record.wait_for(lambda: live.record.events("chat_cleared"))
    move_clock(tab, "00:20")
    mark(tab, live)
    assert [event["conversation"] for event in live.record.events("chat_cleared")] == [THREAD]


def test_a_thread_that_was_dropped_between_pages(tab: Page, live: ShopAndBridge) -> None:
    open_page(tab, live, KEEP_THREAD + ADAPTER)
    transport_is(tab, "stream")
    open_page(tab, live, "sessionStorage.removeItem('wpiko_chatbot_thread_id');" + ADAPTER)
    live.record.wait_for(lambda: live.record.events("chat_cleared"))
    assert live.record.events("chat_cleared")[0]["conversation"] == THREAD


def test_a_thread_that_takes_the_place_of_another(tab: Page, live: ShopAndBridge) -> None:
    open_page(tab, live, KEEP_THREAD + ADAPTER)
    transport_is(tab, "stream")
    tab.evaluate("""() => {
        sessionStorage.wpiko_chatbot_thread_id = 'resp_other';
        wpikoChatbotHandleTakeoverResponse({ thread_id: 'resp_other' });
    }""")
    live.record.wait_for(lambda: live.record.events("chat_cleared"))
    assert streams(live, 2).query["conversation"] == "resp_other"


def test_nonsense_does_not_reach_the_page(tab: Page, live: ShopAndBridge) -> None:
    open_page(tab, live, ADAPTER)
    nonsense: list[object] = [None, 0, "", [], {}, {"thread_id": None}, {"thread_id": {}}]
    for data in nonsense:
        tab.evaluate("data => wpikoChatbotHandleTakeoverResponse(data)", data)
    tab.evaluate("() => { sessionStorage.wpiko_chatbot_thread_id = 'null'; }")
    tab.evaluate("() => dispatchEvent(new PageTransitionEvent('pageshow'))")
    tab.evaluate("() => document.dispatchEvent(new MouseEvent('click'))")
    mark(tab, live)
    assert tab.evaluate("() => sessionStorage.cpb_wpiko_thread") is None
    assert tab.evaluate("() => ChatPresence.state().conversation") is None


def test_without_chat_presence_it_does_nothing(tab: Page, live: ShopAndBridge) -> None:
    open_page(tab, live, "delete window.ChatPresence;" + ADAPTER + "window.ChatPresence = {};")
    assert tab.evaluate("() => typeof wpikoChatbotHandleTakeoverResponse") == "undefined"


def test_a_browser_that_forbids_storage(
    visitor: BrowserContext, tab: Page, live: ShopAndBridge
) -> None:
    visitor.add_init_script("""Object.defineProperty(window, 'sessionStorage', {
        get() { throw new DOMException('denied', 'SecurityError'); },
    });""")
    open_page(tab, live, ADAPTER)
    tab.evaluate("id => wpikoChatbotHandleTakeoverResponse({ thread_id: id })", THREAD)
    transport_is(tab, "stream")
    streams(live, 1).say("takeover", {"active": True, "agent": SAM})
    mark(tab, live)

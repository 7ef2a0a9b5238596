"""The whole story on a real WordPress: a visitor's chat with the AI becomes one with a person."""

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.wpiko_store import (
    WPikoStore,
    begin_chat,
    block,
    clear,
    lines,
    presence_state,
    thread_of,
    wpiko_store,
    write,
)
from tests.servers.waiting import wait_until

HELLO: Final = "Hello, I am <b>Sam</b> & <script>alert(1)</script>"
JOINED: Final = "Sam has joined the chat."
LEFT: Final = "Sam has left the chat. The assistant answers again."


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WPikoStore]:
    with wpiko_store(tmp_path_factory.mktemp("bridge")) as store:
        yield store


def notices(tab: Page) -> list[tuple[str, str]]:
    """What kind of event each notice of the widget tells of, and its text."""
    found: list[tuple[str, str]] = []
    for line in tab.locator("#chatbot-messages .system").all():
        text = line.locator(".content").text_content()
        found.append((line.get_attribute("data-event") or "", text or ""))
    return found


@pytest.mark.parametrize("transport", ["stream", "sync", "store"])
def test_the_whole_story(store: WPikoStore, tab: Page, transport: str) -> None:
    agent = store.agent
    if transport != "stream":
        block(tab, "*/v1/visitor/stream*" if transport == "sync" else f"{store.bridge_origin}/*")
    thread = begin_chat(store, tab, transport)
    wait_until(
        lambda: agent.messages(thread) == [("visitor", "Hello"), ("bot", "You said: Hello")],
        "what was said before",
    )

    # The agent looks: the page beats, which shows that the visitor is there.
    agent.wait_until_heard(thread, agent.watch(thread))
    tab.wait_for_function("() => ChatPresence.state().heartbeat_seconds === 2")

    # The agent takes over: the AI is silent.
    agent.take_over(thread)
    expect(lines(tab, "system")).to_have_text([JOINED], timeout=30_000)
    write(tab, "Are you human?")
    wait_until(lambda: "Are you human?" in agent.said(thread, "visitor"), "the question")
    agent.write(thread, HELLO)
    expect(lines(tab, "admin")).to_have_text([HELLO], timeout=30_000)
    expect(tab.locator("#chatbot-messages .admin strong")).to_have_text("Sam")
    wait_until(lambda: agent.deliveries(thread) == ["delivered"], "the delivery", seconds=60)
    wait_until(lambda: ["admin", HELLO] in store.transcript(thread), "the row", seconds=60)
    assert [role for role, _ in store.transcript(thread)] == ["user", "assistant", "user", "admin"]
    expect(lines(tab, "bot")).to_have_count(1)

    # The visitor answers, on another page.
    tab.click("#other-page")
    tab.wait_for_url("**/second/")
    write(tab, "Good to know")
    wait_until(lambda: "Good to know" in agent.said(thread, "visitor"), "the answer")

    # The agent releases: the AI answers again, and knows what was said.
    agent.release(thread)
    agent.leave(thread)
    expect(lines(tab, "system")).to_have_text([JOINED, LEFT], timeout=30_000)
    write(tab, "Bye")
    expect(lines(tab, "bot")).to_have_text(["You said: Hello", "You said: Bye"])
    assert "Good to know" in store.instructions()
    assert "Be kind." in store.instructions()
    expect(lines(tab, "admin")).to_have_text([HELLO])
    assert notices(tab) == [("takeover_notice", JOINED), ("release_notice", LEFT)]
    assert presence_state(tab)["transport"] == transport


def test_an_idle_chat_asks_the_store_for_nothing(
    store: WPikoStore, visitor: BrowserContext, tab: Page
) -> None:
    begin_chat(store, tab)
    asked: list[str] = []
    visitor.on("request", lambda request: asked.append(request.url))
    # Longer than the loop that WPiko would run: fifteen intervals of the page's own timer.
    tab.evaluate("""() => new Promise((resolve) => {
        let ticks = 0;
        const timer = setInterval(() => ++ticks === 15 && resolve(clearInterval(timer)), 500);
    })""")
    assert [url for url in asked if url.startswith(store.wordpress.url)] == []


def test_a_message_that_came_while_the_visitor_was_away_is_shown_once_on_return(
    store: WPikoStore, tab: Page
) -> None:
    agent = store.agent
    thread = begin_chat(store, tab)
    agent.take_over(thread)
    expect(lines(tab, "system")).to_have_text([JOINED])
    tab.goto("about:blank")
    agent.wait_for_state(thread, "offline")
    agent.write(thread, "one")
    agent.write(thread, "two")
    assert agent.deliveries(thread) == ["queued", "queued"]
    tab.goto(f"{store.wordpress.url}/second/")
    expect(lines(tab, "admin")).to_have_text(["one", "two"], timeout=30_000)
    wait_until(lambda: agent.deliveries(thread) == ["delivered", "delivered"], "the deliveries")
    tab.click("#other-page")
    tab.wait_for_url("**/first/")
    tab.wait_for_function("() => ChatPresence.state().transport === 'stream'")
    agent.write(thread, "three")
    expect(lines(tab, "admin")).to_have_text(["one", "two", "three"], timeout=30_000)
    assert notices(tab) == [("takeover_notice", JOINED)]


def test_a_release_while_the_visitor_was_away_is_told_once_on_return(
    store: WPikoStore, tab: Page
) -> None:
    thread = begin_chat(store, tab)
    store.agent.take_over(thread)
    expect(lines(tab, "system")).to_have_text([JOINED])
    tab.goto("about:blank")
    store.agent.wait_for_state(thread, "offline")
    store.agent.release(thread)
    tab.goto(f"{store.wordpress.url}/second/")
    expect(lines(tab, "system")).to_have_text([JOINED, LEFT], timeout=30_000)
    tab.click("#other-page")
    tab.wait_for_url("**/first/")
    tab.wait_for_function("() => ChatPresence.state().transport === 'stream'")
    assert notices(tab) == [("takeover_notice", JOINED), ("release_notice", LEFT)]


def test_messages_to_a_visitor_who_goes_back_and_forth(store: WPikoStore, tab: Page) -> None:
    agent = store.agent
    thread = begin_chat(store, tab)
    agent.take_over(thread)
    expect(lines(tab, "system")).to_have_text([JOINED])
    expected = []
    for number in range(6):
        agent.write(thread, f"message {number}")
        expected.append(f"message {number}")
        tab.click("#other-page")
        tab.wait_for_load_state()
    expect(lines(tab, "admin")).to_have_text(expected, timeout=30_000)
    wait_until(lambda: set(agent.deliveries(thread)) == {"delivered"}, "the deliveries")


@pytest.mark.parametrize("sound", ["", "1"])
def test_p7_the_visitor_clears_the_chat_during_a_takeover(
    store: WPikoStore, tab: Page, sound: str
) -> None:
    store.set_option("standin_sound", sound)
    agent = store.agent
    thread = begin_chat(store, tab)
    agent.take_over(thread)
    expect(lines(tab, "system")).to_have_text([JOINED])
    clear(tab, sure=False)
    write(tab, "still here")
    wait_until(lambda: "still here" in agent.said(thread, "visitor"), "the message")
    assert agent.presence(thread)["state"] == "online"
    clear(tab)
    agent.wait_for_state(thread, "chat_cleared")
    listed = agent.conversations()[thread]
    assert listed["takeover"] is None
    assert agent.said(thread, "system") == [JOINED, "The chat was cleared; Sam has left it."]
    tab.wait_for_function("() => ChatPresence.state().conversation === null")
    write(tab, "Another matter")
    expect(lines(tab, "bot")).to_have_text(["You said: Another matter"])
    another = thread_of(tab)
    assert another not in {None, thread}
    tab.wait_for_function("id => ChatPresence.state().conversation === id", arg=another)
    store.set_option("standin_sound", "")


def test_a_change_of_settings_drops_the_thread(store: WPikoStore, tab: Page) -> None:
    thread = begin_chat(store, tab)
    store.set_option("standin_settings_version", "2")
    tab.reload()
    store.agent.wait_for_state(thread, "chat_cleared")
    assert presence_state(tab)["conversation"] is None


def test_a_duplicated_tab_shares_the_thread(store: WPikoStore, tab: Page) -> None:
    agent = store.agent
    thread = begin_chat(store, tab)
    with tab.expect_popup() as popup:
        tab.evaluate("() => { window.open('/second/'); }")
    second = popup.value
    second.wait_for_function("() => ChatPresence.state().transport === 'stream'")
    agent.take_over(thread)
    agent.write(thread, "to both")
    for page in (tab, second):
        expect(lines(page, "admin")).to_have_text(["to both"], timeout=30_000)
    # Cleared in one, it ends in both; but the other still shows it, and may go on.
    clear(tab)
    agent.wait_for_state(thread, "chat_cleared")
    second.wait_for_function("() => ChatPresence.state().conversation === null")
    write(second, "I am not done")
    agent.wait_for_state(thread, "online")
    second.wait_for_function("() => ChatPresence.state().transport === 'stream'")


def test_a_failure_of_the_ai_is_not_shown_twice(store: WPikoStore, tab: Page) -> None:
    thread = begin_chat(store, tab)
    write(tab, "fail please")
    expect(lines(tab, "error")).to_have_text(["The AI did not answer."])
    wait_until(lambda: store.agent.said(thread, "system") != [], "the agents hear of it")
    store.agent.take_over(thread)
    expect(lines(tab, "system")).to_have_text([JOINED], timeout=30_000)


def test_the_stream_comes_back_after_the_bridge(store: WPikoStore, tab: Page) -> None:
    agent = store.agent
    thread = begin_chat(store, tab)
    agent.take_over(thread)
    expect(lines(tab, "system")).to_have_text([JOINED])
    agent.write(thread, "before")
    expect(lines(tab, "admin")).to_have_text(["before"])
    store.bridge.restart()
    agent.write(thread, "after")
    expect(lines(tab, "admin")).to_have_text(["before", "after"], timeout=90_000)
    wait_until(lambda: agent.deliveries(thread) == ["delivered"] * 2, "the deliveries", seconds=60)


def test_two_hundred_and_more_characters_of_markup_are_text(store: WPikoStore, tab: Page) -> None:
    agent = store.agent
    thread = begin_chat(store, tab)
    agent.take_over(thread)
    text = '<img src=x onerror="window.hacked = true">\u2028event: cleared\ndata: {}' * 20
    agent.write(thread, text)
    expect(lines(tab, "admin")).to_have_count(1)
    assert lines(tab, "admin").text_content() == text
    assert tab.evaluate("() => window.hacked") is None

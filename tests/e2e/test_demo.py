"""The demo as a newcomer meets it: a real browser in the shop, another on the agent's page."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from bridge.demo import bot
from tests.e2e.demo_shop import (
    agent_page,
    begin_chat,
    demo_shop,
    is_bot_silent,
    open_on,
    say,
    take_over,
)
from tests.e2e.wpiko_store import block
from tests.servers.waiting import wait_until


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with demo_shop(tmp_path_factory.mktemp("demo")) as address:
        yield address


@pytest.fixture
def agent(chromium: Browser, demo: str) -> Iterator[Page]:
    with agent_page(chromium, demo) as page:
        yield page


@pytest.fixture
def complaints(visitor: BrowserContext) -> list[str]:
    """What the visitor's pages wrote to the console: above all what their policy blocked."""
    heard: list[str] = []
    visitor.on("console", lambda message: heard.append(message.text))
    return heard


def test_the_agent_sees_the_truth_at_each_step(
    visitor: BrowserContext, tab: Page, agent: Page, demo: str, complaints: list[str]
) -> None:
    conversation = begin_chat(tab, demo, "How long is <b>shipping</b>?")
    open_on(agent, conversation)
    label = agent.locator(".open .label")
    expect(label).to_have_text("Online now")
    texts = agent.locator(".transcript .text")
    expect(texts).to_have_text(["How long is <b>shipping</b>?", bot.DELIVERY])
    tab.get_by_role("link", name="Bud Vase").first.click()
    expect(agent.locator(".open .where")).to_have_text("Bud Vase · Kiln & Kettle")
    expect(label).to_have_text("Online now")
    tab.close()
    expect(label).to_have_text("Switching pages")
    expect(agent.locator(".open .note")).to_contain_text("changing pages")
    expect(label).to_have_text("Last seen just now")
    expect(agent.locator(".open .note")).to_contain_text("left the page")
    assert complaints == []
    assert visitor.pages == []


def test_clearing_begins_anew_and_leaves_the_transcript(
    tab: Page, agent: Page, demo: str, complaints: list[str]
) -> None:
    conversation = begin_chat(tab, demo, "Hello")
    open_on(agent, conversation)
    expect(agent.locator(".transcript li")).to_have_count(2)
    tab.get_by_role("button", name="Clear this chat").click()
    tab.get_by_role("button", name="Keep it").click()
    expect(tab.locator(".chat-log .visitor")).to_have_count(1)
    tab.get_by_role("button", name="Clear this chat").click()
    tab.get_by_role("button", name="Clear it").click()
    expect(tab.locator(".chat-log .visitor")).to_have_count(0)
    expect(agent.locator(".open .label")).to_have_text("Chat cleared")
    expect(agent.locator(".transcript li")).to_have_count(2)
    say(tab, "Hello again")
    assert tab.evaluate("() => ChatPresence.state().conversation") != conversation
    assert complaints == []


def test_a_cached_page_shows_what_was_said_after_it(tab: Page, agent: Page, demo: str) -> None:
    conversation = begin_chat(tab, demo, "Hello")
    tab.evaluate("() => addEventListener('pageshow', (event) => { window.shown = event; })")
    tab.get_by_role("link", name="Bud Vase").first.click()
    tab.wait_for_url("**/product/bud-vase")
    say(tab, "Thanks")
    tab.evaluate("() => history.back()")
    expect(tab.locator(".chat-log .visitor")).to_have_count(2)
    assert tab.evaluate("() => window.shown.persisted")
    assert tab.evaluate("() => ChatPresence.state().conversation") == conversation
    open_on(agent, conversation)
    expect(agent.locator(".open .label")).to_have_text("Online now")


def test_a_browser_that_cannot_reach_the_bridge(tab: Page, agent: Page, demo: str) -> None:
    def refuse(route: Route) -> None:
        route.abort()

    tab.route("**/v1/visitor/events", refuse)
    conversation = begin_chat(tab, demo, "Hello")
    assert tab.evaluate("() => ChatPresence.state().route") == "store"
    open_on(agent, conversation)
    expect(agent.locator(".open .label")).to_have_text("Online now")
    tab.get_by_text("For the curious").click()
    expect(tab.get_by_label("ChatPresence.state()")).to_contain_text('"route": "store"')


def write_as_agent(agent: Page, text: str) -> None:
    agent.get_by_label("Your answer").fill(text)
    agent.get_by_role("button", name="Send").click()


def test_an_agent_answers_in_the_bots_place(
    tab: Page, agent: Page, demo: str, complaints: list[str]
) -> None:
    conversation = begin_chat(tab, demo, "Is a person there?")
    take_over(agent, conversation)
    expect(tab.locator("[data-chat-answers]")).to_have_text("Demo agent answers you.")
    expect(tab.locator(".chat-log .system")).to_have_count(1)
    expect(agent.locator(".checking")).to_have_text("")
    # The store's copy learns of it a moment later, from the bridge.
    wait_until(lambda: is_bot_silent(tab, conversation), "the bot is silent")
    tab.get_by_label("Your message").fill("Hello, person")
    tab.get_by_label("Your message").press("Enter")
    expect(agent.locator(".transcript .visitor")).to_have_count(2)
    write_as_agent(agent, "<b>Yes</b>, I am here")
    expect(tab.locator(".chat-log .agent")).to_contain_text("<b>Yes</b>, I am here")
    expect(agent.locator(".transcript .agent .who")).to_contain_text(", shown")
    tab.get_by_role("link", name="Bud Vase").first.click()
    expect(tab.locator(".chat-log .agent")).to_have_count(1)
    expect(tab.locator("[data-chat-answers]")).to_have_text("Demo agent answers you.")
    agent.get_by_role("button", name="Release to the bot").click()
    expect(tab.locator("[data-chat-answers]")).to_contain_text("A bot answers")
    expect(tab.locator(".chat-log .system")).to_have_count(2)
    wait_until(lambda: not is_bot_silent(tab, conversation), "the bot answers again")
    expect(tab.locator(".chat-log .bot")).to_have_count(2)
    say(tab, "Thanks")
    assert complaints == []


def test_t5_the_note_is_read_before_an_absent_visitor_is_taken_over(
    tab: Page, agent: Page, demo: str
) -> None:
    conversation = begin_chat(tab, demo, "I am in a hurry")
    tab.close()
    open_on(agent, conversation)
    expect(agent.locator(".open .note")).to_contain_text("left the page")
    agent.get_by_role("button", name="Take over", exact=True).click()
    agent.get_by_role("button", name="I have read this: take over").click()
    expect(agent.locator(".owner")).to_have_text("You answer")
    write_as_agent(agent, "When you are back")
    expect(agent.locator(".transcript .agent .who")).to_contain_text("not shown yet")


def test_the_agent_page_goes_on_after_the_network_was_away(
    tab: Page, agent: Page, demo: str
) -> None:
    agent.context.set_offline(True)
    conversation = begin_chat(tab, demo, "Hello")
    agent.context.set_offline(False)
    open_on(agent, conversation)
    agent.context.set_offline(True)
    say(tab, "Are you still there?")
    agent.context.set_offline(False)
    expect(agent.locator(".transcript .visitor")).to_have_count(2)


def test_a_browser_without_a_stream_is_told_as_well(tab: Page, agent: Page, demo: str) -> None:
    block(tab, "*/v1/visitor/stream*")
    conversation = begin_chat(tab, demo, "Hello")
    tab.wait_for_function("() => ChatPresence.state().transport === 'sync'")
    take_over(agent, conversation)
    write_as_agent(agent, "I am here")
    expect(tab.locator(".chat-log .agent")).to_contain_text("I am here", timeout=90_000)


def test_nothing_is_stored_before_a_chat_and_nobody_else_is_asked(
    visitor: BrowserContext, tab: Page, demo: str, complaints: list[str]
) -> None:
    asked: list[str] = []
    visitor.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    for path in ("/", "/product/morning-mug", "/cart"):
        tab.goto(demo + path)
        tab.get_by_role("button", name="Chat with us").click()
        expect(tab.get_by_role("dialog", name="Ask the workshop")).to_be_visible()
    assert {line.split()[0] for line in asked} == {"GET"}
    assert {urlsplit(line.split()[1]).netloc for line in asked} == {urlsplit(demo).netloc}
    assert tab.evaluate("() => sessionStorage.length + localStorage.length") == 0
    assert visitor.cookies() == []
    assert complaints == []


def test_the_chat_works_by_keyboard(tab: Page, demo: str) -> None:
    tab.goto(f"{demo}/")
    bubble = tab.get_by_role("button", name="Chat with us")
    bubble.focus()
    tab.keyboard.press("Enter")
    expect(tab.get_by_label("Your message")).to_be_focused()
    expect(bubble).to_have_attribute("aria-expanded", "true")
    tab.keyboard.type("Can I send it back?")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("log")).to_contain_text(bot.RETURNS)
    tab.keyboard.press("Escape")
    expect(tab.get_by_role("dialog", name="Ask the workshop")).to_be_hidden()
    expect(bubble).to_be_focused()


def test_the_basket(tab: Page, demo: str, complaints: list[str]) -> None:
    tab.goto(f"{demo}/product/bud-vase")
    tab.get_by_role("button", name="Add to the basket").click()
    tab.get_by_role("button", name="One Bud Vase more").click()
    expect(tab.get_by_label("Total")).to_contain_text("€68.00")
    tab.get_by_role("button", name="One Bud Vase less").click()
    expect(tab.get_by_label("Total")).to_contain_text("€34.00")
    tab.get_by_role("button", name="One Bud Vase less").click()
    expect(tab.get_by_text("Nothing in it yet.")).to_be_visible()
    assert complaints == []

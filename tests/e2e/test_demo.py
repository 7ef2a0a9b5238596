"""The demo as a newcomer meets it: a real browser in the shop, another on the agent's page."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from bridge.demo import DemoSite, bot, create_blueprint
from bridge.webhooks import sign
from tests.e2e.wpiko_store import block
from tests.servers.ports import free_port
from tests.servers.waiting import wait_until

CHECKOUT = Path(__file__).parents[2]
SECRET = b"a key of thirty-two bytes, tests"
PATIENCE_MS = 30_000

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``python -m bridge demo`` in a folder of its own; the address of its pages."""
    folder = tmp_path_factory.mktemp("demo")
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(CHECKOUT),
        "PORT": str(port),
        # A busy machine must not miss it.
        "PRESENCE_GRACE_SECONDS": "8",
        "HEARTBEAT_IDLE_SECONDS": "5",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bridge", "demo"],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until(
            lambda: process.poll() is not None or is_ready(port), "the demo is ready", seconds=60
        )
        assert process.poll() is None, (folder / "log").read_text()
        yield f"http://127.0.0.1:{port}/demo"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=60)


def is_ready(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).ok
    except requests.ConnectionError:
        return False


@pytest.fixture
def agent(chromium: Browser, demo: str) -> Iterator[Page]:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{demo}/agent")
    yield page
    context.close()


@pytest.fixture
def complaints(visitor: BrowserContext) -> list[str]:
    """What the visitor's pages wrote to the console: above all what their policy blocked."""
    heard: list[str] = []
    visitor.on("console", lambda message: heard.append(message.text))
    return heard


@pytest.fixture
def client() -> FlaskClient:
    """The shop alone, without a bridge."""
    app = Flask("shop")
    app.register_blueprint(create_blueprint(DemoSite("st_demo", SECRET)))
    return app.test_client()


def say(page: Page, text: str) -> None:
    answers = page.locator(".chat-log .bot").count()
    page.get_by_label("Your message").fill(text)
    page.get_by_label("Your message").press("Enter")
    expect(page.locator(".chat-log .bot")).to_have_count(answers + 1)


def begin_chat(tab: Page, demo: str, text: str) -> str:
    """Say something in a new chat; returns the conversation's id."""
    tab.goto(f"{demo}/")
    tab.get_by_role("button", name="Chat with us").click()
    say(tab, text)
    conversation: str = tab.evaluate("() => ChatPresence.state().conversation")
    return conversation


def open_on(agent: Page, conversation: str) -> None:
    agent.locator(f'[data-id="{conversation}"]').click()
    expect(agent.locator(f'[data-id="{conversation}"]')).to_have_attribute("aria-current", "true")


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


def take_over(agent: Page, conversation: str) -> None:
    """Open the conversation as an agent and answer in the bot's place."""
    open_on(agent, conversation)
    agent.get_by_role("button", name="Take over", exact=True).click()
    expect(agent.locator(".owner")).to_have_text("You answer")


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


def is_bot_silent(tab: Page, conversation: str) -> bool:
    """Ask the shop what its bot would say, beside the widget."""
    reply = tab.evaluate(
        """async (conversation) => {
            const body = JSON.stringify({ conversation, message: 'asked by the test', text: 'Hi' });
            const headers = { 'Content-Type': 'application/json' };
            const answer = await fetch('/demo/chat', { method: 'POST', headers, body });
            return (await answer.json()).reply;
        }""",
        conversation,
    )
    return reply is None


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


def test_a_session_is_for_the_shops_own_pages(client: FlaskClient) -> None:
    own = {"Sec-Fetch-Site": "same-origin"}
    assert client.post("/demo/session").status_code == 403
    foreign = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert client.post("/demo/session", headers=foreign).status_code == 403
    first = client.post("/demo/session", headers=own)
    visitor = first.get_json()["visitor"]
    claims = jwt.decode(first.get_json()["token"], SECRET, algorithms=["HS256"], audience="visitor")
    assert claims["sub"] == visitor
    assert claims["exp"] - claims["iat"] == 24 * 3600
    assert jwt.get_unverified_header(first.get_json()["token"])["kid"] == "st_demo"
    assert "HttpOnly" in first.headers["Set-Cookie"]
    assert client.post("/demo/session", headers=own).get_json()["visitor"] == visitor
    client.set_cookie("cpb_visitor", "v_somebody-else.x")
    assert client.post("/demo/session", headers=own).get_json()["visitor"] != "v_somebody-else"


def told_by_bridge(
    client: FlaskClient, told: object, *, key: bytes = SECRET, id_: str = "b_1", age: int = 0
) -> int:
    """The status with which the shop answers what the bridge, or somebody else, tells it."""
    body, timestamp = json.dumps(told).encode(), int(datetime.now(UTC).timestamp()) - age
    headers = {
        "webhook-id": id_,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(key, id_, timestamp, body),
        "Content-Type": "application/json",
    }
    url = "/demo/chat-presence-bridge/v1/bridge"
    return client.post(url, data=body, headers=headers).status_code


def started(ends_in: timedelta) -> dict[str, str]:
    ends_at = (datetime.now(UTC) + ends_in).isoformat()
    return {"type": "takeover.started", "conversation": "c", "expires_at": ends_at}


def reply(client: FlaskClient) -> str | None:
    body = {"conversation": "c", "message": "m", "text": "Hello"}
    answer = client.post("/demo/chat", json=body, headers={"Sec-Fetch-Site": "same-origin"})
    said: str | None = answer.get_json()["reply"]
    return said


def test_t2_the_bot_is_silent_while_an_agent_answers(client: FlaskClient) -> None:
    assert told_by_bridge(client, started(timedelta(minutes=30))) == 200
    assert reply(client) is None
    assert told_by_bridge(client, {"type": "takeover.released", "conversation": "c"}) == 200
    assert reply(client) is not None


def test_t3_the_bot_is_never_silent_for_ever(client: FlaskClient) -> None:
    assert told_by_bridge(client, started(-timedelta(seconds=1))) == 200
    assert reply(client) is not None


@pytest.mark.parametrize(
    "wrong", [{"key": b"another key of thirty-two bytes."}, {"id_": "msg_1"}, {"age": 301}]
)
def test_only_the_bridge_silences_the_bot(client: FlaskClient, wrong: dict[str, Any]) -> None:
    assert told_by_bridge(client, started(timedelta(minutes=30)), **wrong) == 401
    assert reply(client) is not None


@pytest.mark.parametrize("told", [[], {}, {"type": "takeover.started", "conversation": 1}])
def test_what_the_bridge_says_and_the_shop_does_not_know(client: FlaskClient, told: object) -> None:
    assert told_by_bridge(client, told) == 200


@pytest.mark.parametrize(
    "body", [[], {}, {"conversation": "c", "message": "m"}, {"conversation": 1, "message": "m"}]
)
def test_a_chat_request_that_makes_no_sense(client: FlaskClient, body: object) -> None:
    answer = client.post("/demo/chat", json=body, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 422


def test_a_basket_that_makes_no_sense_is_empty(client: FlaskClient) -> None:
    client.set_cookie("demo_basket", "bud-vase:-1,nothing:2,bud-vase:²,:::,bud-vase")
    assert "Nothing in it yet." in client.get("/demo/cart").text


def test_a_secret_never_shows_in_a_repr() -> None:
    assert "SECRET" not in repr(DemoSite("st_demo", b"SECRET", "SECRET"))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("How long does delivery take?", bot.DELIVERY),
        ("WHERE IS MY ORDER", bot.ORDERS),
        ("can I return the thing", bot.RETURNS),
        ("I want to talk to a human", bot.PERSON),
        ("qwertz", bot.UNSURE),
        ("", bot.UNSURE),
    ],
)
def test_the_bot_answers(said: str, expected: str) -> None:
    assert bot.answer(said) == expected


def test_the_bot_knows_the_shelf() -> None:
    assert "€68.00" in bot.answer("What does the little teapot cost?")
    assert "Morning Mug" in bot.answer("do you have mugs")

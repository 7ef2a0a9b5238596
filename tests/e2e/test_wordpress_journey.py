"""A visitor on a real WordPress, an agent at the bridge's API: the truth at each step."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from playwright.sync_api import BrowserContext, Page

from tests.e2e.agent import Agent, Onlooker, recorded_changes
from tests.servers.bridge import BridgeProcess
from tests.servers.waiting import wait_until
from tests.servers.wordpress import WordPress

GRACE_SECONDS: Final = 2
# A change is recorded by a sweep that runs every so often; no test depends on how often.
A_SWEEP: Final = timedelta(seconds=2)
GONE_FOR_GOOD: Final = timedelta(seconds=GRACE_SECONDS) + A_SWEEP

REMEMBER_PAGESHOW: Final = """() => addEventListener('pageshow', (event) => {
    window.cameBackFromCache = event.persisted;
})"""


@dataclass(frozen=True)
class Store:
    """A shop whose plugin is connected to a bridge, and an agent who looks on."""

    wordpress: WordPress
    bridge: BridgeProcess
    bridge_origin: str
    agent: Agent
    database: Path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("bridge")
    settings = {"PRESENCE_GRACE_SECONDS": str(GRACE_SECONDS)}
    with WordPress() as wordpress, BridgeProcess(folder, settings) as bridge:
        site = bridge.site_add("Plain Store", wordpress.url)
        wordpress.connect(site["connection_string"])
        origin = re.sub("//.*@", "//", site["connection_string"])
        agent = Agent(bridge, site["site"])
        yield Store(wordpress, bridge, origin, agent, folder / "bridge.db")


def say(tab: Page, text: str) -> None:
    """Write in the chat widget, and read its answer."""
    tab.fill("#demo-chat-text", text)
    tab.click("#demo-chat-form button")
    tab.locator("[data-author=bot]", has_text=f"You said: {text}").wait_for()


def presence_state(tab: Page) -> dict[str, Any]:
    state: dict[str, Any] = tab.evaluate("() => ChatPresence.state()")
    return state


def begin_chat(store: Store, tab: Page) -> str:
    """Open the first page, write something; return the conversation once it is online."""
    tab.goto(f"{store.wordpress.url}/first/")
    say(tab, "Hello")
    conversation: str = presence_state(tab)["conversation"]
    store.agent.wait_for_state(conversation, "online")
    return conversation


def follow_link(tab: Page) -> None:
    tab.click("#other-page")
    tab.wait_for_load_state()


@contextmanager
def never_offline(store: Store, conversation: str) -> Iterator[None]:
    """Nobody sees the conversation offline meanwhile, nor until long after any grace time."""
    before = len(recorded_changes(store.database, conversation))
    with Onlooker(store.agent, conversation) as onlooker:
        yield
        seen = onlooker.states_until(datetime.now(UTC) + GONE_FOR_GOOD)
    assert set(seen) <= {"online", "switching_pages"}
    assert seen[-1] == "online"
    recorded = recorded_changes(store.database, conversation)[before:]
    assert set(recorded) <= {"online", "switching_pages"}


def wait_for_page(store: Store, conversation: str, slug: str) -> None:
    """Return once the agent sees the visitor on this page."""
    url = f"{store.wordpress.url}/{slug}/"

    def is_shown() -> bool:
        shown: bool = store.agent.presence(conversation)["page"]["url"] == url
        return shown

    wait_until(is_shown, f"the agent sees the visitor on {url}")


def wait_for_pages(store: Store, conversation: str, count: int) -> None:
    wait_until(lambda: store.agent.presence(conversation)["pages"] == count, f"{count} live pages")


def leave(store: Store, tab: Page, conversation: str) -> None:
    """Close the tab, and follow the conversation until it is offline."""
    before = datetime.now(UTC)
    tab.close()
    switching = store.agent.wait_for_state(conversation, "switching_pages")
    assert switching["note"]["code"] == "switching_pages"
    offline = store.agent.wait_for_state(conversation, "offline")
    assert offline["reason"] == offline["note"]["code"] == "left"
    assert offline["online"] is False
    # The time of leaving, not the time at which the grace ended.
    assert offline["last_seen_at"] == switching["since"]
    last_seen, since = (datetime.fromisoformat(offline[f]) for f in ("last_seen_at", "since"))
    assert before <= last_seen
    assert since - last_seen == timedelta(seconds=GRACE_SECONDS)
    changes = recorded_changes(store.database, conversation)
    assert changes[-2:] == ["switching_pages", "offline"]


def test_nothing_happens_before_a_chat(store: Store, visitor: BrowserContext, tab: Page) -> None:
    requested: list[str] = []
    tab.on("request", lambda request: requested.append(request.url))
    tab.goto(f"{store.wordpress.url}/first/")
    follow_link(tab)
    assert [url for url in requested if re.search(r"/v1/(visitor|session|events)", url)] == []
    assert visitor.cookies() == []
    assert tab.evaluate("() => Object.keys(sessionStorage)") == []


def test_a_chat_begins(store: Store, visitor: BrowserContext, tab: Page) -> None:
    conversation = begin_chat(store, tab)
    listed = store.agent.conversations()[conversation]
    assert listed["presence"]["online"] is True
    assert listed["presence"]["label"] == "Online now"
    assert listed["presence"]["note"] is None
    assert listed["presence"]["page"]["url"] == f"{store.wordpress.url}/first/"
    state = presence_state(tab)
    assert listed["visitor"]["id"] == state["visitor"]
    assert state["route"] == "bridge"
    assert [cookie.get("name") for cookie in visitor.cookies()] == ["cpb_visitor"]


def test_a_link_to_another_page(store: Store, tab: Page) -> None:
    conversation = begin_chat(store, tab)
    with never_offline(store, conversation):
        for slug in ("second", "first", "second"):
            follow_link(tab)
            wait_for_page(store, conversation, slug)
    assert presence_state(tab)["conversation"] == conversation


def test_a_second_tab_is_closed(store: Store, tab: Page) -> None:
    conversation = begin_chat(store, tab)
    with tab.expect_popup() as popup:
        tab.evaluate("() => { window.open('/second/'); }")
    second = popup.value
    wait_for_pages(store, conversation, 2)
    with never_offline(store, conversation):
        second.close()
        wait_for_pages(store, conversation, 1)
    assert "switching_pages" not in recorded_changes(store.database, conversation)


def test_the_tab_is_closed(store: Store, tab: Page) -> None:
    conversation = begin_chat(store, tab)
    leave(store, tab, conversation)


def test_the_back_button(store: Store, tab: Page) -> None:
    conversation = begin_chat(store, tab)
    page = presence_state(tab)["page"]
    tab.evaluate(REMEMBER_PAGESHOW)
    with never_offline(store, conversation):
        follow_link(tab)
        wait_for_page(store, conversation, "second")
        tab.evaluate("() => history.back()")
        tab.wait_for_function("() => window.cameBackFromCache === true")
        wait_for_page(store, conversation, "first")
    assert presence_state(tab)["page"] == page


def test_the_chat_is_cleared(store: Store, tab: Page) -> None:
    conversation = begin_chat(store, tab)
    say(tab, "My order?")
    transcript = {
        ("visitor", "Hello"),
        ("bot", "You said: Hello"),
        ("visitor", "My order?"),
        ("bot", "You said: My order?"),
    }
    wait_until(
        lambda: set(store.agent.messages(conversation)) == transcript, "the whole transcript"
    )
    tab.click("#demo-chat-clear")
    cleared = store.agent.wait_for_state(conversation, "chat_cleared")
    assert cleared["label"] == "Chat cleared"
    assert cleared["note"]["code"] == "chat_cleared"
    assert set(store.agent.messages(conversation)) == transcript
    assert presence_state(tab)["conversation"] is None
    # Another chat in the same tab is another conversation; the cleared one stays cleared.
    say(tab, "Again")
    another = presence_state(tab)["conversation"]
    store.agent.wait_for_state(another, "online")
    continued = store.agent.presence(conversation)
    assert (continued["state"], continued["continued_in"]) == ("chat_cleared", another)


def test_the_browser_cannot_reach_the_bridge(
    store: Store, visitor: BrowserContext, tab: Page
) -> None:
    """As with a blocker: everything goes through the store's PHP instead."""
    visitor.route(f"{store.bridge_origin}/**", lambda route: route.abort())
    conversation = begin_chat(store, tab)
    # The message alone, of which the store's PHP tells, makes the visitor be online.
    tab.wait_for_function("() => ChatPresence.state().route === 'store'")
    with never_offline(store, conversation):
        follow_link(tab)
    assert presence_state(tab)["route"] == "store"
    # One that the store's own (signed) events cannot have told of.
    assert ("visitor", "Hello") in store.agent.messages(conversation)
    leave(store, tab, conversation)


def test_the_bridge_is_away(store: Store, tab: Page) -> None:
    """The shop's pages are served, without so much as a connection to where the bridge was."""
    conversation = begin_chat(store, tab)
    pages = [f"{store.wordpress.url}/{slug}/" for slug in ("first", "second")]
    with_bridge = [requests.get(page, timeout=30).text for page in pages]
    store.bridge.terminate()
    try:
        with socket.create_server(("127.0.0.1", store.bridge.port)) as in_its_place:
            in_its_place.setblocking(False)
            assert [requests.get(page, timeout=30).text for page in pages] == with_bridge
            with pytest.raises(BlockingIOError):
                in_its_place.accept()
        follow_link(tab)
        say(tab, "Still there?")
    finally:
        store.bridge.start()
    store.agent.wait_for_state(conversation, "online")
    wait_until(
        lambda: ("visitor", "Still there?") in store.agent.messages(conversation),
        "what was written meanwhile",
        seconds=90,
    )

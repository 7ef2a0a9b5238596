"""A WordPress with the stand-in for WPiko Chatbot, a bridge, an agent; and the visitor's hands."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import BrowserContext, Locator, Page

from tests.e2e.agent import Agent
from tests.servers.bridge import BridgeProcess
from tests.servers.wordpress import WordPress, php_text

# Quick, so that a page without a stream hears of things soon; what is tested does not depend on it.
SETTINGS: Final = {
    "PRESENCE_GRACE_SECONDS": "2",
    "HEARTBEAT_ACTIVE_SECONDS": "2",
    "HEARTBEAT_IDLE_SECONDS": "3",
}


@dataclass(frozen=True)
class WPikoStore:
    """A shop with WPiko Chatbot whose plugin is connected to a bridge, and an agent."""

    wordpress: WordPress
    bridge: BridgeProcess
    bridge_origin: str
    agent: Agent

    def transcript(self, thread: str) -> list[list[str]]:
        """Role and text of each row that WPiko keeps of a thread."""
        printed = self.wordpress.php(
            f"echo wp_json_encode( wpiko_standin_transcript( {php_text(thread)} ) );"
        )
        rows: list[list[str]] = json.loads(printed)
        return rows

    def instructions(self) -> str:
        """What the AI was told with the last message that it had to answer."""
        told: str = self.wordpress.option("standin_instructions")
        return told

    def set_option(self, name: str, value: str) -> None:
        self.wordpress.php(f"update_option( {php_text(name)}, {php_text(value)} );")


@contextmanager
def wpiko_store(folder: Path) -> Iterator[WPikoStore]:
    """All of it running, stopped at the end."""
    with WordPress() as wordpress, BridgeProcess(folder, SETTINGS) as bridge:
        wordpress.php(
            "require_once ABSPATH . 'wp-admin/includes/plugin.php';"
            "deactivate_plugins( 'demo-chat/demo-chat.php' );"
            "activate_plugin( 'wpiko-chatbot/wpiko-chatbot.php' );"
        )
        site = bridge.site_add("WPiko Store", wordpress.url)
        wordpress.connect(site["connection_string"])
        origin = re.sub("//.*@", "//", site["connection_string"])
        yield WPikoStore(wordpress, bridge, origin, Agent(bridge, site["site"]))


def block(tab: Page, pattern: str) -> None:
    """Have the browser itself refuse requests to such addresses in this tab, as a blocker does."""
    session = tab.context.new_cdp_session(tab)
    session.send("Network.enable")
    session.send("Network.setBlockedURLs", {"urls": [pattern]})


def write(tab: Page, text: str) -> None:
    """The visitor writes in the widget."""
    tab.fill("#chatbot-input", text)
    with tab.expect_response("**/admin-ajax.php"):
        tab.click("#chatbot-send")


def lines(tab: Page, kind: str) -> Locator:
    """The texts that the widget shows, of one kind: user, bot, admin, system, error."""
    return tab.locator(f"#chatbot-messages .{kind} .content")


def thread_of(tab: Page) -> str | None:
    thread: str | None = tab.evaluate("() => sessionStorage.wpiko_chatbot_thread_id || null")
    return thread


def presence_state(tab: Page) -> dict[str, Any]:
    state: dict[str, Any] = tab.evaluate("() => ChatPresence.state()")
    return state


def begin_chat(store: WPikoStore, tab: Page, transport: str = "stream") -> str:
    """Begin a chat with the AI; return the thread once the bridge speaks to the page this way."""
    tab.goto(f"{store.wordpress.url}/first/")
    write(tab, "Hello")
    lines(tab, "bot").get_by_text("You said: Hello").wait_for()
    thread = thread_of(tab)
    assert thread is not None
    tab.wait_for_function(
        "way => ChatPresence.state().transport === way", arg=transport, timeout=60_000
    )
    assert presence_state(tab)["conversation"] == thread
    store.agent.wait_for_state(thread, "online")
    return thread


def clear(tab: Page, *, sure: bool = True) -> None:
    """Click on clear, and answer the widget's question."""
    tab.once("dialog", lambda dialog: dialog.accept() if sure else dialog.dismiss())
    tab.click("#clear-chat")


def visitor_requests(visitor: BrowserContext) -> list[str]:
    """The addresses that the visitor's browser asks for from now on."""
    asked: list[str] = []
    visitor.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    return asked

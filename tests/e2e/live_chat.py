"""A page whose chat is live, for the tests of live.js."""

import json

from playwright.sync_api import Page

from tests.e2e.shop_and_bridge import ShopAndBridge, begin_chat, transport_is
from tests.e2e.streams import OpenStream

REMEMBER = """() => {
    window.told = [];
    ChatPresence.onMessage(({ text }) => { told.push(text); });
    ChatPresence.onTakeover(({ active, agent }) => { told.push([active, agent && agent.name]); });
}"""


def streams(servers: ShopAndBridge, count: int) -> OpenStream:
    """The latest of so many streams, once they have been asked for."""
    servers.record.wait_for(lambda: len(servers.record.streams) == count)
    return servers.record.streams[-1]


def begin_live_chat(tab: Page, servers: ShopAndBridge) -> OpenStream:
    """Begin a chat; return its stream once it is ready. The page remembers what it is told."""
    begin_chat(tab, servers)
    transport_is(tab, "stream")
    tab.evaluate(REMEMBER)
    return streams(servers, 1)


def told(tab: Page, *expected: object) -> None:
    """Wait until the page was told exactly this: texts of messages, and takeovers."""
    text = json.dumps(expected, separators=(",", ":"), ensure_ascii=False)
    tab.wait_for_function("expected => JSON.stringify(told) === expected", arg=text)

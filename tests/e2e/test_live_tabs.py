"""live.js in a real browser: at most four tabs hold a stream, since a host gets six connections."""

from playwright.sync_api import BrowserContext, Page

from tests.e2e.exchange import synced
from tests.e2e.live_chat import streams
from tests.e2e.shop_and_bridge import (
    ShopAndBridge,
    begin_chat,
    mark,
    say,
    transport_is,
    wait_until_answered,
)

TABS = 6


def open_tabs(visitor: BrowserContext, live: ShopAndBridge) -> list[Page]:
    tabs = [visitor.new_page() for _ in range(TABS)]
    for number, tab in enumerate(tabs):
        begin_chat(tab, live, f"c{number}")
        tab.wait_for_function("() => ChatPresence.state().transport")
    return tabs


def transports(tabs: list[Page]) -> list[str]:
    return [tab.evaluate("() => ChatPresence.state().transport") for tab in tabs]


def test_four_tabs_stream_and_the_others_sync(visitor: BrowserContext, live: ShopAndBridge) -> None:
    live.sync_answer = lambda _: synced(next_sync_seconds=1)
    tabs = open_tabs(visitor, live)
    assert sorted(transports(tabs)) == ["stream"] * 4 + ["sync"] * 2
    assert len(live.record.open_streams()) == 4
    # All of them still reach the bridge.
    for number, tab in enumerate(tabs):
        say(tab, f"m{number}")
        wait_until_answered(tab)
    assert len(live.record.events("message")) == TABS


def test_a_slot_that_is_given_back_is_taken(visitor: BrowserContext, live: ShopAndBridge) -> None:
    live.sync_answer = lambda _: synced(next_sync_seconds=1)
    tabs = open_tabs(visitor, live)
    waiting = [tab for tab in tabs if transports([tab]) == ["sync"]]
    first, second = (tab for tab in tabs if tab not in waiting[:] and tab in tabs[:2])
    first.close()
    live.record.wait_for(lambda: len(live.record.streams) == 5)
    # A page that only went into the back/forward cache has given its slot back as well.
    second.click("text=b")
    for tab in waiting:
        transport_is(tab, "stream")
    streams(live, 6)
    assert len(live.record.open_streams()) == 4
    second.evaluate("() => history.back()")
    second.wait_for_function("() => ChatPresence.state().transport === 'sync'")
    assert ["pageshow", True] in second.evaluate("() => seen")


def test_a_page_without_locks_streams(
    visitor: BrowserContext, tab: Page, live: ShopAndBridge
) -> None:
    """As over plain HTTP, where browsers offer none."""
    visitor.add_init_script("delete Navigator.prototype.locks;")
    begin_chat(tab, live)
    transport_is(tab, "stream")
    mark(tab, live)
    assert not live.record.syncs()


def test_locks_that_are_denied_leave_sync(
    visitor: BrowserContext, tab: Page, live: ShopAndBridge
) -> None:
    visitor.add_init_script("""navigator.locks.request = () => Promise.reject(
        new DOMException('denied', 'SecurityError'));""")
    begin_chat(tab, live)
    transport_is(tab, "sync")

"""What an idle open chat asks of the store and of the bridge: budgets B1 and B2.

A real browser on a page with the plugin's own scripts, a real bridge, and two real minutes.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from bench.figure import Figure, at_most
from bridge.api.streaming import STREAM_LASTS
from tests.processes.client import Store
from tests.servers.bridge import BridgeProcess

ASSETS = Path(__file__).resolve().parents[1] / "wp-plugin" / "assets"
MINUTES = 2
AN_HOUR = 3_600 / (MINUTES * 60)
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Shop</title>
<script>window.ChatPresenceConfig = {config};</script>
<script>{stub}</script><script src="/presence.js" defer></script></head>
<body>A page with a chat</body></html>"""


def idle_chat() -> list[Figure]:
    """requests of one idle open chat in a real browser, over two real minutes (B1, B2)"""
    with (
        tempfile.TemporaryDirectory() as folder,
        _shop() as shop,
        BridgeProcess(Path(folder)) as bridge,
    ):
        store = Store(bridge, shop.url)
        shop.bridge, shop.token = bridge.url, store.visitor("v_idle").token
        with store, _tab() as tab:
            asked = Counter[str]()
            _begin_chat(tab, shop.url)
            tab.on("request", lambda request: asked.update([_whose(request.url, shop, bridge)]))
            _sit_still(tab)
            if tab.evaluate("ChatPresence.state().transport") != "stream":
                raise SystemExit("the chat did not keep its stream")
    streams = 3_600 / STREAM_LASTS[0]
    return [
        at_most(
            "B1", "requests to the store by an idle chat, an hour", asked["store"] * AN_HOUR, 0
        ),
        at_most(
            "B2",
            "requests to the bridge by an idle chat, an hour, with its streams",
            asked["bridge"] * AN_HOUR + streams,
            16,
        ),
        Figure("-", "of those, streams that follow one another", streams, "", True),
    ]


def _begin_chat(tab: Page, shop: str) -> None:
    tab.goto(shop)
    tab.evaluate("ChatPresence.conversation('idle')")
    tab.wait_for_function(
        "ChatPresence.state().transport === 'stream' && ChatPresence.state().queued === 0"
    )


def _sit_still(tab: Page) -> None:
    """Two minutes, in which the browser's own events are handled."""
    until = time.monotonic() + MINUTES * 60
    while (left := until - time.monotonic()) > 0:
        tab.wait_for_timeout(1_000 * min(left, 1))


def _whose(url: str, shop: _Shop, bridge: BridgeProcess) -> str:
    if url.startswith(shop.url):
        return "store"
    return "bridge" if url.startswith(bridge.url) else "elsewhere"


@contextmanager
def _tab() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        yield browser.new_page()
        browser.close()


class _Shop:
    """A page with the plugin's scripts, and the store's route for the visitor's token."""

    def __init__(self) -> None:
        self.bridge = self.token = ""
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.partition("?")[0]
                if name in ("/presence.js", "/live.js"):
                    self._answer("text/javascript", (ASSETS / name[1:]).read_text())
                else:
                    self._answer("text/html", shop.page())

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self._answer("application/json", json.dumps(shop.session()))

            def _answer(self, media_type: str, text: str) -> None:
                content = text.encode()
                self.send_response(200)
                self.send_header("Content-Type", f"{media_type}; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
                """Say nothing: the browser's requests are counted."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def page(self) -> str:
        """The page, whose chat is live."""
        routes = {"session": "session", "events": "events", "sync": "sync", "live": "live.js"}
        config = {name: f"{self.url}/{route}" for name, route in routes.items()}
        stub = (ASSETS / "stub.js").read_text()
        return PAGE.format(config=json.dumps({**config, "bridge": self.bridge}), stub=stub)

    def session(self) -> dict[str, str]:
        """The visitor's token, as the plugin hands it out."""
        expires_at = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="milliseconds")
        return {"token": self.token, "expires_at": expires_at, "visitor": "v_idle"}


@contextmanager
def _shop() -> Iterator[_Shop]:
    shop = _Shop()
    thread = threading.Thread(target=shop.server.serve_forever)
    thread.start()
    try:
        yield shop
    finally:
        shop.server.shutdown()
        thread.join()
        shop.server.server_close()

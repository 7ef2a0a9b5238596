"""A small shop and a small bridge on two loopback ports that write down what a browser sends them.

The shop serves pages with the plugin's own ``stub.js`` and ``presence.js``, and ``live.js`` where a
test asks for it. What either answers is up to the test; by default everything is accepted, no
heartbeat is asked for, and a stream says that it is ready.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page

from tests.e2e.exchange import (
    STREAM_PATH,
    SYNC_PATH,
    Answer,
    Arrival,
    accepted,
    ready_stream,
    session,
    synced,
)
from tests.e2e.record import Record

ASSETS = Path(__file__).parents[2] / "wp-plugin" / "assets"

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Page {name}</title>
<script>
window.seen = [];
for (const type of ['pagehide', 'pageshow', 'visibilitychange']) {{
	addEventListener(type, (event) => seen.push([type, Boolean(event.persisted)]), true);
}}
window.ChatPresenceConfig = {config};
</script>
<script>{stub}</script>
<script>{early}</script>
<script src="/presence.js" defer></script>
</head>
<body><a href="/page/a">a</a> <a href="/page/b">b</a></body>
</html>
"""


HIDE = """() => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => 'hidden' });
    document.dispatchEvent(new Event('visibilitychange'));
}"""
SHOW = """() => {
    delete document.visibilityState;
    document.dispatchEvent(new Event('visibilitychange'));
}"""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, name: str, record: Record, respond: Callable[[Arrival], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.name = name
        self.record = record
        self.respond = respond
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def stop(self) -> None:
        """Close the port: connections are refused from now on. Harmless the second time."""
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    # A stream that is cut off can be told from one that ended only by its last chunk.
    protocol_version = "HTTP/1.1"
    server: _Server

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        arrival = Arrival(self.server.name, self.command, self.path, headers, body)
        answer = self.server.respond(arrival)
        self.server.record.add(arrival, answer.stream)
        self.close_connection = True
        if answer.status is None:
            return
        content = answer.body.encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if "origin" in headers and self.server.name == "bridge":
            self.send_header("Access-Control-Allow-Origin", headers["origin"])
            self.send_header("Access-Control-Expose-Headers", "Retry-After")
            self.send_header("Access-Control-Allow-Headers", "Authorization")
        self.send_header("Connection", "close")
        if answer.stream is not None:
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            answer.stream.serve(self.connection, self.wfile)
            return
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_OPTIONS = _handle

    def log_message(self, *_: object) -> None:
        """The record is the log."""


class ShopAndBridge:
    """Both servers. A test sets any of the answers; ``live`` gives its pages ``live.js``."""

    def __init__(self) -> None:
        self.record = Record()
        self.bridge_answer: Callable[[Arrival], Answer] = accepted
        self.proxy_answer: Callable[[Arrival], Answer] = accepted
        self.session_answer: Callable[[], Answer] = session
        self.stream_answer: Callable[[Arrival], Answer] = ready_stream
        self.sync_answer: Callable[[Arrival], Answer] = lambda _: synced()
        self.sync_path = "/sync"
        self.live = False
        self.early_script = ""
        self.page_headers: dict[str, str] = {}
        self.bridge = _Server("bridge", self.record, self._bridge_answer)
        self.shop = _Server("shop", self.record, self._shop_answer)

    def page_url(self, name: str) -> str:
        return f"{self.shop.url}/page/{name}"

    def _bridge_answer(self, arrival: Arrival) -> Answer:
        path = urlsplit(arrival.path).path
        if arrival.method == "OPTIONS":
            return Answer(204, "")
        if path == STREAM_PATH:
            return self.stream_answer(arrival)
        return self.sync_answer(arrival) if path == SYNC_PATH else self.bridge_answer(arrival)

    def _shop_answer(self, arrival: Arrival) -> Answer:
        path = arrival.path.partition("?")[0]
        if path in {"/presence.js", "/live.js"}:
            script = (ASSETS / path[1:]).read_text()
            return Answer(body=script, headers={"Content-Type": "text/javascript; charset=utf-8"})
        if path.startswith("/page/"):
            headers = {"Content-Type": "text/html; charset=utf-8", **self.page_headers}
            return Answer(body=self._page(path.removeprefix("/page/")), headers=headers)
        if path == "/events":
            return self.proxy_answer(arrival)
        if path == "/session":
            return self.session_answer()
        if path == "/sync":
            return self.sync_answer(arrival)
        return Answer(204 if path == "/mark" else 404, "")

    def _page(self, name: str) -> str:
        config = {
            "bridge": self.bridge.url,
            "session": f"{self.shop.url}/session",
            "events": f"{self.shop.url}/events",
            "sync": self.shop.url + self.sync_path,
        }
        if self.live:
            config["live"] = f"{self.shop.url}/live.js"
        stub = (ASSETS / "stub.js").read_text()
        return PAGE.format(name=name, config=json.dumps(config), stub=stub, early=self.early_script)


@contextmanager
def shop_and_bridge() -> Iterator[ShopAndBridge]:
    """Both servers on free ports, stopped at the end."""
    servers = ShopAndBridge()
    try:
        yield servers
    finally:
        for stream in servers.record.open_streams():
            stream.drop()
        servers.bridge.stop()
        servers.shop.stop()


def begin_chat(tab: Page, servers: ShopAndBridge, conversation: str = "c1") -> None:
    """Open page a, begin a chat there, and wait until the bridge has answered."""
    tab.goto(servers.page_url("a"))
    tab.evaluate("id => ChatPresence.conversation(id)", conversation)
    wait_until_answered(tab)


def say(tab: Page, id_: str, text: str = "Hello") -> None:
    """The visitor writes a message."""
    tab.evaluate("message => ChatPresence.message(message)", {"id": id_, "text": text})


def wait_until_answered(tab: Page) -> None:
    """Wait until the page has nothing more to send."""
    tab.wait_for_function("() => ChatPresence.state().queued === 0")


def mark(tab: Page, servers: ShopAndBridge) -> None:
    """A request of the test's own: what the script would have sent before it has then arrived."""
    marks = servers.record.paths().count("shop /mark")
    tab.evaluate("() => fetch('/mark', { method: 'POST' })")
    servers.record.wait_for(lambda: servers.record.paths().count("shop /mark") > marks)


def transport_is(tab: Page, transport: str | None) -> None:
    """Wait until the page is told things this way."""
    tab.wait_for_function("way => ChatPresence.state().transport === way", arg=transport)

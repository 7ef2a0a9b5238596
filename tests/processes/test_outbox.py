"""A store hears of everything, in order, whatever happens to it and to the bridge meanwhile."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from bridge.encryption import Encryption
from bridge.records.database import Database
from bridge.records.engine import SqlRecords
from bridge.records.outbox import SqlOutbox
from bridge.times import utc_now
from bridge.webhooks import decode_key, sign
from tests.contract.conftest import with_driver
from tests.servers.bridge import BridgeProcess
from tests.servers.ports import free_port
from tests.servers.postgresql import PostgreSQL
from tests.servers.waiting import wait_until

SECRET_KEY = "a-key-for-tests-only-0123456789abcdef"
PATH = "/index.php?rest_route=/chat-presence-bridge/v1/bridge"
AFTER_THE_LEASE = 90.0
"""Seconds in which a dead process's claim has ended, on a busy machine too."""


class ListeningStore:
    """A store's endpoint: it keeps what is signed well, by id, and answers 200.

    While it is away its port is closed. ``before_answer`` is called with the number of calls that
    came so far.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.key = b""
        self.numbers: dict[str, int] = {}
        """What was told, by ``webhook-id``, in the order in which it first came."""
        self.calls = 0
        self.refused: list[str] = []
        self.before_answer: Callable[[int], None] = lambda _: None
        self._server: ThreadingHTTPServer | None = None

    def open(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        threading.Thread(target=self._server.serve_forever, args=(0.02,)).start()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        self._server = None

    def told(self, count: int, *, seconds: float = 30.0) -> None:
        wait_until(lambda: len(self.numbers) >= count, f"{count} were told", seconds=seconds)

    def take(self, path: str, headers: Any, body: bytes) -> int:
        self.calls += 1
        id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
        mac = hmac.new(self.key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
        expected = f"v1,{base64.b64encode(mac).decode()}"
        fresh = abs(time.time() - int(timestamp)) < 300
        if path != PATH or headers["webhook-signature"] != expected or not fresh:
            self.refused.append(path)
            return 401
        self.numbers.setdefault(id, json.loads(body)["number"])
        self.before_answer(self.calls)
        return 200

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        store = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(store.take(self.path, self.headers, body))
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
                """Keep the tests' output quiet."""

        return Handler


class Shop:
    """A site of a running bridge, its store, and the records as another process has them."""

    def __init__(self, bridge: BridgeProcess, database: Database) -> None:
        self.store = ListeningStore()
        added = bridge.site_add("Shop", "https://shop.example")
        self.site = str(added["site"])
        self.store.key = decode_key(added["secret"])
        encryption = Encryption(SECRET_KEY)
        self.records, self.outbox = (
            SqlRecords(database, encryption),
            SqlOutbox(database, encryption),
        )
        self._bridge = bridge
        self.added = 0

    def connect(self) -> None:
        """As the plugin does, of a store with plain permalinks."""
        address = f"http://127.0.0.1:{self.store.port}"
        said = {
            "store_url": address,
            "rest_url": f"{address}/index.php?rest_route=/",
            "name": "Shop",
            "origins": [address],
            "plugin_version": "1",
            "wordpress_version": "6.7",
            "woocommerce_version": None,
            "timezone": "UTC",
            "woocommerce": None,
        }
        body, now = json.dumps(said).encode(), int(time.time())
        headers = {
            "Content-Type": "application/json",
            "Bridge-Site": self.site,
            "webhook-id": "msg_connect",
            "webhook-timestamp": str(now),
            "webhook-signature": sign(self.store.key, "msg_connect", now, body),
        }
        url = f"{self._bridge.url}/v1/store/connect"
        answered = requests.post(url, data=body, headers=headers, timeout=30)
        assert answered.status_code == 200, answered.text

    def add(self, count: int) -> None:
        """Something to tell, each in a transaction of its own."""
        for _ in range(count):
            with self.records.begin(self.site) as work:
                work.tell_store({"number": self.added}, utc_now())
            self.added += 1

    def told_everything(self, *, seconds: float = 30.0) -> None:
        """All came, each once by its id, and in order."""
        self.store.told(self.added, seconds=seconds)
        assert list(self.store.numbers.values()) == list(range(self.added))
        assert self.store.refused == []


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """SQLite, or what a test names as its parameter."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path / 'bridge.db'}"
    server: PostgreSQL = request.getfixturevalue("postgresql_server")
    return server.new_database()


on_both = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def bridge(tmp_path: Path, database_url: str) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path, {"DATABASE_URL": database_url}) as bridge:
        yield bridge


@pytest.fixture
def shop(bridge: BridgeProcess, database_url: str) -> Iterator[Shop]:
    database = Database(with_driver(database_url))
    shop = Shop(bridge, database)
    yield shop
    shop.store.close()
    database.dispose()


@on_both
def test_what_another_process_recorded_is_told(shop: Shop) -> None:
    shop.store.open()
    shop.connect()
    shop.add(5)
    shop.told_everything()
    assert shop.store.calls == 5


def test_a_store_that_was_away_hears_of_it_afterwards(shop: Shop) -> None:
    shop.connect()
    shop.add(3)
    delivery = shop.outbox.delivery
    wait_until(lambda: delivery(shop.site).attempts >= 2, "it was tried twice")
    assert delivery(shop.site).last_error == "no connection: Connection refused"
    shop.add(20)
    shop.store.open()
    shop.told_everything(seconds=60)
    wait_until(lambda: delivery(shop.site).failing_since is None, "the trouble is over")


def test_a_store_that_connects_late_hears_of_it(shop: Shop) -> None:
    shop.add(3)
    delivery = shop.outbox.delivery
    wait_until(lambda: delivery(shop.site).attempts >= 2, "it was tried")
    assert delivery(shop.site).last_error == "the store has not connected yet"
    shop.store.open()
    shop.connect()
    shop.told_everything()


@on_both
def test_a_bridge_killed_in_the_middle_of_a_call(bridge: BridgeProcess, shop: Shop) -> None:
    """The store has the call, the bridge never learns of it."""
    killed = threading.Event()

    def kill_during_the_tenth(calls: int) -> None:
        if calls == 10:
            bridge.kill()
            killed.set()

    shop.store.before_answer = kill_during_the_tenth
    shop.store.open()
    shop.connect()
    shop.add(30)
    assert killed.wait(30)
    shop.add(5)
    before = len(shop.store.numbers)
    bridge.start()
    shop.told_everything(seconds=AFTER_THE_LEASE)
    assert (before, shop.store.calls) == (10, 36), "the tenth came twice, no other did"


def test_a_bridge_killed_while_the_store_is_away(bridge: BridgeProcess, shop: Shop) -> None:
    shop.connect()
    shop.add(10)
    wait_until(lambda: shop.outbox.delivery(shop.site).attempts >= 1, "it was tried")
    bridge.kill()
    shop.add(10)
    shop.store.open()
    bridge.start()
    shop.told_everything(seconds=AFTER_THE_LEASE)


def test_a_redirect_is_not_followed_and_a_refusal_is_tried_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([302, 500])
    take = shop.store.take
    monkeypatch.setattr(shop.store, "take", lambda *call: next(answers, None) or take(*call))
    shop.store.open()
    shop.connect()
    shop.add(3)
    shop.told_everything(seconds=60)
    assert shop.store.calls == 3

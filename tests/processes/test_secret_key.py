"""``BRIDGE_SECRET_KEY`` is replaced while the bridge serves, as ``docs/operations.md`` says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
import sqlalchemy as sa

from bridge.encryption import Encryption
from bridge.ports import RecordedAnswer
from bridge.records.database import Database
from bridge.records.encrypted import ENCRYPTED
from bridge.records.engine import SqlRecords
from bridge.settings import SettingsError
from bridge.times import utc_now
from bridge.webhooks import decode_key, sign
from tests.contract.conftest import with_driver
from tests.processes.command import BRIDGE
from tests.servers.bridge import CHECKOUT, BridgeProcess
from tests.servers.postgresql import PostgreSQL
from tests.servers.waiting import wait_until

OLD_KEY = "the key before, of the right length"
NEW_KEY = "the key that takes its place, as long"
ONLY_OLD = {"BRIDGE_SECRET_KEY": OLD_KEY}
BOTH = {"BRIDGE_SECRET_KEY": NEW_KEY, "BRIDGE_OLD_SECRET_KEY": OLD_KEY}
ONLY_NEW = {"BRIDGE_SECRET_KEY": NEW_KEY}


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return {"DATABASE_URL": f"sqlite:///{tmp_path / 'bridge.db'}"}
    server: PostgreSQL = request.getfixturevalue("postgresql_server")
    return {"DATABASE_URL": server.new_database()}


class Store:
    """A store's PHP, which knows its secret and nothing of the bridge's keys."""

    def __init__(self, added: dict[str, Any]) -> None:
        self.site = str(added["site"])
        self.secret = str(added["secret"])

    def ask_for_code(self, bridge: BridgeProcess, id: str) -> requests.Response:
        """Ask for a pairing code by a signed request; a repeated ``id`` is answered the same."""
        agent = {"id": "1", "name": "Sam"}
        body = json.dumps({"agent": agent, "rights": ["conversations:read"]}).encode()
        now = int(time.time())
        return requests.post(
            f"{bridge.url}/v1/store/pairings",
            data=body,
            headers={
                "Content-Type": "application/json",
                "Bridge-Site": self.site,
                "webhook-id": id,
                "webhook-timestamp": str(now),
                "webhook-signature": sign(decode_key(self.secret), id, now, body),
            },
            timeout=30,
        )

    def code(self, bridge: BridgeProcess, id: str) -> str:
        """The code that it must get."""
        answer = self.ask_for_code(bridge, id)
        assert answer.ok, answer.text
        return str(answer.json()["code"])


def refusal(bridge: BridgeProcess, *command: str) -> str:
    with pytest.raises(RuntimeError, match=f"{command[0]} ended with 1") as caught:
        bridge.run(*command)
    message = str(caught.value)
    assert message.count("\n") == 1
    assert OLD_KEY not in message
    assert NEW_KEY not in message
    return message


def test_the_whole_way_from_one_key_to_the_next(tmp_path: Path, address: dict[str, str]) -> None:
    with BridgeProcess(tmp_path, {**address, **ONLY_OLD}) as old:
        store = Store(old.site_add("Shop", "https://shop.example"))
        code = store.code(old, "first")
        old.terminate()
        too_early = BridgeProcess(tmp_path, {**address, **ONLY_NEW})
        assert "BRIDGE_OLD_SECRET_KEY" in refusal(too_early, "serve")
    with BridgeProcess(tmp_path, {**address, **BOTH}) as both:
        assert store.code(both, "first") == code
        second = Store(both.site_add("Second", "https://second.example"))
        assert second.code(both, "first")
        # Its secret alone can be read with the new key alone.
        assert "BRIDGE_OLD_SECRET_KEY" in refusal(too_early, "serve")
        said = both.run("reencrypt")
        assert "answered_requests.body: 1 of 2 encrypted anew" in said
        assert "BRIDGE_OLD_SECRET_KEY can be removed now" in said
        assert store.code(both, "while it serves")
        both.terminate()
    with BridgeProcess(tmp_path, {**address, **ONLY_NEW}) as new:
        assert store.code(new, "first") == code
        assert store.code(new, "with the new key alone") != code
        assert second.code(new, "with the new key alone")
        forger = Store({"site": store.site, "secret": second.secret})
        assert forger.ask_for_code(new, "forged").status_code == 401
    assert "BRIDGE_SECRET_KEY is not the one" in refusal(old, "serve")


def test_one_that_was_killed_is_run_again(tmp_path: Path, postgresql_server: PostgreSQL) -> None:
    url = postgresql_server.new_database()
    bridge = BridgeProcess(tmp_path, {"DATABASE_URL": url, **ONLY_OLD})
    bridge.run("migrate")
    store = Store(bridge.site_add("Shop", "https://shop.example"))
    database = Database(with_driver(url))
    with SqlRecords(database, Encryption(OLD_KEY)).begin(store.site) as work:
        for number in range(300):
            work.keep_answer(f"request {number}", RecordedAnswer(200, b"{}"), utc_now())
    both = BridgeProcess(tmp_path, {"DATABASE_URL": url, **BOTH})
    # The site is held, so that it waits there: everything before is done, and nothing after.
    with psycopg.connect(url) as other:
        other.execute("UPDATE sites SET name = name")
        with reencryption({"DATABASE_URL": url, **BOTH}) as process:
            wait_until(
                lambda: process.poll() is not None or waits(url), "it waits for the held site"
            )
    left = unreadable(database, NEW_KEY)
    assert left == {"sites.secret": 1}
    assert unreadable(database, OLD_KEY)["answered_requests.body"] == 300
    assert store.site in both.run("site", "list")
    assert "BRIDGE_OLD_SECRET_KEY" in refusal(
        BridgeProcess(tmp_path, {"DATABASE_URL": url, **ONLY_NEW}), "site", "list"
    )
    said = both.run("reencrypt")
    assert "answered_requests.body: 0 of 300 encrypted anew" in said
    assert "sites.secret: 1 of 1 encrypted anew" in said
    assert unreadable(database, NEW_KEY) == {}
    database.dispose()


@contextmanager
def reencryption(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """The command on its way; killed at the end of the block."""
    process = subprocess.Popen(
        [*BRIDGE, "reencrypt"],
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"], **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def waits(url: str) -> bool:
    """Whether a transaction waits for another in this database."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with psycopg.connect(url) as connection:
        row = connection.execute(waiting).fetchone()
    return row is not None and row[0] > 0


def unreadable(database: Database, key: str) -> Counter[str]:
    """How many values of each column this key alone cannot read."""
    encryption, found = Encryption(key), Counter[str]()
    with database.reading() as connection:
        for column in ENCRYPTED:
            for value in connection.scalars(sa.select(column).where(column.is_not(None))):
                try:
                    encryption.decrypt(value)
                except SettingsError:
                    found[str(column)] += 1
    return found

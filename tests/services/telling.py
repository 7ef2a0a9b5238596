"""Stores to be told, under a clock that the test moves: the real outbox over SQLite, and stores
that do what the test says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bridge.encryption import Encryption
from bridge.ports import Site, SiteSecret, StoreCall, StoreCallError, StoreConnection
from bridge.records import schema
from bridge.records.database import Database
from bridge.records.engine import SqlRecords
from bridge.records.outbox import SqlOutbox, wake
from bridge.services.outbox import StoreOutbox

START = datetime(2030, 1, 1, tzinfo=UTC)
ENCRYPTION = Encryption("a-key-for-tests-only-0123456789abcdef")


def moment(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def prepare_sites(database: Path, *sites: str) -> None:
    """A migrated database of these sites, whose stores have connected."""
    opened = Database(f"sqlite:///{database}")
    schema.migrate(opened)
    records = SqlRecords(opened, ENCRYPTION)
    for each in sites:
        url = f"https://{each}.example"
        records.add_site(Site(each, each, url, frozenset(), (SiteSecret(b"k"),)), START)
        with records.begin(each) as work:
            work.connect_site(connection_of(url), START)
    opened.dispose()


def connection_of(url: str) -> StoreConnection:
    return StoreConnection(url, f"{url}/wp-json/", "Shop", (url,), "1", "6.7", None, "UTC")


@dataclass
class Stores:
    """The stores: what came to them, in order, and what they do with it."""

    answer: Callable[[StoreCall], None] = lambda _: None
    received: list[tuple[str, int, datetime]] = field(default_factory=list)
    """Site, number and time of each call that was answered well."""

    def call(self, rest_url: str, keys: Sequence[bytes], call: StoreCall, now: datetime) -> None:
        """See :meth:`bridge.ports.StoreCaller.call`."""
        assert (rest_url, keys) == (f"https://{call.site}.example/wp-json/", [b"k"])
        self.answer(call)
        self.receive(call, now)

    def receive(self, call: StoreCall, now: datetime) -> None:
        self.received.append((call.site, json.loads(call.body)["number"], now))

    def numbers(self, site: str = "st_1") -> list[int]:
        return [number for each, number, _ in self.received if each == site]


class Telling:
    """A bridge with something to tell."""

    def __init__(self, database: Path) -> None:
        self.now = START
        self.stores = Stores()
        self._database = Database(f"sqlite:///{database}")
        self.records = SqlRecords(self._database, ENCRYPTION)
        self.outbox = SqlOutbox(self._database, ENCRYPTION)
        self.service = self.process()

    def process(self) -> StoreOutbox:
        """One more process, which gets no benefit from chance."""
        return StoreOutbox(self.outbox, self.stores, lambda: self.now, chance=lambda: 1.0)

    def add(self, *numbers: int, site: str = "st_1") -> None:
        for number in numbers:
            with self.records.begin(site) as work:
                work.tell_store({"number": number}, self.now)

    def connect(self, site: str = "st_1") -> None:
        with self._database.writing() as connection:
            wake(connection, site, self.now)

    def dispatch(self, service: StoreOutbox | None = None) -> int:
        """Tell all that are due, one after another; how many sites there were."""
        process, sites = service or self.service, 0
        for failing in (False, True):
            while claimed := process.claim(failing=failing):
                process.carry_out(claimed)
                sites += 1
        return sites

    def at(self, seconds: float) -> None:
        """Go on to so many seconds after the start, and tell what is due then."""
        self.now = moment(seconds)
        self.dispatch()

    def stop(self) -> None:
        self._database.dispose()


@contextmanager
def telling(prepared: Path, folder: Path) -> Iterator[Telling]:
    database = folder / "bridge.db"
    shutil.copy(prepared, database)
    scene = Telling(database)
    try:
        yield scene
    finally:
        scene.stop()


def refuse(reason: str = "it answered 500", after: float | None = None) -> Callable[..., None]:
    """A store's answer that is none."""

    def answer(*_: object) -> None:
        raise StoreCallError(reason, None if after is None else timedelta(seconds=after))

    return answer

"""SQL statements counted in process, over the embedded default."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from bridge import bootstrap
from bridge.bootstrap import Bridge
from bridge.ports import ConversationQuery
from bridge.services.incoming import Incoming, Sender
from bridge.settings import Settings
from bridge.times import utc_now

LISTED = 50


def heartbeat_statements() -> int:
    """Statements of a heartbeat that changes nothing."""
    with _bridge() as (bridge, site):
        now = utc_now()
        view = _event("page_view", 1, 0)
        bridge.services.ingest.from_visitor(site, [view], now, Sender("v"))
        with _counted(bridge) as statements:
            beat = _event("heartbeat", 2, 1)
            if bridge.services.ingest.beat(site, beat) is None:
                raise SystemExit("the heartbeat was not answered from memory")
        return len(statements)


def list_statements() -> int:
    """Queries of a list of 50 conversations, the device's own included."""
    with _bridge() as (bridge, site):
        events = [_event("page_view", 1, 0, number) for number in range(LISTED)]
        bridge.services.ingest.from_visitor(site, events, utc_now(), Sender("v"))
        devices = bridge.services.devices
        with bridge.records.begin(site) as work:
            offer = devices.offer(work, bootstrap.DEMO_AGENT, frozenset(), utc_now())
        paired = devices.pair(offer.code, "bench", "", utc_now())
        if paired is None:
            raise SystemExit("pairing failed")
        with _counted(bridge) as statements:
            device, _ = devices.device(paired.token, utc_now())
            query = ConversationQuery(limit=LISTED)
            found = bridge.services.conversations.listing(site, device.agent.id, query, utc_now())
            if len(found) != LISTED:
                raise SystemExit(f"{len(found)} listed")
        return len(statements)


def _event(kind: str, seq: int, seconds: float, number: int = 0) -> Incoming:
    at = utc_now() + timedelta(seconds=seconds)
    return Incoming(f"e{number}-{seq}", kind, at, f"c{number}", "v", f"p{number}", seq)


@contextmanager
def _bridge() -> Iterator[tuple[Bridge, str]]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            secret_key="a-key-for-the-bench-only-0123456789abcdef",
            database_url=f"sqlite:///{Path(folder) / 'bench.db'}",
        )
        bootstrap.migrate(settings)
        bridge = bootstrap.build(settings)
        site = bridge.sites.add("Bench", "http://shop.test", utc_now())
        yield bridge, site.id
        bridge.database.dispose()


@contextmanager
def _counted(bridge: Bridge) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            statements.append(statement)

    engines = {bridge.database.reader, bridge.database.writer}
    for engine in engines:
        sa.event.listen(engine, "before_cursor_execute", note)
    yield statements
    for engine in engines:
        sa.event.remove(engine, "before_cursor_execute", note)

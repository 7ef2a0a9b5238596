"""The sweep of a running bridge: passed deadlines are recorded although nobody looks."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.processes.client import Store
from tests.processes.test_storage import locked
from tests.servers.bridge import BridgeProcess
from tests.servers.waiting import wait_until

GRACE = 500_000
"""The grace time of the fixture's bridge in microseconds."""


def changes(folder: Path) -> list[tuple[str, str | None, int]]:
    """What lies in the bridge's file, in microseconds since the first change."""
    statement = "SELECT state, reason, at FROM presence_changes ORDER BY rev"
    with closing(sqlite3.connect(f"file:{folder}/bridge.db?mode=ro", uri=True)) as connection:
        found = connection.execute(statement).fetchall()
    return [(state, reason, at - found[0][2]) for state, reason, at in found]


def test_p5_leaving_is_recorded_with_its_computed_time(
    bridge: BridgeProcess, store: Store, tmp_path: Path
) -> None:
    visitor = store.visitor("v")
    visitor.tell("page_view", "A", page="p", seq=1)
    visitor.tell("page_unload", "A", page="p", seq=2)
    wait_until(lambda: len(changes(tmp_path)) == 3, "the sweep came")
    (_, _, left), (state, reason, at) = changes(tmp_path)[1:]
    assert (state, reason, at - left) == ("offline", "left", GRACE)


def test_p14_a_deadline_that_could_not_be_recorded_is_recorded_later(
    bridge: BridgeProcess, store: Store, tmp_path: Path
) -> None:
    visitor = store.visitor("v")
    visitor.tell("page_view", "A", page="p", seq=1)
    visitor.tell("page_unload", "A", page="p", seq=2)
    with locked(tmp_path / "bridge.db"):
        wait_until(lambda: "storage is away" in bridge.log.read_text(), "a sweep has failed")
        assert len(changes(tmp_path)) == 2
    wait_until(lambda: len(changes(tmp_path)) == 3, "the sweep came again")
    (_, _, left), (state, reason, at) = changes(tmp_path)[1:]
    assert (state, reason, at - left) == ("offline", "left", GRACE)

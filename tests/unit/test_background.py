"""What the process does by itself tells of each trouble with storage once, and of its end."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from types import SimpleNamespace
from typing import cast

import pytest

from bridge import background
from bridge.bootstrap import Bridge
from bridge.errors import UnavailableError
from bridge.times import utc_now


class Ended(SystemExit):
    """Ends the thread, which would otherwise go on for as long as the process."""


class ScriptedSweep:
    """A sweep each of whose rounds has a given outcome."""

    def __init__(self, outcomes: Iterator[int | BaseException]) -> None:
        self.outcomes = outcomes

    def restore(self, now: datetime) -> int:
        return 0

    def keep_house(self, now: datetime) -> None:
        return None

    def settle(self, now: datetime) -> int:
        outcome = next(self.outcomes)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


def away(reason: str) -> UnavailableError:
    error = UnavailableError("Away.")
    error.__cause__ = sqlite3.OperationalError(reason)
    return error


# The thread that it speaks of is ended by the test itself.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_each_trouble_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(background, "_AFTER_FAILURE", 0.0)
    locked, full = "database is locked", "database or disk is full"
    rounds: list[int | BaseException] = [
        *(1, away(locked), away(locked), away(full), away(full)),
        *(0, away(full), 2, 1, away(full), RuntimeError(), 1, Ended()),
    ]
    bridge = SimpleNamespace(
        sweep=ScriptedSweep(iter(rounds)),
        sites=SimpleNamespace(load_superseded=lambda _: None),
        liveness=SimpleNamespace(next_due=utc_now),
        outbox=SimpleNamespace(ending=True),
        look_ups=SimpleNamespace(ending=True),
        services=SimpleNamespace(
            fan_out=SimpleNamespace(start=lambda: None),
            visits=SimpleNamespace(settle_drops=lambda _: 0),
        ),
    )
    with caplog.at_level(logging.INFO, "bridge.background"):
        thread = background.start(cast(Bridge, bridge), utc_now)
        thread.join(30)
    assert not thread.is_alive()
    # A round in which nothing was due says nothing of storage.
    assert caplog.messages == [
        "presence restored: 0 conversations",
        f"storage is away: deadlines wait ({locked})",
        f"storage is away: deadlines wait ({full})",
        "storage is back",
        f"storage is away: deadlines wait ({full})",
        "a sweep failed",
        "storage is back",
    ]

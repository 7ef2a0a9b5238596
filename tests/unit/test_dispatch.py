"""Telling stores in the background: several at a time, whatever becomes of one of them."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import pytest

from bridge import dispatch
from bridge.errors import UnavailableError
from bridge.ports import ClaimedCall, SiteSecret, StoreCall, StoreCallError, StoreDelivery
from bridge.services.outbox import StoreOutbox
from tests.servers.waiting import wait_until

NOW = datetime(2030, 1, 1, tzinfo=UTC)


class Due:
    """An outbox of sites with one call each; a put-off one is due again among those that fail."""

    def __init__(self) -> None:
        self.sites: dict[bool, deque[str]] = {False: deque(), True: deque()}
        self.told_sites: list[str] = []
        self.away: list[BaseException] = []

    def claim(self, now: datetime, until: datetime, *, failing: bool) -> ClaimedCall | None:
        if self.away:
            raise self.away.pop(0)
        if not self.sites[failing]:
            return None
        site = self.sites[failing].popleft()
        return ClaimedCall(
            StoreCall("b_1", site, now, b"{}"), "https://x/", (SiteSecret(b"k"),), 0, until
        )

    def told(self, claimed: ClaimedCall, until: datetime) -> ClaimedCall | None:
        self.told_sites.append(claimed.call.site)
        return None

    def give_up(self, claimed: ClaimedCall, until: datetime) -> ClaimedCall | None:
        raise AssertionError("none is too old")

    def put_off(self, claimed: ClaimedCall, error: str, now: datetime, due_at: datetime) -> None:
        self.sites[True].append(claimed.call.site)

    def delivery(self, site: str) -> StoreDelivery:
        return StoreDelivery()


class Stores:
    """Stores of which those named hang until they are let go."""

    def __init__(self) -> None:
        self.hang: Callable[[str], bool] = lambda _: False
        self.let_go = threading.Event()
        self.hanging: set[str] = set()
        self.fail: Callable[[str], bool] = lambda _: False

    def call(self, rest_url: str, keys: Sequence[bytes], call: StoreCall, now: datetime) -> None:
        if self.hang(call.site):
            self.hanging.add(call.site)
            assert self.let_go.wait(30)
            self.hanging.discard(call.site)
        if self.fail(call.site):
            raise StoreCallError("no answer in time")


class Background:
    def __init__(self) -> None:
        self.due, self.stores = Due(), Stores()
        self.outbox = StoreOutbox(self.due, self.stores, lambda: NOW)
        self.thread = dispatch.start(self.outbox, "outbox")

    def add(self, *sites: str, failing: bool = False) -> None:
        self.due.sites[failing].extend(sites)
        self.outbox.notice()

    def told(self, *sites: str) -> None:
        wait_until(lambda: set(sites) <= set(self.due.told_sites), f"{sites} were told")


@pytest.fixture
def background(monkeypatch: pytest.MonkeyPatch) -> Iterator[Background]:
    background = Background()
    yield background
    background.stores.let_go.set()
    background.outbox.end()
    background.thread.join(30)
    assert not background.thread.is_alive()
    wait_until(
        lambda: not any(each.name == "outbox call" for each in threading.enumerate()),
        "no call is under way",
    )


def test_stores_that_hang_hold_up_no_other(background: Background) -> None:
    background.stores.hang = lambda site: site.startswith("hanging")
    hanging = [f"hanging {number}" for number in range(dispatch.AT_A_TIME - 1)]
    background.add(*hanging)
    wait_until(lambda: len(background.stores.hanging) == len(hanging), "they hang")
    background.add("a", "b", "c")
    background.told("a", "b", "c")


def test_no_more_than_so_many_at_a_time(background: Background) -> None:
    background.stores.hang = lambda _: True
    sites = [f"s{number}" for number in range(dispatch.AT_A_TIME + 3)]
    background.add(*sites)
    wait_until(lambda: len(background.due.sites[False]) == 3, "all places are taken")
    wait_until(lambda: len(background.stores.hanging) == dispatch.AT_A_TIME, "they hang")
    background.stores.let_go.set()
    background.told(*sites)


def test_stores_in_trouble_take_no_place_of_others(background: Background) -> None:
    background.stores.hang = lambda site: site.startswith("hanging")
    hanging = [f"hanging {number}" for number in range(20)]
    background.add(*hanging, failing=True)
    wait_until(
        lambda: len(background.stores.hanging) == dispatch.FAILING_AT_A_TIME, "some of them hang"
    )
    sites = [f"s{number}" for number in range(20)]
    background.add(*sites)
    background.told(*sites)


def test_one_that_fails_is_tried_among_those_that_fail(background: Background) -> None:
    failures = iter([True, True, False])
    background.stores.fail = lambda _: next(failures)
    background.add("a")
    background.told("a")


def test_what_another_process_added_is_found(
    monkeypatch: pytest.MonkeyPatch, background: Background
) -> None:
    monkeypatch.setattr(dispatch, "POLL_SECONDS", 0.01)
    background.outbox.notice()
    background.due.sites[False].append("a")
    background.told("a")


def away(reason: str) -> UnavailableError:
    error = UnavailableError("Away.")
    error.__cause__ = sqlite3.OperationalError(reason)
    return error


def test_each_trouble_is_told_once(
    monkeypatch: pytest.MonkeyPatch, background: Background, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(dispatch, "POLL_SECONDS", 0.001)
    locked, full = "database is locked", "database or disk is full"
    with caplog.at_level(logging.INFO, "bridge.dispatch"):
        background.due.away += [away(locked), away(locked), away(full), away(full)]
        background.outbox.notice()
        wait_until(lambda: not background.due.away, "all of it happened")
        background.add("a")
        background.told("a")
        background.due.away += [RuntimeError(), away(full)]
        background.outbox.notice()
        wait_until(lambda: not background.due.away, "all of it happened")
        background.add("b")
        background.told("b")
        wait_until(lambda: len(caplog.messages) == 6, "all of it was logged")
    assert caplog.messages == [
        f"storage is away: stores wait (outbox, {locked})",
        f"storage is away: stores wait (outbox, {full})",
        "storage is back: stores wait no more (outbox)",
        "stores could not be looked after (outbox)",
        f"storage is away: stores wait (outbox, {full})",
        "storage is back: stores wait no more (outbox)",
    ]


def test_storage_that_goes_away_during_a_call(
    monkeypatch: pytest.MonkeyPatch, background: Background, caplog: pytest.LogCaptureFixture
) -> None:
    def lost(claimed: ClaimedCall, until: datetime) -> None:
        raise away("connection refused") if claimed.call.site == "a" else ZeroDivisionError

    monkeypatch.setattr(background.due, "told", lost)
    with caplog.at_level(logging.INFO, "bridge.dispatch"):
        background.add("a")
        wait_until(lambda: len(caplog.messages) == 1, "it was logged")
        background.add("b")
        wait_until(lambda: len(caplog.messages) == 3, "the other was logged")
    assert caplog.messages == [
        "storage is away: stores wait (outbox, connection refused)",
        "storage is back: stores wait no more (outbox)",
        "a store could not be looked after (outbox)",
    ]

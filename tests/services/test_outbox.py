"""Telling stores: in order, tried again with back-off, given up after 24 hours."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from bridge.ports import Site, SiteSecret, StoreCall, StoreDelivery
from bridge.services import outbox as service
from tests.services.telling import (
    Telling,
    connection_of,
    moment,
    prepare_sites,
    refuse,
    telling,
)

HOUR = 3_600


@pytest.fixture(scope="module")
def two_sites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    database = tmp_path_factory.mktemp("outbox") / "bridge.db"
    prepare_sites(database, "st_1", "st_2")
    return database


@pytest.fixture
def scene(two_sites: Path, tmp_path: Path) -> Iterator[Telling]:
    with telling(two_sites, tmp_path) as scene:
        yield scene


def test_all_that_waits_is_told_in_order(scene: Telling) -> None:
    scene.add(1, 2, 3)
    scene.dispatch()
    assert scene.stores.numbers() == [1, 2, 3]
    assert scene.dispatch() == 0


def test_the_wait_doubles_up_to_five_minutes(scene: Telling) -> None:
    attempts: list[float] = []

    def answer(call: StoreCall) -> None:
        attempts.append((scene.now - moment(0)).total_seconds())
        refuse()()

    scene.stores.answer = answer
    scene.add(1)
    for second in range(1_200):
        scene.at(second)
    waits = [later - earlier for earlier, later in pairwise(attempts)]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_half_of_the_wait_is_left_to_chance(scene: Telling) -> None:
    scene.stores.answer = refuse()
    scene.add(1)
    lucky = service.StoreOutbox(scene.outbox, scene.stores, lambda: scene.now, lambda: 0.0)
    scene.dispatch(lucky)
    scene.now = moment(0.499)
    assert scene.dispatch(lucky) == 0
    scene.now = moment(0.5)
    assert scene.dispatch(lucky) == 1


@pytest.mark.parametrize(
    ("asked", "waited"), [(30, 30), (0, 1), (0.5, 1), (300, 300), (86_400, 300), (10**9, 300)]
)
def test_what_a_busy_store_asks_for_is_respected_within_bounds(
    scene: Telling, asked: float, waited: float
) -> None:
    scene.stores.answer = refuse(after=asked)
    scene.add(1)
    scene.dispatch()
    scene.stores.answer = lambda _: None
    scene.at(waited - 0.001)
    assert scene.stores.numbers() == []
    scene.at(waited)
    assert scene.stores.numbers() == [1]


def test_one_store_that_is_away_holds_up_itself_alone(scene: Telling) -> None:
    def answer(call: StoreCall) -> None:
        if call.site == "st_1":
            refuse()()

    scene.stores.answer = answer
    scene.add(1, 2)
    scene.add(3, 4, site="st_2")
    scene.dispatch()
    assert scene.stores.numbers("st_1") == []
    assert scene.stores.numbers("st_2") == [3, 4]
    assert scene.outbox.delivery("st_1").last_error == "it answered 500"


def test_a_store_away_for_an_hour_is_told_afterwards_once_in_order(scene: Telling) -> None:
    scene.stores.answer = refuse("no connection: Connection refused")
    for number in range(60):
        scene.at(number * 60)
        scene.add(number)
    assert scene.outbox.delivery("st_1").failing_since == moment(60)
    scene.stores.answer = lambda _: None
    scene.at(HOUR + 300)
    assert scene.stores.numbers() == list(range(60))
    assert scene.outbox.delivery("st_1") == StoreDelivery()


def test_after_a_day_a_call_is_given_up_and_the_next_is_tried(
    scene: Telling, caplog: pytest.LogCaptureFixture
) -> None:
    scene.stores.answer = refuse()
    scene.add(1)
    scene.at(600)
    scene.add(2)
    for minutes in range(15, 24 * 60, 5):
        scene.at(minutes * 60)
    assert scene.outbox.delivery("st_1").given_up == 0
    with caplog.at_level(logging.WARNING, "bridge.outbox"):
        scene.at(24 * HOUR)
    assert caplog.messages == ["a store could not be told for a day: 1 given up (st_1)"]
    assert scene.outbox.delivery("st_1").given_up == 1
    scene.stores.answer = lambda _: None
    scene.at(24 * HOUR + 300)
    assert scene.stores.numbers() == [2]


def test_a_bridge_that_was_away_for_a_day_gives_up_what_is_too_old(
    scene: Telling, caplog: pytest.LogCaptureFixture
) -> None:
    scene.add(1, 2, 3)
    scene.now = moment(1)
    scene.add(4)
    scene.at(24 * HOUR)
    assert scene.stores.numbers() == [4]
    assert scene.outbox.delivery("st_1") == StoreDelivery(given_up=3)
    assert caplog.messages == ["a store could not be told for a day: 3 given up (st_1)"]


def test_what_is_too_old_behind_one_that_was_told(scene: Telling) -> None:
    def slow(call: StoreCall) -> None:
        scene.now = moment(24 * HOUR + 5)

    scene.add(1, 2)
    scene.stores.answer = slow
    scene.at(24 * HOUR - 1)
    assert scene.stores.numbers() == [1]
    assert scene.outbox.delivery("st_1").given_up == 1


def test_a_store_that_never_connected_is_told_once_it_has(tmp_path: Path) -> None:
    prepare_sites(tmp_path / "prepared.db", "st_1")
    (tmp_path / "copy").mkdir()
    with telling(tmp_path / "prepared.db", tmp_path / "copy") as scene:
        new = Site("st_9", "New", "https://st_9.example", frozenset(), (SiteSecret(b"k"),))
        scene.records.add_site(new, moment(0))
        scene.add(1, site="st_9")
        for second in range(600):
            scene.at(second)
        assert scene.outbox.delivery("st_9").last_error == "the store has not connected yet"
        with scene.records.begin("st_9") as work:
            work.connect_site(connection_of("https://st_9.example"), scene.now)
        scene.connect("st_9")
        scene.dispatch()
        assert scene.stores.numbers("st_9") == [1]


def test_a_fault_of_ours_is_tried_again_later(
    scene: Telling, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: StoreCall) -> None:
        raise ZeroDivisionError

    scene.stores.answer = broken
    scene.add(1)
    scene.dispatch()
    assert caplog.messages == ["a call to a store broke down"]
    assert scene.outbox.delivery("st_1").last_error == "a fault of the bridge"
    scene.stores.answer = lambda _: None
    scene.at(1)
    assert scene.stores.numbers() == [1]


def test_no_site_takes_all_the_time(scene: Telling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BATCH", 2)
    scene.add(1, 2, 3)
    scene.now = moment(0.5)
    scene.add(4, site="st_2")
    scene.now = moment(1)
    scene.dispatch()
    assert [number for _, number, _ in scene.stores.received] == [1, 2, 4, 3]


def test_who_ends_leaves_the_site_to_the_next_process(scene: Telling) -> None:
    scene.stores.answer = lambda _: scene.service.end()
    scene.add(1, 2)
    claimed = scene.service.claim(failing=False)
    assert claimed is not None
    scene.service.carry_out(claimed)
    assert scene.stores.numbers() == [1]
    scene.dispatch(scene.process())
    assert scene.stores.numbers() == [1, 2]

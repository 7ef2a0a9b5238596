"""Telling a store over anything that may happen: it hears of everything, in order, and what comes
again is known by its id."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from hypothesis.stateful import run_state_machine_as_test as run

from bridge.ports import StoreCall, StoreCallError, StoreDelivery
from tests.services.telling import Telling, moment, prepare_sites

# Around the numbers of the back-off and the lease, so that boundaries are met.
DURATIONS = st.sampled_from([0.0, 0.5, 1.0, 2.0, 19.0, 20.0, 21.0, 300.0])
OUTCOMES = st.sampled_from(
    ["told", "told", "refused", "lost", "died", "died after", "slow", "slower than the lease"]
)


class DiedError(BaseException):
    """The process is gone, in the middle of a call."""


class OutboxMachine(RuleBasedStateMachine):
    """Two processes and one store."""

    prepared: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="bridge-outbox-"))
        shutil.copy(self.prepared, self.folder / "bridge.db")
        self.scene = Telling(self.folder / "bridge.db")
        self.scene.stores.answer = self.answer
        self.outcomes: Iterator[str] = iter(())
        self.added = 0
        self.heard: dict[str, int] = {}
        """What the store has, by id, in the order in which it came."""

    @initialize()
    def begin(self) -> None:
        self.add(1)

    @rule(number=st.integers(1, 3))
    def add(self, number: int) -> None:
        self.scene.add(*range(self.added, self.added + number))
        self.added += number

    @rule(seconds=DURATIONS)
    def wait(self, seconds: float) -> None:
        self.scene.now = moment((self.scene.now - moment(0)).total_seconds() + seconds)

    @rule(outcomes=st.lists(OUTCOMES, max_size=4))
    def dispatch(self, outcomes: list[str]) -> None:
        self.outcomes = iter(outcomes)
        self.turn()

    @rule()
    def connect(self) -> None:
        self.scene.connect()

    @rule(outcome=OUTCOMES)
    def connect_under_way(self, outcome: str) -> None:
        """The store connects while it is being told."""
        self.outcomes = iter(["connects", outcome])
        self.turn()

    def turn(self) -> None:
        with suppress(DiedError):
            self.scene.dispatch(self.scene.process())

    def answer(self, call: StoreCall) -> None:
        """What the store does with a call, and what the bridge hears of it."""
        outcome = next(self.outcomes, "told")
        if outcome == "connects":
            self.scene.connect()
            outcome = next(self.outcomes, "told")
        if outcome == "slow":
            self.wait(5)
            self.turn()
        if outcome == "slower than the lease":
            self.wait(21)
            self.turn()
        if outcome not in ("refused", "died"):
            self.hear(call)
        if outcome.startswith("died"):
            raise DiedError
        if outcome in ("refused", "lost"):
            raise StoreCallError(outcome)

    def hear(self, call: StoreCall) -> None:
        number = json.loads(call.body)["number"]
        known = self.heard.setdefault(call.id, number)
        assert known == number

    def teardown(self) -> None:
        try:
            self.outcomes = iter(())
            for _ in range(2):
                self.wait(300)
                self.turn()
            assert list(self.heard.values()) == list(range(self.added))
            assert self.scene.outbox.delivery("st_1") == StoreDelivery()
        finally:
            self.scene.stop()
            shutil.rmtree(self.folder)


def test_everything_once_by_id_and_in_order(tmp_path: Path) -> None:
    prepare_sites(tmp_path / "bridge.db", "st_1")
    OutboxMachine.prepared = tmp_path / "bridge.db"
    run(
        OutboxMachine,
        settings=settings(
            deadline=None,
            derandomize=True,
            max_examples=60,
            stateful_step_count=20,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )

"""Customers to look up over anything that may happen, against a plain account of who waits."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from bridge.ports import (
    ClaimedLookUp,
    CustomerRecord,
    LookUpProblem,
    LookUps,
    Records,
    StoreHealth,
)
from bridge.records.database import Database
from bridge.records.look_ups import SqlLookUps
from bridge.records.tables import customers
from bridge.records.tables import look_ups as look_ups_table
from tests.contract.look_ups import claim, connect, customer, give_up, keep, put_off, want
from tests.contract.samples import SITE, moment, profile

# Around the lease and the waits, so that boundaries are passed, and never met by chance.
DURATIONS = st.sampled_from([0.0, 0.5, 3.5, 10.0, 59.5, 60.5, 900.0])
DELAYS = st.sampled_from([0.0, 3.25, 70.25])
WAITS = st.sampled_from([1.0, 5.0, 100.0])
NUMBERS = st.integers(1, 3)


@dataclass
class Waiting:
    """One customer: what is known, and why they wait; ``again`` says that they were wanted since
    the look-up under way began."""

    shown: CustomerRecord
    looked_at: bool = False
    again: bool = False
    asked_since: datetime | None = None
    attempts: int = 0
    changed_at: datetime | None = None
    fetched_change: datetime | None = None

    def show(self, **different: Any) -> None:
        self.shown = replace(self.shown, **different)


@dataclass
class Site:
    """The store: how asking it goes, and who is being looked up."""

    health: StoreHealth = field(default_factory=StoreHealth)
    spared_until: datetime | None = None
    claim: tuple[int, datetime] | None = None


class LookUpsMachine(RuleBasedStateMachine):
    records: Records
    look_ups: LookUps
    database: Database

    def __init__(self) -> None:
        super().__init__()
        with self.database.writing() as connection:
            for table in (customers, look_ups_table):
                connection.execute(sa.delete(table))
        self.now = 0.0
        connect(self.records)
        self.site = Site()
        self.known: dict[int, Waiting] = {}
        self.claims: list[tuple[int, ClaimedLookUp]] = []
        """All that were ever claimed, those of processes that died meanwhile too."""

    # ------------------------------------------------------------------------ what happens

    @rule(seconds=DURATIONS)
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(number=NUMBERS, delay=DELAYS, ago=st.none() | st.integers(0, 5))
    def want(self, number: int, delay: float, ago: int | None) -> None:
        changed = None if ago is None else self.now - ago
        due = self.now + delay
        want(self.records, customer(number), self.now, due, changed=changed)
        changed_at = None if changed is None else moment(changed)
        self._wanted(number, moment(due), looked_at=False, changed_at=changed_at)

    @rule(number=NUMBERS)
    def look(self, number: int) -> None:
        want(self.records, customer(number), self.now, looked_at=True)
        self._wanted(number, moment(self.now), looked_at=True, changed_at=None)

    @rule(failing=st.booleans())
    def claim(self, *, failing: bool) -> None:
        # No two claims are made at one time, to the microsecond.
        self.now += 0.001
        due = self._due() if (self.site.health.attempts > 0) is failing else []
        claimed = claim(self.look_ups, self.now, failing=failing)
        if claimed is None:
            assert due == []
            return
        number = int(claimed.subject.value)
        chosen = self.known[number]
        assert number in due
        assert (claimed.attempts, claimed.customer_attempts, claimed.asked_since) == (
            self.site.health.attempts,
            chosen.attempts,
            chosen.asked_since,
        )
        assert claimed.changed_at == chosen.changed_at
        self.claims.append((number, claimed))
        self.site.claim = (number, claimed.claimed_until)
        chosen.again = False
        chosen.show(due_at=claimed.claimed_until)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), name=st.sampled_from(["Jane", "Kim"]))
    def keep(self, data: st.DataObject, name: str) -> None:
        number, claimed = data.draw(st.sampled_from(self.claims))
        holds = self._holds(claimed)
        assert keep(self.records, claimed, self.now, profile(name)) is holds
        if not holds:
            return
        kept, now = self.known[number], moment(self.now)
        due_at = kept.shown.due_at if kept.again else None
        kept.shown = CustomerRecord(kept.shown.key, profile(name), now, due_at)
        kept.fetched_change, kept.attempts = claimed.changed_at, 0
        kept.asked_since = now if kept.again else None
        kept.again = False
        self.site = Site(StoreHealth(reached_at=now))

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), wait=WAITS, longer=WAITS)
    def fail(self, data: st.DataObject, wait: float, longer: float) -> None:
        number, claimed = data.draw(st.sampled_from(self.claims))
        holds = self._holds(claimed)
        until, customer_until = self.now + wait, self.now + wait + longer
        put_off(self.look_ups, claimed, self.now, until, customer_until)
        if holds:
            self._failed(number, until, moment(customer_until), LookUpProblem.UNREACHABLE)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), wait=WAITS)
    def give_up(self, data: st.DataObject, wait: float) -> None:
        number, claimed = data.draw(st.sampled_from(self.claims))
        holds = self._holds(claimed)
        give_up(self.look_ups, claimed, self.now, self.now + wait)
        if holds:
            self._failed(number, self.now + wait, None, LookUpProblem.BROKEN)

    @rule()
    def connect(self) -> None:
        connect(self.records, self.now)
        self.site = Site(StoreHealth(reached_at=self.site.health.reached_at))
        for each in self.known.values():
            if each.shown.due_at is not None:
                each.show(due_at=moment(self.now))
                each.asked_since, each.attempts, each.again = moment(self.now), 0, False

    # --------------------------------------------------------------------- what must hold

    @invariant()
    def what_is_kept_is_what_happened(self) -> None:
        with self.records.begin(SITE) as work:
            for number in (1, 2, 3):
                expected = self.known.get(number)
                found = work.customer(customer(number).key)
                assert found == (expected and expected.shown)
        assert self.look_ups.health(SITE) == self.site.health

    def teardown(self) -> None:
        """Everybody who waits is looked up in the end, and nobody else."""
        self.now += 10_000
        waited = {n for n, each in self.known.items() if each.shown.due_at is not None}
        found: set[int] = set()
        for failing in (True, False):
            while claimed := claim(self.look_ups, self.now, failing=failing):
                assert keep(self.records, claimed, self.now)
                found.add(int(claimed.subject.value))
        assert found == waited

    # ------------------------------------------------------------------- the plain account

    def _wanted(
        self, number: int, due: datetime, *, looked_at: bool, changed_at: datetime | None
    ) -> None:
        known = self.known.get(number)
        if known is None:
            known = self.known[number] = Waiting(CustomerRecord(customer(number).key))
        elif changed_at is not None and known.fetched_change and known.fetched_change > changed_at:
            return
        under_way = self.site.claim is not None and self.site.claim[0] == number and not known.again
        health = self.site.health
        if looked_at and health.attempts and known.shown.problem is None:
            known.show(problem=health.problem, failing_since=health.failing_since)
        if looked_at and known.shown.due_at is not None:
            known.looked_at = True
            return
        waits = known.shown.due_at is not None and not under_way
        known.looked_at = looked_at or (waits and known.looked_at)
        known.again = self.site.claim is not None and self.site.claim[0] == number
        before = known.shown.due_at if waits else None
        known.show(due_at=due if before is None else min(due, before))
        known.asked_since = known.asked_since or moment(self.now)
        known.changed_at = max(filter(None, (known.changed_at, changed_at)), default=None)

    def _due(self) -> list[int]:
        """Whoever may be claimed now: of the looked at, or else of all, those due longest."""
        now, site = moment(self.now), self.site
        if site.claim is not None and site.claim[1] > now:
            return []
        if site.claim is None and site.spared_until is not None and site.spared_until > now:
            return []
        order = {
            number: (not each.looked_at, each.shown.due_at)
            for number, each in self.known.items()
            if each.shown.due_at is not None and each.shown.due_at <= now
        }
        return [number for number, place in order.items() if place == min(order.values())]

    def _holds(self, claimed: ClaimedLookUp) -> bool:
        claim = self.site.claim
        return claim is not None and claim[1] == claimed.claimed_until

    def _failed(
        self, number: int, until: float, customer_until: datetime | None, problem: LookUpProblem
    ) -> None:
        failed, now, health = self.known[number], moment(self.now), self.site.health
        if not failed.again:
            failed.show(due_at=customer_until)
            failed.asked_since = failed.asked_since if customer_until else None
        failed.attempts += 1
        failed.again = False
        failed.show(problem=problem, failing_since=failed.shown.failing_since or now)
        failing_since = health.failing_since or now
        failing = StoreHealth(health.attempts + 1, problem, failing_since, health.reached_at)
        self.site = Site(failing, moment(until))


def test_nobody_is_lost_asked_twice_or_before_their_turn(
    records: Records, look_ups: SqlLookUps, database: Database
) -> None:
    LookUpsMachine.records, LookUpsMachine.look_ups = records, look_ups
    LookUpsMachine.database = database
    run(
        LookUpsMachine,
        settings=settings(
            deadline=None,
            derandomize=True,
            max_examples=80,
            stateful_step_count=30,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )

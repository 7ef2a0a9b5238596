"""Customers to look up, by several processes at one time: real connections, real threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
import sqlalchemy as sa

from bridge.encryption import Encryption
from bridge.errors import UnavailableError
from bridge.ports import ClaimedLookUp, Records
from bridge.records.database import Database
from bridge.records.engine import SqlRecords
from bridge.records.look_ups import SqlLookUps
from tests.contract.look_ups import (
    claim,
    claimed_at,
    connect,
    customer,
    keep,
    known,
    put_off,
    want,
    who,
)
from tests.contract.samples import OTHER_SITE, SITE, moment, profile
from tests.servers.waiting import wait_until

ENCRYPTION = Encryption("a-key-for-tests-only-0123456789abcdef")
PROCESSES = 6
CUSTOMERS = 4
ROUNDS = 25


@pytest.fixture
def on_postgresql(database: Database) -> None:
    if database.reader.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer, and no locks of rows")


def at_once(act: Callable[[], ClaimedLookUp | None]) -> list[ClaimedLookUp]:
    """What comes of it when many do it at one time."""
    together = threading.Barrier(PROCESSES)

    def one(_: int) -> ClaimedLookUp | None:
        together.wait(30)
        return act()

    with ThreadPoolExecutor(PROCESSES) as pool:
        return [claimed for claimed in pool.map(one, range(PROCESSES)) if claimed is not None]


def test_of_many_who_claim_at_one_time_one_gets_it(records: Records, look_ups: SqlLookUps) -> None:
    for number in range(CUSTOMERS):
        want(records, customer(number))
    for number in range(CUSTOMERS):
        (claimed,) = at_once(lambda: claim(look_ups, 1))
        assert claimed.subject == customer(number)
        assert keep(records, claimed, 1)
    assert at_once(lambda: claim(look_ups, 1)) == []


def test_of_two_sites_each_is_claimed_by_one(records: Records, look_ups: SqlLookUps) -> None:
    for site in (SITE, OTHER_SITE):
        want(records, customer(1), site=site)
    # Who finds another at work on the first may come away with nothing, and comes again.
    claimed = at_once(lambda: claim(look_ups, 1))
    claimed += at_once(lambda: claim(look_ups, 1))
    assert sorted(each.site for each in claimed) == [SITE, OTHER_SITE]


def test_of_many_who_claim_a_dead_ones_one_gets_it(records: Records, look_ups: SqlLookUps) -> None:
    want(records, customer(1))
    dead = claimed_at(look_ups)
    (alive,) = at_once(lambda: claim(look_ups, 60))
    assert not keep(records, dead, 61)
    assert keep(records, alive, 61)


@pytest.mark.usefixtures("on_postgresql")
def test_whoever_claims_waits_for_no_writer_of_the_site(
    records: Records, look_ups: SqlLookUps
) -> None:
    want(records, customer(1))
    want(records, customer(2), site=OTHER_SITE)
    with records.begin(SITE) as work:
        work.want_customer(customer(3), moment(1), moment(1))
        # The other site's is to be had meanwhile, and nothing of this one's.
        assert claimed_at(look_ups, 2).site == OTHER_SITE
        assert claim(look_ups, 2) is None
    assert who(claim(look_ups, 2)) == "1"


@pytest.mark.usefixtures("on_postgresql")
def test_wanted_while_nobody_is_found_is_found(
    records: Records, look_ups: SqlLookUps, database: Database
) -> None:
    """One who finds nobody lets the site rest, though another is wanted in that moment."""
    want(records, customer(1))
    with records.begin(SITE) as work:
        assert work.forget_customers([customer(1).key]) == 1
    resting, wanting = threading.Event(), threading.Event()

    def rest(_c: object, _u: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE look_ups") and not resting.is_set():
            resting.set()
            wanting.set()
            wait_until(lambda: someone_waits(database), "the other waits for this transaction")

    def want_another() -> None:
        assert wanting.wait(30)
        want(records, customer(2), 1)

    sa.event.listen(database.writer, "before_cursor_execute", rest)
    try:
        with ThreadPoolExecutor(2) as pool:
            wanted = pool.submit(want_another)
            nobody = pool.submit(claim, look_ups, 1)
            assert nobody.result(60) is None
            wanted.result(60)
    finally:
        sa.event.remove(database.writer, "before_cursor_execute", rest)
    assert resting.is_set()
    assert who(claim(look_ups, 1)) == "2"


def someone_waits(database: Database) -> bool:
    """Whether a session of PostgreSQL waits for another's lock."""
    with database.reading() as connection:
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        return int(connection.exec_driver_sql(waiting).scalar_one()) > 0


# ---------------------------------------------------------------------- all of it at once


class Together:
    """Processes that want, claim, answer and fail as fast as they can."""

    def __init__(self) -> None:
        self.ticks, self.turns = count(), count()
        self.guard = threading.Lock()
        self.under_way: set[str] = set()
        self.trouble: list[str] = []
        self.looked_up = 0

    def now(self) -> float:
        """Ever later, and never so late that a claim ends."""
        with self.guard:
            return next(self.ticks) / 1_000_000

    def work(self, database: Database, number: int) -> None:
        records, look_ups = SqlRecords(database, ENCRYPTION), SqlLookUps(database, ENCRYPTION)
        for turn in range(ROUNDS):
            site = (SITE, OTHER_SITE)[(turn + number) % 2]
            try:
                self.want_some(records, site, number)
                self.look_one_up(records, look_ups, turn + number)
            except UnavailableError as error:
                self.trouble.append(repr(error.__cause__))

    def want_some(self, records: Records, site: str, number: int) -> None:
        now = moment(self.now())
        with records.begin(site) as work:
            for each in range(CUSTOMERS):
                wanted = customer((number + each) % CUSTOMERS)
                work.want_customer(wanted, now, now, looked_at=each % 2 == 0)

    def look_one_up(self, records: Records, look_ups: SqlLookUps, turn: int) -> None:
        claimed = claim(look_ups, self.now()) or claim(look_ups, self.now(), failing=True)
        if claimed is None:
            return
        with self.guard:
            self.looked_up += 1
            if claimed.site in self.under_way:
                self.trouble.append(f"{claimed.site} was asked twice at one time")
            self.under_way.add(claimed.site)
        self.want_some(records, claimed.site, turn)
        with self.guard:
            self.under_way.discard(claimed.site)
        now = self.now()
        if turn % 4 == 0:
            put_off(look_ups, claimed, now, due=now)
        else:
            keep(records, claimed, now)
        if turn % 7 == 0:
            with self.guard:
                # Whoever is asking may be asking with an old key: their claim ends.
                self.under_way.discard(claimed.site)
            connect(records, now, claimed.site)


@pytest.fixture
def databases(database: Database) -> Iterator[list[Database]]:
    """What each process has opened. Of SQLite, one has it for all."""
    if database.writer.dialect.name == "sqlite":
        yield [database] * PROCESSES
        return
    url = database.writer.url.render_as_string(hide_password=False)
    opened = [Database(url) for _ in range(PROCESSES)]
    yield opened
    for each in opened:
        each.dispose()


def test_nobody_waits_for_each_other_for_ever(
    records: Records, look_ups: SqlLookUps, databases: list[Database]
) -> None:
    """Sites' transactions, claims, answers and failures: no deadlock, none asked twice at one
    time, and nobody lost."""
    together = Together()
    with ThreadPoolExecutor(PROCESSES) as pool:
        working = [pool.submit(together.work, each, n) for n, each in enumerate(databases)]
        for each in working:
            each.result(timeout=120)
    assert together.trouble == []
    assert together.looked_up > ROUNDS
    at = 1_000.0
    while claimed := claim(look_ups, at) or claim(look_ups, at, failing=True):
        assert keep(records, claimed, at)
        at += 1
    for number in range(CUSTOMERS):
        for site in (SITE, OTHER_SITE):
            found = known(records, customer(number), site)
            assert (found.profile, found.due_at) == (profile(), None)

"""The outbox: in order per site, claimed by one at a time, nothing lost."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bridge.encryption import Encryption
from bridge.errors import UnavailableError
from bridge.ports import ClaimedCall, Outbox, Records, SiteSecret, StoreDelivery
from bridge.records import outbox as outbox_module
from bridge.records.database import Database
from bridge.records.outbox import SqlOutbox, wake
from bridge.records.tables import store_calls, store_deliveries
from tests.contract.samples import OTHER_SITE, SITE, START, moment, store_connection
from tests.servers.waiting import wait_until

ENCRYPTION = Encryption("a-key-for-tests-only-0123456789abcdef")
LEASE = timedelta(seconds=30)


@pytest.fixture
def outbox(records: Records, database: Database) -> SqlOutbox:
    """An outbox of two sites that have nothing to tell."""
    return SqlOutbox(database, ENCRYPTION)


def tell(records: Records, *numbers: int, site: str = SITE, at: datetime = START) -> None:
    for number in numbers:
        with records.begin(site) as work:
            work.tell_store({"number": number}, at)


def claim(outbox: Outbox, now: datetime = START, *, failing: bool = False) -> ClaimedCall | None:
    return outbox.claim(now, now + LEASE, failing=failing)


def number(claimed: ClaimedCall | None) -> int | None:
    return None if claimed is None else int(json.loads(claimed.call.body)["number"])


def claimed_now(outbox: Outbox, now: datetime = START, *, failing: bool = False) -> ClaimedCall:
    claimed = claim(outbox, now, failing=failing)
    assert claimed is not None
    return claimed


# ----------------------------------------------------------------------------- claims end


def test_a_claim_that_has_ended_is_anybodys(records: Records, outbox: SqlOutbox) -> None:
    tell(records, 1)
    dead = claimed_now(outbox)
    assert claim(outbox, moment(29.999)) is None
    alive = claimed_now(outbox, moment(30))
    assert alive.call == dead.call
    # Who comes back from the dead changes nothing.
    assert outbox.told(dead, moment(60)) is None
    assert outbox.give_up(dead, moment(60)) is None
    outbox.put_off(dead, "late", moment(31), moment(900))
    assert outbox.delivery(SITE) == StoreDelivery()
    assert number(alive) == 1
    assert outbox.told(alive, moment(60)) is None
    assert claim(outbox, moment(60)) is None


def test_a_claim_is_renewed_with_each_call(records: Records, outbox: SqlOutbox) -> None:
    tell(records, 1, 2)
    second = outbox.told(claimed_now(outbox), moment(55))
    assert number(second) == 2
    assert claim(outbox, moment(54)) is None
    assert number(claim(outbox, moment(55))) == 2


def test_a_claim_that_is_left_is_free_at_once(records: Records, outbox: SqlOutbox) -> None:
    tell(records, 1, 2)
    outbox.told(claimed_now(outbox), moment(3))
    assert number(claim(outbox, moment(3))) == 2


# -------------------------------------------------------------------------------- in order


def test_the_oldest_first_and_then_the_next(records: Records, outbox: SqlOutbox) -> None:
    tell(records, 1, 2, 3)
    told, claimed = [], claim(outbox)
    while claimed is not None:
        told.append(number(claimed))
        assert claim(outbox) is None, "another of the site"
        claimed = outbox.told(claimed, START + LEASE)
    assert told == [1, 2, 3]
    assert claim(outbox, moment(86_400)) is None


def test_what_is_added_meanwhile_is_found(records: Records, outbox: SqlOutbox) -> None:
    tell(records, 1)
    claimed = claimed_now(outbox)
    tell(records, 2)
    assert claim(outbox) is None
    assert number(outbox.told(claimed, START + LEASE)) == 2


def test_what_is_added_afterwards_is_due(records: Records, outbox: SqlOutbox) -> None:
    tell(records, 1)
    assert outbox.told(claimed_now(outbox), START + LEASE) is None
    tell(records, 2, at=moment(5))
    assert claim(outbox, moment(4)) is None
    assert number(claim(outbox, moment(5))) == 2


def test_the_site_longest_due_comes_first(records: Records, outbox: SqlOutbox) -> None:
    tell(records, 1, at=moment(2))
    tell(records, 2, site=OTHER_SITE, at=moment(1))
    first, second = claimed_now(outbox, moment(2)), claimed_now(outbox, moment(2))
    assert (first.call.site, second.call.site) == (OTHER_SITE, SITE)


# --------------------------------------------------------------------------- what is claimed


def test_it_is_what_was_to_be_told(records: Records, outbox: SqlOutbox) -> None:
    with records.begin(SITE) as work:
        work.connect_site(store_connection(rest_url="https://shop.example/?rest_route=/"), START)
        work.tell_store({"type": "takeover.started", "text": "Käse 🛒"}, moment(0.000001))
    claimed = claimed_now(outbox, moment(1))
    assert claimed.call.id.startswith("b_")
    assert (claimed.call.site, claimed.call.at) == (SITE, moment(0.000001))
    assert json.loads(claimed.call.body) == {"type": "takeover.started", "text": "Käse 🛒"}
    assert claimed.rest_url == "https://shop.example/?rest_route=/"
    assert (claimed.attempts, claimed.claimed_until) == (0, moment(31))
    assert "Käse" not in repr(claimed)
    assert repr(claimed.secrets[0].key) not in repr(claimed)


def test_what_was_rolled_back_is_not_told(records: Records, outbox: SqlOutbox) -> None:
    def fail() -> None:
        with records.begin(SITE) as work:
            work.tell_store({"number": 1}, START)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert claim(outbox, moment(86_400)) is None


def test_the_body_is_encrypted(records: Records, outbox: SqlOutbox, database: Database) -> None:
    with records.begin(SITE) as work:
        work.tell_store({"text": "a secret word"}, START)
    with database.reading() as connection:
        assert b"secret" not in connection.execute(sa.select(store_calls.c.body)).scalar_one()


def test_all_keys_sign_while_one_is_being_rotated(records: Records, outbox: SqlOutbox) -> None:
    tell(records, 1)
    first, old = claimed_now(outbox), f"key of {SITE}".encode()
    records.rotate_secret(SITE, b"the new key", moment(86_400))
    assert first.secrets == (SiteSecret(old),)
    both = (SiteSecret(b"the new key"), SiteSecret(old, moment(86_400)))
    assert claimed_now(outbox, moment(30)).secrets == both


def test_a_store_that_never_connected_has_no_address(records: Records, outbox: SqlOutbox) -> None:
    tell(records, 1)
    assert claimed_now(outbox).rest_url is None


# -------------------------------------------------------------------------------- failures


def test_the_whole_site_waits_after_a_failure(records: Records, outbox: SqlOutbox) -> None:
    tell(records, 1, 2)
    tell(records, 3, site=OTHER_SITE)
    claimed = claimed_now(outbox)
    outbox.put_off(claimed, "it answered 500", moment(1), moment(9))
    assert outbox.delivery(SITE) == StoreDelivery(1, moment(1), "it answered 500", 0)
    tell(records, 4, at=moment(2))
    assert number(claim(outbox, moment(8.999))) == 3
    assert claim(outbox, moment(8.999), failing=True) is None
    again = claimed_now(outbox, moment(9), failing=True)
    assert (again.call, again.attempts) == (claimed.call, 1)
    outbox.put_off(again, "it answered 404", moment(10), moment(20))
    assert outbox.delivery(SITE) == StoreDelivery(2, moment(1), "it answered 404", 0)


def test_those_that_fail_and_the_others_are_told_apart(records: Records, outbox: SqlOutbox) -> None:
    tell(records, 1)
    outbox.put_off(claimed_now(outbox), "no", START, START)
    assert claim(outbox) is None
    assert number(claim(outbox, failing=True)) == 1


def test_a_success_ends_the_trouble(records: Records, outbox: SqlOutbox) -> None:
    tell(records, 1, 2)
    outbox.put_off(claimed_now(outbox), "no", START, moment(1))
    second = outbox.told(claimed_now(outbox, moment(1), failing=True), moment(31))
    assert second is not None
    assert (number(second), second.attempts) == (2, 0)
    assert outbox.delivery(SITE) == StoreDelivery()


def test_what_is_given_up_is_counted_and_the_trouble_stays(
    records: Records, outbox: SqlOutbox
) -> None:
    tell(records, 1, 2)
    outbox.put_off(claimed_now(outbox), "no", START, moment(1))
    second = outbox.give_up(claimed_now(outbox, moment(1), failing=True), moment(31))
    assert number(second) == 2
    assert outbox.delivery(SITE) == StoreDelivery(1, START, "no", 1)
    assert second is not None
    assert outbox.give_up(second, moment(40)) is None
    assert outbox.delivery(SITE) == StoreDelivery(1, START, "no", 2)
    # Nothing waits, so nothing backs off: what comes next is due at once.
    tell(records, 3, at=moment(3))
    assert number(claim(outbox, moment(3), failing=True)) == 3


def test_beyond_the_most_the_oldest_is_given_up(
    records: Records, outbox: SqlOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "MOST_WAITING", 3)
    tell(records, 1)
    outbox.told(claimed_now(outbox), START + LEASE)
    tell(records, 2, 3, 4)
    assert outbox.delivery(SITE).given_up == 0
    tell(records, 5, 6)
    assert outbox.delivery(SITE).given_up == 2
    told, claimed = [], claim(outbox)
    while claimed is not None:
        told.append(number(claimed))
        claimed = outbox.told(claimed, START + LEASE)
    assert told == [4, 5, 6]


def test_a_call_given_up_while_it_was_made(
    records: Records, outbox: SqlOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "MOST_WAITING", 2)
    tell(records, 1, 2)
    claimed = claimed_now(outbox)
    tell(records, 3)
    assert number(outbox.told(claimed, START + LEASE)) == 2


# ------------------------------------------------------------------------- a store connects


def connects(database: Database, now: datetime) -> None:
    with database.writing() as connection:
        wake(connection, SITE, now)


def test_connecting_ends_the_back_off(
    records: Records, outbox: SqlOutbox, database: Database
) -> None:
    tell(records, 1)
    outbox.put_off(claimed_now(outbox), "no", START, moment(300))
    connects(database, moment(7))
    assert outbox.delivery(SITE) == StoreDelivery()
    assert claim(outbox, moment(6.999)) is None
    assert number(claim(outbox, moment(7))) == 1


def test_connecting_while_an_attempt_is_under_way(
    records: Records, outbox: SqlOutbox, database: Database
) -> None:
    tell(records, 1)
    outbox.put_off(claimed_now(outbox), "no", START, moment(1))
    under_way = claimed_now(outbox, moment(1), failing=True)
    connects(database, moment(2))
    assert claim(outbox, moment(2)) is None, "two at a time"
    outbox.put_off(under_way, "no", moment(3), moment(300))
    assert outbox.delivery(SITE) == StoreDelivery()
    assert number(claim(outbox, moment(3))) == 1


def test_connecting_when_nothing_waits(
    records: Records, outbox: SqlOutbox, database: Database
) -> None:
    connects(database, START)
    tell(records, 1)
    outbox.told(claimed_now(outbox), START + LEASE)
    connects(database, moment(1))
    assert claim(outbox, moment(86_400)) is None


# --------------------------------------------------------------------- several at one time


def test_of_many_at_one_time_each_site_goes_to_one(
    records: Records, outbox: SqlOutbox, database: Database
) -> None:
    tell(records, 1)
    tell(records, 2, site=OTHER_SITE)
    ready = threading.Barrier(6)
    got: list[int | None] = []

    def process() -> None:
        mine = SqlOutbox(database, ENCRYPTION)
        ready.wait(10)
        got.append(number(claim(mine)))

    processes = [threading.Thread(target=process) for _ in range(6)]
    for each in processes:
        each.start()
    for each in processes:
        each.join(30)
    assert len(got) == 6
    assert sorted(each for each in got if each is not None) == [1, 2]


def test_while_some_write_and_some_tell_nothing_is_left_behind(
    records: Records, outbox: SqlOutbox, database: Database
) -> None:
    """None takes the outbox for empty while another adds to it."""
    written, told = threading.Event(), list[int | None]()

    def write() -> None:
        tell(records, *range(1, 61))
        written.set()

    def deliver() -> None:
        mine = SqlOutbox(database, ENCRYPTION)
        while True:
            no_more_comes = written.is_set()
            claimed = claim(mine, moment(1))
            if claimed is None and no_more_comes:
                return
            while claimed is not None:
                told.append(number(claimed))
                claimed = mine.told(claimed, moment(1) + LEASE)

    threads = [threading.Thread(target=each) for each in (write, deliver, deliver)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    # One of the two may have left while the other was telling the last.
    rest = claim(outbox, moment(1))
    assert rest is None
    assert told == list(range(1, 61))


def test_who_finds_the_outbox_empty_waits_for_who_adds_to_it(
    records: Records, outbox: SqlOutbox, database: Database
) -> None:
    tell(records, 1)
    claimed = claimed_now(outbox)
    after: list[int | None] = []
    with records.begin(SITE) as work:
        work.tell_store({"number": 2}, START)
        finishing = threading.Thread(
            target=lambda: after.append(number(outbox.told(claimed, START + LEASE)))
        )
        finishing.start()
    finishing.join(30)
    assert after == [2]


def somebody_waits(database: Database) -> bool:
    """Whether a transaction waits for another. SQLite's only writer always makes the next wait."""
    with database.reading() as connection:
        if connection.dialect.name == "sqlite":
            return True
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return bool(connection.exec_driver_sql(waiting).scalar_one())


def test_who_loses_a_claim_at_that_very_moment_changes_nothing(
    records: Records, outbox: SqlOutbox, database: Database
) -> None:
    tell(records, 1)
    dead = claimed_now(outbox)
    after: list[ClaimedCall | None] = []
    with database.writing() as connection:
        # What another process writes as it claims the site.
        ends = {"claimed_until": moment(60), "due_at": moment(60)}
        connection.execute(sa.update(store_deliveries).values(ends))
        late = threading.Thread(target=lambda: after.append(outbox.told(dead, moment(90))))
        late.start()
        wait_until(lambda: somebody_waits(database), "it waits for the other")
    late.join(30)
    assert after == [None]
    assert claim(outbox, moment(59)) is None
    assert number(claim(outbox, moment(60))) == 1


# -------------------------------------------------------------------------------- storage


def test_storage_that_is_away(tmp_path: Path, records: Records, outbox: SqlOutbox) -> None:
    tell(records, 1)
    claimed = claimed_now(outbox)
    away = SqlOutbox(Database(f"sqlite:///{tmp_path / 'none' / 'bridge.db'}"), ENCRYPTION)
    with pytest.raises(UnavailableError):
        claim(away)
    with pytest.raises(UnavailableError):
        away.told(claimed, START)
    with pytest.raises(UnavailableError):
        away.give_up(claimed, START)
    with pytest.raises(UnavailableError):
        away.put_off(claimed, "no", START, START)
    with pytest.raises(UnavailableError):
        away.delivery(SITE)


def test_a_row_that_cannot_be_read_holds_up_its_own_site_alone(
    records: Records, outbox: SqlOutbox, database: Database
) -> None:
    tell(records, 1)
    tell(records, 2, site=OTHER_SITE, at=moment(1))
    with database.writing() as connection:
        connection.execute(
            sa.update(store_calls).where(store_calls.c.site == SITE).values(body=b"garbage")
        )
    with pytest.raises(Exception, match="BRIDGE_SECRET_KEY"):
        claim(outbox, moment(1))
    assert number(claim(outbox, moment(1))) == 2


def test_what_is_due_is_found_by_indexes(
    records: Records, outbox: SqlOutbox, database: Database
) -> None:
    tell(records, 1, 2)
    statements: list[tuple[str, object]] = []

    def note(
        connection: object, cursor: object, statement: str, values: object, *_: object
    ) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            statements.append((statement, values))

    for engine in (database.reader, database.writer):
        sa.event.listen(engine, "before_cursor_execute", note)
    try:
        outbox.told(claimed_now(outbox), START + LEASE)
        tell(records, 3)
    finally:
        for engine in (database.reader, database.writer):
            sa.event.remove(engine, "before_cursor_execute", note)
    assert len(statements) > 8
    scans = {"sqlite": ("SCAN", "TEMP B-TREE"), "postgresql": ("Seq Scan",)}
    with database.reader.connect() as connection:
        dialect = connection.dialect.name
        if dialect == "postgresql":
            connection.exec_driver_sql("SET enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN" if dialect == "sqlite" else "EXPLAIN"
        for statement, values in statements:
            plan = connection.exec_driver_sql(f"{explain} {statement}", values)  # type: ignore[arg-type]  # as the driver was given them
            steps = " ".join(str(row[-1]) for row in plan)
            assert not any(each in steps for each in scans[dialect]), steps
        connection.rollback()

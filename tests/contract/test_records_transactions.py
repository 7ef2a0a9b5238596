"""Transactions: all of one lasts or nothing, and of two who write the same one is told so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.domain.customer import Links, SignedIn
from bridge.ports import Changes, RecordedAnswer, Records, VisitorRecord, Work
from bridge.records.database import Database
from bridge.records.tables import answered_requests, metadata, seen_events
from tests.contract import samples
from tests.contract.samples import (
    AWKWARD,
    JANE,
    OFFLINE,
    ONLINE,
    OTHER_SITE,
    SITE,
    START,
    conversation,
    message,
    moment,
    pairing,
    store_connection,
)

ANSWER = RecordedAnswer(200, b"{}")
KNOWN = Links(signed_in=SignedIn("1"))


class OwnError(Exception):
    """What a service raises in the middle of a transaction."""


def write_everything(work: Work) -> None:
    work.save_conversation(conversation(rev=work.next_rev(), state=ONLINE), known_rev=0)
    work.keep_change("c", work.next_rev(), ONLINE, START)
    work.save_message(message())
    work.save_visitor(VisitorRecord("v", "Jane", links=KNOWN), START)
    work.keep_evidence("v", SignedIn("1"))
    work.want_customer(JANE, START, START)
    work.keep_answer("request", ANSWER, START)
    assert work.first_time("event", START)
    work.connect_site(store_connection(), START)
    work.add_pairing(f"hash of {work.site}", pairing(work.site), START)
    work.note_event(START)
    assert work.mark_read("agent", "c", 1)
    work.tell_store({"told": work.site}, START)


def contents(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Every row there is."""
    with database.reading() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def removed_at_once(database: Database, act: Callable[[], None]) -> list[int]:
    """How many rows each DELETE removed that ``act`` made."""
    removed: list[int] = []

    def note(_connection: sa.Connection, cursor: Any, statement: str, *_: object) -> None:
        if statement.startswith("DELETE"):
            removed.append(cursor.rowcount)

    sa.event.listen(database.writer, "after_cursor_execute", note)
    try:
        act()
    finally:
        sa.event.remove(database.writer, "after_cursor_execute", note)
    return removed


# ------------------------------------------------------------------- all of it or nothing


def test_what_is_not_committed_never_was(records: Records, database: Database) -> None:
    before = contents(database)
    done: list[str] = []

    def fail() -> None:
        with records.begin(SITE) as work:
            work.after_commit(lambda: done.append("told"))
            write_everything(work)
            raise OwnError

    with pytest.raises(OwnError):
        fail()
    assert contents(database) == before
    assert done == []
    with records.begin(SITE) as work:
        assert work.next_rev() == 1


def test_all_of_what_is_committed_lasts(records: Records, database: Database) -> None:
    before = contents(database)
    with records.begin(SITE) as work:
        write_everything(work)
    after = contents(database)
    changed = {name for name, rows in after.items() if rows != before[name]}
    untouched = {"agents", "devices", "alive", "old_secrets"}
    assert changed == {table.name for table in metadata.sorted_tables} - untouched


def test_a_transaction_that_wrote_nothing_changes_nothing(
    records: Records, database: Database
) -> None:
    before = contents(database)
    with records.begin(SITE) as work:
        assert work.conversation("c") is None
    assert contents(database) == before


def test_effects_come_after_the_commit_and_in_order(records: Records) -> None:
    seen: list[object] = []

    def look() -> None:
        seen.append(records.read_conversation(SITE, "agent", "c"))

    with records.begin(SITE) as work:
        work.after_commit(look)
        work.after_commit(lambda: seen.append("second"))
        work.save_conversation(conversation(), known_rev=0)
        assert seen == []
    assert seen[0] is not None
    assert seen[1:] == ["second"]


def test_a_transaction_reads_what_it_wrote_and_others_do_not(records: Records) -> None:
    with records.begin(SITE) as work:
        write_everything(work)
        assert work.conversation("c") is not None
        assert work.message("c", "m") == message()
        assert work.visitor("v") == VisitorRecord("v", "Jane", links=KNOWN)
        assert work.answer_of("request") == ANSWER
        assert records.read_conversation(SITE, "agent", "c") is None
        assert records.list_messages(SITE, "c", None, None, 10) == []
        assert records.messages_for_visitor(SITE, "c", 0, 10) == []
        assert records.read_counts(SITE, ["agent"], ["c"]) == {}
        assert records.revision(SITE) == 0
        assert records.sync(SITE, 0, 10) == Changes(0, [], [], more=False)
    assert records.read_conversation(SITE, "agent", "c") is not None
    assert records.revision(SITE) == 2


# ------------------------------------------------------------------------ compare-and-set


def test_a_conversation_is_written_only_if_nobody_was_faster(records: Records) -> None:
    with records.begin(SITE) as work:
        assert work.save_conversation(conversation(rev=5, state=OFFLINE), known_rev=0)
        assert work.save_conversation(conversation(rev=7, state=ONLINE), known_rev=5)
    for known_rev in (5, 6, 8):
        with records.begin(SITE) as work:
            late = conversation(rev=9, state=OFFLINE)
            assert not work.save_conversation(late, known_rev=known_rev)
            assert work.conversation("c") == conversation(rev=7, state=ONLINE)


def test_of_two_who_begin_a_conversation_one_does(records: Records) -> None:
    with records.begin(SITE) as work:
        assert work.save_conversation(conversation(rev=1), known_rev=0)
    with records.begin(SITE) as work:
        assert not work.save_conversation(conversation(rev=2, visitor="w"), known_rev=0)
        # And the transaction goes on.
        assert work.conversation("c") == conversation(rev=1)
        work.save_message(message())
    assert records.site_status(SITE).conversations == 1
    assert records.list_messages(SITE, "c", None, None, 10) == [message()]


def test_a_conversation_that_never_was_is_not_changed(records: Records) -> None:
    with records.begin(SITE) as work:
        assert not work.save_conversation(conversation(rev=2), known_rev=1)
        assert work.conversation("c") is None


# -------------------------------------------------------------------------------- replays


@given(request_id=samples.texts, body=st.binary(max_size=200))
@settings(
    deadline=None,
    derandomize=True,
    max_examples=40,
    # Not emptied between two examples: an id that came before is left out.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_an_answer_is_kept_to_the_byte(records: Records, request_id: str, body: bytes) -> None:
    with records.begin(SITE) as work:
        if work.answer_of(request_id) is None:
            work.keep_answer(request_id, RecordedAnswer(404, body), START)
            assert work.answer_of(request_id) == RecordedAnswer(404, body)


def test_an_event_comes_for_the_first_time_once(records: Records) -> None:
    with records.begin(SITE) as work:
        assert work.first_time(f"c\n{AWKWARD}", START)
        assert not work.first_time(f"c\n{AWKWARD}", moment(1))
        assert work.first_time("another", START)
    with records.begin(SITE) as work:
        assert not work.first_time(f"c\n{AWKWARD}", moment(2))


def test_replays_are_forgotten_in_batches_and_to_the_moment(
    records: Records, database: Database
) -> None:
    old, limit = 1_250, moment(0)
    with records.begin(SITE) as work:
        for n in range(old):
            work.first_time(f"old {n}", limit - timedelta(microseconds=1 + n))
        work.first_time("new", limit)
        work.keep_answer("old", ANSWER, limit - timedelta(microseconds=1))
        work.keep_answer("new", ANSWER, limit)
    with records.begin(OTHER_SITE) as work:
        work.first_time("old", limit - timedelta(microseconds=1))
    removed = removed_at_once(database, lambda: records.forget_replays(limit))
    assert max(removed) < old
    assert sum(removed) == old + 2
    left = contents(database)
    assert [(row[0], row[2]) for row in left[seen_events.name]] == [(SITE, limit)]
    assert [row[:2] for row in left[answered_requests.name]] == [(SITE, "new")]


# ----------------------------------------------------------------------------- isolation


def test_sites_never_meet_each_others_rows(records: Records) -> None:
    for site, name in ((SITE, "Jane"), (OTHER_SITE, "John")):
        with records.begin(site) as work:
            assert work.conversation("c") is None
            assert work.visitor("v") is None
            assert work.message("c", "m") is None
            assert work.answer_of("request") is None
            write_everything(work)
            work.save_visitor(VisitorRecord("v", name), START)
            work.keep_answer("of " + site, replace(ANSWER, body=name.encode()), START)
            assert work.next_rev() == 3
    for site, name in ((SITE, "Jane"), (OTHER_SITE, "John")):
        found = records.read_conversation(site, "agent", "c")
        assert found is not None
        assert found.visitor == VisitorRecord("v", name)
    with records.begin(OTHER_SITE) as work:
        assert work.answer_of("of " + SITE) is None
        work.empty_conversation("c")
        assert work.save_conversation(conversation(rev=4, deleted=True), known_rev=1)
    assert records.read_conversation(SITE, "agent", "c") is not None
    assert records.list_messages(SITE, "c", None, None, 10) == [message()]
    assert len(records.changes(SITE, "c")) == 1

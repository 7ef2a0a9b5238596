"""S2: what changed since a revision, in its present form, whatever the limit and the moment."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from bridge.ports import Changes, Records, VisitorRecord
from bridge.records.database import Database
from tests.contract.replica import Replica, whole
from tests.contract.samples import (
    ONLINE,
    OTHER_SITE,
    SITE,
    START,
    conversation,
    in_demand,
    message,
)


def changed(answer: Changes) -> list[tuple[int, str]]:
    """The ids of what is in it, by revision."""
    found = [(each.record.rev, each.record.id) for each in answer.conversations]
    return sorted([*found, *((each.rev, each.id) for each in answer.messages)])


EVERYTHING = [(1, "a"), (2, "m2"), (3, "b"), (4, "m4"), (5, "m5"), (6, "c"), (7, "m7")]
"""Revisions of one transaction of conversations and messages, and of one after it."""


@pytest.fixture
def written(records: Records) -> None:
    with records.begin(OTHER_SITE) as work:
        for n in range(1, 21):
            work.save_message(message(f"x{n}", rev=work.next_rev()))
            assert work.save_conversation(conversation(f"x{n}", rev=work.next_rev()), known_rev=0)
    for transaction in (EVERYTHING[:6], EVERYTHING[6:]):
        with records.begin(SITE) as work:
            for _, id in transaction:
                rev = work.next_rev()
                if id.startswith("m"):
                    work.save_message(message(id, "a", rev=rev, place=rev))
                else:
                    assert work.save_conversation(conversation(id, rev=rev), known_rev=0)


# ------------------------------------------------------------------------------- limits


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 7, 8, 100])
@pytest.mark.parametrize("after", range(8))
def test_s1_a_limit_cuts_anywhere_and_loses_nothing(
    records: Records, after: int, limit: int
) -> None:
    # In the middle of a transaction too, and between its conversation and its message.
    expected = EVERYTHING[after : after + limit]
    answer = records.sync(SITE, after, limit)
    assert changed(answer) == expected
    assert answer.more == (after + limit < 7)
    assert answer.rev == min(after + limit, 7)


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 6, 100])
def test_s2_a_reader_catches_up_by_any_steps(
    records: Records, database: Database, limit: int
) -> None:
    replica = Replica(SITE)
    assert replica.catch_up(records, limit) == -(-7 // limit)
    assert replica == whole(records, database, SITE)


@pytest.mark.usefixtures("written")
def test_who_has_seen_everything_is_told_nothing(records: Records) -> None:
    assert records.sync(SITE, 7, 10) == Changes(7, [], [], more=False)
    # From another database; the answer says so by its revision.
    assert records.sync(SITE, 4711, 10) == Changes(7, [], [], more=False)
    assert records.revision(SITE) == 7
    assert records.revision(OTHER_SITE) == 40


def test_a_site_without_changes_has_none(records: Records) -> None:
    assert records.sync(SITE, 0, 10) == Changes(0, [], [], more=False)
    assert records.revision(SITE) == 0


# ------------------------------------------------------------------------- present forms


@pytest.mark.usefixtures("written")
def test_s2_what_changed_often_comes_once_as_it_is_now(records: Records) -> None:
    with records.begin(SITE) as work:
        now = in_demand("b", "1", owner="1", rev=work.next_rev(), state=ONLINE, message_count=2)
        assert work.save_conversation(now, known_rev=3)
        said = message("m4", "a", rev=work.next_rev(), place=4, delivery="delivered")
        work.save_message(said)
        work.save_visitor(VisitorRecord("v", "Jane"), START)
        assert work.mark_read("", "b", 1)
        assert work.mark_read("sam", "b", 2)
    whole_site = records.sync(SITE, 0, 100)
    assert [rev for rev, _ in changed(whole_site)] == [1, 2, 5, 6, 7, 8, 9]
    answer = records.sync(SITE, 7, 100)
    (summary,) = answer.conversations
    assert (summary.record, summary.visitor) == (now, VisitorRecord("v", "Jane"))
    assert list(answer.messages) == [said]


@pytest.mark.usefixtures("written")
def test_what_an_agent_has_read_is_asked_apart(records: Records) -> None:
    with records.begin(SITE) as work:
        now = conversation("b", rev=work.next_rev(), message_count=3)
        assert work.save_conversation(now, known_rev=3)
        assert work.mark_read("sam", "b", 2)
    (summary,) = records.sync(SITE, 7, 100).conversations
    assert summary.unread == 3


@pytest.mark.usefixtures("written")
def test_s2_what_was_deleted_comes_as_a_tombstone(records: Records, database: Database) -> None:
    early = Replica(SITE)
    early.take(records.sync(SITE, 0, 4), 4)
    assert ("a", "m2") in early.messages
    with records.begin(SITE) as work:
        work.empty_conversation("a")
        gone = conversation("a", rev=work.next_rev(), visitor=None, deleted=True)
        assert work.save_conversation(gone, known_rev=1)
    (summary,) = records.sync(SITE, 7, 10).conversations
    assert (summary.record, summary.visitor) == (gone, None)
    late = Replica(SITE)
    for replica, limit in ((early, 1), (late, 2)):
        replica.catch_up(records, limit)
        assert replica == whole(records, database, SITE)
        assert replica.conversations["a"].deleted
        assert replica.messages == {}


# ------------------------------------------------------------------------ while it reads


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("limit", [1, 3, 100])
@pytest.mark.parametrize("statement", [1, 2, 3])
def test_s1_what_is_written_while_it_reads_is_not_lost(
    records: Records, database: Database, statement: int, limit: int
) -> None:
    # Before each of the queries of one sync another process commits, and changes what was about
    # to be read.
    asked = 0

    def commit_in_between(_: sa.Connection, _cursor: Any, text: str, *_more: object) -> None:
        nonlocal asked
        asked += text.startswith("SELECT")
        if asked == statement:
            asked += 1_000
            commit()

    def commit() -> None:
        with records.begin(SITE) as work:
            for id, known_rev in (("a", 1), ("new", 0), ("c", 6)):
                changed = conversation(id, rev=work.next_rev())
                assert work.save_conversation(changed, known_rev=known_rev)
                work.save_message(message(f"m of {id}", id, rev=work.next_rev()))
            work.save_message(message("m7", "a", rev=work.next_rev(), place=7))

    replica = Replica(SITE)
    sa.event.listen(database.reader, "before_cursor_execute", commit_in_between)
    try:
        replica.take(records.sync(SITE, 0, limit), limit)
    finally:
        sa.event.remove(database.reader, "before_cursor_execute", commit_in_between)
    assert asked > 1_000
    assert replica.missing(database) == []
    replica.catch_up(records, limit)
    assert replica == whole(records, database, SITE)

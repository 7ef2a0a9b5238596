"""However many conversations a site has, what is asked all the time looks at few of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa

from bridge.encryption import Encryption
from bridge.ports import ConversationQuery, Records, VisitorRecord, Work
from bridge.records import schema
from bridge.records.database import Database
from bridge.records.engine import SqlRecords
from bridge.records.tables import conversations, messages, reads
from tests.contract.rows_read import plans_of, work_of
from tests.contract.samples import (
    ONLINE,
    OTHER_SITE,
    SITE,
    START,
    conversation,
    in_demand,
    message,
    site,
)

CROWD = 20_000
"""Conversations of one site, each with one message, and messages in the conversation ``long``."""
LAST = 2 * CROWD
FEW = {"sqlite": CROWD, "postgresql": CROWD // 20}
"""Of SQLite's steps fewer than there are rows: it looked at few of them. PostgreSQL's rows."""


@pytest.fixture(scope="module")
def crowded(new_database: Callable[[], str]) -> Iterator[tuple[SqlRecords, Database]]:
    """A site with a crowd, of which a few are there, watched, or taken over."""
    database = Database(new_database())
    schema.migrate(database)
    records = SqlRecords(database, Encryption("a-key-for-tests-only-0123456789abcdef"))
    for id in (SITE, OTHER_SITE):
        records.add_site(site(id), START)
    with records.begin(SITE) as work:
        work.save_visitor(VisitorRecord("v", "Jane"), START)
        work.save_message(message("m", "long"))
        work.save_conversation(conversation("gone"), known_rev=0)
        work.mark_read("1", "gone", 1)
    with database.writing() as connection:
        multiply(connection)
    with records.begin(SITE) as work:
        for n in range(5):
            for each in (
                conversation(f"present {n}", state=ONLINE, rev=LAST),
                in_demand(f"watched {n}", "1", rev=LAST),
                in_demand(f"owned {n}", owner="1", rev=LAST),
            ):
                assert work.save_conversation(each, known_rev=0)
        said = message("queued", "long", author="agent", delivery="queued", client_key="key")
        work.save_message(replace(said, rev=LAST, place=CROWD // 2))
        while work.next_rev() < LAST:
            pass
    if database.reader.dialect.name == "postgresql":
        with database.writing() as connection:
            connection.exec_driver_sql("ANALYZE")
    yield records, database
    database.dispose()


def multiply(connection: sa.Connection) -> None:
    """Copy the one conversation, message and read mark that there are."""
    one = connection.execute(sa.select(conversations)).mappings().one()
    said = connection.execute(sa.select(messages)).mappings().one()
    read = connection.execute(sa.select(reads)).mappings().one()
    numbers = range(2, CROWD)
    for table, rows in (
        (conversations, [{**one, "id": f"c{n}", "rev": n} for n in numbers]),
        (reads, [{**read, "conversation": f"c{n}"} for n in numbers]),
        (
            messages,
            [
                {**said, "conversation": chat, "id": f"m{n}", "rev": CROWD + n, "place": CROWD + n}
                for n in numbers
                for chat in (f"c{n}", "long")
            ],
        ),
    ):
        connection.execute(sa.insert(table), rows)


def in_work(ask: Callable[[Work], object]) -> Callable[[Records], object]:
    def asked(records: Records) -> object:
        with records.begin(SITE) as work:
            return ask(work)

    return asked


QUESTIONS: dict[str, Callable[[Records], object]] = {
    "active_conversations": lambda records: list(records.active_conversations()),
    "sync, all": lambda records: records.sync(SITE, 0, 50),
    "sync, the last": lambda records: records.sync(SITE, LAST - 2, 50),
    "sync, nothing": lambda records: records.sync(SITE, LAST, 50),
    "sync, another site": lambda records: records.sync(OTHER_SITE, 0, 50),
    "revision": lambda records: records.revision(SITE),
    "queued": lambda records: records.messages_for_visitor(SITE, "long", None, 50),
    "queued, none": lambda records: records.messages_for_visitor(SITE, "c7", None, 50),
    "unseen": lambda records: records.messages_for_visitor(SITE, "long", LAST - 5, 50),
    "unseen, few": lambda records: records.messages_for_visitor(SITE, "c7", 0, 50),
    "watched_by": lambda records: records.watched_by(SITE, "1"),
    "owned": lambda records: records.list_conversations(
        SITE, "1", ConversationQuery(50, owner="1")
    ),
    "owned, none": lambda records: records.list_conversations(
        SITE, "1", ConversationQuery(50, "recent", owner="2")
    ),
    "read_counts": lambda records: records.read_counts(SITE, ["1", "2"], ["c7", "c8"]),
    "owned_by": in_work(lambda work: work.owned_by("1")),
    "in_demand": in_work(lambda work: work.in_demand()),
    "messages_since": in_work(lambda work: work.messages_since("long", 0, 50)),
    "message_sent": in_work(lambda work: work.message_sent("long", "key")),
    "message_sent, none": in_work(lambda work: work.message_sent("long", "none")),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_b8_what_is_asked_often_looks_at_few(
    crowded: tuple[SqlRecords, Database], question: str
) -> None:
    records, database = crowded

    def ask() -> None:
        QUESTIONS[question](records)

    looked_at = work_of(database, ask)
    assert looked_at < FEW[database.reader.dialect.name], plans_of(database, ask)


def test_the_questions_find_what_is_there(crowded: tuple[SqlRecords, Database]) -> None:
    # Few rows are easily looked at by who finds nothing.
    records, _ = crowded
    ((_, active),) = records.active_conversations()
    assert len(active) == 15
    assert len(records.sync(SITE, 1, 50).conversations) == 50
    assert len(records.sync(SITE, LAST - 1, 50).conversations) == 15
    assert len(records.watched_by(SITE, "1")) == 5
    query = ConversationQuery(50, owner="1")
    assert len(records.list_conversations(SITE, "1", query)) == 5
    shown = [each.id for each in records.messages_for_visitor(SITE, "long", None, 50)]
    assert shown == ["queued"]

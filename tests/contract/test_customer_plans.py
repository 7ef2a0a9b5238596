"""However many visitors and customers a site has, what is asked of them looks at few of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
import sqlalchemy as sa

from bridge.domain.customer import Links, SignedIn, Subject, SubjectKind
from bridge.encryption import Encryption
from bridge.ports import ConversationQuery, VisitorRecord, Work
from bridge.records import schema
from bridge.records import search as search_module
from bridge.records.database import Database
from bridge.records.engine import SqlRecords
from bridge.records.look_ups import SqlLookUps
from bridge.records.tables import conversations, customers, search_terms, visitor_links, visitors
from tests.contract.look_ups import claim, claimed_at, customer, keep, known, want
from tests.contract.rows_read import plans_of, work_of
from tests.contract.samples import (
    OTHER_SITE,
    SITE,
    START,
    conversation,
    in_demand,
    moment,
    profile,
    site,
)

CROWD = 20_000
"""Visitors of one site, each with a conversation that awaits a reply, and a customer who waits."""
FEW = {"sqlite": CROWD, "postgresql": CROWD // 20}
"""Of SQLite's steps fewer than there are rows: it looked at few of them. PostgreSQL's rows."""
ENCRYPTION = Encryption("a-key-for-tests-only-0123456789abcdef")
RARE = "resp_c5000"


@dataclass
class Crowded:
    """A site with a crowd, and another with nobody."""

    database: Database
    records: SqlRecords
    look_ups: SqlLookUps

    def in_work(self, ask: Callable[[Work], object]) -> object:
        with self.records.begin(SITE) as work:
            return ask(work)


@pytest.fixture(scope="module")
def crowded(new_database: Callable[[], str]) -> Iterator[Crowded]:
    database = Database(new_database())
    schema.migrate(database)
    records = SqlRecords(database, ENCRYPTION)
    crowd = Crowded(database, records, SqlLookUps(database, ENCRYPTION))
    for id in (SITE, OTHER_SITE):
        records.add_site(site(id), START)
    with records.begin(SITE) as work:
        links = Links(signed_in=SignedIn("0", "jane@example.com"))
        work.keep_evidence("v0", SignedIn("0", "jane@example.com"))
        work.save_visitor(VisitorRecord("v0", "Jane n0", "jane@example.com", links=links), START)
        waiting = conversation("resp_c0", visitor="v0", awaits_reply=True)
        work.save_conversation(waiting, known_rev=0)
        for n in range(5):
            owned = in_demand(f"owned {n}", owner="1", awaits_reply=True, visitor=None)
            work.save_conversation(owned, known_rev=0)
    want(records, customer(0), 1)
    assert keep(records, claimed_at(crowd.look_ups, 1), 1)
    want(records, customer(0), 100)
    with database.writing() as connection:
        multiply(connection)
    if database.reader.dialect.name == "postgresql":
        with database.writing() as connection:
            connection.exec_driver_sql("ANALYZE")
    yield crowd
    database.dispose()


def multiply(connection: sa.Connection) -> None:
    """Copy what there is of the one visitor, each copy with a name and an account of its own."""

    def copies(table: sa.Table, where: sa.ColumnElement[bool], **different: str) -> None:
        for one in list(connection.execute(sa.select(table).where(where)).mappings()):
            if one.get("term") == "n0" or one.get("subject") == "customer:0":
                own = {"term": "n{}"} if "term" in one else {"subject": "customer:{}"}
            else:
                own = {}
            named = {**different, **own}
            rows = [
                {**one, **{column: text.format(n) for column, text in named.items()}}
                for n in range(1, CROWD)
            ]
            connection.execute(sa.insert(table), rows)

    copies(visitors, visitors.c.id == "v0", id="v{}", customer_key="customer:{}")
    copies(search_terms, search_terms.c.visitor == "v0", visitor="v{}")
    copies(visitor_links, visitor_links.c.visitor == "v0", visitor="v{}")
    copies(customers, customers.c.key == "customer:0", key="customer:{}", last_order="{}")
    copies(conversations, conversations.c.id == "resp_c0", id="resp_c{}", visitor="v{}")


def listed(query: ConversationQuery) -> Callable[[Crowded], object]:
    return lambda crowd: crowd.records.list_conversations(SITE, "1", query)


def worked(ask: Callable[[Work], object]) -> Callable[[Crowded], object]:
    return lambda crowd: crowd.in_work(ask)


FOLLOW_UP = ConversationQuery(50, to_follow_up=True)
FAR_DOWN = (0, START, "resp_c3")
SEARCH = ConversationQuery(50)
RECENT = ConversationQuery(50, "recent")
GUEST = Subject(SubjectKind.GUEST, "new@example.com")

QUESTIONS: dict[str, Callable[[Crowded], object]] = {
    "list": listed(SEARCH),
    "list, the latest": listed(RECENT),
    "to follow up": listed(FOLLOW_UP),
    "to follow up, the latest": listed(replace(FOLLOW_UP, sort="recent")),
    "to follow up, far down": listed(replace(FOLLOW_UP, after=FAR_DOWN)),
    "to follow up, far down the latest": listed(replace(FOLLOW_UP, sort="recent", after=FAR_DOWN)),
    "to follow up, one's own": listed(replace(FOLLOW_UP, owner="1")),
    "search, one": listed(replace(SEARCH, text="n5000")),
    "search, one the latest": listed(replace(RECENT, text="n5000")),
    "search, one of many": listed(replace(SEARCH, text="n5000 jane")),
    "search, one of many the other way": listed(replace(SEARCH, text="jane n5000")),
    "search, an id": listed(replace(SEARCH, text=RARE)),
    "search, nobody": listed(replace(SEARCH, text="nobody")),
    "search, one who is to follow up": listed(replace(FOLLOW_UP, text="n5000")),
    "search, one who is gone": listed(replace(SEARCH, text="n5000", presence="offline")),
    "search, one of one's own": listed(replace(SEARCH, text="n5000", owner="1")),
    "search, nobody elsewhere": lambda crowd: crowd.records.list_conversations(
        OTHER_SITE, "1", replace(SEARCH, text="jane")
    ),
    "customers known": lambda crowd: crowd.records.customers_known(
        SITE, ["customer:7", "guest:x@example.com"], "1042"
    ),
    "conversations of a customer": worked(
        lambda work: work.conversations_of_customer("customer:7", 50)
    ),
    "linked visitors": worked(
        lambda work: work.linked_visitors(["customer:7", "email:x@y.example"])
    ),
    "conversations of visitors": worked(
        lambda work: work.conversations_of_visitors(["v7", "v8"], "", 50)
    ),
    "want, one known": worked(lambda work: work.want_customer(customer(7), START, START)),
    "want, one looked at": worked(
        lambda work: work.want_customer(customer(8), START, START, looked_at=True)
    ),
    "want, one new": worked(lambda work: work.want_customer(GUEST, START, START)),
    "claim, none due": lambda crowd: claim(crowd.look_ups, 0),
    "claim, one of many": lambda crowd: claim(crowd.look_ups, 1_000),
    "health": lambda crowd: crowd.look_ups.health(SITE),
    "a visitor": worked(
        lambda work: work.save_visitor(VisitorRecord("v9", "Jane n9", "jane@example.com"), START)
    ),
    "forget a visitor": worked(lambda work: work.forget_visitor("v11")),
    "forget a customer": worked(lambda work: work.forget_customers(["customer:11"])),
    "purge, idle conversations": worked(lambda work: work.idle_conversations(START, 20)),
    "purge, idle visitors": worked(lambda work: work.idle_visitors(START, "v3", 20)),
    "purge, unlinked customers": worked(lambda work: work.unlinked_customers("customer:3", 20)),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_b8_what_is_asked_of_customers_looks_at_few(crowded: Crowded, question: str) -> None:
    def ask() -> None:
        QUESTIONS[question](crowded)

    looked_at = work_of(crowded.database, ask)
    few = FEW[crowded.database.reader.dialect.name]
    assert looked_at < few, f"{looked_at}:\n{plans_of(crowded.database, ask)}"


@pytest.mark.parametrize("text", ["jane", "example.com", "jane nobody", "nobody example.com"])
@pytest.mark.parametrize("sort", ["presence", "recent"])
def test_a_search_for_what_all_have_stops_at_so_many(
    crowded: Crowded, monkeypatch: pytest.MonkeyPatch, text: str, sort: str
) -> None:
    monkeypatch.setattr(search_module, "MOST_FOUND", 50)
    query = ConversationQuery(50, sort, text=text)

    def ask() -> None:
        crowded.records.list_conversations(SITE, "1", query)

    looked_at = work_of(crowded.database, ask)
    few = FEW[crowded.database.reader.dialect.name]
    assert looked_at < few, f"{looked_at}:\n{plans_of(crowded.database, ask)}"


def test_a_profile_is_kept_at_the_cost_of_its_own_visitors(crowded: Crowded) -> None:
    kept: list[bool] = []

    def ask() -> None:
        claimed = crowded.look_ups.claim(moment(2_000), moment(3_000), failing=False)
        assert claimed is not None
        kept.append(keep(crowded.records, claimed, 2_000, profile("Joan")))

    looked_at = work_of(crowded.database, ask)
    assert kept == [True]
    few = FEW[crowded.database.reader.dialect.name]
    assert looked_at < few, f"{looked_at}:\n{plans_of(crowded.database, ask)}"


def test_the_questions_find_what_is_there(crowded: Crowded) -> None:
    # Few rows are easily looked at by who finds nothing.
    def found(query: ConversationQuery) -> list[str]:
        listed = crowded.records.list_conversations(SITE, "1", query)
        return [each.record.id for each in listed]

    assert len(found(FOLLOW_UP)) == 50
    assert len(found(replace(FOLLOW_UP, after=FAR_DOWN))) == 50
    assert len(found(replace(FOLLOW_UP, owner="1"))) == 5
    for text in ("n5000", "jane n5000", RARE):
        assert found(replace(SEARCH, text=text)) == [RARE]
    assert len(found(replace(SEARCH, text="example.com"))) == 50
    assert crowded.records.customers_known(SITE, ["customer:7"], "9") == [
        "customer:7",
        "customer:9",
    ]
    with crowded.records.begin(SITE) as work:
        assert work.conversations_of_customer("customer:7", 9) == ["resp_c7"]
        assert work.linked_visitors(["customer:7"]) == ["v7"]
    assert known(crowded.records, customer(12)).due_at is not None

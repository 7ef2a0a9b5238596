"""From the second step of the schema to the third: whom the code before knew, this knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from bridge.domain.customer import Links, PlacedOrder, Proof, SignedIn, Typed
from bridge.encryption import Encryption
from bridge.ports import ConversationQuery
from bridge.records import schema
from bridge.records.database import Database
from bridge.records.engine import SqlRecords
from bridge.records.tables import search_terms, to_microseconds, visitor_links, visitors
from tests.contract.samples import AWKWARD, SITE, START, site

ENCRYPTION = Encryption("a-key-for-tests-only-0123456789abcdef")
STEPS = Path(schema.__file__).parent / "migrations"
ORDER = {"id": "7", "number": "INV-1042", "total": "9.90", "currency": "EUR"}

OLD_VISITORS: list[dict[str, Any]] = [
    # As the code before wrote them: what the store said, word for word, and the proof.
    {
        "id": "signed in",
        "name": "Jürgen Straße",
        "email": "Jane.Doe@Shop.example",
        "customer": {
            "id": "17",
            "email": "Jane.Doe@Shop.example",
            "name": "Jürgen Straße",
            "proof": "signed_in",
        },
        "cart": {"items": [], "total": "0", "currency": "EUR"},
        "tokens_from": to_microseconds(START),
    },
    {"id": "without email", "customer": {"id": "18", "email": None, "proof": "signed_in"}},
    {"id": "no address", "customer": {"id": "19", "email": "no email", "proof": "signed_in"}},
    {"id": "guest", "last_order": {**ORDER, "email": "Guest@Shop.example", "customer_id": None}},
    {"id": "buyer", "last_order": {**ORDER, "email": "b@shop.example", "customer_id": "20"}},
    {"id": "of nobody", "last_order": {**ORDER, "number": "#77", "email": None}},
    {
        "id": "both",
        "name": "Kim",
        "customer": {"id": "17", "email": "kim@shop.example", "proof": "signed_in"},
        "last_order": {**ORDER, "email": "other@shop.example", "customer_id": "21"},
    },
    {"id": "typed", "name": f"#ann.lee @kim {AWKWARD}", "email": "typed@shop.example"},
    {"id": "nothing"},
]

CONVERSATION: dict[str, Any] = {
    "state": "offline",
    "rank": 0,
    "hidden": False,
    "pages": 0,
    "presence": "{}",
    **dict.fromkeys(("started_at", "last_activity_at", "recorded_at"), 0),
    "message_count": 0,
    "deleted": False,
    "rev": 1,
}


@pytest.fixture
def before(new_database: Callable[[], str]) -> Iterator[Database]:
    """A database as the code before left it."""
    database = Database(new_database())
    try:
        config = Config()
        config.set_main_option("script_location", str(STEPS))
        with database.writing() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "0002")
            write_old_rows(connection)
        yield database
    finally:
        database.dispose()


def write_old_rows(connection: sa.Connection) -> None:
    # As the database describes them: those of the code have the third step's columns.
    tables = sa.MetaData()
    tables.reflect(connection)

    def insert(table: str, row: Mapping[str, Any]) -> None:
        # What was not known was NULL, and not the JSON of it.
        known = {name: value for name, value in row.items() if value is not None}
        connection.execute(sa.insert(tables.tables[table]), known)

    of_site, added = {"site": SITE}, site()
    secret = ENCRYPTION.encrypt(added.secrets[0].key)
    told = {"name": added.name, "url": added.url, "connection": {}, "created_at": 0}
    insert("sites", {"id": SITE, "secret": secret, **told})
    insert("revisions", {**of_site, "rev": 1, "conversations": len(OLD_VISITORS)})
    # More than the step takes at once, before and after those that are looked at.
    crowd = [{"id": f"{letter}{n}", "name": "Crowd"} for letter in "az" for n in range(600)]
    for visitor in [*OLD_VISITORS, *crowd]:
        insert("visitors", {**of_site, **visitor})
    for visitor in OLD_VISITORS:
        id = f"of {visitor['id']}"
        insert("conversations", {**of_site, **CONVERSATION, "id": id, "visitor": visitor["id"]})
    body = ENCRYPTION.encrypt(b"{}")
    insert("store_calls", {**of_site, "place": 1, "id": "b_1", "at": 0, "body": body})


def rows(database: Database, table: sa.Table, *columns: str) -> set[tuple[Any, ...]]:
    with database.reading() as connection:
        chosen = sa.select(*(table.c[name] for name in columns))
        return {tuple(row) for row in connection.execute(chosen)}


def what_is_known(database: Database) -> list[set[tuple[Any, ...]]]:
    """All that the third step wrote of visitors."""
    return [
        rows(database, visitor_links, "subject", "visitor", "proven"),
        rows(database, search_terms, "term", "visitor", "field"),
        rows(database, visitors, "id", "customer_key"),
    ]


def test_whom_the_code_before_knew_is_known_as_if_by_this(
    before: Database, new_database: Callable[[], str]
) -> None:
    schema.migrate(before)
    old, anew = SqlRecords(before, ENCRYPTION), Database(new_database())
    schema.migrate(anew)
    new = SqlRecords(anew, ENCRYPTION)
    new.add_site(site(), START)
    with old.begin(SITE) as read, new.begin(SITE) as write:
        for id, *_ in sorted(rows(before, visitors, "id")):
            visitor = read.visitor(id)
            assert visitor is not None
            for evidence in (visitor.links.signed_in, visitor.links.order):
                if evidence is not None:
                    write.keep_evidence(id, evidence)
            write.save_visitor(visitor, START)
    try:
        for migrated, written in zip(what_is_known(before), what_is_known(anew), strict=True):
            assert migrated == written
            assert migrated
    finally:
        anew.dispose()


def test_old_rows_are_read_as_evidence(before: Database) -> None:
    schema.migrate(before)
    with SqlRecords(before, ENCRYPTION).begin(SITE) as work:
        found = {each["id"]: work.visitor(each["id"]) for each in OLD_VISITORS}
    known = {id: each.links for id, each in found.items() if each is not None}
    assert known.keys() == found.keys()
    assert known["signed in"] == Links(SignedIn("17", "Jane.Doe@Shop.example", "Jürgen Straße"))
    guest = msgspec.convert({**ORDER, "email": "Guest@Shop.example"}, PlacedOrder)
    assert known["guest"] == Links(order=guest)
    assert known["buyer"].proof is Proof.ORDER
    assert known["nothing"] == Links()
    name = Typed(f"#ann.lee @kim {AWKWARD}")
    assert known["typed"] == Links(email=Typed("typed@shop.example"), name=name)
    signed_in = found["signed in"]
    assert signed_in is not None
    assert signed_in.tokens_from == START
    assert signed_in.cart == {"items": [], "total": "0", "currency": "EUR"}


@pytest.mark.parametrize(
    ("text", "whom"),
    [
        ("strasse", {"signed in"}),
        ("jane.doe@shop", {"signed in"}),
        ("inv-1042", {"guest", "buyer", "both"}),
        ("#77", {"of nobody"}),
        ("kim", {"both", "typed"}),
        ("#ann.lee", {"typed"}),
        ("🛒", {"typed"}),
    ],
)
def test_they_are_found(before: Database, text: str, whom: set[str]) -> None:
    schema.migrate(before)
    found = SqlRecords(before, ENCRYPTION).list_conversations(
        SITE, "agent", ConversationQuery(20, text=text)
    )
    assert {each.record.id for each in found} == {f"of {each}" for each in whom}


def test_nothing_else_comes_of_it(before: Database) -> None:
    schema.migrate(before)
    records = SqlRecords(before, ENCRYPTION)
    listed = records.list_conversations(SITE, "agent", ConversationQuery(50))
    assert len(listed) == len(OLD_VISITORS)
    for each in listed:
        assert not each.record.awaits_reply
        assert (each.record.followed_up, each.customer) == (None, None)
    assert records.list_conversations(SITE, "a", ConversationQuery(9, to_follow_up=True)) == []
    with records.begin(SITE) as work:
        assert work.queued_for_store("of guest") == []
        assert work.linked_visitors(["customer:17"]) == ["both", "signed in"]
        assert work.linked_visitors(["email:guest@shop.example"]) == ["guest"]

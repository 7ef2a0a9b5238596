"""Who is found: visitors in whom each word of a search begins a word, on either database alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.domain.customer import Links, PlacedOrder, SignedIn, Typed
from bridge.ports import ConversationQuery, Profile, Records, VisitorRecord
from bridge.records import search as search_module
from bridge.records.database import Database
from bridge.records.look_ups import SqlLookUps
from bridge.records.tables import search_terms
from tests.contract.samples import (
    AWKWARD,
    OTHER_SITE,
    SITE,
    START,
    conversation,
    moment,
    profile,
    texts,
)

PEOPLE: Mapping[str, tuple[str | None, str | None, str | None]] = {
    # Name, email, number of the order.
    "jane": ("Jane Mary Doe", "jane.doe@shop.example", "1042"),
    "mueller": ("Jürgen Müller-Lüdenscheidt", "JM@Example.COM", "INV-2029/7"),
    "zhanna": ("Жанна Д'Арк", "zh_anna@example.com", None),
    "strasse": ("Anna Straße", None, "#77"),
    "istanbul": ("İpek IŞIK", None, None),
    "emoji": ("Zoë 🛒🦊 \N{WOMAN}\u200d\N{GIRL}", None, None),
    "rtl": ("مرحبا שלום \u202eevil", None, None),
    "signs": ("100% Jean_Luc", 'a"b@example.org', None),
    "nobody": (None, None, None),
}


def links(number: str | None) -> Links:
    if number is None:
        return Links()
    return Links(order=PlacedOrder("7", number, "1", "EUR", customer_id="7", at=START))


def know(records: Records, *visitors: VisitorRecord, site: str = SITE) -> None:
    with records.begin(site) as work:
        for each in visitors:
            if each.links.order is not None:
                work.keep_evidence(each.id, each.links.order)
            work.save_visitor(each, START)


def found(records: Records, text: str, site: str = SITE) -> set[str]:
    """Whose conversations a search finds, by the names that they have here."""
    query = ConversationQuery(100, text=text)
    listed = records.list_conversations(site, "agent", query)
    return {each.record.id.removeprefix("of ") for each in listed}


@pytest.fixture
def people(records: Records) -> Records:
    """A conversation of each of ``PEOPLE``, and one of nobody."""
    for id, (name, email, number) in PEOPLE.items():
        know(records, VisitorRecord(f"v {id}", name, email, links=links(number)))
    with records.begin(SITE) as work:
        for id in PEOPLE:
            work.save_conversation(conversation(f"of {id}", visitor=f"v {id}"), known_rev=0)
        work.save_conversation(conversation("resp_aB", visitor=None), known_rev=0)
    return records


@pytest.mark.parametrize(
    ("text", "whom"),
    [
        # The beginning of a word, in any case, and not what is within one.
        ("jane", {"jane"}),
        ("JAN", {"jane"}),
        ("mary", {"jane"}),
        ("ane", set()),
        ("jane doe", {"jane"}),
        ("doe jane", {"jane"}),
        ("d j m", {"jane"}),
        ("jane nobody", set()),
        ("jane müller", set()),
        ("jane jane jane jane jane jane", {"jane"}),
        # A part of a name that is joined by signs, and the whole.
        ("lüden", {"mueller"}),
        ("müller-lüd", {"mueller"}),
        ("MÜLLER", {"mueller"}),
        ("ü", set()),
        ("д'арк", {"zhanna"}),
        ("арк", {"zhanna"}),
        ("ЖАННА", {"zhanna"}),
        # An email: the whole, its parts, its host.
        ("jane.doe@shop.example", {"jane"}),
        ("JANE.DOE@SHOP", {"jane"}),
        ("doe@shop", set()),
        ("shop.example", {"jane"}),
        ("@shop.ex", {"jane"}),
        ("example.com", {"mueller", "zhanna"}),
        ("zh_a", {"zhanna"}),
        ("anna", {"zhanna", "strasse"}),
        # The number of an order, with what people write before it.
        ("1042", {"jane"}),
        ("#1042", {"jane"}),
        ("104", {"jane"}),
        ("042", set()),
        ("inv-2029", {"mueller"}),
        ("2029", {"mueller"}),
        ("#77", {"strasse"}),
        ("jane 1042", {"jane"}),
        # Letters of which one is two, or two are one.
        ("STRASSE", {"strasse"}),
        ("straße", {"strasse"}),
        ("İPEK", {"istanbul"}),
        ("ışık", set()),  # noqa: RUF001 - it is meant
        ("işik", {"istanbul"}),
        # Beyond letters.
        ("🛒", {"emoji"}),
        ("🛒🦊", {"emoji"}),
        ("🦊", set()),
        ("\N{WOMAN}", {"emoji"}),
        ("zoë", {"emoji"}),
        ("مرح", {"rtl"}),
        ("שלום مرحبا", {"rtl"}),
        ("evil", {"rtl"}),
        # Signs that mean something to LIKE, to a regular expression or to SQL.
        ("%", set()),
        ("_", set()),
        ("100%", {"signs"}),
        ("100_", set()),
        ("jean%luc", set()),
        ("luc", {"signs"}),
        ('a"b', {"signs"}),
        ("\\", set()),
        ("'; DROP TABLE visitors; --", set()),
        ("[a-z]", set()),
        # A whole id of a conversation, as it is.
        ("resp_aB", {"resp_aB"}),
        ("resp_ab", set()),
        ("resp_a", set()),
        ("v jane", set()),
        # Signs that people write before a word are none.
        ("@", set()),
        ("# @", set()),
        ("@ jane", {"jane"}),
    ],
)
def test_who_is_found(people: Records, text: str, whom: set[str]) -> None:
    assert found(people, text) == whom


def test_each_finds_their_own(records: Records) -> None:
    for site, name in ((SITE, "Jane"), (OTHER_SITE, "John")):
        know(records, VisitorRecord("v", name), site=site)
        with records.begin(site) as work:
            work.save_conversation(conversation(site), known_rev=0)
    assert (found(records, "jane"), found(records, "john")) == ({SITE}, set())
    assert found(records, "jane", OTHER_SITE) == set()


def test_an_awkward_name_is_found_by_each_of_its_words(records: Records) -> None:
    know(records, VisitorRecord("v", AWKWARD))
    with records.begin(SITE) as work:
        work.save_conversation(conversation(), known_rev=0)
        work.save_conversation(conversation("other", visitor="w"), known_rev=0)
    for word in AWKWARD.split():
        assert found(records, word) == {"c"}, word
        assert found(records, word[:2]) == {"c"}, word


def test_all_conversations_of_a_visitor_are_found_but_deleted_ones(records: Records) -> None:
    know(records, VisitorRecord("v", "Jane"), VisitorRecord("w", "Jane"))
    with records.begin(SITE) as work:
        for id, visitor in (("a", "v"), ("b", "v"), ("c", "w"), ("d", None)):
            work.save_conversation(conversation(id, visitor=visitor), known_rev=0)
        work.save_conversation(conversation("e", deleted=True), known_rev=0)
    assert found(records, "jane") == {"a", "b", "c"}
    assert found(records, "e") == set()


def test_long_words_and_many_of_them(people: Records) -> None:
    long = "ab" * 100
    know(people, VisitorRecord("v jane", f"{long} one two three four five six seven"))
    assert found(people, long) == {"jane"}
    assert found(people, long[:70]) == {"jane"}
    assert found(people, f"@{long}") == {"jane"}
    assert found(people, "one two three four five six seven") == {"jane"}
    assert found(people, "seven six five four three two nobody") == {"jane"}


# -------------------------------------------------------------------- what changes in time


def terms(database: Database) -> set[tuple[str, str, str]]:
    with database.reading() as connection:
        rows = connection.execute(
            sa.select(search_terms.c.visitor, search_terms.c.field, search_terms.c.term)
        )
        return {(row.visitor, row.field, row.term) for row in rows}


def test_a_name_or_an_email_that_changed_is_found_no_more(people: Records) -> None:
    know(people, VisitorRecord("v jane", "Joan Doe", "joan@shop.example", links=links("1042")))
    assert found(people, "jane") == set()
    assert found(people, "mary") == set()
    for text in ("joan", "doe", "joan@", "shop"):
        assert found(people, text) == {"jane"}


def test_every_order_that_was_ever_placed_is_found(people: Records) -> None:
    know(people, VisitorRecord("v jane", "Jane", links=links("1043")))
    assert found(people, "1042") == found(people, "1043") == {"jane"}


def test_what_is_written_again_as_it_is_writes_nothing(people: Records, database: Database) -> None:
    before = terms(database)
    name, email, number = PEOPLE["jane"]
    know(people, VisitorRecord("v jane", name, email, links=links(number)))
    assert terms(database) == before
    know(people, VisitorRecord("v jane"))
    assert {each[1] for each in terms(database) if each[0] == "v jane"} == {"order"}


# ------------------------------------------------------------- what the store knows of them


@pytest.fixture
def tell_profile(
    records: Records, look_ups: SqlLookUps
) -> Callable[[Links, Profile, datetime], None]:
    """The store is asked for whom these links lead to, and answers at that time."""

    def tell(linked: Links, told: Profile, at: datetime) -> None:
        assert linked.subject is not None
        with records.begin(SITE) as work:
            work.want_customer(linked.subject, at, at)
        claimed = look_ups.claim(at, moment(10_000), failing=False)
        assert claimed is not None
        assert claimed.subject == linked.subject
        with records.begin(SITE) as work:
            assert work.keep_profile(claimed, told, at)

    return tell


TellProfile = Callable[[Links, Profile, datetime], None]
SIGNED_IN = Links(signed_in=SignedIn("17", at=START))


@pytest.fixture
def two_browsers(records: Records) -> Records:
    """Two browsers in which one customer has signed in, and one of another's."""
    another = Links(signed_in=SignedIn("18"))
    for id, linked in (("a", SIGNED_IN), ("b", SIGNED_IN), ("other", another)):
        know(records, VisitorRecord(id, links=linked))
        with records.begin(SITE) as work:
            work.save_conversation(conversation(id, visitor=id), known_rev=0)
    return records


def test_visitors_are_found_by_what_their_store_knows(
    two_browsers: Records, tell_profile: TellProfile
) -> None:
    tell_profile(SIGNED_IN, profile("Jane Doe", "1042"), START)
    for text in ("jane", "doe", "jane@shop.example", "1042", "#1042"):
        assert found(two_browsers, text) == {"a", "b"}, text


def test_what_the_store_knew_before_is_found_no_more(
    two_browsers: Records, tell_profile: TellProfile
) -> None:
    tell_profile(SIGNED_IN, profile("Jane Doe", "1042"), START)
    tell_profile(SIGNED_IN, profile("Jane Roe", "1043"), moment(1))
    assert found(two_browsers, "doe") == set()
    assert found(two_browsers, "roe") == found(two_browsers, "1043") == {"a", "b"}


def test_what_the_visitor_said_and_what_the_store_knows_do_not_undo_each_other(
    two_browsers: Records, tell_profile: TellProfile
) -> None:
    tell_profile(SIGNED_IN, profile("Jane Doe"), START)
    know(two_browsers, VisitorRecord("a", "Jenny", links=SIGNED_IN))
    assert found(two_browsers, "jane") == {"a", "b"}
    assert found(two_browsers, "jenny") == {"a"}
    tell_profile(SIGNED_IN, Profile(known=True), moment(1))
    assert found(two_browsers, "jane") == set()
    assert found(two_browsers, "jenny") == {"a"}


def test_one_linked_to_another_customer_is_not_found_by_the_former(
    two_browsers: Records, tell_profile: TellProfile
) -> None:
    claimed = Links(email=Typed("boss@shop.example"))
    know(two_browsers, VisitorRecord("other", email="boss@shop.example", links=claimed))
    tell_profile(claimed, profile("The Boss", "1"), START)
    assert found(two_browsers, "boss") == {"other"}
    own = Links(signed_in=SignedIn("18", "own@shop.example"))
    know(two_browsers, VisitorRecord("other", email="own@shop.example", links=own))
    assert found(two_browsers, "boss") == set()
    assert found(two_browsers, "own@") == {"other"}


def test_one_linked_to_a_customer_who_is_known_is_found_by_what_is(
    two_browsers: Records, tell_profile: TellProfile
) -> None:
    tell_profile(SIGNED_IN, profile("Jane Doe", "1042"), START)
    know(two_browsers, VisitorRecord("other", links=SIGNED_IN))
    assert found(two_browsers, "1042") == {"a", "b", "other"}


def test_a_search_looks_at_so_many_visitors_and_no_more(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_module, "MOST_FOUND", 5)
    with records.begin(SITE) as work:
        for n in range(9):
            work.save_visitor(VisitorRecord(f"v{n}", f"Jane Jan {n}", "jane@shop.example"), START)
            work.save_conversation(conversation(f"c{n}", visitor=f"v{n}"), known_rev=0)
    assert len(found(records, "jan")) == 5
    assert found(records, "jane 7") == {"c7"}


# ------------------------------------------------------------------------- any that there can be

# Letters that change their number with their case, or have no other, and signs of every length.
ALPHABET = st.text(
    "aA\u00df\u1e9e\u017f\u0130\u0131\u03c3\u03c2\u03a3e\u0301\u00e9\u212b"
    "\U0001f6d2\U00010400\uffee.-_%@# ",
    max_size=12,
)


@settings(
    deadline=None,
    max_examples=60,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(names=st.lists(ALPHABET | texts, min_size=1, max_size=4), asked=ALPHABET, data=st.data())
def test_any_search_finds_whom_a_reader_of_all_would(
    records: Records, names: list[str], asked: str, data: st.DataObject
) -> None:
    words = [word for name in names for word in name.split()]
    prefix = st.sampled_from(words or ["x"]).flatmap(
        lambda word: st.integers(1, len(word)).map(lambda end: word[:end])
    )
    text = data.draw(st.just(asked) | st.lists(prefix, min_size=1, max_size=3).map(" ".join))
    know(records, *(VisitorRecord(f"v{n}", name) for n, name in enumerate(names)))
    with records.begin(SITE) as work:
        for n in range(4):
            if work.conversation(f"c{n}") is None:
                work.save_conversation(conversation(f"c{n}", visitor=f"v{n}"), known_rev=0)
        for n in range(len(names), 4):
            work.save_visitor(VisitorRecord(f"v{n}"), START)
    if text.strip():
        assert found(records, text.strip()) == {f"c{n}" for n in naively(names, text)}


def naively(names: list[str], text: str) -> list[int]:
    """Which of these names a search finds, by looking at every word of each."""
    asked = [word.lstrip("@#") for word in text.casefold().split()]
    asked = [word for word in asked if word]
    return [
        n
        for n, name in enumerate(names)
        if asked and all(any(has.startswith(word) for has in words_of(name)) for word in asked)
    ]


def words_of(name: str) -> list[str]:
    words = []
    for word in name.casefold().split():
        parts = "".join(each if each.isalnum() else " " for each in word).split()
        words += [word.lstrip("@#"), word.rpartition("@")[2], *parts]
    return words

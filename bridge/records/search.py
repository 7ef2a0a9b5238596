"""What visitors are found by: the words of their name and email, and the numbers of their orders.

A search finds those in whom each of its words begins one of theirs. That is a range of an index,
however many visitors there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import sqlalchemy as sa

from bridge.ports import Profile, VisitorRecord
from bridge.records.tables import search_terms
from bridge.records.upsert import insert_once

MOST_FOUND = 2_000
"""Visitors that a search looks at: who means more is to say more."""

_LONGEST = 64
_RARE = 500
_TERMS_OF_ONE = 3
"""How many terms of one visitor a word begins, as a rule at most: a name is in the email too."""
_MOST_WORDS = 6
_LAST = "\U0010ffff"
_NOT_IN_WORDS = re.compile(r"[\W_]+")

_NAME, _EMAIL, ORDER, _PROFILE = "name", "email", "order", "profile"

s = search_terms.c


def index_visitor(
    connection: sa.Connection, site: str, visitor: VisitorRecord, profile: Profile | None
) -> None:
    """Have a visitor found by what is shown of them, by what their store knows of the customer
    whom they are linked to, and by each order that was kept of them."""
    wanted = {(_NAME, term) for term in _terms(visitor.name)}
    wanted |= {(_EMAIL, term) for term in _terms(visitor.email)}
    wanted |= _terms_of(profile)
    _replace(connection, site, visitor.id, wanted, kept=(ORDER,))


def index_order(connection: sa.Connection, site: str, visitor: str, number: str) -> None:
    """Have a visitor found by the number of an order that they placed."""
    for term in set(_terms(number)):
        row = {"site": site, "visitor": visitor, "field": ORDER, "term": term}
        insert_once(connection, search_terms, row)


def index_profile(
    connection: sa.Connection, site: str, visitors: Iterable[str], profile: Profile
) -> None:
    """Have visitors found by what their store knows of them."""
    for visitor in visitors:
        _replace(connection, site, visitor, _terms_of(profile), kept=(_NAME, _EMAIL, ORDER))


def found_by(connection: sa.Connection, site: str, text: str) -> list[str]:
    """The ids of the visitors whom a search finds, ``MOST_FOUND`` or so at most."""
    words = [word.lstrip("@#")[:_LONGEST] for word in text.casefold().split()[:_MOST_WORDS]]
    if not any(words):
        return []
    # The others are looked for among those whom the rarest finds.
    rarest, *others = _by_rarity(connection, site, list(filter(None, words)))
    found = sa.select(s.visitor).where(s.site == site, _begins(s.term, rarest)).order_by(s.term)
    for word in others:
        other = search_terms.alias().c
        # Not the bare column: else SQLite reads all that begins so, and not the few of a visitor.
        term = other.term.concat("")
        theirs = (other.site == s.site, other.visitor == s.visitor)
        found = found.where(sa.select(sa.literal(1)).where(*theirs, _begins(term, word)).exists())
    rows = connection.scalars(found.limit(_TERMS_OF_ONE * MOST_FOUND))
    return list(dict.fromkeys(rows))[:MOST_FOUND]


def _by_rarity(connection: sa.Connection, site: str, words: list[str]) -> list[str]:
    """The words, those first that begin the fewest terms, as far as that is soon told."""
    if len(words) == 1:
        return words
    looks = [
        sa.select(sa.func.count())
        .select_from(
            sa.select(s.term)
            .where(s.site == site, _begins(s.term, word))
            .order_by(s.term)
            .limit(_RARE)
            .subquery()
        )
        .scalar_subquery()
        for word in words
    ]
    counts = connection.execute(sa.select(*looks)).one()
    return [word for _, word in sorted(zip(counts, words, strict=True))]


def _begins(term: sa.ColumnElement[str], word: str) -> sa.ColumnElement[bool]:
    return sa.and_(term >= word, term < word + _LAST)


def _terms(text: str | None) -> Iterator[str]:
    """A text's words as they are typed, and the words within them."""
    for word in (text or "").casefold().split():
        within = (word.lstrip("@#"), word.rpartition("@")[2], *_NOT_IN_WORDS.split(word))
        yield from (term[:_LONGEST] for term in within if term)


def _terms_of(profile: Profile | None) -> set[tuple[str, str]]:
    if profile is None:
        return set()
    number = profile.last_order.number if profile.last_order else None
    texts = (profile.name, profile.email, number)
    return {(_PROFILE, term) for text in texts for term in _terms(text)}


def _replace(
    connection: sa.Connection,
    site: str,
    visitor: str,
    wanted: set[tuple[str, str]],
    kept: tuple[str, ...],
) -> None:
    """Let a visitor's terms be ``wanted``, those of the fields ``kept`` left as they are."""
    mine = (s.site == site, s.visitor == visitor)
    rows = connection.execute(sa.select(s.field, s.term).where(*mine))
    known = {(row.field, row.term) for row in rows}
    for field, term in known - wanted:
        if field not in kept:
            gone = sa.delete(search_terms).where(*mine, s.field == field, s.term == term)
            connection.execute(gone)
    added = [
        {"site": site, "visitor": visitor, "field": field, "term": term}
        for field, term in sorted(wanted - known)
    ]
    if added:
        connection.execute(sa.insert(search_terms), added)

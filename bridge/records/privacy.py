"""Queries of export, erasure and purge: whose rows are whose."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from bridge.records.search import ORDER
from bridge.records.tables import (
    conversations,
    customers,
    messages,
    search_terms,
    store_calls,
    visitor_links,
    visitors,
)

c = conversations.c
v = visitors.c

# Asked of one row at a time: an EXISTS would have PostgreSQL read the whole table beforehand.
_USED = (
    sa.select(sa.literal(1))
    .where(v.site == customers.c.site, v.customer_key == customers.c.key)
    .limit(1)
    .scalar_subquery()
    .is_not(None)
)
"""Whether a visitor is linked to a customer."""
_TALKS = (
    sa.select(sa.literal(1))
    .where(c.site == v.site, c.visitor == v.id, c.deleted.is_(False))
    .limit(1)
    .scalar_subquery()
    .is_not(None)
)
"""Whether a visitor has a conversation."""


def linked(connection: sa.Connection, site: str, subjects: Sequence[str]) -> list[str]:
    """The visitors who were ever linked to any of these."""
    theirs = visitor_links.c
    rows = connection.scalars(
        sa.select(theirs.visitor).where(theirs.site == site, theirs.subject.in_(subjects))
    )
    return sorted(set(rows))


def unlink(connection: sa.Connection, site: str, visitor: str, subject: str) -> None:
    """Remove that a visitor was ever linked to this, and the orders that they are found by."""
    theirs, found_by = visitor_links.c, search_terms.c
    connection.execute(
        sa.delete(visitor_links).where(
            theirs.site == site, theirs.visitor == visitor, theirs.subject == subject
        )
    )
    connection.execute(
        sa.delete(search_terms).where(
            found_by.site == site, found_by.visitor == visitor, found_by.field == ORDER
        )
    )


def conversations_of(
    connection: sa.Connection, site: str, whose: Sequence[str], after: str, limit: int
) -> list[str]:
    """The ids of conversations of these visitors, in their order, deleted ones apart."""
    # Not the bare column: else SQLite goes through the whole site in its order.
    id_, there = c.id.concat(""), sa.func.coalesce(c.deleted, sa.true()).is_(False)
    statement = (
        sa.select(c.id)
        .where(c.site == site, c.visitor.in_(whose), there, id_ > after)
        .order_by(id_)
        .limit(limit)
    )
    return list(connection.scalars(statement))


def queued_for_store(connection: sa.Connection, site: str, conversation: str) -> list[bytes]:
    """The bodies, encrypted, of what a store is still to be told of a conversation."""
    calls = store_calls.c
    statement = (
        sa.select(calls.body)
        .where(calls.site == site, calls.conversation == conversation)
        .order_by(calls.place)
    )
    return list(connection.scalars(statement))


def forget_conversation(connection: sa.Connection, site: str, conversation: str) -> None:
    """Remove what is queued for the store of a conversation."""
    calls = store_calls.c
    connection.execute(
        sa.delete(store_calls).where(calls.site == site, calls.conversation == conversation)
    )


def forget_visitor(connection: sa.Connection, site: str, visitor: str) -> None:
    """Remove a visitor, their links, and what they are found by."""
    connection.execute(sa.delete(visitors).where(v.site == site, v.id == visitor))
    for table in (visitor_links, search_terms):
        mine = (table.c.site == site, table.c.visitor == visitor)
        connection.execute(sa.delete(table).where(*mine))


def forget_typed_names(connection: sa.Connection, site: str, visitor: str) -> None:
    """Remove the names that a visitor gave with messages."""
    theirs = sa.select(c.id).where(c.site == site, c.visitor == visitor)
    said = messages.c
    connection.execute(
        sa.update(messages)
        .where(said.site == site, said.conversation.in_(theirs), said.author == "visitor")
        .values(name=None)
    )


def forget_customers(connection: sa.Connection, site: str, keys: Sequence[str]) -> int:
    """Remove what is kept of those of these customers whom no visitor is linked to, their place in
    the queue too; how many."""
    theirs = customers.c
    removed = connection.execute(
        sa.delete(customers).where(theirs.site == site, theirs.key.in_(keys), sa.not_(_USED))
    )
    return removed.rowcount


def unlinked_customers(
    connection: sa.Connection, site: str, after: str, limit: int
) -> tuple[list[str], str | None]:
    """Of the ``limit`` customers whose keys come after this one, those whom no visitor is linked
    to; and the last of all, ``None`` if there is none."""
    rows = connection.execute(
        sa.select(customers.c.key, _USED.label("used"))
        .where(customers.c.site == site, customers.c.key > after)
        .order_by(customers.c.key)
        .limit(limit)
    ).all()
    return [row.key for row in rows if not row.used], rows[-1].key if rows else None


def idle_visitors(
    connection: sa.Connection, site: str, before: datetime, after: str, limit: int
) -> tuple[list[str], str | None]:
    """Of the ``limit`` visitors whose ids come after this one, those without a conversation who
    were last heard of ``before``; and the last of all, ``None`` if there is none."""
    idle = sa.and_(sa.not_(_TALKS), sa.or_(v.saved_at.is_(None), v.saved_at < before))
    rows = connection.execute(
        sa.select(v.id, idle.label("idle"))
        .where(v.site == site, v.id > after)
        .order_by(v.id)
        .limit(limit)
    ).all()
    return [row.id for row in rows if row.idle], rows[-1].id if rows else None

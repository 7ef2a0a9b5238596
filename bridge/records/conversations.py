"""Queries about conversations: rows to records and back, and what a reader lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from bridge.domain.demand import Demand
from bridge.domain.presence import Presence, PresenceState, Reason, State
from bridge.ports import (
    ConversationQuery,
    ConversationRecord,
    ConversationSummary,
    Sibling,
)
from bridge.records import customers, search
from bridge.records import visitors as visitor_queries
from bridge.records.tables import conversations, messages, presence_changes, reads, visitors
from bridge.records.tables import customers as customers_table
from bridge.records.upsert import insert_once

_ABSENT = State.OFFLINE.rank
_SIBLINGS = 50
_BATCH = 2_000

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Presence).decode
_decode_demand = msgspec.json.Decoder(Demand).decode
_NOBODY = Demand()

c = conversations.c
_VISITOR_COLUMNS = [column.label(f"visitor_{column.name}") for column in visitors.c]


# Built once, since a heartbeat's worth of time goes into building one: what most requests ask.
_SITE: sa.BindParameter[str] = sa.bindparam("in_site")
_ID: sa.BindParameter[str] = sa.bindparam("with_id")
_FIND = sa.select(conversations).where(c.site == _SITE, c.id == _ID)
_SAVE = sa.update(conversations).where(
    c.site == _SITE, c.id == _ID, c.rev == sa.bindparam("known_rev")
)
_ADD_CHANGE = sa.insert(presence_changes)
_SIBLING_ROWS = (
    sa.select(c.id, c.state, c.continued_in, c.heard_at)
    .where(
        c.site == _SITE,
        c.visitor == sa.bindparam("of_visitor"),
        c.id != _ID,
        c.deleted.is_(False),
    )
    .order_by(c.last_activity_at.desc())
    .limit(_SIBLINGS)
)


def find(connection: sa.Connection, site: str, conversation: str) -> ConversationRecord | None:
    """The conversation of this id, deleted or not."""
    row = connection.execute(_FIND, {"in_site": site, "with_id": conversation}).first()
    return None if row is None else _record(row)


def save(connection: sa.Connection, site: str, record: ConversationRecord, known_rev: int) -> bool:
    """Write it if its revision is still ``known_rev``; see :class:`bridge.ports.Work`."""
    values = _values(site, record)
    if known_rev == 0:
        return insert_once(connection, conversations, values)
    there = {"in_site": site, "with_id": record.id, "known_rev": known_rev}
    return connection.execute(_SAVE, values | there).rowcount == 1


def add_change(
    connection: sa.Connection, key: dict[str, Any], state: PresenceState, at: datetime
) -> None:
    """Keep a change of state, at its computed time (P14)."""
    reason = state.reason.value if state.reason else None
    connection.execute(_ADD_CHANGE, {**key, "state": state.state.value, "reason": reason, "at": at})


def siblings(
    connection: sa.Connection, site: str, visitor: str, conversation: str
) -> list[Sibling]:
    """The visitor's other conversations, newest first."""
    asked = {"in_site": site, "of_visitor": visitor, "with_id": conversation}
    rows = connection.execute(_SIBLING_ROWS, asked)
    return [Sibling(row.id, State(row.state), row.continued_in, row.heard_at) for row in rows]


def empty(connection: sa.Connection, site: str, conversation: str) -> None:
    """Remove what hangs on a conversation: messages, changes of presence, read marks."""
    for table in (messages, presence_changes, reads):
        connection.execute(
            sa.delete(table).where(table.c.site == site, table.c.conversation == conversation)
        )


def idle(
    connection: sa.Connection, site: str, before: datetime, limit: int
) -> list[ConversationRecord]:
    """Conversations without activity since ``before``, from an index, oldest first."""
    rows = connection.execute(
        sa.select(conversations)
        .where(c.site == site, c.deleted.is_(False), c.last_activity_at < before)
        .order_by(c.last_activity_at)
        .limit(limit)
    )
    return [_record(row) for row in rows]


def active(connection: sa.Connection) -> Iterable[tuple[str, list[ConversationRecord]]]:
    """All conversations recorded present, or in demand, in batches of one site."""
    # Each from its own index; a condition with OR would read the whole table.
    present = sa.select(conversations).where(sa.text("rank > 0"))
    in_demand = sa.select(conversations).where(c.demand_due.is_not(None), sa.text("rank = 0"))
    rows = connection.execute(
        sa.union_all(present, in_demand).order_by("site", "id"),
        execution_options={"yield_per": _BATCH},
    )
    site, batch = "", list[ConversationRecord]()
    for row in rows:
        if row.site != site or len(batch) == _BATCH:
            if batch:
                yield site, batch
            site, batch = row.site, []
        batch.append(_record(row))
    if batch:
        yield site, batch


def listing(
    connection: sa.Connection, site: str, agent: str, query: ConversationQuery
) -> list[ConversationSummary]:
    """Conversations in the order asked for, read from an index, in one query."""
    statement = _summaries(site, agent)
    by_activity = (c.last_activity_at.desc(), c.id.desc())
    # What is deleted has no owner and awaits nothing. To ask for both would have SQLite read the
    # whole site in order; so it would for those whom a search finds.
    if query.owner is not None:
        statement = statement.where(c.owner == query.owner)
    elif query.to_follow_up and query.text is None:
        # In the words of the index, which is of these alone.
        statement = statement.where(
            sa.text("conversations.awaits_reply AND conversations.rank = 0")
        )
    elif query.text is None:
        statement = statement.where(c.deleted.is_(False))
    if query.to_follow_up:
        awaits = sa.func.coalesce(c.awaits_reply, sa.false()).is_(True)
        statement = statement.where(awaits, c.rank == _ABSENT)
    if query.text is not None:
        there = sa.func.coalesce(c.deleted, sa.true()).is_(False)
        statement = statement.where(c.id.in_(_matching(connection, site, query.text)), there)
    if query.presence is not None:
        statement = statement.where(c.state == query.presence)
    statement = statement.order_by(*([c.rank.desc()] if _by_rank(query) else []), *by_activity)
    if query.after is not None:
        statement = statement.where(_after(query, *query.after))
    rows = connection.execute(statement.limit(query.limit)).all()
    return [_summary(row) for row in rows]


def one(
    connection: sa.Connection, site: str, agent: str, conversation: str
) -> ConversationSummary | None:
    """One conversation for a reader."""
    statement = _summaries(site, agent).where(c.id == conversation, c.deleted.is_(False))
    row = connection.execute(statement).first()
    return None if row is None else _summary(row)


def changed(
    connection: sa.Connection, site: str, after: int, limit: int
) -> list[ConversationSummary]:
    """The conversations, deleted ones too, that changed after a revision, by revision; ``unread``
    counts all their messages."""
    rows = connection.execute(_CHANGED, {"in_site": site, "after": after, "most": limit})
    return [_summary(row) for row in rows]


def owned_by(connection: sa.Connection, site: str, agent: str) -> list[str]:
    """The ids of the conversations that an agent has taken over."""
    return list(connection.scalars(sa.select(c.id).where(c.site == site, c.owner == agent)))


def in_demand(connection: sa.Connection, site: str) -> list[str]:
    """The ids of the conversations that somebody watches or has taken over."""
    statement = sa.select(c.id).where(c.site == site, c.demand_due.is_not(None))
    return list(connection.scalars(statement))


def watched_by(connection: sa.Connection, site: str, agent: str) -> list[str]:
    """The ids of the conversations that an agent watches, or watched a moment ago."""
    rows = connection.execute(
        sa.select(c.id, c.demand).where(c.site == site, c.demand_due.is_not(None))
    )
    return [
        row.id
        for row in rows
        if any(watch.agent.id == agent for watch in _decode_demand(row.demand).watches)
    ]


def _summaries(
    site: str | sa.BindParameter[Any], agent: str | sa.BindParameter[Any]
) -> sa.Select[Any]:
    read = sa.and_(reads.c.site == c.site, reads.c.conversation == c.id, reads.c.agent == agent)
    owner = sa.and_(visitors.c.site == c.site, visitors.c.id == c.visitor)
    customer = sa.and_(
        customers_table.c.site == visitors.c.site,
        customers_table.c.key == visitors.c.customer_key,
    )
    return (
        sa.select(
            conversations,
            *_VISITOR_COLUMNS,
            *customers.CUSTOMER_COLUMNS,
            reads.c.message_count.label("read_count"),
        )
        .select_from(
            conversations.outerjoin(visitors, owner)
            .outerjoin(customers_table, customer)
            .outerjoin(reads, read)
        )
        .where(c.site == site)
    )


_CHANGED = (
    _summaries(_SITE, sa.literal(""))
    .where(c.rev > sa.bindparam("after"))
    .order_by(c.rev)
    .limit(sa.bindparam("most"))
)


def _matching(connection: sa.Connection, site: str, text: str) -> sa.CompoundSelect[Any]:
    """The ids of the conversations of those whom a search finds, and of the one that has this."""
    found = search.found_by(connection, site, text)
    each = conversations.alias().c
    theirs = sa.select(each.id).where(each.site == site, each.visitor.in_(found))
    return sa.union(theirs, sa.select(each.id).where(each.site == site, each.id == text))


def _by_rank(query: ConversationQuery) -> bool:
    """Whether those with somebody there come first: of one state, or gone, all have one rank."""
    return query.sort == "presence" and query.presence is None and not query.to_follow_up


def _after(query: ConversationQuery, rank: int, at: datetime, last: str) -> sa.ColumnElement[bool]:
    activity, moment = c.last_activity_at, sa.literal(at, c.last_activity_at.type)
    if _by_rank(query):
        there = sa.tuple_(sa.literal(rank), moment, sa.literal(last))
        return sa.tuple_(c.rank, activity, c.id) < there
    return sa.tuple_(activity, c.id) < sa.tuple_(moment, sa.literal(last))


def _summary(row: sa.Row[Any]) -> ConversationSummary:
    visitor = None
    if row.visitor_id is not None:
        visitor = visitor_queries.record(lambda name: getattr(row, f"visitor_{name}"))
    record = _record(row)
    return ConversationSummary(
        record,
        visitor,
        record.message_count - (row.read_count or 0),
        customers.joined(row),
    )


def _record(row: sa.Row[Any]) -> ConversationRecord:
    return ConversationRecord(
        id=row.id,
        visitor=row.visitor,
        started_at=row.started_at,
        last_activity_at=row.last_activity_at,
        presence=_decode(row.presence),
        state=PresenceState(
            state=State(row.state),
            since=row.since,
            reason=Reason(row.reason) if row.reason else None,
            last_seen_at=row.last_seen_at,
            continued_in=row.continued_in,
            hidden=row.hidden,
            url=row.page_url,
            title=row.page_title,
            pages=row.pages,
        ),
        recorded_at=row.recorded_at,
        entered_at=row.entered_at,
        heard_at=row.heard_at,
        demand=_NOBODY if row.demand is None else _decode_demand(row.demand),
        demand_due=row.demand_due,
        last_message=row.last_message,
        message_count=row.message_count,
        awaits_reply=row.awaits_reply,
        followed_up=row.followed_up,
        deleted=row.deleted,
        rev=row.rev,
    )


def _values(site: str, record: ConversationRecord) -> dict[str, Any]:
    state, takeover = record.state, record.demand.takeover
    return {
        "site": site,
        "id": record.id,
        "rev": record.rev,
        "visitor": record.visitor,
        "started_at": record.started_at,
        "last_activity_at": record.last_activity_at,
        "state": state.state.value,
        "rank": _ABSENT if record.deleted else state.state.rank,
        "reason": state.reason.value if state.reason else None,
        "since": state.since,
        "last_seen_at": state.last_seen_at,
        "heard_at": record.heard_at,
        "continued_in": state.continued_in,
        "hidden": state.hidden,
        "pages": state.pages,
        "page_url": state.url,
        "page_title": state.title,
        "presence": _encode(record.presence).decode(),
        "recorded_at": record.recorded_at,
        "entered_at": record.entered_at,
        "demand": None if record.demand == _NOBODY else _encode(record.demand).decode(),
        "demand_due": record.demand_due,
        "owner": takeover.owner.id if takeover and not record.deleted else None,
        "last_message": record.last_message,
        "message_count": record.message_count,
        "awaits_reply": record.awaits_reply and not record.deleted,
        "followed_up": record.followed_up,
        "deleted": record.deleted,
    }


def changes(
    connection: sa.Connection, site: str, conversation: str
) -> Sequence[tuple[str, str | None, datetime]]:
    """The recorded changes of state in order: state, reason, computed time (P14)."""
    rows = connection.execute(
        sa.select(presence_changes.c.state, presence_changes.c.reason, presence_changes.c.at)
        .where(presence_changes.c.site == site, presence_changes.c.conversation == conversation)
        .order_by(presence_changes.c.rev)
    )
    return [(row.state, row.reason, row.at) for row in rows]

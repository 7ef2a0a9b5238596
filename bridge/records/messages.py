"""Queries about messages."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from bridge.ports import MessageRecord
from bridge.records.tables import messages
from bridge.records.upsert import upsert

m = messages.c

# As its index has it, and not as a parameter: else the index is not used.
_QUEUED = m.delivery == sa.text("'queued'")


def find(
    connection: sa.Connection, site: str, conversation: str, message: str
) -> MessageRecord | None:
    """A message by its id."""
    asked = {"in_site": site, "of_conversation": conversation, "with_id": message}
    row = connection.execute(_FIND, asked).first()
    return None if row is None else _record(row)


_FIND = sa.select(messages).where(
    m.site == sa.bindparam("in_site"),
    m.conversation == sa.bindparam("of_conversation"),
    m.id == sa.bindparam("with_id"),
)


def save(connection: sa.Connection, site: str, message: MessageRecord) -> None:
    """Write a message, new or changed."""
    row = {
        "site": site,
        "conversation": message.conversation,
        "id": message.id,
        "rev": message.rev,
        "author": message.author,
        "text": message.text,
        "at": message.at,
        "place": message.place,
        "name": message.name,
        "agent": dict(message.agent) if message.agent else None,
        "delivery": message.delivery,
        "delivered_at": message.delivered_at,
        "client_key": message.client_key,
    }
    upsert(connection, messages, row)


def sent(
    connection: sa.Connection, site: str, conversation: str, client_key: str
) -> MessageRecord | None:
    """The message that was sent by this key."""
    row = connection.execute(
        sa.select(messages).where(
            m.site == site, m.conversation == conversation, m.client_key == client_key
        )
    ).first()
    return None if row is None else _record(row)


def since(
    connection: sa.Connection, site: str, conversation: str, rev: int, limit: int
) -> list[MessageRecord]:
    """The newest messages that came after a revision, oldest first."""
    rows = connection.execute(
        sa.select(messages)
        .where(m.site == site, m.conversation == conversation, m.place > rev)
        .order_by(m.place.desc())
        .limit(limit)
    ).all()
    return [_record(row) for row in reversed(rows)]


def for_visitor(
    connection: sa.Connection, site: str, conversation: str, after: int | None, limit: int
) -> list[MessageRecord]:
    """See :meth:`bridge.ports.Records.messages_for_visitor`."""
    of_conversation = sa.select(messages).where(m.site == site, m.conversation == conversation)
    wanted = [of_conversation.where(_QUEUED)]
    if after is not None:
        came = (
            m.place > after,
            m.author.in_(("agent", "system")),
            m.delivery.is_distinct_from("queued"),
        )
        wanted.append(of_conversation.where(*came))
    # Each from its own index; a condition with OR would read the whole conversation.
    found = sa.union_all(
        *(sa.select(each.order_by(m.place).limit(limit).subquery()) for each in wanted)
    )
    rows = connection.execute(found.order_by("place").limit(limit))
    return [_record(row) for row in rows]


def changed(connection: sa.Connection, site: str, after: int, limit: int) -> list[MessageRecord]:
    """The messages that came or changed after a revision, by revision."""
    rows = connection.execute(_CHANGED, {"in_site": site, "after": after, "most": limit})
    return [_record(row) for row in rows]


_CHANGED = (
    sa.select(messages)
    .where(m.site == sa.bindparam("in_site"), m.rev > sa.bindparam("after"))
    .order_by(m.rev)
    .limit(sa.bindparam("most"))
)


def page(
    connection: sa.Connection,
    site: str,
    conversation: str,
    before: str | None,
    after: str | None,
    limit: int,
) -> list[MessageRecord] | None:
    """See :meth:`bridge.ports.Records.list_messages`."""
    statement = sa.select(messages).where(m.site == site, m.conversation == conversation)
    pivot = before if before is not None else after
    if pivot is not None:
        found = find(connection, site, conversation, pivot)
        if found is None:
            return None
        place = sa.tuple_(m.at, m.place)
        there = sa.tuple_(sa.literal(found.at, m.at.type), sa.literal(found.place))
        statement = statement.where(place < there if before is not None else place > there)
    if after is not None and before is None:
        rows = connection.execute(statement.order_by(m.at, m.place).limit(limit)).all()
        return [_record(row) for row in rows]
    newest = connection.execute(statement.order_by(m.at.desc(), m.place.desc()).limit(limit)).all()
    return [_record(row) for row in reversed(newest)]


def _record(row: sa.Row[Any]) -> MessageRecord:
    return MessageRecord(
        id=row.id,
        conversation=row.conversation,
        author=row.author,
        text=row.text,
        at=row.at,
        name=row.name,
        agent=row.agent,
        delivery=row.delivery,
        delivered_at=row.delivered_at,
        rev=row.rev,
        place=row.place,
        client_key=row.client_key,
    )

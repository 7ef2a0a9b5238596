"""Queries about messages."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from bridge.ports import MessageRecord
from bridge.records.tables import messages
from bridge.records.upsert import upsert

m = messages.c


def find(
    connection: sa.Connection, site: str, conversation: str, message: str
) -> MessageRecord | None:
    """A message by its id."""
    row = connection.execute(
        sa.select(messages).where(m.site == site, m.conversation == conversation, m.id == message)
    ).first()
    return None if row is None else _record(row)


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
    }
    upsert(connection, messages, row)


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
    )

"""Queries about visitors."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from bridge.ports import VisitorRecord
from bridge.records.tables import visitors
from bridge.records.upsert import upsert


def find(connection: sa.Connection, site: str, visitor: str) -> VisitorRecord | None:
    """The visitor of this id."""
    columns = [column for column in visitors.c if column.name != "site"]
    row = (
        connection.execute(
            sa.select(*columns).where(visitors.c.site == site, visitors.c.id == visitor)
        )
        .mappings()
        .first()
    )
    return None if row is None else VisitorRecord(**row)


def save(connection: sa.Connection, site: str, record: VisitorRecord) -> None:
    """Write a visitor, new or changed."""
    upsert(connection, visitors, {"site": site, **asdict(record)})


def superseded(connection: sa.Connection, since: datetime) -> list[tuple[str, str, datetime]]:
    """The visitors whose tokens were superseded after ``since``, from an index (C3)."""
    rows = connection.execute(
        sa.select(visitors.c.site, visitors.c.id, visitors.c.tokens_from).where(
            visitors.c.tokens_from > since
        )
    )
    return [(row.site, row.id, row.tokens_from) for row in rows]

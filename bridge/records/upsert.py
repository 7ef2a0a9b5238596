"""Insert, or update what is there: the one statement that the two databases spell apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def upsert(
    connection: sa.Connection,
    table: sa.Table,
    row: Mapping[str, Any],
    where: sa.ColumnElement[bool] | None = None,
) -> bool:
    """Write ``row``; where its primary key exists, the other columns are overwritten, if ``where``
    holds of what is there. Whether anything was written."""
    keys = [column.name for column in table.primary_key]
    statement = _insert(connection, table).values(dict(row))
    others = {name: value for name, value in row.items() if name not in keys}
    statement = statement.on_conflict_do_update(index_elements=keys, set_=others, where=where)
    # Not by the number of rows: see below.
    return connection.execute(statement.returning(*table.primary_key)).first() is not None


def insert_once(connection: sa.Connection, table: sa.Table, row: Mapping[str, Any]) -> bool:
    """Write ``row`` unless its primary key exists; whether it was written."""
    statement = _insert(connection, table).values(dict(row)).on_conflict_do_nothing()
    # Not by the number of rows: SQLAlchemy does not tell that of an INSERT on every database.
    written = connection.execute(statement.returning(*table.primary_key))
    return written.first() is not None


def _insert(connection: sa.Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)

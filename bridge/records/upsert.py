"""Insert, or update what is there: the one statement that the two databases spell apart."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
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
    if where is None:
        statement = _upsert(connection.dialect.name, table, tuple(row))
    else:
        statement = _upsert_where(connection.dialect.name, table, tuple(row), where)
    return connection.execute(statement, dict(row)).first() is not None


def insert_once(connection: sa.Connection, table: sa.Table, row: Mapping[str, Any]) -> bool:
    """Write ``row`` unless its primary key exists; whether it was written."""
    statement = _insert_once(connection.dialect.name, table)
    return connection.execute(statement, dict(row)).first() is not None


# Each is built once: to build one costs more than to carry it out. Whether a row was written is
# told by its key coming back, since SQLAlchemy does not tell the number of rows of an INSERT on
# every database.


@cache
def _insert_once(dialect: str, table: sa.Table) -> sa.Executable:
    return _insert(dialect, table).on_conflict_do_nothing().returning(*table.primary_key)


@cache
def _upsert(dialect: str, table: sa.Table, columns: tuple[str, ...]) -> sa.Executable:
    return _upsert_where(dialect, table, columns, None)


def _upsert_where(
    dialect: str, table: sa.Table, columns: tuple[str, ...], where: sa.ColumnElement[bool] | None
) -> sa.Executable:
    keys = [column.name for column in table.primary_key]
    statement = _insert(dialect, table)
    others = {name: statement.excluded[name] for name in columns if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=others, where=where).returning(
        *table.primary_key
    )


def _insert(dialect: str, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)

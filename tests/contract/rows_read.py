"""How much a database looks at to answer: counted, not timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from bridge.records.database import Database

_ROWS = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")


def work_of(database: Database, ask: Callable[[], object]) -> int:
    """What ``ask`` costs: on PostgreSQL the rows that its queries read, as its plans say; on
    SQLite, which tells no rows, the steps of its machine, of which each row takes several."""
    if database.reader.dialect.name == "sqlite":
        return _steps(database, ask)
    with _queries(database) as queries:
        ask()
    with database.reading() as connection:
        return sum(_rows(connection, *query) for query in queries)


def plans_of(database: Database, ask: Callable[[], object]) -> str:
    """How the database goes about the queries of ``ask``, in its own words."""
    with _queries(database) as queries:
        ask()
    explain = "EXPLAIN QUERY PLAN" if database.reader.dialect.name == "sqlite" else "EXPLAIN"
    with database.reading() as connection:
        return "\n".join(
            " ".join(map(str, row))
            for statement, parameters in queries
            for row in connection.exec_driver_sql(f"{explain} {statement}", parameters)
        )


def _steps(database: Database, ask: Callable[[], object]) -> int:
    steps, counted = 0, dict[int, Any]()

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    def count(connection: sa.Connection, *_: object) -> None:
        driver: Any = connection.connection.dbapi_connection
        counted[id(driver)] = driver
        driver.set_progress_handler(step, 1)

    with _each_statement(database, count):
        ask()
    for driver in counted.values():
        driver.set_progress_handler(None, 0)
    return steps


@contextmanager
def _queries(database: Database) -> Iterator[list[tuple[str, Any]]]:
    queries: list[tuple[str, Any]] = []

    def note(_: object, _cursor: object, statement: str, parameters: Any, *_more: object) -> None:
        if statement.startswith("SELECT"):
            queries.append((statement, parameters))

    with _each_statement(database, note):
        yield queries


@contextmanager
def _each_statement(database: Database, tell: Callable[..., None]) -> Iterator[None]:
    for engine in (database.reader, database.writer):
        sa.event.listen(engine, "before_cursor_execute", tell)
    try:
        yield
    finally:
        for engine in (database.reader, database.writer):
            sa.event.remove(engine, "before_cursor_execute", tell)


def _rows(connection: sa.Connection, statement: str, parameters: Any) -> int:
    explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
    (plan,) = connection.exec_driver_sql(explain, parameters).scalar_one()
    return _rows_of(plan["Plan"])


def _rows_of(node: dict[str, Any]) -> int:
    own = 0
    if "Relation Name" in node:
        own = int(node["Actual Loops"] * sum(node.get(kind, 0) for kind in _ROWS))
    return own + sum(_rows_of(child) for child in node.get("Plans", []))

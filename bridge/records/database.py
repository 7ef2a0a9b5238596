"""The connections, and what a failing database looks like to the rest of the bridge."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from bridge.errors import UnavailableError

BUSY_SECONDS = 2.0
"""How long a writer waits for another process's transaction on SQLite."""

_RETRY_AFTER = 2.0

_OUR_FAULT = (sa.exc.IntegrityError, sa.exc.DataError, sa.exc.ProgrammingError)


class Database:
    """A reader's and a writer's engine over one database.

    On SQLite there is one writer's connection, and nothing in this package yields to another
    greenlet between its BEGIN and COMMIT: two writers of one process would otherwise freeze each
    other for the busy time-out.
    """

    def __init__(self, url: str) -> None:
        if url.startswith("sqlite"):
            self.reader = _sqlite_engine(url, "BEGIN", pool_size=4, max_overflow=4)
            self.writer = _sqlite_engine(url, "BEGIN IMMEDIATE", pool_size=1, max_overflow=0)
        else:
            # Apart, so that a writer who reads beside its transaction cannot wait for itself.
            self.reader, self.writer = (
                sa.create_engine(
                    url, pool_size=5, max_overflow=5, pool_timeout=3, pool_pre_ping=True
                )
                for _ in range(2)
            )

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection for queries. Raises :class:`UnavailableError` when storage is away."""
        with _available(), self.reader.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction, committed at the end. Raises :class:`UnavailableError` when storage is
        away, locked for too long, or full; then nothing was changed."""
        with _available(), self.writer.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close all connections."""
        self.reader.dispose()
        self.writer.dispose()


@contextmanager
def _available() -> Iterator[None]:
    try:
        yield
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        if isinstance(error, _OUR_FAULT):
            raise
        raise UnavailableError(
            "The bridge's database is away, locked or full. Nothing was changed; try again.",
            retry_after=_RETRY_AFTER,
        ) from error


def _sqlite_engine(url: str, begin: str, *, pool_size: int, max_overflow: int) -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=3,
        poolclass=sa.pool.QueuePool,
        # SQLite would wait inside C, with every greenlet frozen; _begin waits instead.
        connect_args={"check_same_thread": False, "timeout": 0},
    )

    def configure(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            _patiently(connection.execute, f"PRAGMA {pragma}")

    def start(connection: sa.Connection) -> None:
        _patiently(connection.exec_driver_sql, begin)

    sa.event.listen(engine, "connect", configure)
    sa.event.listen(engine, "begin", start)
    return engine


def _patiently(execute: Any, statement: str) -> None:
    """Run a statement again while another process holds SQLite's lock, yielding in between."""
    give_up = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            execute(statement)
        except (sa.exc.OperationalError, sqlite3.OperationalError) as error:
            cause = error.orig if isinstance(error, sa.exc.OperationalError) else error
            busy = getattr(cause, "sqlite_errorcode", None) in _BUSY
            if not busy or time.monotonic() >= give_up:
                raise
            time.sleep(0.01)
        else:
            return


_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_BUSY_SNAPSHOT})

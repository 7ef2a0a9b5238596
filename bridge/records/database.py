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
"""How long a writer waits for another process's transaction."""

_RETRY_AFTER = 2.0

_SESSION = {
    # Milliseconds. Who waits for a lock is told so; who holds one and has lost its network, or its
    # mind, does not hold up the site for longer than this.
    "lock_timeout": int(BUSY_SECONDS * 1000),
    "idle_in_transaction_session_timeout": 10_000,
    "statement_timeout": 10_000,
}

_OUR_FAULT = (sa.exc.IntegrityError, sa.exc.DataError, sa.exc.ProgrammingError)


class Database:
    """A reader's and a writer's engine over one database.

    On SQLite there is one writer's connection, and nothing in this package yields to another
    greenlet between its BEGIN and COMMIT: two writers of one process would otherwise freeze each
    other for the busy time-out.
    """

    def __init__(self, url: str) -> None:
        if url.startswith("sqlite"):
            self.reader = _sqlite_engine(url, "BEGIN", size=8, wait=0.1)
            self.writer = _sqlite_engine(url, "BEGIN IMMEDIATE", size=1, wait=0)
        else:
            # Apart, so that a writer who reads beside its transaction cannot wait for itself.
            self.reader, self.writer = _postgresql_engine(url), _postgresql_engine(url)

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


def _postgresql_engine(url: str) -> sa.Engine:
    return sa.create_engine(
        url,
        pool_size=5,
        max_overflow=5,
        pool_timeout=3,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 3,
            # A server or a network that falls silent is an error after so many milliseconds.
            "tcp_user_timeout": 5_000,
            "options": " ".join(f"-c {name}={value}" for name, value in _SESSION.items()),
        },
    )


def _sqlite_engine(url: str, begin: str, *, size: int, wait: float) -> sa.Engine:
    """An engine of ``size`` connections. While it waits for a lock, at most ``wait`` seconds, every
    greenlet stands still: a writer does not, ``_patiently`` waits for it; a reader hardly ever has
    to, since in WAL mode only recovery locks it out."""
    engine = sa.create_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_timeout=3,
        poolclass=sa.pool.QueuePool,
        connect_args={"check_same_thread": False, "timeout": wait},
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

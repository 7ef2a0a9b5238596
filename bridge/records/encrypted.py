"""What the records keep encrypted, and encrypting it anew with another ``BRIDGE_SECRET_KEY``."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from bridge.encryption import Encryption
from bridge.records.database import Database
from bridge.records.tables import answered_requests, old_secrets, sites, store_calls
from bridge.settings import SettingsError

_OF_SITES = (sites.c.woocommerce, sites.c.secret, old_secrets.c.secret)

ENCRYPTED: Final[tuple[sa.Column[bytes], ...]] = (
    store_calls.c.body,
    answered_requests.c.body,
    *_OF_SITES,
)
"""Every encrypted column, in the order in which they are encrypted anew.

Those of sites come last, so that once :func:`check` can read them it could read everything; and
former secrets after the present ones, from which they are copied as they are.
"""

BATCH = 100
"""Rows of one transaction."""

_Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a column is: values read, those of them ``renewed`` because they were encrypted with
    the old key, and those that neither key can read; ``complete`` once there are no more."""

    column: str
    read: int = 0
    renewed: int = 0
    unreadable: int = 0
    complete: bool = False


def check(database: Database, encryption: Encryption) -> None:
    """Return if everything encrypted of every site can be read.

    Raises :class:`bridge.settings.SettingsError` if not, and
    :class:`bridge.errors.UnavailableError` when storage is away.
    """
    with database.reading() as connection:
        for column in _OF_SITES:
            for value in connection.scalars(sa.select(column).where(column.is_not(None))):
                encryption.decrypt(value)


def reencrypt(database: Database, encryption: Encryption) -> Generator[Progress]:
    """Encrypt with the present key what still is encrypted with the old one; progress comes after
    each batch.

    It may run beside processes that have both keys, be broken off at any time, and run again: a
    value that somebody writes meanwhile stays as they wrote it. What neither key can read stays as
    it is.

    Raises :class:`bridge.errors.UnavailableError` when storage is away; the batches before last.
    """
    for column in ENCRYPTED:
        yield from _Reencryption(database, encryption, column).run()


@dataclass(frozen=True, slots=True)
class _Change:
    """Of the row with this key, one ciphertext in the place of another."""

    key: _Key
    old: bytes
    new: bytes


class _Reencryption:
    """Of one column."""

    def __init__(
        self, database: Database, encryption: Encryption, column: sa.Column[bytes]
    ) -> None:
        self._database = database
        self._encryption = encryption
        self._column = column
        self._table = column.table
        self._key = tuple(self._table.primary_key)

    def run(self) -> Generator[Progress]:
        """Batch by batch, in the order of the primary key."""
        progress = Progress(f"{self._table.name}.{self._column.name}")
        after: _Key | None = None
        while not progress.complete:
            rows = self._read(after)
            changes, unreadable = self._changes(rows)
            progress = replace(
                progress,
                read=progress.read + len(rows),
                renewed=progress.renewed + self._replace(changes),
                unreadable=progress.unreadable + unreadable,
                complete=len(rows) < BATCH,
            )
            after = rows[-1][0] if rows else after
            yield progress

    def _read(self, after: _Key | None) -> list[tuple[_Key, bytes]]:
        """The next batch of keys and values."""
        query = (
            sa.select(*self._key, self._column)
            .where(self._column.is_not(None))
            .order_by(*self._key)
            .limit(BATCH)
        )
        if after is not None:
            there = (
                sa.literal(value, key.type) for key, value in zip(self._key, after, strict=True)
            )
            query = query.where(sa.tuple_(*self._key) > sa.tuple_(*there))
        with self._database.reading() as connection:
            return [(tuple(key), value) for *key, value in connection.execute(query)]

    def _changes(self, rows: Sequence[tuple[_Key, bytes]]) -> tuple[list[_Change], int]:
        """What is to be replaced, and how many values no key can read."""
        changes, unreadable = [], 0
        for key, old in rows:
            try:
                new = self._encryption.renew(old)
            except SettingsError:
                unreadable += 1
                continue
            if new != old:
                changes.append(_Change(key, old, new))
        return changes, unreadable

    def _replace(self, changes: Sequence[_Change]) -> int:
        """Replace the ciphertexts that still are what they were; return how many.

        Rows that somebody holds come afterwards, each in a transaction of its own: who waits for
        one then holds no other, so nobody waits for long, and no two wait for each other.
        """
        if not changes:
            return 0
        keys = sa.tuple_(*self._key)
        free = (
            sa.select(*self._key)
            .where(keys.in_([change.key for change in changes]))
            .with_for_update(key_share=True, skip_locked=True)
        )
        with self._database.writing() as connection:
            locked = {tuple(row) for row in connection.execute(free)}
            replaced = sum(
                self._swap(connection, change) for change in changes if change.key in locked
            )
        for change in changes:
            if change.key not in locked:
                with self._database.writing() as connection:
                    replaced += self._swap(connection, change)
        return replaced

    def _swap(self, connection: sa.Connection, change: _Change) -> int:
        """Compare and set; 0 if the value is another by now, or the row is gone."""
        this_one = (key == value for key, value in zip(self._key, change.key, strict=True))
        statement = (
            sa.update(self._table)
            .where(*this_one, self._column == change.old)
            .values({self._column: change.new})
        )
        return connection.execute(statement).rowcount

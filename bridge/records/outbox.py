"""The transactional outbox: what stores are to be told, and when to try.

A site's row in ``store_deliveries`` is due at ``due_at``: ``NULL`` when nothing waits, the end of
the claim while somebody has claimed it, the end of the back-off after a failure. All who change it
lock it first, so that none takes the outbox for empty while another adds to it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bridge.encryption import Encryption
from bridge.ports import ClaimedCall, SiteSecret, StoreCall, StoreDelivery
from bridge.records.database import Database
from bridge.records.sites import former_secrets
from bridge.records.tables import Moment, sites, store_calls, store_deliveries

MOST_WAITING = 10_000
"""Calls that wait for one store; beyond it the oldest is given up."""

_Row = sa.Row[*tuple[Any, ...]]

_GOING_WELL: dict[str, Any] = {"attempts": 0, "failing_since": None, "last_error": None}


class SqlOutbox:
    """Implements :class:`bridge.ports.Outbox` on SQLite and PostgreSQL.

    What it claims it decrypts after the commit: a row that cannot be read then holds up its own
    site until the claim ends, and no other.
    """

    def __init__(self, database: Database, encryption: Encryption) -> None:
        self._database = database
        self._encryption = encryption

    def claim(self, now: datetime, until: datetime, *, failing: bool) -> ClaimedCall | None:
        """See :meth:`bridge.ports.Outbox.claim`."""
        delivery = store_deliveries.c
        failed_last = delivery.attempts > 0 if failing else delivery.attempts == 0
        longest_due = (
            sa.select(delivery.site)
            .where(delivery.due_at <= now, failed_last)
            .order_by(delivery.due_at)
            .limit(1)
        )
        # Mostly nothing is due, and to find that out no writer need be held up.
        with self._database.reading() as connection:
            if connection.scalar(longest_due) is None:
                return None
        with self._database.writing() as connection:
            site = connection.scalar(longest_due.with_for_update(skip_locked=True))
            found = None if site is None else _claim_oldest(connection, site, until)
        return self._readable(found, until)

    def told(self, claimed: ClaimedCall, until: datetime) -> ClaimedCall | None:
        """See :meth:`bridge.ports.Outbox.told`."""
        return self._go_on(claimed, until, _GOING_WELL)

    def give_up(self, claimed: ClaimedCall, until: datetime) -> ClaimedCall | None:
        """See :meth:`bridge.ports.Outbox.give_up`."""
        return self._go_on(claimed, until, {"given_up": store_deliveries.c.given_up + 1})

    def put_off(self, claimed: ClaimedCall, error: str, now: datetime, due_at: datetime) -> None:
        """See :meth:`bridge.ports.Outbox.put_off`."""
        site = claimed.call.site
        with self._database.writing() as connection:
            held = _lock(connection, claimed)
            if held is None:
                return
            values = {"claimed_until": None, "due_at": due_at, "attempts": held.attempts + 1}
            values |= {"failing_since": held.failing_since or now, "last_error": error}
            if held.attempts != claimed.attempts:
                # The store has connected meanwhile; what failed may have been its old address.
                values = {"claimed_until": None, "due_at": now}
            _set(connection, site, values)

    def delivery(self, site: str) -> StoreDelivery:
        """See :meth:`bridge.ports.Outbox.delivery`."""
        known = store_deliveries.c
        columns = (known.attempts, known.failing_since, known.last_error, known.given_up)
        with self._database.reading() as connection:
            row = connection.execute(sa.select(*columns).where(known.site == site)).first()
        return StoreDelivery() if row is None else StoreDelivery(*row)

    def _go_on(
        self, claimed: ClaimedCall, until: datetime, values: dict[str, Any]
    ) -> ClaimedCall | None:
        """Remove the call, note how it went, and claim the site's next."""
        calls, call = store_calls.c, claimed.call
        this_one = (calls.site == call.site, calls.place == call.place, calls.id == call.id)
        with self._database.writing() as connection:
            if _lock(connection, claimed) is None:
                return None
            connection.execute(sa.delete(store_calls).where(*this_one))
            _set(connection, call.site, values)
            found = _claim_oldest(connection, call.site, until)
        return self._readable(found, until)

    def _readable(self, row: _Row | None, until: datetime) -> ClaimedCall | None:
        if row is None:
            return None
        decrypt = self._encryption.decrypt
        call = StoreCall(row.id, row.site, row.at, decrypt(row.body), row.place)
        rest_url = row.connection.get("rest_url")
        with self._database.reading() as connection:
            former = former_secrets(connection, row.site, decrypt)
        secrets = (SiteSecret(decrypt(row.secret)), *former)
        return ClaimedCall(call, rest_url, secrets, row.attempts, until)


def add(connection: sa.Connection, site: str, call: StoreCall, conversation: str | None) -> None:
    """Add a call, the site's last, in the transaction of what caused it.

    The caller is the site's only writer, as :class:`bridge.records.work.SqlWork` is. The call is
    due when it came about, unless the site backs off or is being told. Its body is encrypted: it
    quotes people; it goes when the ``conversation`` does. What is then too much is given up, the
    oldest first.
    """
    delivery, at = store_deliveries.c, call.at
    # Always a write: it waits for whoever is about to find the outbox empty.
    due_at = sa.func.coalesce(delivery.due_at, sa.literal(at, Moment))
    known = connection.execute(
        sa.update(store_deliveries).where(delivery.site == site).values(due_at=due_at)
    )
    if known.rowcount == 0:
        first = {"site": site, "due_at": at, "attempts": 0, "given_up": 0}
        connection.execute(sa.insert(store_deliveries).values(first))
    last = sa.select(sa.func.max(store_calls.c.place)).where(store_calls.c.site == site)
    place = (connection.scalar(last) or 0) + 1
    connection.execute(
        sa.insert(store_calls).values(
            site=site, place=place, id=call.id, at=at, body=call.body, conversation=conversation
        )
    )
    if place > MOST_WAITING:
        _give_up_oldest(connection, site, place - MOST_WAITING)


def wake(connection: sa.Connection, site: str, now: datetime) -> None:
    """Forget the site's failures, in the transaction in which its store connects: what waits is due
    now or, if an attempt is under way, as soon as that has failed."""
    delivery = store_deliveries.c
    waits = delivery.due_at.is_not(None) & delivery.claimed_until.is_(None)
    due_at = sa.case((waits, sa.literal(now, Moment)), else_=delivery.due_at)
    _set(connection, site, {"due_at": due_at, **_GOING_WELL})


def _claim_oldest(connection: sa.Connection, site: str, until: datetime) -> _Row | None:
    """Claim a site whose delivery is locked; if nothing waits, it is not due any more."""
    row = connection.execute(
        sa.select(store_calls, sites.c.connection, sites.c.secret, store_deliveries.c.attempts)
        .join(sites, sites.c.id == store_calls.c.site)
        .join(store_deliveries, store_deliveries.c.site == store_calls.c.site)
        .where(store_calls.c.site == site)
        .order_by(store_calls.c.place)
        .limit(1)
    ).first()
    end = None if row is None else until
    _set(connection, site, {"due_at": end, "claimed_until": end})
    return row


def _lock(connection: sa.Connection, claimed: ClaimedCall) -> _Row | None:
    """The site's delivery, locked, if the claim still stands."""
    delivery = store_deliveries.c
    return connection.execute(
        sa.select(delivery.attempts, delivery.failing_since)
        .where(delivery.site == claimed.call.site, delivery.claimed_until == claimed.claimed_until)
        .with_for_update()
    ).first()


def _set(connection: sa.Connection, site: str, values: dict[str, Any]) -> None:
    connection.execute(
        sa.update(store_deliveries).where(store_deliveries.c.site == site).values(values)
    )


def _give_up_oldest(connection: sa.Connection, site: str, up_to: int) -> None:
    """Give up the calls up to that place; places have no gaps."""
    calls = store_calls.c
    removed = connection.execute(
        sa.delete(store_calls).where(calls.site == site, calls.place <= up_to)
    ).rowcount
    if removed:
        _set(connection, site, {"given_up": store_deliveries.c.given_up + removed})

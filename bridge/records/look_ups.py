"""The customers that are to be looked up, one at a time for each store.

A site's row in ``look_ups`` is due as one in ``store_deliveries`` is: ``NULL`` when nobody waits,
the end of the claim while somebody has claimed it, the end of the back-off after a failure. The
customer who is being looked up is due at the end of the claim too; at any other time, they were
wanted again. All who change either lock the site's row first, so that no two of them deadlock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum
from typing import Any

import msgspec
import sqlalchemy as sa

from bridge.domain.customer import Subject
from bridge.encryption import Encryption
from bridge.ports import (
    ClaimedLookUp,
    LookUpError,
    LookUpProblem,
    StoreAccess,
    StoreHealth,
)
from bridge.records.database import Database
from bridge.records.tables import Moment, customers, look_ups, sites
from bridge.records.upsert import insert_once

_Row = sa.Row[*tuple[Any, ...]]

_GOING_WELL: dict[str, Any] = {
    "attempts": 0,
    "problem": None,
    "failing_since": None,
    "waits_until": None,
}


class Priority(IntEnum):
    """Whom a store is asked for first; an email that somebody typed comes last."""

    LOOKED_AT = 0
    AS_A_RULE = 1
    TYPED = 2


a = look_ups.c
c = customers.c


class SqlLookUps:
    """Implements :class:`bridge.ports.LookUps` on SQLite and PostgreSQL.

    As an outbox does, it decrypts after the commit.
    """

    def __init__(self, database: Database, encryption: Encryption) -> None:
        self._database = database
        self._encryption = encryption

    def claim(self, now: datetime, until: datetime, *, failing: bool) -> ClaimedLookUp | None:
        """See :meth:`bridge.ports.LookUps.claim`."""
        failed_last = a.attempts > 0 if failing else a.attempts == 0
        longest_due = (
            sa.select(a.site).where(a.due_at <= now, failed_last).order_by(a.due_at).limit(1)
        )
        while True:
            # Mostly nothing is due, and to find that out no writer need be held up.
            with self._database.reading() as connection:
                if connection.scalar(longest_due) is None:
                    return None
            with self._database.writing() as connection:
                site = connection.scalar(longest_due.with_for_update(skip_locked=True))
                if site is None:
                    return None
                found = _claim_first(connection, site, now, until)
            if found is not None:
                return self._readable(found, until)

    def put_off(
        self,
        claimed: ClaimedLookUp,
        error: LookUpError,
        now: datetime,
        due_at: datetime,
        customer_due_at: datetime | None,
    ) -> bool:
        """See :meth:`bridge.ports.LookUps.put_off`."""
        site, this_one = claimed.site, (c.site == claimed.site, c.key == claimed.subject.key)
        with self._database.writing() as connection:
            if not hold(connection, claimed):
                return False
            known = connection.scalar(sa.select(c.problem).where(*this_one))
            # Of one who is tried no more, nothing is owed from before.
            asked_since = sa.literal(None, Moment) if customer_due_at is None else c.asked_since
            wanted_again = c.due_at != claimed.claimed_until
            failure: dict[str, Any] = {"problem": error.problem.value, "attempts": c.attempts + 1}
            failure |= {
                "failing_since": _since(c, now),
                "due_at": sa.case(
                    (wanted_again, c.due_at), else_=sa.literal(customer_due_at, Moment)
                ),
                "asked_since": sa.case((wanted_again, c.asked_since), else_=asked_since),
            }
            connection.execute(sa.update(customers).where(*this_one).values(failure))
            next_due = _next_due(connection, site)
            values: dict[str, Any] = {"claimed_until": None, "waits_until": due_at}
            values["due_at"] = None if next_due is None else max(next_due, due_at)
            if not error.of_customer:
                values |= {"problem": error.problem.value, "failing_since": _since(a, now)}
                values |= {"attempts": a.attempts + 1}
            _set(connection, site, values)
        return bool(known != error.problem.value)

    def health(self, site: str) -> StoreHealth:
        """See :meth:`bridge.ports.LookUps.health`."""
        columns = (a.attempts, a.problem, a.failing_since, a.reached_at)
        with self._database.reading() as connection:
            row = connection.execute(
                sa.select(*columns, sites.c.connection, sites.c.woocommerce)
                .select_from(sites.outerjoin(look_ups, a.site == sites.c.id))
                .where(sites.c.id == site)
            ).one()
        problem = None if row.problem is None else LookUpProblem(row.problem)
        if row.woocommerce is None:
            problem = _missing(row.connection)
        return StoreHealth(row.attempts or 0, problem, row.failing_since, row.reached_at)

    def _readable(self, row: _Row, until: datetime) -> ClaimedLookUp:
        store: StoreAccess | LookUpProblem = _missing(row.connection)
        if row.woocommerce is not None:
            keys = msgspec.json.decode(self._encryption.decrypt(row.woocommerce))
            rest_url = row.connection["rest_url"]
            store = StoreAccess(rest_url, keys["consumer_key"], keys["consumer_secret"])
        return ClaimedLookUp(
            site=row.site,
            subject=Subject.of_key(row.key),
            store=store,
            attempts=row.attempts,
            customer_attempts=row.customer_attempts,
            asked_since=row.asked_since,
            changed_at=row.changed_at,
            claimed_until=until,
        )


def _missing(connection: Mapping[str, Any]) -> LookUpProblem:
    """Why a store has given no key, by what it said of itself on connecting."""
    has_none = "rest_url" in connection and connection.get("woocommerce_version") is None
    return LookUpProblem.NOT_INSTALLED if has_none else LookUpProblem.NOT_CONNECTED


def expect(connection: sa.Connection, site: str, due_at: datetime) -> None:
    """A customer of this site is to be looked up at ``due_at``, in the transaction that wants it;
    a store that fails, or is being asked, is asked when its turn comes."""
    row = {"site": site, "due_at": due_at, "attempts": 0}
    if insert_once(connection, look_ups, row):
        return
    # Always a write: it waits for whoever is about to find that nobody is due.
    moment = sa.literal(due_at, Moment)
    turn = sa.case((a.waits_until > moment, a.waits_until), else_=moment)
    sooner = sa.and_(a.claimed_until.is_(None), a.due_at > turn)
    due = sa.case((sa.or_(a.due_at.is_(None), sooner), turn), else_=a.due_at)
    _set(connection, site, {"due_at": due})


def wake(connection: sa.Connection, site: str, now: datetime) -> None:
    """The store has connected: forget its failures, and ask for those who wait. What is under way
    may be with its old key: that claim ends."""
    _set(connection, site, {**_GOING_WELL, "claimed_until": None})
    connection.execute(
        sa.update(customers)
        .where(c.site == site, c.due_at.is_not(None))
        .values(due_at=now, asked_since=now, attempts=0)
    )
    _set(connection, site, {"due_at": _next_due(connection, site)})


def trouble(connection: sa.Connection, site: str) -> _Row | None:
    """Why a store that fails does, and since when; ``None`` of one that does not."""
    return connection.execute(
        sa.select(a.problem, a.failing_since).where(a.site == site, a.attempts > 0)
    ).first()


def hold(connection: sa.Connection, claimed: ClaimedLookUp) -> bool:
    """Whether the claim still stands; the site is then locked."""
    held = (
        sa.select(a.site)
        .where(a.site == claimed.site, a.claimed_until == claimed.claimed_until)
        .with_for_update()
    )
    return connection.scalar(held) is not None


def claimed_until(connection: sa.Connection, site: str) -> datetime | None:
    """The end of the claim under way, if there is one."""
    return connection.scalar(sa.select(a.claimed_until).where(a.site == site))


def reached(connection: sa.Connection, site: str, now: datetime) -> None:
    """A look-up succeeded: the claim ends, and the site is due when its next customer is."""
    due_at = _next_due(connection, site)
    values = {"claimed_until": None, "due_at": due_at, "reached_at": now}
    _set(connection, site, {**_GOING_WELL, **values})


def _claim_first(
    connection: sa.Connection, site: str, now: datetime, until: datetime
) -> _Row | None:
    """Claim the first of a site whose row is locked; if none is due, set when one will be."""
    row = connection.execute(
        sa.select(
            c.site,
            c.key,
            c.attempts.label("customer_attempts"),
            c.asked_since,
            c.changed_at,
            a.attempts,
            sites.c.connection,
            sites.c.woocommerce,
        )
        .join(sites, sites.c.id == c.site)
        .join(look_ups, a.site == c.site)
        .where(c.site == site, c.due_at <= now)
        .order_by(c.priority, c.due_at)
        .limit(1)
    ).first()
    if row is None:
        due_at = _next_due(connection, site)
        _set(connection, site, {"claimed_until": None, "due_at": due_at})
        return None
    _set(connection, site, {"due_at": until, "claimed_until": until})
    claimed = sa.update(customers).where(c.site == site, c.key == row.key)
    connection.execute(claimed.values(due_at=until))
    return row


def _next_due(connection: sa.Connection, site: str) -> datetime | None:
    """When the site's next customer is due, each priority's from the index."""
    firsts = [
        connection.scalar(
            sa.select(c.due_at)
            .where(c.site == site, c.priority == priority, c.due_at.is_not(None))
            .order_by(c.due_at)
            .limit(1)
        )
        for priority in Priority
    ]
    return min((first for first in firsts if first is not None), default=None)


def _since(columns: Any, now: datetime) -> sa.ColumnElement[Any]:
    return sa.func.coalesce(columns.failing_since, sa.literal(now, Moment))


def _set(connection: sa.Connection, site: str, values: dict[str, Any]) -> None:
    connection.execute(sa.update(look_ups).where(a.site == site).values(values))

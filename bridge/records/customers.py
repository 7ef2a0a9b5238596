"""Queries about customers: what their store knows of them, and when it is to be asked again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from bridge.domain.customer import Subject, SubjectKind
from bridge.ports import ClaimedLookUp, CustomerRecord, LookUpProblem, Profile
from bridge.records import look_ups, search, visitors
from bridge.records.look_ups import Priority
from bridge.records.tables import Moment, conversations, customers

MOST_VISITORS = 50
"""Visitors of one customer that are found by what the store knows of them."""

_decode = msgspec.json.Decoder(Profile).decode
_encode = msgspec.json.Encoder().encode

c = customers.c

CUSTOMER_COLUMNS = [
    column.label(f"customer_{column.name}")
    for column in (c.key, c.profile, c.fetched_at, c.due_at, c.problem, c.failing_since)
]


def find(connection: sa.Connection, site: str, key: str) -> CustomerRecord | None:
    """The customer of this key."""
    statement = sa.select(*CUSTOMER_COLUMNS).where(c.site == site, c.key == key)
    row = connection.execute(statement).first()
    return None if row is None else joined(row)


def joined(row: sa.Row[Any]) -> CustomerRecord | None:
    """The customer in a row with ``CUSTOMER_COLUMNS``, if one was joined."""
    if row.customer_key is None:
        return None
    return CustomerRecord(
        key=row.customer_key,
        profile=None if row.customer_profile is None else _decode(row.customer_profile),
        fetched_at=row.customer_fetched_at,
        due_at=row.customer_due_at,
        problem=None if row.customer_problem is None else LookUpProblem(row.customer_problem),
        failing_since=row.customer_failing_since,
    )


def known(
    connection: sa.Connection, site: str, keys: Sequence[str], order: str | None
) -> list[str]:
    """Which of these customers, and of those whose last order this is, are kept."""
    named = sa.select(c.key).where(c.site == site, c.key.in_(keys))
    found = set(connection.scalars(named))
    if order is not None:
        by_order = sa.select(c.key).where(c.site == site, c.last_order == order)
        found.update(connection.scalars(by_order))
    return sorted(found)


def want(
    connection: sa.Connection,
    site: str,
    subject: Subject,
    due_at: datetime,
    now: datetime,
    *,
    looked_at: bool,
    changed_at: datetime | None,
) -> bool:
    """See :meth:`bridge.ports.Work.want_customer`. The caller is the site's only writer."""
    look_ups.expect(connection, site, due_at)
    priority = _priority(subject, looked_at=looked_at)
    row = connection.execute(
        sa.select(c.due_at, c.priority, c.problem, c.changed_at, c.fetched_change).where(
            c.site == site, c.key == subject.key
        )
    ).first()
    if row is None:
        first = {"site": site, "key": subject.key, "attempts": 0, "changed_at": changed_at}
        first |= {"due_at": due_at, "priority": priority, "asked_since": now}
        connection.execute(sa.insert(customers).values(first))
    elif changed_at is not None and row.fetched_change and row.fetched_change > changed_at:
        return False
    elif looked_at and row.due_at is not None:
        # It is coming anyway: sooner, unless it is the store that makes it wait.
        _set(connection, site, subject.key, {"priority": priority})
    else:
        latest = max(filter(None, (changed_at, row.changed_at)), default=None)
        # Whoever is being looked up is due at the end of the claim: that is not this time.
        claim_ends = look_ups.claimed_until(connection, site)
        waits = row.due_at not in (None, claim_ends)
        due_at -= timedelta(microseconds=due_at == claim_ends)
        values: dict[str, Any] = {
            "due_at": min(due_at, row.due_at) if waits else due_at,
            "priority": min(priority, row.priority) if waits else priority,
            "asked_since": sa.func.coalesce(c.asked_since, sa.literal(now, Moment)),
            "changed_at": latest,
        }
        _set(connection, site, subject.key, values)
    return looked_at and _waits_for_store(connection, site, subject.key, row and row.problem)


def _priority(subject: Subject, *, looked_at: bool) -> Priority:
    if looked_at:
        return Priority.LOOKED_AT
    return Priority.TYPED if subject.kind is SubjectKind.CLAIMED else Priority.AS_A_RULE


def _waits_for_store(connection: sa.Connection, site: str, key: str, problem: str | None) -> bool:
    """Say of a customer whom an agent looks at why they wait, if it is the store that fails;
    whether that is news."""
    failing = look_ups.trouble(connection, site)
    if failing is None or problem is not None:
        return False
    _set(
        connection, site, key, {"problem": failing.problem, "failing_since": failing.failing_since}
    )
    return True


def keep(
    connection: sa.Connection, claimed: ClaimedLookUp, profile: Profile, now: datetime
) -> bool:
    """See :meth:`bridge.ports.Work.keep_profile`."""
    site, key = claimed.site, claimed.subject.key
    if not look_ups.hold(connection, claimed):
        return False
    wanted_again = c.due_at != claimed.claimed_until
    _set(
        connection,
        site,
        key,
        {
            "profile": _encode(profile).decode(),
            "last_order": profile.last_order.id if profile.last_order else None,
            "fetched_at": now,
            "fetched_change": claimed.changed_at,
            "due_at": sa.case((wanted_again, c.due_at), else_=None),
            "asked_since": sa.case((wanted_again, sa.literal(now, Moment)), else_=None),
            "attempts": 0,
            "problem": None,
            "failing_since": None,
        },
    )
    found = visitors.of_customer(connection, site, key, MOST_VISITORS)
    search.index_profile(connection, site, found, profile)
    look_ups.reached(connection, site, now)
    return True


def conversations_of(connection: sa.Connection, site: str, key: str, limit: int) -> list[str]:
    """The newest conversations of the visitors whose strongest link is to this customer."""
    mine = conversations.c
    # Not the bare column: else SQLite goes through the whole site in its order.
    active = sa.type_coerce(mine.last_activity_at, sa.BigInteger) + 0
    statement = (
        sa.select(mine.id)
        .where(
            mine.site == site,
            mine.visitor.in_(visitors.of_customer(connection, site, key, limit)),
            mine.deleted.is_(False),
        )
        .order_by(active.desc())
        .limit(limit)
    )
    return list(connection.scalars(statement))


def _set(connection: sa.Connection, site: str, key: str, values: dict[str, Any]) -> None:
    connection.execute(sa.update(customers).where(c.site == site, c.key == key).values(values))

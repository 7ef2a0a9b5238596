"""What stores know of their customers, and who asks them (C4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from bridge.domain.customer import Subject


class LookUpProblem(StrEnum):
    """Why a store could not be asked. Stable: the app may translate by it."""

    NOT_CONNECTED = "not-connected"
    """Its owner has not let the bridge read customers."""
    NOT_INSTALLED = "not-installed"
    """There is no WooCommerce, or its REST API is switched off."""
    KEY_REFUSED = "key-refused"
    """The key is not good, or not any more."""
    UNREACHABLE = "unreachable"
    """It does not answer, or not in time, or its address may not be called."""
    BUSY = "busy"
    """It asks to be left alone for a while."""
    BROKEN = "broken"
    """It answers with an error, or with what is no answer."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order as the app shows it; ``total`` is decimal text, ``date`` RFC 3339 in UTC; what is
    not known is ``None``."""

    id: str
    number: str
    status: str | None
    total: str
    currency: str
    date: str | None


@dataclass(frozen=True, slots=True)
class Profile:
    """What a store knows of a customer; what it did not tell is ``None``.

    ``known`` is whether there is such a customer. ``total_spent`` is decimal text, in the store's
    own number of decimals where that is known.
    """

    known: bool
    name: str | None = None
    email: str | None = None
    orders_count: int | None = None
    total_spent: str | None = None
    currency: str | None = None
    last_order: Order | None = None


@dataclass(frozen=True, slots=True)
class StoreAccess:
    """Where a store's REST API is, and the read-only key to its WooCommerce."""

    rest_url: str
    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)


class LookUpError(Exception):
    """A store could not be asked. ``retry_after`` is what it asked for; ``reason`` is for logs: it
    names no person and quotes nothing. ``of_customer`` says that it is this customer alone whom
    the store could not be asked for."""

    def __init__(
        self,
        problem: LookUpProblem,
        reason: str,
        retry_after: timedelta | None = None,
        *,
        of_customer: bool = False,
    ) -> None:
        super().__init__(reason)
        self.problem = problem
        self.reason = reason
        self.retry_after = retry_after
        self.of_customer = of_customer


class CustomerReader(Protocol):
    """Asks a store for a customer."""

    def look_up(self, store: StoreAccess, subject: Subject, now: datetime) -> Profile:
        """What the store knows of ``subject``, within some 20 seconds. Of one that is merely
        claimed nothing is asked for that may not be shown (C2): whether the address is known, and
        the number of orders.

        Raises :class:`LookUpError`.
        """


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    """A customer as last fetched. ``profile`` stays when fetching fails; ``problem`` says why the
    last attempt failed, and ``failing_since`` when the first of these did; ``due_at`` is when the
    store will be asked next, if it will be."""

    key: str
    profile: Profile | None = None
    fetched_at: datetime | None = None
    due_at: datetime | None = None
    problem: LookUpProblem | None = None
    failing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """How asking a store goes: ``problem`` is why the last attempt failed, or none can be made,
    ``failing_since`` when the first of these in a row did, ``reached_at`` when one last
    succeeded."""

    attempts: int = 0
    problem: LookUpProblem | None = None
    failing_since: datetime | None = None
    reached_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClaimedLookUp:
    """A customer whom, until ``claimed_until``, nobody else asks this store for, nor for any other.

    ``store`` is why not, while it cannot be asked at all. ``attempts`` of this site and
    ``customer_attempts`` of this customer have failed in a row.
    """

    site: str
    subject: Subject
    store: StoreAccess | LookUpProblem
    attempts: int
    customer_attempts: int
    asked_since: datetime
    """Since when this customer was to be looked up."""
    changed_at: datetime | None
    """The latest change of this customer that the store told of, by its own clock."""
    claimed_until: datetime


class LookUps(Protocol):
    """The customers that are to be looked up, one at a time for each store.

    They get in by :meth:`bridge.ports.Work.want_customer`, and out by
    :meth:`bridge.ports.Work.keep_profile`. A claim is a lease, as an outbox's is. Raises
    :class:`bridge.errors.UnavailableError` when storage is away, and has then changed nothing.
    """

    def claim(self, now: datetime, until: datetime, *, failing: bool) -> ClaimedLookUp | None:
        """The customer to look up next, of the store that has been due longest among those that
        failed last (``failing``) or among the others; ``None`` if none of them is due.

        Customers whom an agent looks at come first. Of two callers at one time one gets it.
        """

    def put_off(
        self,
        claimed: ClaimedLookUp,
        error: LookUpError,
        now: datetime,
        due_at: datetime,
        customer_due_at: datetime | None,
    ) -> bool:
        """The attempt failed: the whole store waits until ``due_at``, or until it connects, and
        this customer until ``customer_due_at`` (``None``: until somebody wants it again). A
        failure ``of_customer`` does not count against the store. Whether readers see another
        problem of the customer than before.
        """

    def health(self, site: str) -> StoreHealth:
        """How asking the site's store goes."""

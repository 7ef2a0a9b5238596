"""What stores are still to be told, and who tells them (``api.md``, "Bridge to store")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bridge.ports.entities import SiteSecret, StoreCall, StoreDelivery


@dataclass(frozen=True, slots=True)
class ClaimedCall:
    """A site's oldest call, which until ``claimed_until`` nobody else makes.

    ``rest_url`` is where the store said that it is to be called, ``None`` while it has not
    connected; ``secrets`` are the site's, the newest first; ``attempts`` have failed in a row.
    """

    call: StoreCall
    rest_url: str | None
    secrets: tuple[SiteSecret, ...]
    attempts: int
    claimed_until: datetime


class Outbox(Protocol):
    """The calls that wait, each site's in the order in which they came about.

    They get in by :meth:`bridge.ports.Work.tell_store`. A claim is a lease: who dies with one loses
    nothing, and the site is due again when it ends. Every method raises
    :class:`bridge.errors.UnavailableError` when storage is away, and has then changed nothing.
    """

    def claim(self, now: datetime, until: datetime, *, failing: bool) -> ClaimedCall | None:
        """The oldest call of the site that has been due longest, among those that failed last
        (``failing``) or among the others; ``None`` if none of them is due.

        Of two callers at one time one gets it, and keeps it until ``until``.
        """

    def told(self, claimed: ClaimedCall, until: datetime) -> ClaimedCall | None:
        """The store has it: it waits no more. The site's next call, claimed until ``until``;
        ``None`` if there is none, or if somebody else has claimed the site meanwhile."""

    def give_up(self, claimed: ClaimedCall, until: datetime) -> ClaimedCall | None:
        """It waits no more, and is counted as given up. Returns as :meth:`told` does."""

    def put_off(self, claimed: ClaimedCall, error: str, now: datetime, due_at: datetime) -> None:
        """The attempt failed because of ``error``: the whole site waits until ``due_at``, or until
        its store connects."""

    def delivery(self, site: str) -> StoreDelivery:
        """How telling the site's store goes."""


class StoreCallError(Exception):
    """A store was not told. ``reason`` is for its owner: it names no person and quotes nothing;
    ``retry_after`` is what the store asked for."""

    def __init__(self, reason: str, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class StoreCaller(Protocol):
    """Makes one attempt to tell a store."""

    def call(self, rest_url: str, keys: Sequence[bytes], call: StoreCall, now: datetime) -> None:
        """Return once the store has answered that it has the call, signed at ``now`` with each of
        ``keys``: while a secret is being rotated, the store may know only one of them.

        Raises :class:`StoreCallError` for any other outcome, within some seconds; the store may
        have the call nevertheless.
        """

"""A store says that a customer or an order of its changed: whom visitors are linked to is looked up
again.

What changed is not taken from the delivery but asked for, so it does not matter in which order
deliveries come, nor how often.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.domain.customer import Subject, SubjectKind, email_address
from bridge.ports import Records

SETTLES_IN = timedelta(seconds=3)
"""How long further deliveries are waited for: an order that is placed brings several."""

DRAFTS = ("checkout-draft", "auto-draft")
"""States of an order that is none yet."""


@dataclass(frozen=True, slots=True)
class StoreChange:
    """What a delivery says: whose data changed, and when by the store's own clock. ``order`` is
    the order's id: of one that was deleted, or is somebody else's now, it tells whose it was."""

    customer: str | None = None
    email: str | None = None
    order: str | None = None
    changed_at: datetime | None = None


class StoreChanges:
    """Takes in what stores say of their customers."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def take(self, site: str, change: StoreChange, now: datetime) -> int:
        """Have looked up again whom this concerns; how many. Most of a store's customers never
        chatted: they concern nobody, and nothing is kept of them.

        Raises :class:`bridge.errors.UnavailableError`.
        """
        known = self._records.customers_known(site, _keys(change), change.order)
        if known:
            with self._records.begin(site) as work:
                for key in known:
                    work.want_customer(
                        Subject.of_key(key), now + SETTLES_IN, now, changed_at=change.changed_at
                    )
        return len(known)


def _keys(change: StoreChange) -> list[str]:
    email = email_address(change.email) if change.email else None
    subjects = [Subject(SubjectKind.CUSTOMER, change.customer)] if change.customer else []
    if email is not None:
        # A guest's orders become an account's when the guest registers.
        subjects += [Subject(kind, email) for kind in (SubjectKind.CLAIMED, SubjectKind.GUEST)]
    return [subject.key for subject in subjects]

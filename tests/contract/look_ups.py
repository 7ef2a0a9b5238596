"""Customers to look up, and what becomes of it, in few words."""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.domain.customer import Subject, SubjectKind
from bridge.ports import (
    ClaimedLookUp,
    CustomerRecord,
    LookUpError,
    LookUpProblem,
    LookUps,
    Profile,
    Records,
    StoreConnection,
)
from tests.contract.samples import SITE, moment, profile, store_connection

LEASE = timedelta(seconds=60)


def customer(number: int) -> Subject:
    """The customer with the account of that number."""
    return Subject(SubjectKind.CUSTOMER, str(number))


def connect(
    records: Records, at: float = 0, site: str = SITE, store: StoreConnection | None = None
) -> None:
    """The site's store connects, with a key unless it is given otherwise."""
    with records.begin(site) as work:
        work.connect_site(store or store_connection(), moment(at))


def want(
    records: Records,
    subject: Subject,
    at: float = 0,
    due: float | None = None,
    *,
    site: str = SITE,
    looked_at: bool = False,
    changed: float | None = None,
) -> None:
    """The customer is wanted at that time, due then unless a later time is given."""
    due_at = moment(at if due is None else due)
    changed_at = None if changed is None else moment(changed)
    with records.begin(site) as work:
        work.want_customer(subject, due_at, moment(at), looked_at=looked_at, changed_at=changed_at)


def claim(look_ups: LookUps, at: float = 0, *, failing: bool = False) -> ClaimedLookUp | None:
    """Who is to be looked up at that time."""
    return look_ups.claim(moment(at), moment(at) + LEASE, failing=failing)


def claimed_at(look_ups: LookUps, at: float = 0, *, failing: bool = False) -> ClaimedLookUp:
    """The same, where there is one."""
    claimed = claim(look_ups, at, failing=failing)
    assert claimed is not None
    return claimed


def who(claimed: ClaimedLookUp | None) -> str | None:
    """Whom a claim is of."""
    return None if claimed is None else claimed.subject.value


def keep(
    records: Records, claimed: ClaimedLookUp, at: float = 0, told: Profile | None = None
) -> bool:
    """The store answered at that time."""
    with records.begin(claimed.site) as work:
        return work.keep_profile(claimed, told or profile(), moment(at))


def put_off(
    look_ups: LookUps,
    claimed: ClaimedLookUp,
    at: float,
    due: float,
    customer_due: float | None = None,
    problem: LookUpProblem = LookUpProblem.UNREACHABLE,
) -> None:
    """The store could not be asked; it waits until ``due``, and so does the customer."""
    waits = moment(due if customer_due is None else customer_due)
    look_ups.put_off(claimed, LookUpError(problem, "no answer"), moment(at), moment(due), waits)


def give_up(look_ups: LookUps, claimed: ClaimedLookUp, at: float, due: float) -> None:
    """The same, and the customer is not tried again."""
    error = LookUpError(LookUpProblem.BROKEN, "it answered 500")
    look_ups.put_off(claimed, error, moment(at), moment(due), None)


def known(records: Records, subject: Subject, site: str = SITE) -> CustomerRecord:
    """What is kept of a customer."""
    with records.begin(site) as work:
        found = work.customer(subject.key)
    assert found is not None
    return found


def due(records: Records, subject: Subject) -> datetime | None:
    """When the customer is to be looked up."""
    return known(records, subject).due_at

"""Looks a customer up in a store: what is asked for whom.

Only what is used is asked for (``_fields``), and only what is exactly about the customer is taken:
WooCommerce searches for parts of addresses, and a cache in front of it that takes no notice of the
query answers with somebody else's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http.client import FORBIDDEN
from typing import Any

from bridge.domain.customer import Subject, SubjectKind
from bridge.ports import LookUpError, LookUpProblem, Profile, StoreAccess
from bridge.woocommerce import profile
from bridge.woocommerce.answers import Account, PlacedOrder, Purchases
from bridge.woocommerce.profile import has_email, is_order
from bridge.woocommerce.rest import Answer, RefusedError, RestApi

_LABEL = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_EMAIL = re.compile(rf"[a-z0-9!#$%&'*+/=?^_`{{|}}~.-]+@{_LABEL}(?:\.{_LABEL})+")
"""What WordPress takes for an email: its customers have no other."""

_NO_CUSTOMER = "woocommerce_rest_invalid_id"
_PAGE = 5
_LONGEST_PAGE = 100
"""The most that WooCommerce lists: the one address must be among those that contain it."""

_ORDER = "id,status,number,total,currency,date_created_gmt,customer_id"
_BILLING = "billing.email,billing.first_name,billing.last_name"


class HttpCustomerReader:
    """Implements :class:`bridge.ports.CustomerReader`. It never follows a redirect, and calls
    public addresses alone unless ``allow_private``. ``verify`` is by which certificates a store is
    known, as for :mod:`requests`: another file of them than the system's, for tests."""

    def __init__(self, *, allow_private: bool, verify: str | bool = True) -> None:
        self._allow_private = allow_private
        self._verify = verify

    def look_up(self, store: StoreAccess, subject: Subject, now: datetime) -> Profile:
        """See :meth:`bridge.ports.CustomerReader.look_up`."""
        api = RestApi(store, now, self._allow_private, self._verify)
        if subject.kind is SubjectKind.CUSTOMER:
            return _customer(api, subject.value)
        if not _EMAIL.fullmatch(subject.value):
            return profile.UNKNOWN
        try:
            by_email = _guest if subject.kind is SubjectKind.GUEST else _claimed
            return by_email(api, subject.value)
        except RefusedError as error:
            if error.status != FORBIDDEN or error.code is not None:
                raise
            # A firewall, which takes this address for an attack: it concerns nobody else.
            reason = "something before it refuses this address"
            raise LookUpError(LookUpProblem.BROKEN, reason, of_customer=True) from None


@dataclass(frozen=True, slots=True)
class _Counted:
    """What WooCommerce's analytics count; ``whole`` is whether it listed all that was searched."""

    rows: list[Purchases]
    whole: bool


@dataclass(frozen=True, slots=True)
class _Latest:
    """The latest orders of a customer, the newest first, and how many there are, if it says."""

    orders: list[PlacedOrder]
    count: int | None


def _customer(api: RestApi, id: str) -> Profile:
    if not re.fullmatch(r"[1-9][0-9]{0,17}", id):
        # No id of WordPress', and it would become part of an address.
        return profile.UNKNOWN
    try:
        account = _account(api, id)
    except RefusedError as error:
        if error.code == _NO_CUSTOMER:
            return profile.UNKNOWN
        raise
    query = {"users": id, "_fields": "user_id,name,orders_count,total_spend"}
    counted = _counted(api, "wc-analytics/reports/customers", query)
    rows = [row for row in counted.rows if row.user_id == account.id] if counted else []
    latest = _latest(
        api,
        {"customer": id, "_fields": _ORDER},
        lambda order: order.customer_id == account.id,
        total_counts=True,
    )
    return profile.of_customer(account, rows, latest.orders, latest.count)


def _account(api: RestApi, id: str) -> Account:
    fields = {"_fields": "id,email,first_name,last_name"}
    account = api.get(f"wc/v3/customers/{id}", fields, Account).content
    if account.id != int(id):
        raise LookUpError(LookUpProblem.BROKEN, "it answered with another customer")
    return account


def _guest(api: RestApi, email: str) -> Profile:
    counted = _counted_by_email(api, email, "user_id,email,name,orders_count,total_spend")
    rows = [row for row in counted.rows if row.user_id == 0] if counted else []
    # Not the orders of the account with the same address: whoever ordered without signing in did
    # not prove to be its owner.
    latest = _latest_by_email(
        api, email, f"{_ORDER},{_BILLING}", lambda order: order.customer_id == 0
    )
    return profile.of_guest(email, rows, latest.orders, latest.count)


def _claimed(api: RestApi, email: str) -> Profile:
    query = {"email": email, "role": "all", "per_page": str(_PAGE), "_fields": "id,email"}
    accounts = api.get("wc/v3/customers", query, list[Account]).content
    registered = any(has_email(account.email, email) for account in accounts)
    counted = _counted_by_email(api, email, "user_id,email,orders_count")
    if counted is None:
        latest = _latest_by_email(api, email, "id,status,billing.email", lambda _: True)
        return profile.of_claim(registered or any(map(is_order, latest.orders)), latest.count)
    sure = counted.rows or counted.whole
    known = registered or bool(counted.rows)
    return profile.of_claim(known, profile.count(counted.rows) if sure else None)


def _counted(api: RestApi, route: str, query: Mapping[str, str]) -> _Counted | None:
    """``None`` if the store has no analytics, or none for this key. A key that is refused
    altogether is found out by the other requests."""
    try:
        answer = api.get(route, query, list[Purchases])
    except RefusedError:
        return None
    return _Counted(answer.content, _is_whole(answer, _LONGEST_PAGE))


def _counted_by_email(api: RestApi, email: str, fields: str) -> _Counted | None:
    query = {
        "search": email,
        "searchby": "email",
        # By when they registered: guests, who never did, come first.
        "order": "asc",
        "per_page": str(_LONGEST_PAGE),
        "_fields": fields,
    }
    found = _counted(api, "wc-analytics/customers", query)
    if found is None:
        return None
    return _Counted([row for row in found.rows if has_email(row.email, email)], found.whole)


def _latest(
    api: RestApi,
    query: Mapping[str, str],
    is_own: Callable[[PlacedOrder], bool],
    *,
    total_counts: bool,
) -> _Latest:
    """``total_counts`` is whether all that the ``query`` finds is the customer's own, as long as
    what is seen of it is."""
    page = api.get("wc/v3/orders", {**query, "per_page": str(_PAGE)}, list[PlacedOrder])
    own = list(filter(is_own, page.content))
    # They are among the latest: WooCommerce removes them after a day.
    drafts = sum(not is_order(order) for order in own)
    if _is_whole(page, _PAGE):
        return _Latest(own, len(own) - drafts)
    if page.total is None or len(own) < len(page.content) or not total_counts:
        return _Latest(own, None)
    return _Latest(own, page.total - drafts)


def _latest_by_email(
    api: RestApi, email: str, fields: str, is_own: Callable[[PlacedOrder], bool]
) -> _Latest:
    # WooCommerce decodes what it searches for once more, so a plus sign would be a space.
    term = max(re.split(r"[+%]", email), key=len)

    def is_theirs(order: PlacedOrder) -> bool:
        billed = order.billing is not None and has_email(order.billing.email, email)
        return billed and is_own(order)

    query = {"search": term, "_fields": fields}
    return _latest(api, query, is_theirs, total_counts=term == email)


def _is_whole(answer: Answer[list[Any]], most: int) -> bool:
    """Whether it lists all that there is, where at ``most`` so many are listed."""
    listed = len(answer.content)
    return listed < most if answer.total is None else answer.total <= listed

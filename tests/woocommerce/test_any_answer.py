"""Whatever a store answers, there is a profile or a reason, and never another exception."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import datetime
from typing import Any

import responses
from hypothesis import event, given, settings
from hypothesis import strategies as st

from bridge.domain.customer import Subject
from bridge.ports import LookUpError, Profile
from tests.woocommerce.asking import (
    BY_EMAIL,
    BY_USER,
    CLAIM,
    CUSTOMER,
    CUSTOMERS,
    ORDERS,
    REST,
    SUBJECTS,
    UNKNOWN,
    look_up,
)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
numbers = st.integers(-1, 3) | st.sampled_from([2, 10**30, "2", 2.5])
amounts = st.sampled_from(["12.50", 12.5, 25, "1E+99", "NaN", "", -1, 0.1]) | st.floats()
texts = st.text() | st.sampled_from(["", "\x00", "completed", "checkout-draft", "\ud800"])
emails = st.sampled_from(["guest@example.test", "JANE@example.test", "x.jane@example.test", ""])
dates = st.datetimes().map(str) | st.sampled_from(["0001-01-01T00:00:00+02:00", "soon"])
names = st.fixed_dictionaries({}, optional={"email": emails, "first_name": texts})


def mostly(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 30).flatmap(lambda luck: anything if luck == 30 else strategy)


fields: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("user_id", "customer_id", "orders_count"), mostly(numbers)),
    **dict.fromkeys(("total", "total_spend"), mostly(amounts)),
    **dict.fromkeys(("name", "first_name", "number", "status", "currency"), mostly(texts)),
    "email": mostly(emails),
    "date_created_gmt": mostly(dates),
    "billing": mostly(names),
}
items = st.fixed_dictionaries({"id": mostly(st.just(2))}, optional=fields)
lists = mostly(st.lists(items, max_size=6))


# No timing decides a test.
@settings(deadline=None)
@given(
    subject=st.sampled_from(SUBJECTS),
    account=mostly(items),
    answers=st.lists(lists, min_size=4, max_size=4),
    statuses=st.lists(st.sampled_from([200] * 9 + [404]), min_size=4, max_size=4),
    totals=st.lists(st.none() | st.from_regex(r"[0-9 -]{1,30}", fullmatch=True), min_size=4),
)
def test_whatever_a_store_answers_there_is_a_profile_or_a_reason(
    subject: Subject,
    account: Any,
    answers: list[Any],
    statuses: list[int],
    totals: list[str | None],
) -> None:
    routes = [CUSTOMERS, BY_USER, BY_EMAIL, ORDERS]
    found = None
    with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
        web.get(f"{REST}{CUSTOMER}", body=json.dumps(account))
        for route, body, status, total in zip(routes, answers, statuses, totals, strict=False):
            headers = {} if total is None else {"X-WP-Total": total}
            web.get(f"{REST}{route}", body=json.dumps(body), status=status, headers=headers)
        with suppress(LookUpError):
            found = look_up(subject)
    event("a reason" if found is None else "known" if found.known else "unknown")
    if found is not None:
        assert_fits(found, subject)


def assert_fits(found: Profile, subject: Subject) -> None:
    """It is bounded, and says no more than may be said."""
    assert found.orders_count is None or 0 <= found.orders_count <= 10**17
    if not found.known:
        assert found == UNKNOWN
    if subject is CLAIM:
        assert found == Profile(found.known, orders_count=found.orders_count)
    amounts, texts = [found.total_spent], [found.name, found.currency]
    if found.last_order is not None:
        amounts.append(found.last_order.total)
        texts += [found.last_order.number, found.last_order.status, found.last_order.currency]
        assert found.last_order.status not in ("checkout-draft", "auto-draft", "trash")
        date = found.last_order.date
        assert date is None or datetime.fromisoformat(date).tzinfo is not None
    for amount in amounts:
        assert amount is None or re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,8})?", amount)
    for text in texts:
        assert text is None or (text == text.strip() and "\x00" not in text and len(text) <= 200)

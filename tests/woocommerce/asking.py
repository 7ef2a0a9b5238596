"""Asking a store at ``REST``, whose answers :mod:`responses` gives."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from bridge.domain.customer import Subject, SubjectKind
from bridge.ports import LookUpError, Profile, StoreAccess
from bridge.woocommerce.client import HttpCustomerReader

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
REST = "https://shop.example/wp-json/"
STORE = StoreAccess(REST, "ck_the_key", "cs_the_secret")
UNKNOWN = Profile(known=False)

JANE = Subject(SubjectKind.CUSTOMER, "2")
GUS = Subject(SubjectKind.GUEST, "guest@example.test")
CLAIM = Subject(SubjectKind.CLAIMED, "jane@example.test")
SUBJECTS = [JANE, GUS, CLAIM]
by_kind = pytest.mark.parametrize("subject", SUBJECTS, ids=[each.kind.value for each in SUBJECTS])

CUSTOMER = "wc/v3/customers/2"
CUSTOMERS = "wc/v3/customers"
ORDERS = "wc/v3/orders"
BY_USER = "wc-analytics/reports/customers"
BY_EMAIL = "wc-analytics/customers"


def look_up(subject: Subject, store: StoreAccess = STORE) -> Profile:
    return HttpCustomerReader(allow_private=False).look_up(store, subject, NOW)


def failure(subject: Subject, store: StoreAccess = STORE) -> LookUpError:
    with pytest.raises(LookUpError) as failed:
        look_up(subject, store)
    return failed.value


def says(web: responses.RequestsMock, route: str, body: Any, **options: Any) -> None:
    web.get(f"{REST}{route}", json=body, **options)


def asked(web: responses.RequestsMock) -> list[str]:
    return [str(call.request.url).removeprefix(REST).partition("?")[0] for call in web.calls]


def row(email: str | None, user: int | None = 0, orders: int = 1, **fields: Any) -> dict[str, Any]:
    known = {"user_id": user, "email": email, "name": "Gus", "orders_count": orders}
    return {**known, "total_spend": 12.5, **fields}


def order(number: int, email: str, customer: int | None = 0, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "status": "processing",
        "number": str(number),
        "total": "12.50",
        "currency": "USD",
        "date_created_gmt": "2026-11-22T15:17:45",
        "customer_id": customer,
        "billing": {"email": email, "first_name": "Gus", "last_name": ""},
        **fields,
    }

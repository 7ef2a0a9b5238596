"""The customers and orders of the simulated WooCommerce, and how its REST API shows them.

The shapes are those of WooCommerce 9.5.1: ``tests/woocommerce/test_simulator.py`` holds them to
what was recorded of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

DRAFTS = {"checkout-draft", "auto-draft", "trash"}
NOT_COUNTED = DRAFTS | {"pending", "failed", "cancelled"}
"""What analytics leave out, as WooCommerce is set at first."""

_ADDRESS = (
    *("first_name", "last_name", "company", "address_1", "address_2"),
    *("city", "state", "postcode", "country", "email", "phone"),
)


@dataclass
class Customer:
    """An account."""

    id: int
    email: str
    first_name: str
    last_name: str
    role: str
    created: datetime
    modified: datetime

    def resource(self) -> dict[str, Any]:
        """As in ``wc/v3/customers``."""
        picture = hashlib.md5(self.email.lower().encode(), usedforsecurity=False).hexdigest()
        return {
            "id": self.id,
            **_dates("created", self.created),
            **_dates("modified", self.modified),
            "email": self.email,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "role": self.role,
            "username": self.email.partition("@")[0],
            "billing": dict.fromkeys(_ADDRESS, ""),
            "shipping": {name: "" for name in _ADDRESS if name != "email"},
            "is_paying_customer": True,
            "avatar_url": f"https://secure.gravatar.com/avatar/{picture}?s=96&d=mm&r=g",
            "meta_data": [],
        }


@dataclass
class PlacedOrder:
    """An order; ``customer_id`` is 0 for a guest's."""

    id: int
    email: str
    total: str
    status: str
    currency: str
    customer_id: int
    first_name: str
    last_name: str
    number: str
    created: datetime
    modified: datetime

    def resource(self) -> dict[str, Any]:
        """As in ``wc/v3/orders``, without what its lines hold."""
        none = f"{0:.{len(self.total.partition('.')[2])}f}"
        money = ("discount_total", "discount_tax", "shipping_total", "shipping_tax", "cart_tax")
        billing = dict.fromkeys(_ADDRESS, "") | {
            name: value for name, value in asdict(self).items() if name in _ADDRESS
        }
        return {
            "id": self.id,
            "parent_id": 0,
            "status": self.status,
            "currency": self.currency,
            "version": "9.5.1",
            "prices_include_tax": False,
            **dict.fromkeys(money, none),
            "total": self.total,
            "total_tax": none,
            "customer_id": self.customer_id,
            "billing": billing,
            "shipping": {name: "" for name in _ADDRESS if name != "email"},
            "payment_method": "",
            "customer_note": "",
            "number": self.number,
            "meta_data": [],
            "line_items": [],
            **_dates("created", self.created),
            **_dates("modified", self.modified),
        }


@dataclass
class Shop:
    """What the store knows."""

    customers: dict[int, Customer] = field(default_factory=dict)
    orders: dict[int, PlacedOrder] = field(default_factory=dict)
    _customer_ids: count[int] = field(default_factory=lambda: count(2))
    _order_ids: count[int] = field(default_factory=lambda: count(11))

    def customer_listing(self, query: Mapping[str, str]) -> list[Customer]:
        """``wc/v3/customers``."""
        role, email = query.get("role", "customer"), query.get("email", "").lower()
        return [
            each
            for each in reversed(self.customers.values())
            if role in ("all", each.role) and email in ("", each.email.lower())
        ]

    def order_listing(self, query: Mapping[str, str]) -> list[PlacedOrder]:
        """``wc/v3/orders``, the newest first; searched are names and addresses."""
        customer, term = query.get("customer"), query.get("search", "").lower()
        return [
            each
            for each in sorted(
                self.orders.values(), key=lambda order: (order.created, order.id), reverse=True
            )
            if customer in (None, str(each.customer_id))
            and term in f"{each.first_name} {each.last_name} {each.email}".lower()
            and each.status not in {"auto-draft", "trash"}
        ]

    def analytics(self) -> list[dict[str, Any]]:
        """``wc-analytics/customers``: the accounts of customers, and each guest by email."""
        placed = [each for each in self.orders.values() if each.status not in DRAFTS]
        ordering = {each.customer_id for each in placed}
        people = [
            (each.id, f"{each.first_name} {each.last_name}", each.email)
            for each in self.customers.values()
            if each.role == "customer" or each.id in ordering
        ]
        guests = {each.email.lower(): each for each in placed if each.customer_id == 0}
        people += [
            (0, f"{each.first_name} {each.last_name}", each.email) for each in guests.values()
        ]
        return [
            {"id": index, "user_id": user, "name": name, "email": email, **self._sums(user, email)}
            for index, (user, name, email) in enumerate(people, 1)
        ]

    def _sums(self, user: int, email: str) -> dict[str, Any]:
        totals = [
            float(each.total)
            for each in self.orders.values()
            if each.customer_id == user
            and (user or each.email.lower() == email.lower())
            and each.status not in NOT_COUNTED
        ]
        spend = sum(totals)
        return {
            "orders_count": len(totals),
            # PHP writes a whole number without a point.
            "total_spend": int(spend) if spend == int(spend) else spend,
        }

    def next_customer(self) -> int:
        """An id that is not taken."""
        return next(each for each in self._customer_ids if each not in self.customers)

    def next_order(self) -> int:
        """An id that is not taken."""
        return next(each for each in self._order_ids if each not in self.orders)


def _dates(what: str, at: datetime) -> dict[str, str]:
    text = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return {f"date_{what}": text, f"date_{what}_gmt": text}

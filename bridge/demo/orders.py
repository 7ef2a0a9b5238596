"""The customers and orders of the demo's shop, in memory: they go when the demo ends."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

CURRENCY = "EUR"
FIRST_NUMBER = 1042
MOST_ORDERS = 1000
"""The oldest are forgotten beyond."""


@dataclass(frozen=True)
class Customer:
    """Somebody with an account."""

    id: int
    email: str
    first_name: str
    last_name: str

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def described(self) -> dict[str, str]:
        """The same as in events and tokens."""
        return {"id": str(self.id), "email": self.email, "name": self.name}


JANE = Customer(17, "jane@example.com", "Jane", "Doe")
CUSTOMERS = (JANE,)


@dataclass(frozen=True)
class Order:
    """An order; ``customer_id`` is 0 for a guest's, and ``placed_at`` aware UTC."""

    id: int
    customer_id: int
    email: str
    first_name: str
    last_name: str
    total: Decimal
    status: str
    placed_at: datetime

    @property
    def number(self) -> str:
        return str(self.id)


class Orders:
    """All orders of the shop. Jane has placed three before.

    :param now: aware, UTC.
    """

    def __init__(self, now: datetime) -> None:
        self._lock = threading.Lock()
        self._next = FIRST_NUMBER
        self._orders: deque[Order] = deque(maxlen=MOST_ORDERS)
        for total, days_ago in (("68.00", 93), ("45.50", 41), ("82.00", 12)):
            placed_at = now - timedelta(days=days_ago)
            self._add(JANE, JANE.email, Decimal(total), "completed", placed_at)

    def place(self, customer: Customer | None, email: str, total: Decimal, now: datetime) -> Order:
        """Take an order in.

        :param customer: who is signed in; ``None`` for a guest.
        :param email: where its confirmation would go.
        :param total: what it comes to.
        :param now: aware, UTC.
        """
        return self._add(customer, email, total, "processing", now)

    def newest_first(self, matches: Callable[[Order], bool] = lambda _: True) -> list[Order]:
        """The orders that match."""
        return [order for order in reversed(list(self._orders)) if matches(order)]

    def _add(
        self, customer: Customer | None, email: str, total: Decimal, status: str, at: datetime
    ) -> Order:
        with self._lock:
            order = Order(
                id=self._next,
                customer_id=customer.id if customer else 0,
                email=email,
                first_name=customer.first_name if customer else "",
                last_name=customer.last_name if customer else "",
                total=total,
                status=status,
                placed_at=at,
            )
            self._next += 1
            self._orders.append(order)
        return order

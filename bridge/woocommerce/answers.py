"""The shapes of WooCommerce's answers, with the fields that are used alone.

What a store has no value for may be null or missing. A value of another type than WooCommerce
gives makes the whole answer unusable: half understood, it could show one customer as another.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar

from msgspec import Struct, ValidationError, json

Shape = TypeVar("Shape")


class Account(Struct):
    """A registered customer, as of ``wc/v3/customers``."""

    id: int
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None


class Purchases(Struct):
    """A customer with the sum of their orders, as of ``wc-analytics``; a guest's ``user_id`` is 0.

    It counts orders by the store's own settings: as a rule not those that failed, were cancelled
    or wait for payment.
    """

    user_id: int | None = None
    email: str | None = None
    name: str | None = None
    orders_count: int | None = None
    total_spend: Decimal | None = None


class Billing(Struct):
    """Whom an order is billed to."""

    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None


class PlacedOrder(Struct):
    """An order, as of ``wc/v3/orders``; ``date_created_gmt`` is UTC, without saying so."""

    id: int
    status: str | None = None
    number: str | None = None
    total: Decimal | None = None
    currency: str | None = None
    date_created_gmt: str | None = None
    customer_id: int | None = None
    billing: Billing | None = None


class _Error(Struct):
    code: str | None = None


def decode(body: bytes, shape: type[Shape]) -> Shape:
    """``body`` as ``shape``; amounts are read from its text, and were never binary fractions.

    Raises ``ValueError`` if it is no JSON of that shape.
    """
    try:
        return json.decode(body, type=shape, strict=False)
    except ValidationError:
        raise ValueError("it is not of the shape that WooCommerce gives") from None
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON") from None


def error_code(body: bytes) -> str | None:
    """The code of an error's answer by WordPress; ``None`` if it is none."""
    try:
        return decode(body, _Error).code
    except ValueError:
        return None

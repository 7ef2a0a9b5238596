"""What the app shows of a customer, made of what WooCommerce answered. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from bridge.domain.customer import email_address
from bridge.ports import Order, Profile
from bridge.times import rfc3339
from bridge.woocommerce.amounts import amount_text, decimals_of
from bridge.woocommerce.answers import Account, Billing, PlacedOrder, Purchases

DRAFTS = frozenset({"checkout-draft", "auto-draft", "trash"})
"""What is listed with orders and is none: a checkout that was begun, and what was thrown away."""

UNKNOWN = Profile(known=False)

_LONGEST_NAME = 200
_LONGEST_WORD = 100
_MOST_ORDERS = 2**53


def of_customer(
    account: Account, rows: Sequence[Purchases], orders: Sequence[PlacedOrder], listed: int | None
) -> Profile:
    """One with an account: ``orders`` are their latest, the newest first, of ``listed`` in all."""
    named = (_name(account.first_name, account.last_name), *(_name(row.name) for row in rows))
    return _profile(named, (account.email,), rows, orders, listed)


def of_guest(
    email: str, rows: Sequence[Purchases], orders: Sequence[PlacedOrder], listed: int | None
) -> Profile:
    """One without, who placed the ``orders``, or was counted in ``rows``, with ``email``."""
    if not rows and not any(map(is_order, orders)):
        return UNKNOWN
    billed = [order.billing for order in orders if order.billing]
    named = (_name(row.name) for row in rows), (_name_of(each) for each in billed)
    emails = [*(row.email for row in rows), *(each.email for each in billed), email]
    return _profile([name for names in named for name in names], emails, rows, orders, listed)


def of_claim(known: bool, orders_count: int | None) -> Profile:
    """Whoever has an address that somebody typed: nothing of this says who (C2)."""
    return Profile(known=True, orders_count=orders_count) if known else UNKNOWN


def count(rows: Iterable[Purchases]) -> int | None:
    """How many orders the ``rows`` count together; ``None`` if one of them does not say."""
    counts = [row.orders_count for row in rows]
    told = [each for each in counts if each is not None and 0 <= each <= _MOST_ORDERS]
    return sum(told) if len(told) == len(counts) else None


def is_order(order: PlacedOrder) -> bool:
    """Whether it was really placed."""
    return order.status not in DRAFTS


def has_email(email: str | None, wanted: str) -> bool:
    """Whether ``email`` is exactly the one ``wanted``, itself by :func:`email_address`."""
    return email is not None and email_address(email) == wanted


def _profile(
    names: Iterable[str | None],
    emails: Iterable[str | None],
    rows: Sequence[Purchases],
    orders: Sequence[PlacedOrder],
    listed: int | None,
) -> Profile:
    last = next((_order(order) for order in orders if is_order(order)), None)
    return Profile(
        known=True,
        name=next(filter(None, names), None),
        email=next((each.strip() for each in emails if each and email_address(each)), None),
        orders_count=count(rows) if rows else listed,
        total_spent=_spent(rows, None if last is None else decimals_of(last.total)),
        currency=None if last is None else last.currency,
        last_order=last,
    )


def _spent(rows: Sequence[Purchases], decimals: int | None) -> str | None:
    amounts = [row.total_spend for row in rows]
    # Each by itself first: the sum of what is no amount may be no number at all.
    told = [each for each in amounts if each is not None and amount_text(each) is not None]
    if not rows or len(told) < len(amounts):
        return None
    return amount_text(sum(told, Decimal()) if len(told) > 1 else told[0], decimals)


def _order(order: PlacedOrder) -> Order | None:
    number, status, currency = map(_word, (order.number, order.status, order.currency))
    total = amount_text(order.total)
    if number is None or status is None or total is None or currency is None:
        return None
    date = _moment(order.date_created_gmt)
    return Order(str(order.id), number, status, total, currency, date)


def _name_of(billing: Billing) -> str | None:
    return _name(billing.first_name, billing.last_name)


def _name(*parts: str | None) -> str | None:
    return _text(" ".join(part for part in parts if part), _LONGEST_NAME)


def _word(text: str | None) -> str | None:
    return _text(text or "", _LONGEST_WORD)


def _text(text: str, most: int) -> str | None:
    # What joins an emoji's parts and what turns the direction of writing stays: it is in names.
    shown = (" " if unicodedata.category(each) == "Cc" else each for each in text)
    return " ".join("".join(shown).split())[:most].strip() or None


def _moment(text: str | None) -> str | None:
    try:
        at = datetime.fromisoformat(text or "")
        return rfc3339(at if at.tzinfo else at.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None

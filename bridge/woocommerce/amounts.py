"""Amounts of money as decimal text. They are never floats."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

_MOST_DIGITS = 15
"""Before the point. More is no amount, whatever it is."""
_MOST_DECIMALS = 8
"""More come of a sum of binary fractions, which WooCommerce makes: 12.450000000000001."""


def amount_text(amount: Decimal | None, decimals: int | None = None) -> str | None:
    """``amount`` with so many ``decimals``, or as it is given; without exponent or plus sign.
    ``None`` if it is no amount: not finite, or of more than 15 digits before the point."""
    if amount is None or not _is_usable(amount):
        return None
    if decimals is None and _decimals(amount) > _MOST_DECIMALS:
        text = f"{_rounded(amount, _MOST_DECIMALS):f}".rstrip("0").rstrip(".")
    else:
        text = f"{_rounded(amount, _decimals(amount) if decimals is None else decimals):f}"
    return text.lstrip("-") if Decimal(text).is_zero() else text


def decimals_of(amount: str) -> int:
    """How many decimals the text of an amount has."""
    return len(amount.partition(".")[2])


def _is_usable(amount: Decimal) -> bool:
    # By the position of its first digit: as text, 1E+999999 would have a million.
    return amount.is_finite() and amount.adjusted() < _MOST_DIGITS


def _decimals(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _rounded(amount: Decimal, decimals: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)

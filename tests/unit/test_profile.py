"""What the app shows of a customer, of what WooCommerce answered. Amounts are exact."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.ports import Order, Profile
from bridge.woocommerce import profile
from bridge.woocommerce.amounts import amount_text, decimals_of
from bridge.woocommerce.answers import Account, Billing, PlacedOrder, Purchases, decode

JANE = Account(2, "jane@example.test", "Jane", "Doe")


def placed(**fields: Any) -> PlacedOrder:
    known: dict[str, Any] = {
        "status": "processing",
        "number": "1042",
        "total": Decimal("61.00"),
        "currency": "EUR",
        "date_created_gmt": "2030-01-31T12:00:00",
    }
    return PlacedOrder(11, **{**known, **fields})


def customer(
    rows: list[Purchases], orders: list[PlacedOrder], listed: int | None = None
) -> Profile:
    return profile.of_customer(JANE, rows, orders, listed)


# ------------------------------------------------------------------------------- amounts


@pytest.mark.parametrize(
    ("written", "decimals", "shown"),
    [
        ("25", 2, "25.00"),
        ("25", None, "25"),
        ('"25.00"', None, "25.00"),
        ("1200", 0, "1200"),
        ('"1200"', None, "1200"),
        ("12.450000000000001", 2, "12.45"),
        ("12.450000000000001", None, "12.45"),
        ("12.449999999999999", None, "12.45"),
        ("0.30000000000000004", 3, "0.300"),
        ("-5.5", 2, "-5.50"),
        ("-0.001", 2, "0.00"),
        ("5.684341886080802e-14", 2, "0.00"),
        ("5.684341886080802e-14", None, "0"),
        ("1e3", None, "1000"),
        ('"1E+3"', 2, "1000.00"),
        ("2.345", 2, "2.35"),
        ("999999999999999.99", 2, "999999999999999.99"),
        ("1000000000000000", None, None),
        ("-1000000000000000", None, None),
        ("1e999999", None, None),
        ('"1E+999999999999999999"', None, None),
        ("1e-999999", 2, "0.00"),
        ('"1E-999999999999999999"', None, "0"),
        ("9" * 100_000, None, None),
        ("0." + "1" * 100_000, 2, "0.11"),
        ('"NaN"', None, None),
        ('"sNaN"', 2, None),
        ('"-Infinity"', None, None),
        ("null", 2, None),
    ],
)
def test_an_amount_as_text(written: str, decimals: int | None, shown: str | None) -> None:
    row = decode(f'{{"total_spend": {written}}}'.encode(), Purchases)
    assert amount_text(row.total_spend, decimals) == shown


cents = st.integers(-(10**15) + 1, 10**15 - 1)


@settings(deadline=None)
@given(cents, st.integers(0, 4))
def test_an_order_s_total_is_shown_as_it_was_written(amount: int, decimals: int) -> None:
    written = f"{Decimal(amount).scaleb(-decimals):f}"
    if Decimal(written) == 0:
        written = written.lstrip("-")
    shown = amount_text(decode(f'{{"id":1,"total":"{written}"}}'.encode(), PlacedOrder).total)
    assert shown == written
    assert decimals_of(shown) == decimals


@settings(deadline=None)
@given(cents)
def test_what_was_spent_survives_binary_fractions(amount: int) -> None:
    """PHP writes the shortest text that is this float."""
    exact = Decimal(amount) / 100
    row = decode(f'{{"total_spend": {float(exact)!r}}}'.encode(), Purchases)
    assert amount_text(row.total_spend, 2) == f"{abs(exact) if amount == 0 else exact:.2f}"


@settings(deadline=None)
@given(st.decimals(allow_nan=True, allow_infinity=True), st.none() | st.integers(0, 8))
def test_any_number_is_a_short_text_or_none(amount: Decimal, decimals: int | None) -> None:
    text = amount_text(amount, decimals)
    if text is None:
        assert not amount.is_finite() or abs(amount) >= 10**15
    else:
        assert "E" not in text
        assert len(text) <= 1 + 16 + 1 + 8
        assert abs(Decimal(text) - amount) <= Decimal("0.5").scaleb(
            -(8 if decimals is None else decimals)
        )


# ----------------------------------------------------------------------------- customers


def test_a_customer_with_orders() -> None:
    row = Purchases(2, "jane@example.test", "Jane D.", 3, Decimal("184.5"))
    assert customer([row], [placed()], 4) == Profile(
        known=True,
        name="Jane Doe",
        email="jane@example.test",
        orders_count=3,
        total_spent="184.50",
        currency="EUR",
        last_order=Order("11", "1042", "processing", "61.00", "EUR", "2030-01-31T12:00:00.000Z"),
    )


def test_a_customer_who_ordered_nothing() -> None:
    found = customer([Purchases(2, orders_count=0, total_spend=Decimal(0))], [], 0)
    assert found == Profile(
        known=True, name="Jane Doe", email="jane@example.test", orders_count=0, total_spent="0"
    )


def test_without_analytics_the_orders_are_counted_and_nothing_is_summed() -> None:
    found = customer([], [placed()], 10_000)
    assert (found.orders_count, found.total_spent) == (10_000, None)


@pytest.mark.parametrize("status", ["checkout-draft", "auto-draft", "trash"])
def test_drafts_are_no_orders(status: str) -> None:
    found = customer([], [placed(status=status, number="9"), placed()], 1)
    assert found.last_order is not None
    assert found.last_order.number == "1042"
    assert customer([], [placed(status=status)], 0).last_order is None


def test_in_a_currency_without_decimals() -> None:
    found = customer(
        [Purchases(2, orders_count=1, total_spend=Decimal(1200))],
        [placed(total=Decimal(1200), currency="JPY")],
    )
    assert found.total_spent == "1200"
    assert found.last_order is not None
    assert found.last_order.total == "1200"


@pytest.mark.parametrize(
    "missing",
    [
        {"status": None},
        {"number": None},
        {"number": " \x00"},
        {"total": None},
        {"total": Decimal("NaN")},
        {"currency": ""},
    ],
)
def test_an_order_that_is_not_told_in_full_is_not_shown(missing: dict[str, Any]) -> None:
    """And not an earlier one in its place."""
    found = customer([], [placed(**missing), placed()], 2)
    assert (found.last_order, found.currency, found.orders_count) == (None, None, 2)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2030-01-31T12:00:00", "2030-01-31T12:00:00.000Z"),
        ("2030-01-31T12:00:00+02:00", "2030-01-31T10:00:00.000Z"),
        ("0001-01-01T00:00:00+02:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_when_it_was_placed(written: str | None, shown: str | None) -> None:
    order = customer([], [placed(date_created_gmt=written)]).last_order
    assert order is not None
    assert order.date == shown


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        (" Jane ", "Doe\n", "Jane Doe"),
        ("Ja\x00ne", None, "Ja ne"),
        ("", "Doe", "Doe"),
        (None, None, "From Billing"),
        (" ", "\t", "From Billing"),
        ("ليلى", "حداد", "ليلى حداد"),
        ("\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}", "🛒", "👩\u200d💻 🛒"),
        ("x" * 500, "y", "x" * 200),
    ],
)
def test_names(first: str | None, last: str | None, shown: str) -> None:
    rows = [Purchases(2, name=None), Purchases(2, name=" From  Billing ")]
    account = Account(2, None, first, last)
    assert profile.of_customer(account, rows, [], 0).name == shown


@pytest.mark.parametrize("email", [None, "", "none", "a@b c", "x" * 250 + "@example.test"])
def test_what_is_no_address_is_not_shown(email: str | None) -> None:
    assert profile.of_customer(Account(2, email), [], [], 0).email is None


@pytest.mark.parametrize(
    ("counts", "together"),
    [([1, 2], 3), ([1, None], None), ([-1], None), ([2**60], None), ([], 0)],
)
def test_counting(counts: list[int | None], together: int | None) -> None:
    assert profile.count([Purchases(orders_count=each) for each in counts]) == together


@pytest.mark.parametrize("spends", [["NaN"], ["1", None], ["1e20", "-1e20"], ["Infinity", "1"]])
def test_a_sum_is_of_amounts_alone(spends: list[str | None]) -> None:
    rows = [
        Purchases(2, orders_count=1, total_spend=None if each is None else Decimal(each))
        for each in spends
    ]
    assert customer(rows, []).total_spent is None


# -------------------------------------------------------------------------------- guests


def test_a_guest_is_named_by_the_analytics_or_by_an_order() -> None:
    row = Purchases(0, "Gus@example.test", "Gus ", 1, Decimal("12.5"))
    order = placed(billing=Billing("gus@example.test", "Gustav", None))
    both = profile.of_guest("gus@example.test", [row], [order], 1)
    assert (both.name, both.email) == ("Gus", "Gus@example.test")
    assert (both.orders_count, both.total_spent) == (1, "12.50")
    alone = profile.of_guest("gus@example.test", [], [order], 1)
    assert (alone.name, alone.email) == ("Gustav", "gus@example.test")
    assert (alone.orders_count, alone.total_spent) == (1, None)


def test_a_guest_of_several_rows() -> None:
    """Older versions of WooCommerce made one for each order."""
    rows = [
        Purchases(0, "gus@example.test", "", 2, Decimal("0.1")),
        Purchases(0, "gus@example.test", "Gus", 1, Decimal("0.2")),
    ]
    found = profile.of_guest("gus@example.test", rows, [], 0)
    assert (found.name, found.orders_count, found.total_spent) == ("Gus", 3, "0.3")


def test_whoever_left_a_draft_alone_is_not_known() -> None:
    draft = placed(status="checkout-draft", billing=Billing("gus@example.test", "Gus"))
    assert profile.of_guest("gus@example.test", [], [draft], 0) == Profile(known=False)


# -------------------------------------------------------------------------------- claims


@settings(deadline=None)
@given(st.none() | st.integers(0))
def test_c2_of_a_claim_nothing_is_told_but_that_it_is_known_and_how_many_orders(
    orders: int | None,
) -> None:
    assert profile.of_claim(True, orders) == Profile(known=True, orders_count=orders)
    assert profile.of_claim(False, orders) == Profile(known=False)


@pytest.mark.parametrize(
    ("email", "same"),
    [
        ("jane@example.test", True),
        (" Jane@Example.TEST ", True),
        ("mary.jane@example.test", False),
        ("jane@example.test.example", False),
        ("", False),
        (None, False),
    ],
)
def test_addresses_are_compared_whole(email: str | None, same: bool) -> None:
    assert profile.has_email(email, "jane@example.test") is same

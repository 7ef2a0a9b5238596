"""Asking a store for a customer, by recorded answers and made-up ones: what is asked for whom, and
what is taken of the answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses

from bridge.domain.customer import Subject, SubjectKind
from bridge.ports import LookUpProblem, Order, Profile, StoreAccess
from tests.woocommerce.asking import (
    BY_EMAIL,
    BY_USER,
    CLAIM,
    CUSTOMER,
    CUSTOMERS,
    GUS,
    JANE,
    ORDERS,
    REST,
    SUBJECTS,
    UNKNOWN,
    asked,
    failure,
    look_up,
    order,
    row,
    says,
)
from tests.woocommerce.recordings import Recording, recorded


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
        yield web


# ------------------------------------------------------------------------ recorded answers


def test_a_recorded_customer(web: responses.RequestsMock) -> None:
    for name in ("customer-by-id", "analytics-customers-by-user", "orders-by-customer"):
        recorded(name).answer(web, REST)
    date = "2026-11-22T15:17:45.000Z"
    assert look_up(JANE) == Profile(
        known=True,
        name="Jane Doe",
        email="jane@example.test",
        orders_count=1,
        total_spent="25.00",
        currency="USD",
        last_order=Order("11", "11", "completed", "25.00", "USD", date),
    )
    assert asked(web) == [CUSTOMER, BY_USER, ORDERS]


def test_a_recorded_guest(web: responses.RequestsMock) -> None:
    for name in ("analytics-customers-by-email-guest", "orders-by-email-search-guest"):
        recorded(name).answer(web, REST)
    date = "2026-11-22T15:17:45.000Z"
    assert look_up(GUS) == Profile(
        known=True,
        name="Gus",
        email="guest@example.test",
        orders_count=1,
        total_spent="12.50",
        currency="USD",
        last_order=Order("12", "12", "processing", "12.50", "USD", date),
    )
    assert asked(web) == [BY_EMAIL, ORDERS]


def test_c2_a_recorded_claim(web: responses.RequestsMock) -> None:
    for name in ("customers-by-email", "analytics-customers-by-email"):
        recorded(name).answer(web, REST)
    assert look_up(CLAIM) == Profile(known=True, orders_count=1)
    assert asked(web) == [CUSTOMERS, BY_EMAIL]


def test_a_recorded_claim_of_an_address_that_nobody_has(web: responses.RequestsMock) -> None:
    for name in ("customers-by-email-none", "analytics-customers-by-email-none"):
        recorded(name).answer(web, REST)
    assert look_up(Subject(SubjectKind.CLAIMED, "nobody@example.test")) == UNKNOWN


def test_a_customer_who_was_deleted_and_nothing_more_is_asked(web: responses.RequestsMock) -> None:
    recorded("customer-by-id-missing").answer(web, REST)
    assert look_up(Subject(SubjectKind.CUSTOMER, "999")) == UNKNOWN
    assert asked(web) == ["wc/v3/customers/999"]


def test_a_recorded_refusal(web: responses.RequestsMock) -> None:
    refusal = recorded("bad-key-401")
    for route in (CUSTOMERS, CUSTOMER, ORDERS, BY_EMAIL):
        Recording(route, {}, refusal.status, {}, refusal.body).answer(web, REST)
    for subject in SUBJECTS:
        assert failure(subject).problem is LookUpProblem.KEY_REFUSED


# -------------------------------------------------------------------------------- customers


@pytest.mark.parametrize(
    "id", ["0", "-1", "02", "2/../3", "2?x=1", "", "٢", "x", "9" * 19, "2\n", "me"]
)
def test_what_is_no_id_is_asked_for_nowhere(web: responses.RequestsMock, id: str) -> None:
    assert look_up(Subject(SubjectKind.CUSTOMER, id)) == UNKNOWN
    assert asked(web) == []


def test_answers_about_somebody_else_are_not_taken(web: responses.RequestsMock) -> None:
    """A cache in front of the store that takes no notice of the query."""
    says(web, CUSTOMER, {"id": 2, "email": "jane@example.test"})
    says(web, BY_USER, [row("eve@example.test", user=3)])
    says(web, ORDERS, [order(7, "eve@example.test", customer=3)], headers={"X-WP-Total": "1"})
    found = look_up(JANE)
    assert found == Profile(known=True, email="jane@example.test", orders_count=0)


def test_another_customer_than_asked_for(web: responses.RequestsMock) -> None:
    says(web, CUSTOMER, {"id": 3, "email": "eve@example.test"})
    failed = failure(JANE)
    assert (failed.problem, failed.reason) == (
        LookUpProblem.BROKEN,
        "it answered with another customer",
    )


@pytest.mark.parametrize("fields", [{}, {"email": None, "first_name": None, "last_name": None}])
def test_a_customer_of_whom_little_is_told(
    web: responses.RequestsMock, fields: dict[str, None]
) -> None:
    says(web, CUSTOMER, {"id": 2, **fields})
    says(web, BY_USER, [row(None, user=2, name=None, total_spend=None)])
    says(web, ORDERS, [])
    assert look_up(JANE) == Profile(known=True, orders_count=1)


def test_ten_thousand_orders_are_counted_and_not_fetched(web: responses.RequestsMock) -> None:
    says(web, CUSTOMER, {"id": 2})
    says(web, BY_USER, {}, status=404)
    page = [order(each, "jane@example.test", customer=2) for each in (9, 8, 7, 6)]
    page.insert(0, order(10, "", customer=2, status="checkout-draft"))
    says(web, ORDERS, page, headers={"X-WP-Total": "10000"})
    found = look_up(JANE)
    assert found.orders_count == 9_999
    assert found.last_order is not None
    assert found.last_order.number == "9"
    assert len(web.calls) == 3


@pytest.mark.parametrize(
    ("total", "listed", "counted"),
    [
        ("3", 3, 3),
        ("12", 5, 12),
        ("5", 5, 5),
        (None, 4, 4),
        (None, 5, None),
        ("many", 5, None),
        ("-3", 5, None),
        ("", 0, 0),
        ("0", 3, 3),
    ],
)
@pytest.mark.parametrize("status", [404, 401, 403])
def test_without_analytics_orders_are_counted(
    web: responses.RequestsMock, status: int, total: str | None, listed: int, counted: int | None
) -> None:
    says(web, CUSTOMER, {"id": 2})
    says(web, BY_USER, {"code": "whatever"}, status=status)
    page = [order(each, "", customer=2) for each in range(1, listed + 1)]
    says(web, ORDERS, page, headers={} if total is None else {"X-WP-Total": total})
    found = look_up(JANE)
    assert (found.orders_count, found.total_spent) == (counted, None)


def test_numbers_may_be_written_as_text(web: responses.RequestsMock) -> None:
    """As the database gives them to PHP."""
    says(web, CUSTOMER, {"id": "2"})
    texts = {"user_id": "2", "orders_count": "3", "total_spend": "184.5"}
    says(web, BY_USER, [{**row("jane@example.test"), **texts}])
    says(web, ORDERS, [order(1, "", id="1", customer_id="2")])
    found = look_up(JANE)
    assert (found.orders_count, found.total_spent) == (3, "184.50")


def test_analytics_that_do_not_know_the_customer_yet(web: responses.RequestsMock) -> None:
    """WooCommerce counts a new order some minutes later."""
    says(web, CUSTOMER, {"id": 2})
    says(web, BY_USER, [])
    says(web, ORDERS, [order(1, "", customer=2)], headers={"X-WP-Total": "1"})
    assert look_up(JANE).orders_count == 1


# ----------------------------------------------------------------------------------- guests


def test_of_a_search_only_the_exact_address_without_an_account_is_taken(
    web: responses.RequestsMock,
) -> None:
    rows = [
        row("big.guest@example.test", orders=50),
        row("guest@example.test", user=7, orders=20),
        row("GUEST@example.test", orders=1),
        row("guest@example.test.example", orders=5),
        row(None, user=None),
    ]
    orders = [
        order(9, "big.guest@example.test"),
        order(8, "guest@example.test", customer=7),
        order(7, "Guest@example.test"),
        order(6, "guest@example.test", customer=None),
        order(5, "guest@example.test", billing=None),
    ]
    says(web, BY_EMAIL, rows)
    says(web, ORDERS, orders, headers={"X-WP-Total": "80"})
    found = look_up(GUS)
    assert (found.orders_count, found.total_spent) == (1, "12.50")
    assert found.last_order is not None
    assert found.last_order.number == "7"


def test_the_account_with_the_same_address_is_not_the_guest(web: responses.RequestsMock) -> None:
    says(web, BY_EMAIL, [row("guest@example.test", user=7)])
    says(web, ORDERS, [order(8, "guest@example.test", customer=7)], headers={"X-WP-Total": "1"})
    assert look_up(GUS) == UNKNOWN


@pytest.mark.parametrize(
    ("emails", "total", "counted"),
    [
        (["guest@example.test"] * 3, "3", 3),
        (["guest@example.test"] * 5, "31", 31),
        (["guest@example.test"] * 5, None, None),
        (["big.guest@example.test", "guest@example.test"], "2", 1),
        ([*["guest@example.test"] * 4, "big.guest@example.test"], "31", None),
    ],
)
def test_a_search_is_counted_only_where_that_is_true(
    web: responses.RequestsMock, emails: list[str], total: str | None, counted: int | None
) -> None:
    says(web, BY_EMAIL, {"code": "rest_no_route"}, status=404)
    page = [order(index, email) for index, email in enumerate(emails, 1)]
    says(web, ORDERS, page, headers={} if total is None else {"X-WP-Total": total})
    assert look_up(GUS).orders_count == counted


def test_an_address_with_a_plus_sign_is_found_by_its_longest_part(
    web: responses.RequestsMock,
) -> None:
    """WooCommerce decodes what it searches orders for twice."""
    says(web, BY_EMAIL, [])
    found = [order(2, "gus+mugs@example.test"), order(1, "mugs@example.test")]
    says(web, ORDERS, found, headers={"X-WP-Total": "2"})
    assert look_up(Subject(SubjectKind.GUEST, "gus+mugs@example.test")).orders_count == 1
    query = {"search": "gus+mugs@example.test", "searchby": "email"}
    assert web.calls[0].request.params.items() >= query.items()  # type: ignore[attr-defined]  # of responses
    assert web.calls[1].request.params["search"] == "mugs@example.test"  # type: ignore[attr-defined]  # of responses


def test_of_a_search_by_a_part_the_total_is_not_believed(web: responses.RequestsMock) -> None:
    says(web, BY_EMAIL, [])
    found = [order(each, "gus+mugs@example.test") for each in range(5)]
    says(web, ORDERS, found, headers={"X-WP-Total": "6"})
    assert look_up(Subject(SubjectKind.GUEST, "gus+mugs@example.test")).orders_count is None


# ----------------------------------------------------------------------------------- claims


def test_c2_a_claim_sums_all_who_have_the_address_and_names_none(
    web: responses.RequestsMock,
) -> None:
    says(web, CUSTOMERS, [{"id": 2, "email": "jane@example.test"}])
    says(
        web,
        BY_EMAIL,
        [
            row("jane@example.test", user=2, orders=3),
            row("Jane@example.test", user=4, orders=1),
            row("jane@example.test", orders=2),
            row("mary.jane@example.test", orders=100),
        ],
    )
    assert look_up(CLAIM) == Profile(known=True, orders_count=6)


def test_c2_of_a_claim_no_name_and_no_amount_is_asked_for(web: responses.RequestsMock) -> None:
    says(web, CUSTOMERS, [])
    says(web, BY_EMAIL, {}, status=404)
    says(web, ORDERS, [])
    look_up(CLAIM)
    asked_for = [call.request.params["_fields"] for call in web.calls]  # type: ignore[attr-defined]  # of responses
    assert asked_for == ["id,email", "user_id,email,orders_count", "id,status,billing.email"]


def test_a_claim_without_analytics(web: responses.RequestsMock) -> None:
    says(web, CUSTOMERS, [])
    says(web, BY_EMAIL, {"code": "rest_no_route"}, status=404)
    orders = [order(2, "jane@example.test", customer=2), order(1, "jane@example.test")]
    says(web, ORDERS, orders, headers={"X-WP-Total": "2"})
    assert look_up(CLAIM) == Profile(known=True, orders_count=2)


def test_an_account_that_ordered_nothing_is_known(web: responses.RequestsMock) -> None:
    says(web, CUSTOMERS, [{"id": 1, "email": "jane@example.test"}])
    says(web, BY_EMAIL, [row("mary.jane@example.test")], headers={"X-WP-Total": "1"})
    assert look_up(CLAIM) == Profile(known=True, orders_count=0)


def test_an_account_that_is_not_among_those_listed(web: responses.RequestsMock) -> None:
    says(web, CUSTOMERS, [{"id": 1, "email": "jane@example.test"}])
    rows = [row(f"{each}jane@example.test") for each in range(100)]
    says(web, BY_EMAIL, rows, headers={"X-WP-Total": "101"})
    assert look_up(CLAIM) == Profile(known=True)


def test_a_pattern_is_no_address(web: responses.RequestsMock) -> None:
    """WordPress takes a star for a wildcard."""
    says(web, CUSTOMERS, [{"id": 2, "email": "jane@example.test"}])
    says(web, BY_EMAIL, [])
    assert look_up(Subject(SubjectKind.CLAIMED, "*@example.test")) == UNKNOWN


# ------------------------------------------------------------------------------------- keys


def test_over_https_the_key_is_in_no_address(web: responses.RequestsMock) -> None:
    recorded("customer-by-id-missing").answer(web, REST)
    look_up(Subject(SubjectKind.CUSTOMER, "999"))
    sent = web.calls[0].request
    assert sent.headers["Authorization"].startswith("Basic ")
    assert "ck_" not in str(sent.url)
    assert sent.headers["Accept-Encoding"] == "identity"
    assert sent.headers["User-Agent"].startswith("chat-presence-bridge/")


def test_a_key_of_any_letters(web: responses.RequestsMock) -> None:
    recorded("customer-by-id-missing").answer(web, REST)
    access = StoreAccess(REST, "clé", "🔑")
    assert look_up(Subject(SubjectKind.CUSTOMER, "999"), access) == UNKNOWN

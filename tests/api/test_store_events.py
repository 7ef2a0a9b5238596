"""``POST /v1/store/events``: what only the store may say, and when it says that it happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.api.device import App
from tests.api.installation import Clock
from tests.api.store import Store
from tests.api.visitor import Visitor, event, message

CUSTOMER = {"id": "17", "email": "jane@example.com", "name": "Jane Doe"}
ORDER = {
    "id": "1042",
    "number": "1042",
    "total": "61.00",
    "currency": "EUR",
    "email": "jane@example.com",
    "customer_id": "17",
}
CART = {
    "items": [{"product_id": "7", "name": "Fern", "quantity": 2, "total": "18.00"}],
    "total": "18.00",
    "currency": "EUR",
}


def outcome(store: Store, happened: dict[str, Any]) -> tuple[str, str]:
    [result] = store.results(happened)
    return result["status"], result.get("code", "")


def test_the_store_begins_a_conversation_and_names_its_visitor(store: Store, app: App) -> None:
    assert outcome(store, message("c", visitor="v_jane", author="bot")) == ("accepted", "")
    assert app.conversation("c")["visitor"]["id"] == "v_jane"


def test_the_store_may_begin_one_without_a_visitor(store: Store, app: App) -> None:
    assert outcome(store, message("c", author="bot")) == ("accepted", "")
    assert app.conversation("c")["visitor"] == {"id": None, "name": None, "device": None}


@pytest.mark.parametrize("author", ["visitor", "bot", "system"])
def test_the_store_speaks_for_visitor_bot_and_system(store: Store, app: App, author: str) -> None:
    assert outcome(store, message("c", "Hello", author=author)) == ("accepted", "")
    [said] = app.messages("c")["messages"]
    assert (said["author"], said["text"], said["delivery"]) == (author, "Hello", None)


def test_nobody_speaks_for_an_agent(store: Store) -> None:
    assert outcome(store, message("c", author="agent")) == ("rejected", "invalid")


def test_what_only_the_store_saw_of_a_visitor_keeps_them_online_for_90_s(
    store: Store, app: App, clock: Clock
) -> None:
    """P13"""
    outcome(store, message("c", visitor="v"))
    clock.advance(seconds=89)
    assert app.presence("c")["online"]
    clock.advance(seconds=2)
    assert app.presence("c")["reason"] == "timed_out"


@pytest.mark.parametrize("author", ["bot", "system"])
def test_what_bot_and_system_write_keeps_nobody_online(store: Store, app: App, author: str) -> None:
    """P13"""
    outcome(store, message("c", visitor="v", author=author))
    assert app.presence("c")["online"] is False


def test_a_page_that_only_the_store_saw_needs_neither_page_nor_seq(
    store: Store, app: App, clock: Clock
) -> None:
    assert outcome(store, event("heartbeat", "c", visitor="v")) == ("accepted", "")
    assert app.presence("c")["online"]
    clock.advance(seconds=1)
    assert outcome(store, event("page_unload", "c", visitor="v")) == ("accepted", "")
    assert app.presence("c")["state"] == "switching_pages"


def test_a_page_that_the_store_names_is_that_page(store: Store, visitor: Visitor, app: App) -> None:
    page = visitor.page("c", "p_1")
    page.view()
    assert outcome(store, page.event("page_unload", visitor=visitor.id)) == ("accepted", "")
    assert app.presence("c")["state"] == "switching_pages"


def test_a_customer_is_linked_to_the_visitor_and_their_conversations(
    store: Store, visitor: Visitor, app: App
) -> None:
    visitor.page("c").write("Hello")
    assert app.conversation("c")["customer"] is None
    assert outcome(store, event("customer", visitor="v_jane", customer=CUSTOMER)) == (
        "accepted",
        "",
    )
    found = app.conversation("c")
    assert found["customer"] == {
        "id": "17",
        "name": "Jane Doe",
        "email": "jane@example.com",
        "proof": "signed_in",
        "orders_count": None,
        "total_spent": None,
        "currency": None,
        "last_order": None,
        "cart": None,
        "fetched_at": None,
        "admin_url": None,
    }
    assert found["visitor"]["name"] == "Jane Doe"


def test_signing_out_does_not_part_the_customer(store: Store, visitor: Visitor, app: App) -> None:
    """C3"""
    visitor.page("c").write("Hello")
    outcome(store, event("customer", visitor="v_jane", customer=CUSTOMER))
    assert outcome(store, event("customer", visitor="v_jane", customer=None)) == ("accepted", "")
    assert app.conversation("c")["customer"]["id"] == "17"


def test_a_cart_is_shown_beside_the_customer(store: Store, visitor: Visitor, app: App) -> None:
    visitor.page("c").write("Hello")
    outcome(store, event("customer", visitor="v_jane", customer=CUSTOMER))
    assert outcome(store, event("cart", visitor="v_jane", cart=CART)) == ("accepted", "")
    assert app.conversation("c")["customer"]["cart"] == CART


def test_an_order_is_taken(store: Store) -> None:
    assert outcome(store, event("order_placed", visitor="v", order=ORDER)) == ("accepted", "")


@pytest.mark.parametrize(
    ("kind", "field", "details"),
    [("customer", "customer", CUSTOMER), ("order_placed", "order", ORDER), ("cart", "cart", CART)],
)
def test_what_is_about_a_visitor_names_them_and_holds_all_it_needs(
    store: Store, kind: str, field: str, details: dict[str, Any]
) -> None:
    whole = {**event(kind, visitor="v"), field: details}
    nameless = {name: value for name, value in whole.items() if name != "visitor"}
    assert outcome(store, nameless) == ("rejected", "visitor-required")
    empty = {name: value for name, value in whole.items() if name != field}
    assert outcome(store, empty) == ("rejected", "invalid")
    for name in [each for each in details if each in ("id", "number", "total", "items")]:
        partly = {each: value for each, value in details.items() if each != name}
        assert outcome(store, {**whole, field: partly}) == ("rejected", "invalid")
    assert outcome(store, {**whole, field: "x"}) == ("rejected", "invalid")
    assert outcome(store, whole) == ("accepted", "")
    assert outcome(store, whole) == ("duplicate", "")


@pytest.mark.parametrize("bad", ["", "x" * 129, "a\n", 17, None])
def test_ids_of_customers_orders_and_products_are_ids(store: Store, bad: object) -> None:
    item = {"product_id": bad, "name": "Fern", "quantity": 1, "total": "9.00"}
    for happened in (
        event("customer", visitor="v", customer={**CUSTOMER, "id": bad}),
        event("order_placed", visitor="v", order={**ORDER, "id": bad}),
        event("cart", visitor="v", cart={**CART, "items": [item]}),
    ):
        assert outcome(store, happened) == ("rejected", "invalid")


@pytest.mark.parametrize("bad", ["", "v" * 129, "v\n", 7])
def test_a_visitor_id_is_an_id(store: Store, bad: object) -> None:
    assert outcome(store, message("c", visitor=bad)) == ("rejected", "invalid")


def test_a_deleted_conversation_is_gone(store: Store, visitor: Visitor, app: App) -> None:
    page = visitor.page("c")
    page.write("Hello")
    assert outcome(store, event("conversation_deleted", "c")) == ("accepted", "")
    assert app.listed() == []
    for path in ("", "/messages"):
        assert app.get(f"/v1/conversations/c{path}").status_code == 404
    assert app.read("c").status_code == 404
    assert visitor.results(message("c"))[0]["code"] == "conversation-not-found"
    assert outcome(store, message("c")) == ("rejected", "conversation-not-found")
    assert app.listed() == []


def test_a_deletion_said_again_is_a_duplicate(store: Store, visitor: Visitor) -> None:
    visitor.page("c").write("Hello")
    happened = event("conversation_deleted", "c")
    assert outcome(store, happened) == ("accepted", "")
    assert outcome(store, happened) == ("duplicate", "")


def test_what_was_never_there_cannot_be_deleted(store: Store) -> None:
    assert outcome(store, event("conversation_deleted", "c")) == (
        "rejected",
        "conversation-not-found",
    )


def test_a_token_in_a_stores_body_is_nothing(store: Store, visitor: Visitor) -> None:
    body = {"events": [message("c")], "token": visitor.token()}
    assert store.request("POST", "/v1/store/events", body).status_code == 200


# ---------------------------------------------------------------- when it happened (P11)


def heard_at(app: App, conversation: str = "c") -> datetime:
    found = app.presence(conversation)["heard_at"]
    return datetime.fromisoformat(found)


def view(**fields: Any) -> dict[str, Any]:
    return event("page_view", "c", visitor="v", page="p", seq=1, **fields)


def test_without_a_time_an_event_happened_when_it_came(
    store: Store, app: App, clock: Clock
) -> None:
    store.skew = timedelta(minutes=4)
    outcome(store, view())
    assert heard_at(app) == clock.now.replace(microsecond=123_000)


@pytest.mark.parametrize("skew", [-299, -60, 0, 60, 299])
def test_a_stores_clock_cannot_skew_when_an_event_happened(
    store: Store, app: App, clock: Clock, skew: int
) -> None:
    clock.now = clock.now.replace(microsecond=0)
    store.skew = timedelta(seconds=skew)
    outcome(store, view(occurred_at=(store.now - timedelta(seconds=40)).isoformat()))
    assert heard_at(app) == clock.now - timedelta(seconds=40)


def test_a_view_of_ten_minutes_ago_makes_nobody_online_now(
    store: Store, app: App, clock: Clock
) -> None:
    clock.now = clock.now.replace(microsecond=0)
    ago = clock.now - timedelta(minutes=10)
    outcome(store, view(occurred_at=ago.isoformat()))
    presence = app.presence("c")
    assert (presence["state"], presence["reason"]) == ("offline", "timed_out")
    assert datetime.fromisoformat(presence["last_seen_at"]) == ago
    assert presence["label"] == "Last seen 10 minutes ago"


def test_a_message_has_the_time_at_which_it_was_written(
    store: Store, app: App, clock: Clock
) -> None:
    clock.now = clock.now.replace(microsecond=0)
    old = clock.now - timedelta(hours=2)
    outcome(store, message("c", "new", author="bot"))
    outcome(store, message("c", "old", author="bot", occurred_at=old.isoformat()))
    assert app.texts("c") == ["old", "new"]
    assert app.conversation("c")["last_message"]["text"] == "new"


@pytest.mark.parametrize("ahead", [1, 59, 60])
def test_up_to_60_s_in_the_future_counts_as_now(
    store: Store, app: App, clock: Clock, ahead: int
) -> None:
    clock.now = clock.now.replace(microsecond=0)
    later = clock.now + timedelta(seconds=ahead)
    assert outcome(store, view(occurred_at=later.isoformat())) == ("accepted", "")
    assert heard_at(app) == clock.now


@pytest.mark.parametrize("ahead", [61, 3600, 86_400 * 365])
def test_further_in_the_future_is_refused(store: Store, app: App, clock: Clock, ahead: int) -> None:
    clock.now = clock.now.replace(microsecond=0)
    later = clock.now + timedelta(seconds=ahead)
    assert outcome(store, view(occurred_at=later.isoformat())) == ("rejected", "in-the-future")
    assert app.listed() == []


def test_the_future_is_measured_from_the_stores_own_clock(store: Store, clock: Clock) -> None:
    clock.now = clock.now.replace(microsecond=0)
    store.skew = timedelta(minutes=4)
    ahead = (store.now + timedelta(seconds=60)).isoformat()
    assert outcome(store, view(occurred_at=ahead)) == ("accepted", "")
    ahead = (store.now + timedelta(seconds=61)).isoformat()
    assert outcome(store, view(occurred_at=ahead)) == ("rejected", "in-the-future")


@pytest.mark.parametrize(
    "zone", [UTC, timezone(timedelta(hours=5, minutes=45)), timezone(-timedelta(hours=9))]
)
def test_a_time_may_be_of_any_zone(store: Store, app: App, clock: Clock, zone: timezone) -> None:
    clock.now = clock.now.replace(microsecond=0)
    then = (clock.now - timedelta(seconds=30)).astimezone(zone)
    outcome(store, view(occurred_at=then.isoformat()))
    assert heard_at(app) == clock.now - timedelta(seconds=30)


@pytest.mark.parametrize(
    "text", ["2026-03-02T09:29:30Z", "2026-03-02T09:29:30.000Z", "2026-03-02t09:29:30.000000z"]
)
def test_a_time_as_rfc_3339_has_it(store: Store, app: App, clock: Clock, text: str) -> None:
    clock.now = clock.now.replace(microsecond=0)
    assert outcome(store, view(occurred_at=text)) == ("accepted", "")
    assert heard_at(app) == datetime(2026, 3, 2, 9, 29, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1772443770",
        "2026-03-02T09:29:30",
        "2026-03-02",
        "2026-02-30T00:00:00Z",
        "2026-03-02T25:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "2026-03-02T09:29:30+99:99",
        "x" * 65,
        1_772_443_771,
        True,
        {},
    ],
)
def test_what_is_no_time_is_refused(store: Store, app: App, text: object) -> None:
    assert outcome(store, view(occurred_at=text)) == ("rejected", "invalid")
    assert app.listed() == []


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z"])
def test_an_absurdly_early_time_harms_nothing(store: Store, app: App, text: str) -> None:
    assert outcome(store, view(occurred_at=text)) == ("accepted", "")
    assert app.presence("c")["online"] is False
    assert app.listed() == ["c"]


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999-23:59"])
def test_an_absurdly_late_time_is_refused(store: Store, app: App, text: str) -> None:
    assert outcome(store, view(occurred_at=text))[0] == "rejected"
    assert app.listed() == []

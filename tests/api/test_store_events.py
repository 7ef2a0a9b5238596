"""``POST /v1/store/events``: what only the store may say."""

from __future__ import annotations

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


def test_the_store_begins_a_conversation_and_names_its_visitor(store: Store, app: App) -> None:
    assert store.outcome(message("c", visitor="v_jane", author="bot")) == ("accepted", "")
    assert app.conversation("c")["visitor"]["id"] == "v_jane"


def test_the_store_may_begin_one_without_a_visitor(store: Store, app: App) -> None:
    assert store.outcome(message("c", author="bot")) == ("accepted", "")
    assert app.conversation("c")["visitor"] == {"id": None, "name": None, "device": None}


@pytest.mark.parametrize("author", ["visitor", "bot", "system"])
def test_the_store_speaks_for_visitor_bot_and_system(store: Store, app: App, author: str) -> None:
    assert store.outcome(message("c", "Hello", author=author)) == ("accepted", "")
    [said] = app.messages("c")["messages"]
    assert (said["author"], said["text"], said["delivery"]) == (author, "Hello", None)


def test_nobody_speaks_for_an_agent(store: Store) -> None:
    assert store.outcome(message("c", author="agent")) == ("rejected", "invalid")


def test_what_only_the_store_saw_of_a_visitor_keeps_them_online_for_90_s(
    store: Store, app: App, clock: Clock
) -> None:
    """P13"""
    store.outcome(message("c", visitor="v"))
    clock.advance(seconds=89)
    assert app.presence("c")["online"]
    clock.advance(seconds=2)
    assert app.presence("c")["reason"] == "timed_out"


@pytest.mark.parametrize("author", ["bot", "system"])
def test_what_bot_and_system_write_keeps_nobody_online(store: Store, app: App, author: str) -> None:
    """P13"""
    store.outcome(message("c", visitor="v", author=author))
    assert app.presence("c")["online"] is False


def test_a_page_that_only_the_store_saw_needs_neither_page_nor_seq(
    store: Store, app: App, clock: Clock
) -> None:
    assert store.outcome(event("heartbeat", "c", visitor="v")) == ("accepted", "")
    assert app.presence("c")["online"]
    clock.advance(seconds=1)
    assert store.outcome(event("page_unload", "c", visitor="v")) == ("accepted", "")
    assert app.presence("c")["state"] == "switching_pages"


def test_a_page_that_the_store_names_is_that_page(store: Store, visitor: Visitor, app: App) -> None:
    page = visitor.page("c", "p_1")
    page.view()
    assert store.outcome(page.event("page_unload", visitor=visitor.id)) == ("accepted", "")
    assert app.presence("c")["state"] == "switching_pages"


def test_a_customer_is_linked_to_the_visitor_and_their_conversations(
    store: Store, visitor: Visitor, app: App
) -> None:
    visitor.page("c").write("Hello")
    assert app.conversation("c")["customer"] is None
    assert store.outcome(event("customer", visitor="v_jane", customer=CUSTOMER)) == (
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
        "known": None,
        "problem": None,
    }
    assert found["visitor"]["name"] == "Jane Doe"


def test_signing_out_does_not_part_the_customer(store: Store, visitor: Visitor, app: App) -> None:
    """C3"""
    visitor.page("c").write("Hello")
    store.outcome(event("customer", visitor="v_jane", customer=CUSTOMER))
    assert store.outcome(event("customer", visitor="v_jane", customer=None)) == ("accepted", "")
    assert app.conversation("c")["customer"]["id"] == "17"


def test_a_cart_is_shown_beside_the_customer(store: Store, visitor: Visitor, app: App) -> None:
    visitor.page("c").write("Hello")
    store.outcome(event("customer", visitor="v_jane", customer=CUSTOMER))
    assert store.outcome(event("cart", visitor="v_jane", cart=CART)) == ("accepted", "")
    assert app.conversation("c")["customer"]["cart"] == CART


def test_an_order_is_taken(store: Store) -> None:
    assert store.outcome(event("order_placed", visitor="v", order=ORDER)) == ("accepted", "")


@pytest.mark.parametrize(
    ("kind", "field", "details"),
    [("customer", "customer", CUSTOMER), ("order_placed", "order", ORDER), ("cart", "cart", CART)],
)
def test_what_is_about_a_visitor_names_them_and_holds_all_it_needs(
    store: Store, kind: str, field: str, details: dict[str, Any]
) -> None:
    whole = {**event(kind, visitor="v"), field: details}
    nameless = {name: value for name, value in whole.items() if name != "visitor"}
    assert store.outcome(nameless) == ("rejected", "visitor-required")
    empty = {name: value for name, value in whole.items() if name != field}
    assert store.outcome(empty) == ("rejected", "invalid")
    for name in [each for each in details if each in ("id", "number", "total", "items")]:
        partly = {each: value for each, value in details.items() if each != name}
        assert store.outcome({**whole, field: partly}) == ("rejected", "invalid")
    assert store.outcome({**whole, field: "x"}) == ("rejected", "invalid")
    assert store.outcome(whole) == ("accepted", "")
    assert store.outcome(whole) == ("duplicate", "")


@pytest.mark.parametrize("bad", ["", "x" * 129, "a\n", 17, None])
def test_ids_of_customers_orders_and_products_are_ids(store: Store, bad: object) -> None:
    item = {"product_id": bad, "name": "Fern", "quantity": 1, "total": "9.00"}
    for happened in (
        event("customer", visitor="v", customer={**CUSTOMER, "id": bad}),
        event("order_placed", visitor="v", order={**ORDER, "id": bad}),
        event("cart", visitor="v", cart={**CART, "items": [item]}),
    ):
        assert store.outcome(happened) == ("rejected", "invalid")


@pytest.mark.parametrize("bad", ["", "v" * 129, "v\n", 7])
def test_a_visitor_id_is_an_id(store: Store, bad: object) -> None:
    assert store.outcome(message("c", visitor=bad)) == ("rejected", "invalid")


def test_a_deleted_conversation_is_gone(store: Store, visitor: Visitor, app: App) -> None:
    page = visitor.page("c")
    page.write("Hello")
    assert store.outcome(event("conversation_deleted", "c")) == ("accepted", "")
    assert app.listed() == []
    for path in ("", "/messages"):
        assert app.get(f"/v1/conversations/c{path}").status_code == 404
    assert app.read("c").status_code == 404
    assert visitor.results(message("c"))[0]["code"] == "conversation-not-found"
    assert store.outcome(message("c")) == ("rejected", "conversation-not-found")
    assert app.listed() == []


def test_a_deletion_said_again_is_a_duplicate(store: Store, visitor: Visitor) -> None:
    visitor.page("c").write("Hello")
    happened = event("conversation_deleted", "c")
    assert store.outcome(happened) == ("accepted", "")
    assert store.outcome(happened) == ("duplicate", "")


def test_what_was_never_there_cannot_be_deleted(store: Store) -> None:
    assert store.outcome(event("conversation_deleted", "c")) == (
        "rejected",
        "conversation-not-found",
    )


def test_a_token_in_a_stores_body_is_nothing(store: Store, visitor: Visitor) -> None:
    body = {"events": [message("c")], "token": visitor.token()}
    assert store.request("POST", "/v1/store/events", body).status_code == 200

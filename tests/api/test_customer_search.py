"""``GET /v1/conversations?q=``: customers are found by name, email and the number of an order."""

from __future__ import annotations

import pytest

from tests.api.device import App
from tests.api.installation import Clock
from tests.api.shop import Shop
from tests.api.visitor import event


@pytest.fixture
def app(shop: Shop, clock: Clock) -> App:
    """Conversations of a customer who signed in, of a guest who ordered, and of one who typed the
    customer's address; the store was asked for all three."""
    store, woocommerce = shop.store, shop.woocommerce
    shop.connect()
    woocommerce.add_customer("jane@example.test", "Jane", "Doe", id=7)
    woocommerce.add_order("jane@example.test", customer_id=7, number="ORDER-1042")
    woocommerce.add_order("gus@guest.test", id=2000, number="2000", first_name="Gus")
    for name in ("signed in", "ordered", "other order"):
        store.visitor(f"v {name}").page(name).write("Hello")
    store.visitor("v claimed").page("claimed").write("Hello", email="Jane@example.test")
    customer = {"id": "7", "email": "j@example.test", "name": "J. D."}
    order = {"id": "2000", "number": "2000", "total": "9.00", "currency": "EUR"}
    store.results(
        event("customer", visitor="v signed in", customer=customer),
        event("order_placed", visitor="v ordered", order={**order, "email": "gus@guest.test"}),
        event("order_placed", visitor="v other order", order={**order, "number": "2001"}),
    )
    shop.look_up()
    return store.app()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Jane Doe", ["signed in"]),
        ("doe jane", ["signed in"]),
        ("DO", ["signed in"]),
        ("J.", ["signed in"]),
        ("jane@example.test", ["claimed", "signed in"]),
        ("jane@", ["claimed", "signed in"]),
        ("example.test", ["claimed", "signed in"]),
        ("ORDER-1042", ["signed in"]),
        ("order-10", ["signed in"]),
        ("#ORDER-1042", ["signed in"]),
        ("1042", ["signed in"]),
        ("Gus", ["ordered"]),
        ("gus@guest.test", ["ordered"]),
        ("guest", ["ordered"]),
        ("2000", ["ordered"]),
        ("#2000", ["ordered"]),
        ("200", ["ordered", "other order"]),
        ("2001", ["other order"]),
        ("gus 2000", ["ordered"]),
        ("gus 2001", []),
        ("v ordered", []),
        ("1", ["signed in"]),
        ("042", []),
        ("@", []),
        ("#", []),
    ],
)
def test_who_is_found(app: App, text: str, found: list[str]) -> None:
    assert sorted(app.listed(q=text)) == found


def test_c2_a_claim_is_not_found_by_what_it_may_not_show(app: App) -> None:
    for text in ("Jane Doe", "Doe", "ORDER-1042", "1042"):
        assert "claimed" not in app.listed(q=text)


def test_an_earlier_order_is_found_too(shop: Shop, app: App) -> None:
    order = {"id": "3000", "number": "3000", "total": "9.00", "currency": "EUR"}
    for number in ("3000", "3001"):
        placed = {**order, "number": number, "email": "gus@guest.test"}
        shop.store.results(event("order_placed", visitor="v ordered", order=placed))
    assert app.listed(q="3000") == app.listed(q="3001") == app.listed(q="2000") == ["ordered"]


def test_a_customer_who_is_renamed_is_found_by_the_new_name(
    shop: Shop, app: App, clock: Clock
) -> None:
    shop.woocommerce.add_customer("roe@example.test", "Anna", "Roe", id=7)
    clock.advance(hours=1)
    app.watch("signed in")
    shop.look_up()
    assert app.listed(q="anna roe") == app.listed(q="roe@") == ["signed in"]
    assert app.listed(q="jane doe") == app.listed(q="doe") == []


def test_all_conversations_of_one_who_is_found(shop: Shop, app: App) -> None:
    shop.store.visitor("v signed in").page("another", "p_2").write("Hello")
    assert sorted(app.listed(q="1042")) == ["another", "signed in"]

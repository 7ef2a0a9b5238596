"""``customer`` in a conversation and in the list: who it is, by which proof, no more (C1, C2)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.device import App
from tests.api.installation import Clock
from tests.api.shop import ADMIN, Shop, customer_of
from tests.api.visitor import Visitor, event

NOW = "2026-03-02T09:30:00.123Z"
EMAIL = "jane@example.test"
CART = {
    "items": [{"product_id": "7", "name": "Fern", "quantity": 2, "total": "18.00"}],
    "total": "18.00",
    "currency": "USD",
}
UNKNOWN: dict[str, Any] = {
    "id": None,
    "name": None,
    "email": None,
    "proof": None,
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


@pytest.fixture
def jane(shop: Shop) -> int:
    """An account with two orders; a guest with the same address has a third."""
    jane = shop.woocommerce.add_customer(EMAIL, "Jane", "Doe")
    shop.woocommerce.add_order(EMAIL, "25.00", customer_id=jane, status="completed")
    shop.woocommerce.add_order(EMAIL, "12.50", customer_id=jane, number="B-12")
    shop.woocommerce.add_order(EMAIL, "7.00", first_name="J.")
    shop.connect()
    return jane


@pytest.fixture
def app(shop: Shop) -> App:
    return shop.store.app()


@pytest.fixture
def visitor(shop: Shop) -> Visitor:
    visitor = shop.store.visitor()
    visitor.page("c").write("Hello")
    return visitor


def signed_in(visitor: Visitor, jane: int) -> dict[str, Any]:
    customer = {"id": str(jane), "email": EMAIL, "name": "Jane D."}
    return event("customer", visitor=visitor.id, customer=customer)


def ordered(visitor: Visitor, **fields: Any) -> dict[str, Any]:
    order = {"id": "13", "number": "13", "total": "7.00", "currency": "USD", **fields}
    return event("order_placed", visitor=visitor.id, order=order)


def full(jane: int, proof: str) -> dict[str, Any]:
    """All that there is to show of the account."""
    return {
        "id": str(jane),
        "name": "Jane Doe",
        "email": EMAIL,
        "proof": proof,
        "orders_count": 2,
        "total_spent": "37.50",
        "currency": "USD",
        "last_order": {
            "number": "B-12",
            "status": "processing",
            "total": "12.50",
            "currency": "USD",
            "date": "2026-03-02T09:30:00.000Z",
        },
        "cart": None,
        "fetched_at": NOW,
        "admin_url": f"{ADMIN}user-edit.php?user_id={jane}",
        "known": True,
        "problem": None,
    }


def short(customer: dict[str, Any]) -> dict[str, Any]:
    """The same as the list has it."""
    shown = ("id", "name", "email", "proof", "orders_count")
    return {name: customer[name] for name in shown}


def check_shown_everywhere(app: App, customer: dict[str, Any]) -> None:
    """In full in a conversation, in a sync and on a stream; in short in the list."""
    assert customer_of(app) == customer
    [listed] = app.listing()["conversations"]
    assert listed["customer"] == short(customer)
    assert app.sync()["conversations"][0]["customer"] == customer
    stream = app.stream(after=0)
    changed = [sent.data for sent in stream.until_now() if sent.name == "conversation"]
    assert changed[-1]["customer"] == customer


# ------------------------------------------------------------------------------ signed in


def test_c1_signed_in_by_an_event(shop: Shop, visitor: Visitor, app: App, jane: int) -> None:
    shop.store.results(signed_in(visitor, jane))
    assert customer_of(app) == UNKNOWN | {
        "id": str(jane),
        "name": "Jane D.",
        "email": EMAIL,
        "proof": "signed_in",
        "admin_url": f"{ADMIN}user-edit.php?user_id={jane}",
    }
    assert shop.look_up() == 1
    check_shown_everywhere(app, full(jane, "signed_in"))


def test_c1_signed_in_by_the_token(shop: Shop, app: App, jane: int) -> None:
    visitor = shop.store.visitor()
    token = visitor.token(customer={"id": str(jane), "email": EMAIL, "name": "Jane D."})
    view = event("page_view", "c", page="p", seq=1)
    assert visitor.send(view, token=token).status_code == 200
    assert customer_of(app)["proof"] == "signed_in"
    assert shop.look_up() == 1
    check_shown_everywhere(app, full(jane, "signed_in"))


def test_an_account_that_the_store_does_not_know_any_more(
    shop: Shop, visitor: Visitor, app: App, jane: int
) -> None:
    """What the store vouched for stays; of purchases nothing is known."""
    shop.woocommerce.remove_customer(jane)
    shop.store.results(signed_in(visitor, jane))
    assert shop.look_up() == 1
    assert customer_of(app) == UNKNOWN | {
        "id": str(jane),
        "name": "Jane D.",
        "email": EMAIL,
        "proof": "signed_in",
        "fetched_at": NOW,
        "known": False,
        "admin_url": f"{ADMIN}user-edit.php?user_id={jane}",
    }


def test_c3_signing_in_joins_the_earlier_conversations(
    shop: Shop, visitor: Visitor, app: App, jane: int
) -> None:
    visitor.page("earlier", "p_2").write("Hello")
    shop.store.results(signed_in(visitor, jane))
    shop.store.results(event("customer", visitor=visitor.id, customer=None))
    shop.look_up()
    for conversation in ("c", "earlier"):
        assert customer_of(app, conversation) == full(jane, "signed_in")
    assert customer_of(app, "c")["fetched_at"] == NOW, "one look-up for both"


def test_two_browsers_of_one_customer_cost_one_look_up(
    shop: Shop, visitor: Visitor, app: App, jane: int
) -> None:
    other = shop.store.visitor("v_phone")
    other.page("phone").write("Hello")
    shop.store.results(signed_in(visitor, jane), signed_in(other, jane))
    assert shop.look_up() == 1
    assert customer_of(app, "phone") == customer_of(app, "c") == full(jane, "signed_in")
    # And a third, who comes while the data is new, costs none.
    third = shop.store.visitor("v_tablet")
    third.page("tablet").write("Hello")
    shop.store.results(signed_in(third, jane))
    assert shop.look_up() == 0
    assert customer_of(app, "tablet") == full(jane, "signed_in")


# ----------------------------------------------------------------------------------- order


def test_c1_an_order_of_an_account(shop: Shop, visitor: Visitor, app: App, jane: int) -> None:
    order = {"id": "12", "number": "B-12", "total": "12.50"}
    shop.store.results(ordered(visitor, **order, email=EMAIL, customer_id=str(jane)))
    assert shop.look_up() == 1
    check_shown_everywhere(app, full(jane, "order"))


@pytest.mark.parametrize("guest", [{}, {"customer_id": None}, {"customer_id": "0"}])
@pytest.mark.usefixtures("jane")
def test_c1_an_order_of_a_guest_shows_the_guest_and_not_the_account(
    shop: Shop, visitor: Visitor, app: App, guest: dict[str, Any]
) -> None:
    shop.store.results(ordered(visitor, email="Jane@Example.test", **guest))
    assert shop.look_up() == 1
    customer = UNKNOWN | {
        "name": "J.",
        "email": EMAIL,
        "proof": "order",
        "orders_count": 1,
        "total_spent": "7.00",
        "currency": "USD",
        "last_order": {
            "number": "13",
            "status": "processing",
            "total": "7.00",
            "currency": "USD",
            "date": "2026-03-02T09:30:00.000Z",
        },
        "fetched_at": NOW,
        "admin_url": f"{ADMIN}post.php?post=13&action=edit",
        "known": True,
    }
    check_shown_everywhere(app, customer)


def test_an_order_is_shown_before_the_store_was_asked(
    shop: Shop, visitor: Visitor, app: App
) -> None:
    shop.connect()
    shop.store.results(ordered(visitor, email=EMAIL))
    assert shop.woocommerce.requests == [], "nobody waits for the store (C4)"
    customer = customer_of(app)
    assert customer == UNKNOWN | {
        "email": EMAIL,
        "proof": "order",
        "currency": "USD",
        "last_order": {
            "number": "13",
            "status": None,
            "total": "7.00",
            "currency": "USD",
            "date": NOW,
        },
        "admin_url": f"{ADMIN}post.php?post=13&action=edit",
    }


def test_the_order_after_a_look_up_is_shown_and_looked_up_at_once(
    shop: Shop, visitor: Visitor, app: App, jane: int, clock: Clock
) -> None:
    shop.store.results(signed_in(visitor, jane))
    shop.look_up()
    clock.advance(minutes=1)
    new = shop.woocommerce.add_order(EMAIL, "99.00", customer_id=jane)
    order = {"id": str(new), "number": str(new), "total": "99.00"}
    shop.store.results(ordered(visitor, **order, email=EMAIL, customer_id=str(jane)))
    shown = customer_of(app)
    assert (shown["proof"], shown["orders_count"]) == ("signed_in", 2)
    assert shown["last_order"] == {
        "number": str(new),
        "status": None,
        "total": "99.00",
        "currency": "USD",
        "date": "2026-03-02T09:31:00.123Z",
    }
    assert shop.look_up() == 1
    shown = customer_of(app)
    assert (shown["orders_count"], shown["total_spent"]) == (3, "136.50")
    assert shown["last_order"]["status"] == "processing"


# --------------------------------------------------------------------------------- claimed


@pytest.mark.usefixtures("jane")
def test_c2_a_typed_email_shows_what_helps_to_ask_and_nothing_else(shop: Shop, app: App) -> None:
    visitor = shop.store.visitor()
    visitor.page("c").write("Hello", name="Jan", email="JANE@example.test ")
    shop.store.results(event("cart", visitor=visitor.id, cart=CART))
    assert shop.look_up() == 1
    customer = UNKNOWN | {
        "name": "Jan",
        "email": "JANE@example.test",
        "proof": "claimed",
        "orders_count": 3,
        "known": True,
        "fetched_at": NOW,
    }
    check_shown_everywhere(app, customer)
    told = " ".join(
        app.get(path).get_data(as_text=True)
        for path in ("/v1/conversations/c", "/v1/conversations", "/v1/sync")
    )
    for hidden in ("Jane Doe", "37.50", "12.50", "25.00", "B-12", "Fern", "18.00", "wp-admin"):
        assert hidden not in told
    for request in shop.woocommerce.requests:
        asked = request.query.get("_fields", "")
        assert not [field for field in ("total", "name", "number", "address") if field in asked]


@pytest.mark.usefixtures("jane")
def test_c2_of_an_address_that_nobody_knows(shop: Shop, app: App) -> None:
    shop.store.visitor().page("c").write("Hello", email="nobody@example.test")
    assert shop.look_up() == 1
    customer = customer_of(app)
    assert (customer["known"], customer["orders_count"]) == (False, None)


@pytest.mark.parametrize("email", ["not an address", "@", "a@", "two@at@example.test"])
def test_what_is_no_email_leads_to_nobody(shop: Shop, app: App, email: str) -> None:
    shop.connect()
    shop.store.visitor().page("c").write("Hello", email=email)
    assert app.conversation("c")["customer"] is None
    assert shop.look_up() == 0


def test_c1_a_weaker_proof_never_takes_the_place_of_a_stronger(
    shop: Shop, visitor: Visitor, app: App, jane: int
) -> None:
    page = visitor.page("c", "p_2")
    page.write("I am", name="Mallory", email="mallory@example.test")
    assert customer_of(app)["proof"] == "claimed"
    shop.store.results(ordered(visitor, email="guest@example.test"))
    assert customer_of(app)["proof"] == "order"
    shop.store.results(signed_in(visitor, jane))
    shop.look_up()
    assert customer_of(app) == full(jane, "signed_in")
    page.write("No, I am", name="Mallory", email="mallory@example.test")
    shop.store.results(ordered(visitor, email="guest@example.test"))
    shop.look_up()
    assert customer_of(app) == full(jane, "signed_in")


# ------------------------------------------------------------------------------------ cart


def test_the_cart_is_shown_with_proof_until_it_is_empty(
    shop: Shop, visitor: Visitor, app: App, jane: int
) -> None:
    shop.store.results(event("cart", visitor=visitor.id, cart=CART))
    assert app.conversation("c")["customer"] is None
    shop.store.results(signed_in(visitor, jane))
    shop.look_up()
    check_shown_everywhere(app, full(jane, "signed_in") | {"cart": CART})
    shop.store.results(event("cart", visitor=visitor.id, cart={**CART, "items": []}))
    assert customer_of(app)["cart"] is None


# ---------------------------------------------------------------------- names and amounts


@pytest.mark.parametrize("name", ["Zoë 🌵", "نورا علي", "דנה כהן", "李小龍"])
def test_names_of_all_the_world(shop: Shop, visitor: Visitor, app: App, name: str) -> None:
    shop.connect()
    jane = shop.woocommerce.add_customer(EMAIL, name)
    shop.store.results(signed_in(visitor, jane))
    shop.look_up()
    assert customer_of(app)["name"] == name
    assert app.listing()["conversations"][0]["customer"]["name"] == name
    assert app.listed(q=name) == ["c"]


@pytest.mark.parametrize(
    ("currency", "total", "spent"),
    [("JPY", "1200", "2400"), ("KWD", "1.005", "2.010"), ("EUR", "0.10", "0.20")],
)
def test_amounts_keep_their_currencys_decimals(
    shop: Shop, visitor: Visitor, app: App, currency: str, total: str, spent: str
) -> None:
    shop.connect()
    jane = shop.woocommerce.add_customer(EMAIL, "Jane")
    for _ in range(2):
        shop.woocommerce.add_order(EMAIL, total, customer_id=jane, currency=currency)
    shop.store.results(signed_in(visitor, jane))
    shop.look_up()
    customer = customer_of(app)
    assert (customer["total_spent"], customer["currency"]) == (spent, currency)
    assert customer["last_order"]["total"] == total


# ---------------------------------------------------------------------------- wp-admin


def test_a_store_that_does_not_say_where_its_wp_admin_is_has_it_at_the_usual_place(
    shop: Shop, visitor: Visitor, app: App, jane: int
) -> None:
    shop.connect(admin_url=None)
    shop.store.results(signed_in(visitor, jane))
    link = customer_of(app)["admin_url"]
    assert link == f"{shop.woocommerce.url}/wp-admin/user-edit.php?user_id={jane}"


def test_one_that_has_not_connected_has_none(shop: Shop, visitor: Visitor, app: App) -> None:
    shop.store.results(signed_in(visitor, 7))
    assert customer_of(app)["admin_url"] is None


def test_what_is_in_the_link_is_encoded(shop: Shop, visitor: Visitor, app: App) -> None:
    shop.connect(admin_url="https://shop.example/store/wp-admin")
    shop.store.results(event("customer", visitor=visitor.id, customer={"id": "7&x=<y>"}))
    link = customer_of(app)["admin_url"]
    assert link == "https://shop.example/store/wp-admin/user-edit.php?user_id=7%26x%3D%3Cy%3E"
    shop.look_up()
    assert shop.woocommerce.requests == [], "no account of WooCommerce has such an id"
    assert customer_of(app)["known"] is False


# ----------------------------------------------------------------------------- other sites


def test_another_site_knows_nothing_of_them(shop: Shop, visitor: Visitor, jane: int) -> None:
    other = shop.store.installation.add_store("https://other.example")
    shop.store.results(signed_in(visitor, jane))
    shop.look_up()
    same_visitor = other.visitor(visitor.id)
    same_visitor.page("c").write("Hello", email=EMAIL)
    app = other.app()
    assert customer_of(app)["proof"] == "claimed"
    assert customer_of(app)["known"] is None
    assert app.listed(q="Doe") == []
    shop.asked()
    assert shop.look_up() == 1
    assert shop.asked() == [], "it has given no key of its own"
    assert customer_of(app)["problem"]["code"] == "not-connected"

"""When a store is asked for a customer, and what is shown when it cannot be (C4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.device import App
from tests.api.installation import Clock
from tests.api.shop import Shop, customer_of
from tests.api.store import Store
from tests.api.visitor import event
from tests.servers.woocommerce import faults
from tests.servers.woocommerce.faults import Fault

EMAIL = "jane@example.test"


@pytest.fixture
def jane(shop: Shop) -> int:
    """An account with one order, signed in on a browser with a chat; not looked up yet."""
    jane = shop.woocommerce.add_customer(EMAIL, "Jane", "Doe")
    shop.woocommerce.add_order(EMAIL, "25.00", customer_id=jane)
    shop.connect()
    _sign_in(shop, jane)
    return jane


@pytest.fixture
def app(shop: Shop, jane: int) -> App:
    return shop.store.app()


def _sign_in(shop: Shop, id: int, visitor: str = "v_jane", conversation: str = "c") -> None:
    shop.store.visitor(visitor).page(conversation).write("Hello")
    customer = {"id": str(id), "email": EMAIL, "name": "Jane Doe"}
    shop.store.results(event("customer", visitor=visitor, customer=customer))


def problem_of(app: App, conversation: str = "c") -> dict[str, Any] | None:
    problem: dict[str, Any] | None = customer_of(app, conversation)["problem"]
    return problem


# --------------------------------------------------------------------------------- freshness


def test_old_data_is_fetched_again_when_an_agent_looks(
    shop: Shop, app: App, jane: int, clock: Clock
) -> None:
    shop.look_up()
    shop.woocommerce.add_order(EMAIL, "5.00", customer_id=jane)
    clock.advance(minutes=15)
    assert app.watch("c").status_code == 200
    assert shop.look_up() == 0, "it is no older than 15 minutes"
    clock.advance(milliseconds=1)
    assert app.watch("c").status_code == 200
    assert customer_of(app)["total_spent"] == "25.00", "nobody waits for the store"
    assert shop.look_up() == 1
    assert customer_of(app)["total_spent"] == "30.00"
    assert customer_of(app)["fetched_at"] == "2026-03-02T09:45:00.124Z"
    assert app.watch("c").status_code == 200
    assert shop.look_up() == 0


def test_however_many_look_it_is_asked_for_once(shop: Shop, app: App, clock: Clock) -> None:
    shop.look_up()
    clock.advance(hours=1)
    others = [shop.store.app(f"agent {number}", "Kim") for number in range(5)]
    for agent in (app, *others, *others):
        assert agent.watch("c").status_code == 200
    assert shop.look_up() == 1


def test_nothing_is_asked_for_while_nobody_looks_and_nothing_changes(
    shop: Shop, app: App, clock: Clock
) -> None:
    """Reading is not looking: a list, a conversation, a sync or a stream asks for nothing; nor do
    the visitor's pages and messages."""
    assert shop.look_up() == 1
    shop.asked()
    page = shop.store.visitor("v_jane").page("c", "p_2")
    for _ in range(20):
        clock.advance(hours=2)
        app.listing()
        app.conversation("c")
        app.messages("c")
        app.sync()
        app.stream(after=0).drop()
        shop.status()
        page.view()
        page.write("Is anybody there?")
        page.beat()
        shop.store.results(event("cart", visitor="v_jane", cart=_cart(clock)))
        shop.store.installation.bridge.sweep.settle(clock.now)
        assert shop.look_up() == 0
    shop.store.installation.restart()
    assert shop.look_up() == 0
    assert shop.asked() == []


def _cart(clock: Clock) -> dict[str, Any]:
    return {"items": [], "total": str(clock.now.hour), "currency": "USD"}


def test_whom_an_agent_looks_at_comes_first(shop: Shop, app: App, clock: Clock) -> None:
    others = [shop.woocommerce.add_customer(f"{name}@example.test", name) for name in "abc"]
    for id in others:
        clock.advance(seconds=1)
        _sign_in(shop, id, f"v_{id}", f"c_{id}")
    assert app.watch(f"c_{others[-1]}").status_code == 200
    assert shop.look_up() == 4
    accounts = [route for route in shop.asked() if route.startswith("wc/v3/customers/")]
    assert accounts[0] == f"wc/v3/customers/{others[-1]}"


# ------------------------------------------------------------------------------------ problems

FAULTS: list[tuple[str, Fault]] = [
    ("key-refused", faults.wordpress_error(401, "woocommerce_rest_cannot_view")),
    ("key-refused", faults.wordpress_error(403, "woocommerce_rest_cannot_view")),
    ("not-installed", faults.wordpress_error(404, "rest_no_route")),
    ("busy", faults.answer(429, b"slow down", {"Retry-After": "30"})),
    ("broken", faults.answer(500, b"<h1>There has been a critical error</h1>")),
    ("broken", faults.answer(200, b"<!doctype html><p>Hello world")),
    ("broken", faults.redirect("https://elsewhere.example/wp-json/wc/v3/customers/2")),
    ("broken", faults.breaks_off),
]
each_fault = pytest.mark.parametrize(("code", "fault"), FAULTS, ids=range(len(FAULTS)))


@each_fault
def test_what_was_known_stays_and_what_is_wrong_is_said(
    shop: Shop, app: App, clock: Clock, code: str, fault: Fault
) -> None:
    shop.look_up()
    known = customer_of(app)
    clock.advance(hours=1)
    app.watch("c")
    shop.woocommerce.fail(fault)
    assert shop.look_up() == 1
    problem = problem_of(app)
    assert problem is not None
    assert (problem["code"], problem["since"]) == (code, "2026-03-02T10:30:00.123Z")
    assert problem["text"]
    assert customer_of(app) == known | {"problem": problem}
    status = shop.status()
    assert status == {
        "reachable": False,
        "code": code,
        "text": problem["text"],
        "since": "2026-03-02T10:30:00.123Z",
        "reached_at": "2026-03-02T09:30:00.123Z",
    }
    # It is tried again by itself, and `since` remains the first failure.
    assert shop.look_up_again() >= 1
    assert problem_of(app) == problem
    shop.woocommerce.recover()
    assert shop.look_up_again() == 1
    assert problem_of(app) is None
    assert shop.status()["reachable"] is True
    assert shop.look_up_again() == 0


@each_fault
def test_one_whom_nothing_is_known_of_is_shown_with_the_problem(
    shop: Shop, app: App, code: str, fault: Fault
) -> None:
    shop.woocommerce.fail(fault)
    shop.look_up()
    customer = customer_of(app)
    assert (customer["problem"]["code"], customer["known"]) == (code, None)
    assert (customer["name"], customer["email"]) == ("Jane Doe", EMAIL)
    assert shop.status()["reached_at"] is None


def test_a_problem_and_its_end_are_shown_to_readers(shop: Shop, app: App, clock: Clock) -> None:
    clock.advance(hours=1)
    rev = app.sync()["rev"]
    shop.woocommerce.fail(faults.answer(500))
    shop.look_up()
    [shown] = app.sync(rev)["conversations"]
    assert shown["customer"]["problem"]["code"] == "broken"
    # Told again the next times, in case that the first was lost; then it is nothing new.
    for _ in range(5):
        assert shop.look_up_again() == 1
    rev = app.sync()["rev"]
    assert shop.look_up_again() == 1
    assert app.sync(rev)["conversations"] == []
    shop.woocommerce.recover()
    shop.look_up_again()
    [shown] = app.sync(rev)["conversations"]
    assert (shown["customer"]["problem"], shown["customer"]["known"]) == (None, True)


def test_whoever_looks_at_another_is_told_that_it_is_the_store_that_fails(
    shop: Shop, app: App, clock: Clock
) -> None:
    shop.woocommerce.fail(faults.answer(500))
    shop.look_up()
    clock.advance(seconds=1)
    _sign_in(shop, 99, "v_other", "other")
    rev = app.sync()["rev"]
    app.watch("other")
    problem = problem_of(app, "other")
    assert problem is not None
    assert (problem["code"], problem["since"]) == ("broken", "2026-03-02T09:30:00.123Z")
    assert [each["id"] for each in app.sync(rev)["conversations"]] == ["other"]
    assert shop.look_up() == 0, "a store that failed just now is left alone"


def test_a_store_that_asks_to_be_left_alone_is(shop: Shop, app: App, clock: Clock) -> None:
    shop.woocommerce.fail(faults.answer(429, headers={"Retry-After": "600"}))
    shop.look_up()
    shop.woocommerce.recover()
    clock.advance(seconds=599)
    assert shop.look_up() == 0
    clock.advance(seconds=1)
    assert shop.look_up() == 1
    assert problem_of(app) is None


def test_a_refused_key_waits_for_the_owner_who_ends_it_by_connecting(
    shop: Shop, app: App, clock: Clock
) -> None:
    shop.connect(
        woocommerce={
            "consumer_key": "ck_of_another_shop",
            "consumer_secret": "cs_of_another_shop",
            "webhook_secret": "wh",
        }
    )
    assert shop.look_up() == 1
    problem = problem_of(app)
    assert problem is not None
    assert problem["code"] == shop.status()["code"] == "key-refused"
    clock.advance(seconds=60)
    app.watch("c")
    assert shop.look_up() == 0, "asking again would not help"
    shop.connect()
    assert shop.status()["code"] is None
    assert shop.look_up() == 1
    assert customer_of(app)["total_spent"] == "25.00"
    assert problem_of(app) is None


def test_an_owner_who_has_given_no_key_is_never_asked(shop: Shop, clock: Clock) -> None:
    app = shop.store.app()
    shop.connect(woocommerce=None)
    _sign_in(shop, 7)
    shop.look_up()
    problem = problem_of(app)
    assert problem is not None
    assert (problem["code"], shop.status()["code"]) == ("not-connected", "not-connected")
    assert shop.status()["reachable"] is False
    clock.advance(hours=1)
    assert shop.look_up() == 0
    shop.connect(woocommerce=None, woocommerce_version=None)
    assert shop.status()["code"] == "not-installed"
    assert shop.asked() == []
    # Once the owner agrees, the store is not asked for all at once, but for whom an agent looks at.
    shop.woocommerce.add_customer(EMAIL, "Jane", id=7)
    shop.connect()
    assert shop.look_up() == 0
    app.watch("c")
    assert shop.look_up() == 1
    assert customer_of(app)["known"] is True


def test_a_store_without_analytics_counts_its_orders(shop: Shop, app: App) -> None:
    shop.woocommerce.analytics = "missing"
    shop.look_up()
    customer = customer_of(app)
    assert (customer["orders_count"], customer["total_spent"]) == (1, None)
    assert customer["last_order"]["total"] == "25.00"
    assert shop.status()["reachable"] is True


def test_after_a_day_it_is_given_up_until_somebody_looks(
    shop: Shop, app: App, clock: Clock
) -> None:
    shop.woocommerce.fail(faults.answer(500))
    attempts = 0
    for _ in range(4 * 24 + 4):
        attempts += shop.look_up_again()
    assert 96 <= attempts <= 100
    asked = len(shop.asked())
    assert asked == attempts
    clock.advance(days=1)
    assert shop.look_up() == 0
    assert customer_of(app)["problem"]["since"] == "2026-03-02T09:45:00.123Z"
    shop.woocommerce.recover()
    app.watch("c")
    assert shop.look_up() == 1
    assert problem_of(app) is None


def test_one_customers_trouble_is_not_the_others(shop: Shop, app: App, jane: int) -> None:
    shop.woocommerce.fail(faults.answer(500), f"wc/v3/customers/{jane}")
    assert shop.look_up() == 1
    kim = shop.woocommerce.add_customer("kim@example.test", "Kim")
    _sign_in(shop, kim, "v_kim", "kim")
    for _ in range(4):
        shop.look_up_again()
    assert problem_of(app, "kim") is None
    assert customer_of(app, "kim")["known"] is True
    problem = problem_of(app)
    assert problem is not None
    assert problem["code"] == "broken"


# -------------------------------------------------------------------------------------- status


def test_a_store_that_was_never_asked_is_neither_reachable_nor_not(shop: Shop) -> None:
    shop.connect()
    nothing = {"reachable": None, "code": None, "text": None, "since": None, "reached_at": None}
    assert shop.status() == nothing


def test_one_that_was_only_added_has_given_no_key(store: Store) -> None:
    status = store.get("/v1/store/status").get_json()["woocommerce"]
    assert (status["reachable"], status["code"]) == (False, "not-connected")


def test_another_sites_trouble_is_not_told(shop: Shop, app: App) -> None:
    other = Shop(shop.store.installation.add_store("https://other.example"), shop.woocommerce)
    other.connect()
    shop.woocommerce.fail(faults.answer(500))
    shop.look_up()
    assert shop.status()["code"] == "broken"
    assert other.status()["reachable"] is None

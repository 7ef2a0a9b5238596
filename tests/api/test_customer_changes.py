"""What a webhook's delivery brings about: who it concerns is asked for again, once."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from bridge.records import database
from tests.api.device import App
from tests.api.installation import Clock
from tests.api.recorded import GUEST, JANE, app_that_knows_them, looked_up, recorded_shop
from tests.api.shop import Shop, customer_of
from tests.servers.woocommerce import faults
from tests.woocommerce.recordings import delivery


@pytest.fixture
def shop(shop: Shop) -> Shop:
    return recorded_shop(shop)


@pytest.fixture
def app(shop: Shop, clock: Clock) -> App:
    return app_that_knows_them(shop, clock)


@pytest.mark.parametrize(
    ("name", "who", "account"),
    [
        ("webhook-customer-updated", "jane", 2),
        ("webhook-order-created", "jane", 2),
        ("webhook-order-updated", "gus", 0),
    ],
)
def test_after_a_recorded_delivery_the_customer_is_looked_up_again(
    shop: Shop, app: App, clock: Clock, name: str, who: str, account: int
) -> None:
    shop.woocommerce.add_order(JANE if account else GUEST, "1.00", customer_id=account)
    said = delivery(name)
    assert shop.post(said["raw_body"].encode(), said["headers"]).status_code == 200
    assert shop.look_up() == 0, "further deliveries are waited for"
    assert looked_up(shop, clock) == [who]
    assert customer_of(app, who)["orders_count"] == 2
    assert looked_up(shop, clock) == []


def test_an_order_that_was_deleted_is_known_by_its_id(shop: Shop, app: App, clock: Clock) -> None:
    """Its delivery says no more."""
    assert customer_of(app, "gus")["last_order"]["number"] == "12"
    shop.woocommerce.change_order(12, status="trash")
    assert shop.deliver("order.deleted", 12).status_code == 200
    assert looked_up(shop, clock) == ["gus"]
    customer = customer_of(app, "gus")
    assert (customer["known"], customer["orders_count"]) == (False, None)


def test_a_customer_who_was_deleted_is_not_known_any_more(
    shop: Shop, app: App, clock: Clock
) -> None:
    shop.woocommerce.remove_customer(2)
    assert shop.deliver("customer.deleted", 2).status_code == 200
    assert looked_up(shop, clock) == ["jane"]
    customer = customer_of(app, "jane")
    assert (customer["known"], customer["orders_count"]) == (False, None)
    assert customer["total_spent"] is None


def test_several_deliveries_of_one_order_cost_one_look_up(
    shop: Shop, app: App, clock: Clock
) -> None:
    for topic in ("order.created", "order.updated", "order.updated"):
        assert shop.deliver(topic, 11).status_code == 200
        clock.advance(seconds=0.5)
    assert shop.deliver("customer.updated", 2).status_code == 200
    assert looked_up(shop, clock) == ["jane"]
    assert looked_up(shop, clock) == []


def test_the_order_of_deliveries_does_not_matter(shop: Shop, app: App, clock: Clock) -> None:
    """An older one that comes after the data was fetched brings no older data back, nor costs a
    look-up."""
    older = shop.woocommerce.webhook("order.updated", 11)
    clock.advance(minutes=1)
    shop.woocommerce.change_order(11, status="refunded")
    assert shop.deliver("order.updated", 11).status_code == 200
    assert looked_up(shop, clock) == ["jane"]
    assert customer_of(app, "jane")["last_order"]["status"] == "refunded"
    headers, body = older
    assert shop.post(body, headers).status_code == 200
    assert looked_up(shop, clock) == []
    assert customer_of(app, "jane")["last_order"]["status"] == "refunded"


def test_a_guest_who_registers_is_looked_up_where_the_address_was_claimed(
    shop: Shop, app: App, clock: Clock
) -> None:
    new = shop.woocommerce.add_customer(GUEST, "Gus")
    assert shop.deliver("customer.created", new).status_code == 200
    assert looked_up(shop, clock) == ["gus"]


def test_a_delivery_is_answered_while_the_store_does_not_answer(shop: Shop, app: App) -> None:
    shop.woocommerce.fail(faults.says_nothing)
    assert shop.deliver("order.updated", 11).status_code == 200
    assert shop.asked() == []


def test_a_delivery_is_answered_well_while_storage_is_away(
    shop: Shop, app: App, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A webhook that was switched off for failing would stay so; what an agent looks at is fetched
    again without one."""
    shop.woocommerce.add_order(JANE, "5.00", customer_id=2)
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    other = sqlite3.connect(shop.store.installation.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answered = shop.deliver("order.created", 11)
    other.execute("ROLLBACK")
    other.close()
    assert answered.status_code == 200
    assert looked_up(shop, clock) == []
    clock.advance(minutes=15)
    app.watch("jane")
    assert looked_up(shop, clock) == ["jane"]
    assert customer_of(app, "jane")["orders_count"] == 2


def test_readers_are_shown_what_came_of_it(shop: Shop, app: App, clock: Clock) -> None:
    rev = app.sync()["rev"]
    stream = app.stream(after=rev)
    shop.woocommerce.add_order(JANE, "5.00", customer_id=2)
    assert shop.deliver("order.created", 11).status_code == 200
    assert app.sync(rev)["conversations"] == []
    assert looked_up(shop, clock) == ["jane"]
    [changed] = app.sync(rev)["conversations"]
    assert (changed["id"], changed["customer"]["total_spent"]) == ("jane", "30.00")
    shown: list[dict[str, Any]] = [sent.data for sent in stream.until_now()]
    assert [each["customer"] for each in shown] == [changed["customer"]]

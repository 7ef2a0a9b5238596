"""The store that webhooks were recorded of, and the people whom they are about."""

from __future__ import annotations

import base64
import hashlib
import hmac

from bridge.services.store_changes import SETTLES_IN
from tests.api.device import App
from tests.api.installation import Clock
from tests.api.shop import Shop
from tests.api.visitor import event

SECRET = "fixture-secret"
JANE, GUEST = "jane@example.test", "guest@example.test"
DELIVERIES = ["webhook-customer-updated", "webhook-order-created", "webhook-order-updated"]


def recorded_shop(shop: Shop) -> Shop:
    """The store, connected with the secret of the recorded webhooks; its data is theirs too."""
    woocommerce = shop.woocommerce
    woocommerce.webhook_secret = SECRET
    assert woocommerce.add_customer(JANE, "Jane", "Doe") == 2
    woocommerce.add_order(JANE, "25.00", id=11, customer_id=2, status="completed")
    woocommerce.add_order(GUEST, "12.50", id=12, first_name="Gus")
    shop.connect()
    return shop


def app_that_knows_them(shop: Shop, clock: Clock) -> App:
    """An agent's app. Both people have a conversation, and the bridge has asked for them."""
    jane, gus = shop.store.visitor("v_jane"), shop.store.visitor("v_gus")
    jane.page("jane").write("Hello")
    gus.page("gus").write("Hello")
    order = {"id": "12", "number": "12", "total": "12.50", "currency": "USD", "email": GUEST}
    shop.store.results(
        event("customer", visitor=jane.id, customer={"id": "2", "email": JANE, "name": "Jane"}),
        event("order_placed", visitor=gus.id, order=order),
    )
    assert shop.look_up() == 2
    clock.advance(minutes=1)
    shop.asked()
    return shop.store.app()


def signed(content: bytes, secret: str = SECRET) -> dict[str, str]:
    """The headers of a delivery about an order."""
    mac = hmac.digest(secret.encode(), content, hashlib.sha256)
    return {
        "Content-Type": "application/json",
        "X-WC-Webhook-Topic": "order.updated",
        "X-WC-Webhook-Signature": base64.b64encode(mac).decode(),
    }


def looked_up(shop: Shop, clock: Clock) -> list[str]:
    """Which of the two are asked for, once no further deliveries are waited for."""
    clock.advance(seconds=SETTLES_IN.total_seconds())
    shop.look_up()
    asked_for = {"wc/v3/customers/2": "jane", "wc-analytics/customers": "gus"}
    return [asked_for[route] for route in shop.asked() if route in asked_for]

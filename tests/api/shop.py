"""A store with a WooCommerce, which the bridge asks for its customers whenever a test lets it."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

from bridge.services.look_ups import LONGEST_WAIT
from tests.api.device import App
from tests.api.store import Store
from tests.servers.woocommerce import WooCommerceStore

ADMIN = "https://shop.example/wp-admin/"
WEBHOOKS = "/v1/woocommerce/webhooks"


class Shop:
    """A connected store, and the WooCommerce behind it, whose clock is the bridge's."""

    def __init__(self, store: Store, woocommerce: WooCommerceStore) -> None:
        self.store = store
        self.woocommerce = woocommerce
        woocommerce.clock = self._now

    def connect(self, **changes: Any) -> TestResponse:
        """As the plugin does, once the owner has agreed."""
        behind = self.woocommerce
        said = {
            "store_url": behind.url,
            "rest_url": behind.rest_url,
            "admin_url": ADMIN,
            "name": "Pots & Plants",
            "origins": [self.store.origin],
            "plugin_version": "1",
            "wordpress_version": "6.7",
            "woocommerce_version": "9.5.1",
            "woocommerce": {
                "consumer_key": behind.consumer_key,
                "consumer_secret": behind.consumer_secret,
                "webhook_secret": behind.webhook_secret,
            },
        }
        answered = self.store.request("POST", "/v1/store/connect", {**said, **changes})
        assert answered.status_code == 200, answered.get_data(as_text=True)
        return answered

    def look_up(self) -> int:
        """Have the bridge look up all who are due now; how many attempts it made."""
        look_ups, made = self.store.installation.bridge.look_ups, 0
        for failing in (False, True):
            while (claimed := look_ups.claim(failing=failing)) is not None:
                look_ups.carry_out(claimed)
                made += 1
        return made

    def look_up_again(self) -> int:
        """The same after the longest pause that follows a failure."""
        self.store.installation.clock.advance(seconds=LONGEST_WAIT.total_seconds())
        return self.look_up()

    def asked(self) -> list[str]:
        """The routes that WooCommerce was asked for since this was called last."""
        requests = self.woocommerce.requests
        routes = [each.route for each in requests]
        requests.clear()
        return routes

    def deliver(self, topic: str, id: int, **changed: str) -> TestResponse:
        """A webhook's delivery about a customer or an order; ``changed`` are headers."""
        headers, body = self.woocommerce.webhook(topic, id)
        return self.post(body, {**headers, **changed})

    def post(self, body: bytes, headers: dict[str, str], site: str | None = None) -> TestResponse:
        """Send something to where the webhooks are to come."""
        path = f"{WEBHOOKS}/{self.store.site if site is None else site}"
        return self.store.installation.open(path, "POST", data=body, headers=headers)

    def status(self) -> dict[str, Any]:
        """What the store is told of how asking it goes."""
        answered = self.store.get("/v1/store/status")
        assert answered.status_code == 200, answered.get_data(as_text=True)
        status: dict[str, Any] = (answered.json or {})["woocommerce"]
        return status

    def _now(self) -> float:
        return self.store.installation.clock.now.timestamp()


def customer_of(app: App, conversation: str = "c") -> dict[str, Any]:
    """The customer in a conversation, who must be there."""
    customer: dict[str, Any] | None = app.conversation(conversation)["customer"]
    assert customer is not None
    return customer

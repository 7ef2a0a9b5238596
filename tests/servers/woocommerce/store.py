"""The simulated store: what tests tell it, and what it was asked."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.servers.woocommerce.api import JSON, Analytics, RestApi, encode
from tests.servers.woocommerce.faults import Fault
from tests.servers.woocommerce.http import Exchange, StoreServer, self_signed
from tests.servers.woocommerce.key import RestKey
from tests.servers.woocommerce.shop import Customer, PlacedOrder, Shop


@dataclass(frozen=True)
class StoreRequest:
    """A request as it arrived. ``route`` is what was asked of the REST API, and ``query`` the
    rest of its query, without the credentials."""

    method: str
    path: str
    route: str
    query: dict[str, str]
    headers: Mapping[str, str]
    has_credentials: bool


class WooCommerceStore:
    """See the package. ``analytics`` may be set to ``"missing"`` or ``"forbidden"`` (to this key),
    and ``clock`` to what the store takes for the time, in seconds."""

    def __init__(self, subfolder: str, plain_permalinks: bool, certificate: Path | None) -> None:
        self.origin = ""
        self.verify: str | bool = True if certificate is None else str(certificate)
        """What :mod:`requests` is to ``verify`` it by."""
        self._root = f"{subfolder}/?rest_route=/" if plain_permalinks else f"{subfolder}/wp-json/"
        self._subfolder = subfolder
        self.consumer_key = f"ck_{secrets.token_hex(20)}"
        self.consumer_secret = f"cs_{secrets.token_hex(20)}"
        self.webhook_secret = secrets.token_urlsafe(30)
        self.analytics: Analytics = "here"
        self.clock: Callable[[], float] = time.time
        self.requests: list[StoreRequest] = []
        self._shop = Shop()
        self._key = RestKey(self.consumer_key, self.consumer_secret)
        self._faults: dict[str, Fault] = {}
        self._came = threading.Condition()

    def add_customer(
        self,
        email: str,
        first_name: str = "",
        last_name: str = "",
        *,
        id: int | None = None,
        role: str = "customer",
        created: datetime | None = None,
    ) -> int:
        """An account; its id. ``created`` is now unless it is given."""
        at = created or self._now()
        id = id or self._shop.next_customer()
        self._shop.customers[id] = Customer(id, email, first_name, last_name, role, at, at)
        return id

    def remove_customer(self, id: int) -> None:
        """The account is deleted; its orders stay."""
        del self._shop.customers[id]

    def add_order(
        self,
        email: str,
        total: str = "25.00",
        *,
        id: int | None = None,
        customer_id: int = 0,
        status: str = "processing",
        currency: str = "USD",
        first_name: str = "",
        last_name: str = "",
        number: str | None = None,
        created: datetime | None = None,
    ) -> int:
        """An order; its id, which is its number too unless that is given. ``customer_id`` 0 is a
        guest, and ``total`` decimal text in the store's own number of decimals."""
        at = created or self._now()
        id = id or self._shop.next_order()
        names = (first_name, last_name, number or str(id))
        order = PlacedOrder(id, email, total, status, currency, customer_id, *names, at, at)
        self._shop.orders[id] = order
        return id

    def change_order(self, id: int, *, status: str) -> None:
        """The order gets another ``status``, and was modified now."""
        self._shop.orders[id].status = status
        self._shop.orders[id].modified = self._now()

    def fail(self, fault: Fault, route: str = "") -> None:
        """From now on ``fault`` answers all routes that begin with ``route``."""
        self._faults[route] = fault

    def recover(self) -> None:
        """End all faults."""
        self._faults.clear()

    def wait_for(self, requests: int, seconds: float = 30.0) -> list[StoreRequest]:
        """All requests, once there are so many. Raises ``TimeoutError`` if there never are."""
        with self._came:
            if not self._came.wait_for(lambda: len(self.requests) >= requests, seconds):
                raise TimeoutError(f"{len(self.requests)} requests came, {requests} were awaited")
            return list(self.requests)

    def webhook(self, topic: str, id: int) -> tuple[dict[str, str], bytes]:
        """Headers and body of a delivery: ``order.updated`` of order ``id``, and the like."""
        resource, _, event = topic.partition(".")
        body = encode(self._payload(resource, event, id))
        mac = hmac.digest(self.webhook_secret.encode(), body, hashlib.sha256)
        return {
            "User-Agent": "WooCommerce/9.5.1 Hookshot (WordPress/6.7.1)",
            "Content-Type": "application/json",
            "X-WC-Webhook-Source": f"{self.url}/",
            "X-WC-Webhook-Topic": topic,
            "X-WC-Webhook-Resource": resource,
            "X-WC-Webhook-Event": event,
            "X-WC-Webhook-Signature": base64.b64encode(mac).decode(),
            "X-WC-Webhook-ID": "1",
            "X-WC-Webhook-Delivery-ID": secrets.token_hex(16),
        }, body

    @property
    def url(self) -> str:
        """Where its front page is."""
        return f"{self.origin}{self._subfolder}"

    @property
    def rest_url(self) -> str:
        """Where its REST API is."""
        return f"{self.origin}{self._root}"

    def take(self, exchange: Exchange) -> None:
        """Note a request, and answer it."""
        parts = urlsplit(exchange.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        request = self._noted(exchange, parts.path, query)
        with self._came:
            self.requests.append(request)
            self._came.notify_all()
        at_fault = [route for route in self._faults if request.route.startswith(route)]
        if at_fault:
            self._faults[max(at_fault, key=len)](exchange)
            return
        address = f"{self.origin}{parts.path}"
        authorization = exchange.headers["Authorization"]
        api = RestApi(self._shop, self._key, self.analytics)
        reply = api.reply(
            request.method, address, request.route, query, authorization, self.clock()
        )
        length = {"Content-Length": str(len(reply.body)), "Content-Type": JSON}
        exchange.begin(reply.status, {**length, **reply.headers})
        exchange.send(reply.body)

    def _noted(self, exchange: Exchange, path: str, query: Mapping[str, str]) -> StoreRequest:
        root, _, plain = self._root.partition("?rest_route=")
        asked = query.get("rest_route", "") if plain else path.removeprefix(root)
        secret = {name for name in query if name.startswith("oauth_")}
        return StoreRequest(
            method=exchange.command,
            path=path,
            route=asked.strip("/"),
            query={name: query[name] for name in query.keys() - secret - {"rest_route"}},
            headers=dict(exchange.headers.items()),
            has_credentials=bool(secret) or "Authorization" in exchange.headers,
        )

    def _payload(self, resource: str, event: str, id: int) -> dict[str, Any]:
        if event == "deleted":
            return {"id": id}
        here = self._shop.orders if resource == "order" else self._shop.customers
        return {**here[id].resource(), "_links": {"self": [{"href": f"{self.rest_url}{id}"}]}}

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)


@contextmanager
def woocommerce_store(
    *, https: bool = False, subfolder: str = "", plain_permalinks: bool = False
) -> Iterator[WooCommerceStore]:
    """A store that answers until the end of the block; ``subfolder`` ("/shop") is where its
    WordPress is."""
    with tempfile.TemporaryDirectory() as folder:
        certificate = self_signed(Path(folder) / "certificate.pem") if https else None
        store = WooCommerceStore(subfolder, plain_permalinks, certificate)
        with StoreServer(store.take, certificate) as server:
            store.origin = server.origin
            yield store

"""The routes of WooCommerce's REST API that the bridge asks, with WordPress' ways."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote_plus

from tests.servers.woocommerce.key import RejectedError, RestKey
from tests.servers.woocommerce.shop import Customer, PlacedOrder, Shop

JSON = "application/json; charset=UTF-8"
_PER_PAGE = 10

Item = Customer | PlacedOrder | dict[str, Any]
Analytics = Literal["here", "missing", "forbidden"]


@dataclass(frozen=True)
class Reply:
    """What is answered."""

    status: int
    content: object
    headers: Mapping[str, str]

    @property
    def body(self) -> bytes:
        """The content as PHP writes it."""
        return encode(self.content)


def encode(content: object) -> bytes:
    """JSON as PHP writes it."""
    return json.dumps(content, separators=(",", ":")).replace("/", "\\/").encode()


@dataclass
class RestApi:
    """``analytics`` may be missing, or forbidden to the key. Times are unix seconds."""

    shop: Shop
    key: RestKey
    analytics: Analytics

    def reply(
        self,
        method: str,
        address: str,
        route: str,
        query: Mapping[str, str],
        authorization: str | None,
        now: float,
    ) -> Reply:
        """The answer to a request for ``route``; ``address`` and ``query`` are as it was sent."""
        try:
            known = self.key.check(method, address, query, authorization, now)
        except RejectedError as error:
            return _error(401, error.code, error.message)
        answer = self._routed(route, query) if method == "GET" else None
        if answer is None:
            message = "No route was found matching the URL and request method."
            return _error(404, "rest_no_route", message)
        if not known:
            message = "Sorry, you cannot list resources."
            return _error(401, "woocommerce_rest_cannot_view", message)
        return answer

    def _routed(self, route: str, query: Mapping[str, str]) -> Reply | None:
        if found := re.fullmatch(r"wc/v3/customers/([0-9]+)", route):
            return self._customer(int(found[1]), query)
        if route == "wc/v3/customers":
            return _page(self.shop.customer_listing(query), query)
        if route == "wc/v3/orders":
            # Decoded a second time, as the search in WooCommerce's own order tables does.
            term = unquote_plus(query.get("search", ""))
            return _page(self.shop.order_listing({**query, "search": term}), query)
        if route in {"wc-analytics/customers", "wc-analytics/reports/customers"}:
            return self._analytics(query)
        return None

    def _customer(self, id: int, query: Mapping[str, str]) -> Reply:
        if id not in self.shop.customers:
            return _error(404, "woocommerce_rest_invalid_id", "Invalid resource ID.")
        return Reply(200, _chosen(self.shop.customers[id].resource(), query), {})

    def _analytics(self, query: Mapping[str, str]) -> Reply | None:
        if self.analytics == "missing":
            return None
        if self.analytics == "forbidden":
            message = "Sorry, you cannot list resources."
            return _error(403, "woocommerce_rest_cannot_view", message)
        users = query["users"].split(",") if "users" in query else None
        by, term = query.get("searchby", "name"), query.get("search", "").lower()
        rows = [
            row
            for row in self.shop.analytics()
            if (users is None or str(row["user_id"]) in users) and term in row[by].lower()
        ]
        # By when they registered, the latest first; guests never did.
        rows.sort(key=lambda row: (row["user_id"] != 0, row["id"]))
        return _page(rows if query.get("order") == "asc" else rows[::-1], query)


def _page(items: Sequence[Item], query: Mapping[str, str]) -> Reply:
    size = int(query.get("per_page", _PER_PAGE))
    if not 1 <= size <= 100:
        return _error(400, "rest_invalid_param", "Invalid parameter(s): per_page")
    pages = -(-len(items) // size)
    headers = {"X-WP-Total": str(len(items)), "X-WP-TotalPages": str(pages)}
    shown = [item if isinstance(item, dict) else item.resource() for item in items[:size]]
    return Reply(200, [_chosen(item, query) for item in shown], headers)


def _chosen(item: dict[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
    """What ``_fields`` names; ``a.b`` names one within another."""
    if "_fields" not in query:
        return item
    chosen: dict[str, Any] = {}
    for field in query["_fields"].split(","):
        name, _, within = field.partition(".")
        if name not in item:
            continue
        if not within:
            chosen[name] = item[name]
        elif within in item[name]:
            chosen.setdefault(name, {})[within] = item[name][within]
    return chosen


def _error(status: int, code: str, message: str) -> Reply:
    return Reply(status, {"code": code, "message": message, "data": {"status": status}}, {})

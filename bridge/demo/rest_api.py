"""The shop's WooCommerce REST API: the routes that the bridge asks, read-only.

Customers and orders have the fields alone that the bridge uses; which of them it asks for
(``_fields``) makes no difference.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from bridge.demo.orders import CURRENCY, CUSTOMERS, Customer, Order, Orders
from bridge.demo.rest_key import RestKey
from bridge.demo.site import DemoSite

PREFIX = "/wp-json"
PER_PAGE, MOST_PER_PAGE = 10, 100

# WooCommerce gives sums as numbers; here they are exact ones.
_json = msgspec.json.Encoder(decimal_format="number")


def add_rest_api(blueprint: Blueprint, site: DemoSite, orders: Orders) -> None:
    """Add ``/wp-json/wc/v3/…`` and ``/wp-json/wc-analytics/…``."""
    keys = site.woocommerce
    key = RestKey(keys["consumer_key"], keys["consumer_secret"])

    def read(route: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
        """Serve a route to whoever has the key."""

        def add(view: Callable[..., Response]) -> Callable[..., Response]:
            def guarded(**arguments: int) -> Response:
                refusal = key.refuse(request, datetime.now(UTC).timestamp())
                if refusal is not None:
                    return _error(401, "woocommerce_rest_authentication_error", refusal)
                return view(**arguments)

            blueprint.add_url_rule(f"{PREFIX}/{route}", f"rest_{view.__name__}", guarded)
            return view

        return add

    @read("wc/v3/customers/<int:id>")
    def customer(id: int) -> Response:
        """One with an account."""
        for each in CUSTOMERS:
            if each.id == id:
                return _answer(_account(each))
        return _error(404, "woocommerce_rest_invalid_id", "Invalid resource ID.")

    @read("wc/v3/customers")
    def customers() -> Response:
        """Those with an account who have this address."""
        email = request.args.get("email", "").lower()
        return _page([_account(each) for each in CUSTOMERS if each.email == email])

    @read("wc/v3/orders")
    def order_list() -> Response:
        """A customer's orders, or those that hold a text; the newest first."""
        customer_id, term = request.args.get("customer"), request.args.get("search", "").lower()

        def is_meant(order: Order) -> bool:
            theirs = customer_id is None or str(order.customer_id) == customer_id
            return theirs and term in order.email.lower()

        return _page([order_resource(order) for order in orders.newest_first(is_meant)])

    @read("wc-analytics/reports/customers")
    def report() -> Response:
        """What customers with an account have bought."""
        users = request.args.get("users", "").split(",")
        return _page([row for row in _purchases(orders) if str(row["user_id"]) in users])

    @read("wc-analytics/customers")
    def analytics() -> Response:
        """The same of all whose address holds a text, guests too."""
        term = request.args.get("search", "").lower()
        return _page([row for row in _purchases(orders) if term in row["email"].lower()])


def order_resource(order: Order) -> dict[str, Any]:
    """An order as the REST API and webhooks have it."""
    at = order.placed_at.strftime("%Y-%m-%dT%H:%M:%S")
    return {
        "id": order.id,
        "number": order.number,
        "status": order.status,
        "total": str(order.total),
        "currency": CURRENCY,
        "customer_id": order.customer_id,
        "date_created_gmt": at,
        "date_modified_gmt": at,
        "billing": {
            "email": order.email,
            "first_name": order.first_name,
            "last_name": order.last_name,
        },
    }


def resource_body(resource: dict[str, Any]) -> bytes:
    """The same as JSON."""
    return _json.encode(resource)


def _account(customer: Customer) -> dict[str, Any]:
    return {
        "id": customer.id,
        "email": customer.email,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
    }


def _purchases(orders: Orders) -> Iterable[dict[str, Any]]:
    """One row for each who ever ordered: with an account, or a guest by the address."""
    bought: dict[tuple[int, str], list[Order]] = {}
    for order in orders.newest_first():
        bought.setdefault((order.customer_id, order.email.lower()), []).append(order)
    for (user_id, _), theirs in bought.items():
        latest = theirs[0]
        yield {
            "user_id": user_id,
            "email": latest.email,
            "name": f"{latest.first_name} {latest.last_name}".strip(),
            "orders_count": len(theirs),
            "total_spend": sum((order.total for order in theirs), Decimal(0)),
        }


def _page(found: Sequence[dict[str, Any]]) -> Response:
    size = request.args.get("per_page", PER_PAGE, type=int)
    if not 1 <= size <= MOST_PER_PAGE:
        return _error(400, "rest_invalid_param", "Invalid parameter(s): per_page")
    answer = _answer(list(found[:size]))
    answer.headers["X-WP-Total"] = str(len(found))
    return answer


def _answer(content: object, status: int = 200) -> Response:
    return Response(_json.encode(content), status, content_type="application/json")


def _error(status: int, code: str, message: str) -> Response:
    return _answer({"code": code, "message": message, "data": {"status": status}}, status)

"""Signing in, the basket and placing an order: what the shop does, and what the plugin tells the
bridge of it (class-customer-link.php, class-purchases.php)."""

from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bridge.demo import cookies, events
from bridge.demo.basket import basket, keep, quantity_of, total_of, with_quantity
from bridge.demo.catalogue import CATALOGUE
from bridge.demo.orders import JANE, Customer, Orders
from bridge.demo.outgoing import Outgoing
from bridge.demo.rest_api import order_resource, resource_body
from bridge.demo.same_origin import refuse_other_origins
from bridge.demo.site import DemoSite
from bridge.domain.customer import email_address

DELIVERY_FREE_FROM = 60


def add_buying(blueprint: Blueprint, site: DemoSite, outgoing: Outgoing, orders: Orders) -> None:
    """Add ``/sign-in``, ``/sign-out``, ``/cart`` and ``/order``."""

    @blueprint.post("/sign-in")
    def sign_in() -> Response:
        """Sign in as Jane, the one customer with an account."""
        refuse_other_origins()
        response = _back()
        cookies.sign_in(site, response, JANE)
        _tell_customer(response, JANE)
        return response

    @blueprint.post("/sign-out")
    def sign_out() -> Response:
        """Sign out: that parts nobody from their conversations (C3)."""
        refuse_other_origins()
        response = _back()
        cookies.sign_out(response)
        _tell_customer(response, None)
        return response

    @blueprint.get("/cart")
    def cart() -> str:
        lines = basket()
        total = total_of(lines)
        return render_template(
            "demo/cart.html",
            lines=lines,
            total=total,
            missing=DELIVERY_FREE_FROM - total,
            ordered=request.args.get("ordered", type=int),
        )

    @blueprint.post("/cart")
    def change_cart() -> Response:
        refuse_other_origins()
        chosen = CATALOGUE.get(request.form.get("product", ""))
        if chosen is None:
            abort(HTTPStatus.NOT_FOUND)
        lines = basket()
        quantity = request.form.get("quantity", type=int)
        if quantity is None:
            quantity = quantity_of(lines, chosen) + 1
        changed = with_quantity(lines, chosen, quantity)
        response = redirect(url_for("demo.cart"), HTTPStatus.SEE_OTHER)
        keep(response, changed)
        visitor = cookies.known_visitor(site)
        if visitor is not None:
            outgoing.tell(response, events.cart(visitor, changed))
        return response

    @blueprint.post("/order")
    def order() -> Response:
        """Place an order for what is in the basket, as who is signed in or as a guest."""
        refuse_other_origins()
        lines, customer = basket(), cookies.signed_in(site)
        email = customer.email if customer else request.form.get("email", "").strip()
        if not lines or email_address(email) is None:
            abort(HTTPStatus.UNPROCESSABLE_ENTITY)
        placed = orders.place(customer, email, total_of(lines), datetime.now(UTC))
        response = redirect(url_for("demo.cart", ordered=placed.number), HTTPStatus.SEE_OTHER)
        keep(response, [])
        visitor = cookies.known_visitor(site)
        if visitor is not None:
            told = events.order_placed(visitor, placed), events.cart(visitor, [])
            outgoing.tell(response, *told)
        outgoing.deliver(response, "order.created", resource_body(order_resource(placed)))
        return response

    def _tell_customer(response: Response, customer: Customer | None) -> None:
        visitor = cookies.known_visitor(site)
        if visitor is not None:
            outgoing.tell(response, events.customer(visitor, customer))


def _back() -> Response:
    """To the page that was open, if it is one of the shop's."""
    page = request.form.get("page", "")
    shop = url_for("demo.front")
    return redirect(page if page.startswith(shop) else shop, HTTPStatus.SEE_OTHER)

"""Who a browser is to the shop: the visitor of a chat, and the customer who is signed in."""

import secrets

from flask import request
from werkzeug.wrappers import Response

from bridge.demo.orders import CUSTOMERS, Customer
from bridge.demo.site import DemoSite

VISITOR = "cpb_visitor"
CUSTOMER = "demo_customer"
VISITOR_SECONDS = 365 * 24 * 3600


def known_visitor(site: DemoSite) -> str | None:
    """The id of this browser's visitor; ``None`` for one that has begun no chat."""
    return site.unseal(VISITOR, request.cookies.get(VISITOR))


def identify(site: DemoSite) -> str:
    """The same, or a new id; :func:`remember_visitor` makes it last."""
    return known_visitor(site) or f"v_{secrets.token_urlsafe(16)}"


def remember_visitor(site: DemoSite, response: Response, visitor: str) -> None:
    """Know this browser by the visitor's id from now on."""
    _set(response, VISITOR, site.seal(VISITOR, visitor), VISITOR_SECONDS)


def signed_in(site: DemoSite) -> Customer | None:
    """Who is signed in."""
    customer = site.unseal(CUSTOMER, request.cookies.get(CUSTOMER))
    return next((each for each in CUSTOMERS if str(each.id) == customer), None)


def sign_in(site: DemoSite, response: Response, customer: Customer) -> None:
    """Let the customer be signed in until the browser is closed."""
    _set(response, CUSTOMER, site.seal(CUSTOMER, str(customer.id)), None)


def sign_out(response: Response) -> None:
    """Let nobody be signed in."""
    response.delete_cookie(CUSTOMER)


def _set(response: Response, name: str, value: str, seconds: int | None) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )

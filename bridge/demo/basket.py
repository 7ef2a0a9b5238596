"""What the visitor has chosen, in a cookie of their own: ``slug:quantity`` with commas."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from flask import request
from werkzeug.wrappers import Response

from bridge.demo.catalogue import CATALOGUE, Product

COOKIE = "demo_basket"
MOST_OF_ONE = 20


@dataclass(frozen=True)
class Line:
    """So many of one product."""

    product: Product
    quantity: int

    @property
    def total(self) -> Decimal:
        return self.product.price * self.quantity


def basket() -> list[Line]:
    """The basket of the browser that asks; nonsense in it is left out."""
    lines = []
    for entry in request.cookies.get(COOKIE, "").split(","):
        slug, _, quantity = entry.partition(":")
        if slug in CATALOGUE and quantity.isascii() and quantity.isdigit():
            lines.append(Line(CATALOGUE[slug], min(int(quantity[:4]), MOST_OF_ONE)))
    return [line for line in lines if line.quantity > 0]


def keep(response: Response, lines: Iterable[Line]) -> None:
    """Let the browser have this basket."""
    value = ",".join(f"{line.product.slug}:{line.quantity}" for line in lines)
    response.set_cookie(COOKIE, value, httponly=True, samesite="Lax")


def with_quantity(lines: Sequence[Line], product: Product, quantity: int) -> list[Line]:
    """The basket with so many of a product; none takes it out."""
    changed = {line.product.slug: line for line in lines}
    changed[product.slug] = Line(product, min(quantity, MOST_OF_ONE))
    return [line for line in changed.values() if line.quantity > 0]


def quantity_of(lines: Sequence[Line], product: Product) -> int:
    """How many of a product are in the basket."""
    return sum(line.quantity for line in lines if line.product == product)


def total_of(lines: Iterable[Line]) -> Decimal:
    """What a basket comes to."""
    return sum((line.total for line in lines), Decimal("0.00"))

"""The customer behind a visitor: when the store is to be asked, and what an agent may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from bridge.domain.customer import Links, PlacedOrder, Proof, SubjectKind, is_stale
from bridge.ports import (
    ConversationSummary,
    CustomerRecord,
    LookUpProblem,
    Order,
    Profile,
    Site,
    StoreHealth,
    VisitorRecord,
    Work,
)
from bridge.times import rfc3339


@dataclass(frozen=True, slots=True)
class CustomerView:
    """What an agent sees of a customer: never more than the proof allows (C2)."""

    proof: Proof
    id: str | None
    name: str | None
    email: str | None
    known: bool | None
    """Whether the store knows them; ``None`` until it was asked."""
    orders_count: int | None
    total_spent: str | None = None
    currency: str | None = None
    last_order: Order | None = None
    cart: Mapping[str, Any] | None = None
    fetched_at: datetime | None = None
    admin_url: str | None = None
    problem: LookUpProblem | None = None
    failing_since: datetime | None = None


def look_up_linked(work: Work, links: Links, known: Links, now: datetime) -> None:
    """Have the store asked for whom a visitor is newly linked to, and for one who has just placed
    an order."""
    subject = links.subject
    if subject is None:
        return
    ordered = links.order != known.order and subject.kind is not SubjectKind.CLAIMED
    if ordered:
        work.want_customer(subject, now, now)
    elif subject != known.subject:
        _look_up_stale(work, links, now, looked_at=False)


def look_up_seen(work: Work, visitor: str | None, now: datetime) -> None:
    """An agent looks at this visitor's conversation (C4)."""
    found = work.visitor(visitor) if visitor is not None else None
    if found is not None and found.links.subject is not None:
        _look_up_stale(work, found.links, now, looked_at=True)


def _look_up_stale(work: Work, links: Links, now: datetime, *, looked_at: bool) -> None:
    subject = links.subject
    if subject is None:
        return
    customer = work.customer(subject.key)
    if customer is None or is_stale(customer.fetched_at, now):
        work.want_customer(subject, now, now, looked_at=looked_at)


def shown_of(visitor: VisitorRecord) -> tuple[object, ...]:
    """What readers see of a visitor: only where it changes are conversations shown anew."""
    links, cart = visitor.links, dict(visitor.cart or {})
    cart.pop("stamp", None)
    order = links.order.id if links.order else None
    shown = (visitor.name, visitor.email, visitor.device, links.shown_name, links.shown_email)
    return (*shown, links.proof, links.subject, order, cart)


def view(summary: ConversationSummary, site: Site | None) -> CustomerView | None:
    """The customer behind a conversation's visitor, as far as the proof goes (C1, C2)."""
    visitor, record = summary.visitor, summary.customer
    links = visitor.links if visitor else Links()
    if visitor is None or links.proof is None or links.subject is None:
        return None
    profile = record.profile if record else None
    problem, failing_since = _problem(record, summary.health)
    known = profile.known if profile else None
    orders_count = profile.orders_count if profile else None
    fetched_at = record.fetched_at if record else None
    if not links.proof.shows_purchases:
        return CustomerView(
            proof=links.proof,
            id=None,
            name=links.name.text if links.name else None,
            email=links.email.text if links.email else None,
            known=known,
            orders_count=orders_count,
            fetched_at=fetched_at,
            problem=problem,
            failing_since=failing_since,
        )
    profile = profile or Profile(known=False)
    last_order = _last_order(links, profile, fetched_at)
    customer = links.subject.value if links.subject.kind is SubjectKind.CUSTOMER else None
    return CustomerView(
        proof=links.proof,
        id=customer,
        name=profile.name or links.shown_name,
        email=profile.email or links.vouched_email,
        known=known,
        orders_count=orders_count,
        total_spent=profile.total_spent,
        currency=profile.currency or (last_order.currency if last_order else None),
        last_order=last_order,
        cart=_cart(visitor.cart),
        fetched_at=fetched_at,
        admin_url=_admin_url(site, customer, last_order),
        problem=problem,
        failing_since=failing_since,
    )


def mailto(summary: ConversationSummary, site: Site | None) -> str | None:
    """A link that begins an email to the visitor, by the best address that is known."""
    customer = view(summary, site)
    address = (customer.email if customer else None) or (
        summary.visitor.links.shown_email if summary.visitor else None
    )
    if address is None:
        return None
    subject = urlencode({"subject": f"Your chat with {site.name}"}, quote_via=quote) if site else ""
    return f"mailto:{quote(address.strip(), safe='@')}?{subject}".rstrip("?")


def _problem(
    record: CustomerRecord | None, health: StoreHealth | None
) -> tuple[LookUpProblem | None, datetime | None]:
    """Why the data is not newer: this customer's own trouble, or that of the store which they wait
    for."""
    if record is None:
        return None, None
    if record.problem is not None:
        return record.problem, record.failing_since
    if record.due_at is not None and health is not None:
        return health.problem, health.failing_since
    return None, None


def _last_order(links: Links, profile: Profile, fetched_at: datetime | None) -> Order | None:
    """The customer's last order: this browser's own, if it was placed after the store was asked."""
    placed = links.order
    theirs = placed is not None and Links(order=placed).subject == links.subject
    if placed is None or not theirs or (fetched_at is not None and placed.at <= fetched_at):
        return profile.last_order
    return _order(placed)


def _order(placed: PlacedOrder) -> Order:
    at = rfc3339(placed.at)
    return Order(placed.id, placed.number, None, placed.total, placed.currency, at)


def _cart(cart: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if cart is None or not cart.get("items"):
        return None
    return {name: value for name, value in cart.items() if name != "stamp"}


def _admin_url(site: Site | None, customer: str | None, order: Order | None) -> str | None:
    """Where the customer, or else the order, is in wp-admin. WooCommerce leads an order's address
    to the right place whichever way it stores orders."""
    if site is None or site.admin_url is None:
        return None
    admin = site.admin_url.rstrip("/")
    if customer is not None:
        return f"{admin}/user-edit.php?{urlencode({'user_id': customer})}"
    if order is not None:
        return f"{admin}/post.php?{urlencode({'post': order.id, 'action': 'edit'})}"
    return None

"""The customer behind a visitor: when the store is to be asked, and what an agent may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from bridge.domain.customer import Links, PlacedOrder, Proof, Subject, SubjectKind, is_stale
from bridge.ports import (
    ConversationSummary,
    CustomerRecord,
    LookUpProblem,
    Order,
    Profile,
    Site,
    VisitorRecord,
    Work,
)
from bridge.services.recording import Recorder
from bridge.times import rfc3339

MOST_SHOWN_ANEW = 50
"""Conversations of one customer, the newest, whose readers are told of what is new."""


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
    typed = subject.kind is SubjectKind.CLAIMED
    if links.order != known.order and not typed:
        work.want_customer(subject, now, now)
    elif subject != known.subject and not (typed and known.email is not None):
        # Of the emails that somebody types, only the first: else anybody could keep a store busy.
        _look_up_stale(work, links, now, looked_at=False)


def look_up_seen(work: Work, recorder: Recorder, visitor: str | None, now: datetime) -> None:
    """An agent looks at this visitor's conversation (C4)."""
    found = work.visitor(visitor) if visitor is not None else None
    if found is not None and _look_up_stale(work, found.links, now, looked_at=True):
        show_anew(work, recorder, found.links.subject, now)


def show_anew(work: Work, recorder: Recorder, subject: Subject | None, now: datetime) -> None:
    """Tell the readers of a customer's conversations that something new is known of them (S1)."""
    if subject is None:
        return
    for conversation in work.conversations_of_customer(subject.key, MOST_SHOWN_ANEW):
        loaded = recorder.load(work, conversation, now)
        if loaded is not None:
            loaded.changed = True
            recorder.write(work, loaded, now)


def _look_up_stale(work: Work, links: Links, now: datetime, *, looked_at: bool) -> bool:
    """Have the store asked if what it said is old; whether readers see something new thereby."""
    if links.subject is None:
        return False
    customer = work.customer(links.subject.key)
    if customer is not None and not is_stale(customer.fetched_at, now):
        return False
    return work.want_customer(links.subject, now, now, looked_at=looked_at)


def shown_of(visitor: VisitorRecord) -> tuple[object, ...]:
    """What readers see of a visitor: only where it changes are conversations shown anew."""
    links, cart = visitor.links, dict(visitor.cart or {})
    cart.pop("stamp", None)
    order = links.order.id if links.order else None
    shown = (visitor.name, visitor.email, visitor.device, links.shown_name, links.shown_email)
    return (*shown, links.proof, links.subject, order, cart)


def view(summary: ConversationSummary, site: Site | None) -> CustomerView | None:
    """The customer behind a conversation's visitor, as far as the proof goes (C1, C2)."""
    links = summary.visitor.links if summary.visitor else Links()
    if summary.visitor is None or links.subject is None:
        return None
    record = summary.customer or CustomerRecord(links.subject.key)
    if record.key != links.subject.key:
        # Whatever was joined: it is about the one who is proven, or it is not shown.
        record = CustomerRecord(links.subject.key)
    if links.subject.kind is SubjectKind.CLAIMED:
        return _claimed(links, record)
    return _proven(summary.visitor, links.subject, record, site)


def mailto(
    visitor: VisitorRecord | None, customer: CustomerView | None, site: Site | None
) -> str | None:
    """A link that begins an email to the visitor, by the best address that is known."""
    typed = visitor.links.shown_email if visitor else None
    address = (customer.email if customer else None) or typed
    if address is None:
        return None
    subject = urlencode({"subject": f"Your chat with {site.name}"}, quote_via=quote) if site else ""
    return f"mailto:{quote(address.strip(), safe='@')}?{subject}".rstrip("?")


def _claimed(links: Links, record: CustomerRecord) -> CustomerView:
    return CustomerView(
        proof=Proof.CLAIMED,
        id=None,
        name=links.name.text if links.name else None,
        email=links.email.text if links.email else None,
        known=record.profile.known if record.profile else None,
        orders_count=record.profile.orders_count if record.profile else None,
        fetched_at=record.fetched_at,
        problem=record.problem,
        failing_since=record.failing_since,
    )


def _proven(
    visitor: VisitorRecord, subject: Subject, record: CustomerRecord, site: Site | None
) -> CustomerView:
    links, profile = visitor.links, record.profile or Profile(known=False)
    last_order = _last_order(links, profile, record.fetched_at)
    customer = subject.value if subject.kind is SubjectKind.CUSTOMER else None
    signed_in = links.signed_in
    return CustomerView(
        proof=Proof.SIGNED_IN if signed_in else Proof.ORDER,
        id=customer,
        name=profile.name or (signed_in.name if signed_in else None),
        email=profile.email or links.vouched_email,
        known=profile.known if record.profile else None,
        orders_count=profile.orders_count,
        total_spent=profile.total_spent,
        currency=profile.currency or (last_order.currency if last_order else None),
        last_order=last_order,
        cart=_cart(visitor.cart),
        fetched_at=record.fetched_at,
        admin_url=_admin_url(site, customer, last_order),
        problem=record.problem,
        failing_since=record.failing_since,
    )


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

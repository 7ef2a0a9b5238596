"""What links a visitor to a customer: the store's word, and what the visitor says of themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

from bridge.domain.customer import Links, PlacedOrder, SignedIn, Typed
from bridge.ports import VisitorRecord
from bridge.services.batch import Batch
from bridge.services.incoming import Incoming, IncomingMessage, RejectedError
from bridge.times import rfc3339

_Kind = TypeVar("_Kind", SignedIn, PlacedOrder)


def customer(
    superseded: Callable[[str, str, datetime], None], batch: Batch, event: Incoming
) -> bool:
    """The store says who signed in, or that somebody signed out (C1, C3).

    ``superseded`` is told, once it lasts, of each visitor whose earlier tokens ended: site,
    visitor, and the time by the store's clock from which tokens are good.
    """
    visitor = _named_visitor(batch, event)
    if visitor is None:
        return False
    # Signing out does not part the visitor from the customer (C3); it only ends the tokens.
    if event.details is not None:
        vouched(batch, visitor, _evidence(event, SignedIn))
    if event.tokens_from is not None:
        visitor.tokens_from = max(visitor.tokens_from or event.tokens_from, event.tokens_from)
        batch.work.after_commit(
            partial(superseded, batch.work.site, visitor.id, visitor.tokens_from)
        )
    return True


def order(batch: Batch, event: Incoming) -> bool:
    """The store saw this browser place an order (C1)."""
    visitor = _named_visitor(batch, event)
    if visitor is None:
        return False
    placed = _evidence(event, PlacedOrder)
    link(visitor, visitor.links.with_order(placed))
    batch.work.keep_evidence(visitor.id, placed)
    return True


def cart(batch: Batch, event: Incoming) -> bool:
    """The store says what is in the visitor's cart now; an older word does not undo a newer."""
    visitor = _named_visitor(batch, event)
    if visitor is None:
        return False
    stamp = [rfc3339(event.at), event.id]
    if visitor.cart is None or stamp >= visitor.cart.get("stamp", []):
        visitor.cart = {**(event.details or {}), "stamp": stamp}
    return True


def vouched(batch: Batch, visitor: VisitorRecord, evidence: SignedIn) -> None:
    """The store vouches, by an event or by the visitor's token, for who is signed in (C1)."""
    known = visitor.links.signed_in
    link(visitor, visitor.links.with_sign_in(evidence))
    if known is None or (known.id, known.email) != (evidence.id, evidence.email):
        batch.work.keep_evidence(visitor.id, evidence)


def introduce(visitor: VisitorRecord, event: Incoming, message: IncomingMessage) -> None:
    """The visitor gave a name or an email with a message (C1, C2)."""
    email = Typed(message.email, event.at, event.id) if message.email else None
    name = Typed(message.name, event.at, event.id) if message.name else None
    link(visitor, visitor.links.with_typed(email, name))


def link(visitor: VisitorRecord, links: Links) -> None:
    """Know the visitor by these links."""
    visitor.links = links
    visitor.name, visitor.email = links.shown_name, links.shown_email


def _evidence(event: Incoming, kind: type[_Kind]) -> _Kind:
    return kind(**(event.details or {}), at=event.at, event=event.id)


def _named_visitor(batch: Batch, event: Incoming) -> VisitorRecord | None:
    """The visitor that the store speaks of; ``None`` if the event came before."""
    batch.store_only(event)
    if event.visitor is None:
        raise RejectedError("visitor-required", f"A {event.type} event needs its visitor.")
    return None if batch.seen(event) else batch.visitor(event.visitor)

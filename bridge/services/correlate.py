"""What links a visitor to a customer: the store's word, and what the visitor says of themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from bridge.ports import VisitorRecord
from bridge.services.batch import Batch
from bridge.services.incoming import Incoming, IncomingMessage, RejectedError


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
        visitor.customer = {**event.details, "proof": "signed_in"}
        _show_person(visitor, event.details.get("name"), event.details.get("email"))
    if event.tokens_from is not None:
        visitor.tokens_from = max(visitor.tokens_from or event.tokens_from, event.tokens_from)
        batch.work.after_commit(
            partial(superseded, batch.work.site, visitor.id, visitor.tokens_from)
        )
    return True


def order(batch: Batch, event: Incoming) -> bool:
    """The store saw this browser place an order."""
    visitor = _named_visitor(batch, event)
    if visitor is None:
        return False
    visitor.last_order = dict(event.details or {})
    return True


def cart(batch: Batch, event: Incoming) -> bool:
    """The store says what is in the visitor's cart now."""
    visitor = _named_visitor(batch, event)
    if visitor is None:
        return False
    visitor.cart = dict(event.details or {})
    return True


def introduce(visitor: VisitorRecord, message: IncomingMessage) -> None:
    """The visitor gave a name or an email with a message: heard unless the store knows better."""
    if visitor.customer is None:
        _show_person(visitor, message.name, message.email)


def _named_visitor(batch: Batch, event: Incoming) -> VisitorRecord | None:
    """The visitor that the store speaks of; ``None`` if the event came before."""
    batch.store_only(event)
    if event.visitor is None:
        raise RejectedError("visitor-required", f"A {event.type} event needs its visitor.")
    return None if batch.seen(event) else batch.visitor(event.visitor)


def _show_person(visitor: VisitorRecord, name: str | None, email: str | None) -> None:
    visitor.name = name or visitor.name
    visitor.email = email or visitor.email

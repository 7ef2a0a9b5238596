"""Events, from the visitor's page and from the store."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from bridge.api.schemas.common import (
    Amount,
    Confidential,
    Email,
    Id,
    Moment,
    Name,
    PresenceFilter,
    Sequence,
)


class EventMessage(Struct):
    """The message of an event: whole in ``message``, its id alone in ``message_delivered``."""

    id: Id
    author: Literal["visitor", "bot", "system"] = "visitor"
    text: Annotated[str, Meta(max_length=16_000)] | None = None
    name: Name | None = None
    email: Email | None = None


class EventCustomer(Struct):
    """The customer who signed in."""

    id: Id
    email: Email | None = None
    name: Name | None = None


class EventOrder(Struct):
    """An order that the visitor placed."""

    id: Id
    number: Annotated[str, Meta(max_length=64)]
    total: Amount
    currency: Annotated[str, Meta(max_length=8)]
    email: Email | None = None
    customer_id: Id | None = None


class CartItem(Struct):
    """One line of a cart."""

    product_id: Id
    name: Annotated[str, Meta(max_length=500)]
    quantity: float
    total: Amount


class EventCart(Struct):
    """What is in the visitor's cart now."""

    items: Annotated[list[CartItem], Meta(max_length=100)]
    total: Amount
    currency: Annotated[str, Meta(max_length=8)]


class Event(Struct):
    """Something that happened. Which further fields a type needs is in ``docs/protocol.md``."""

    id: Id
    type: Literal[
        "page_view",
        "heartbeat",
        "page_hidden",
        "page_unload",
        "chat_cleared",
        "message",
        "message_delivered",
        "conversation_deleted",
        "customer",
        "order_placed",
        "cart",
    ]
    conversation: Id | None = None
    visitor: Id | None = None
    page: Id | None = None
    seq: Sequence | None = None
    occurred_at: Annotated[str, Meta(max_length=64)] | None = None
    url: str | None = None
    title: str | None = None
    message: EventMessage | None = None
    customer: EventCustomer | UnsetType | None = UNSET
    order: EventOrder | None = None
    cart: EventCart | None = None


class VisitorEvents(Confidential):
    """A batch of events; ``token`` is the visitor's, where no header could be set."""

    events: Annotated[list[Event], Meta(min_length=1, max_length=100)]
    token: str | None = None


class StoreEvents(Struct):
    """A batch of events from the store."""

    events: Annotated[list[Event], Meta(min_length=1, max_length=100)]


class EventResult(Struct, omit_defaults=True):
    """What became of one event."""

    id: str | None
    status: Literal["accepted", "duplicate", "rejected"]
    code: str | None = None
    detail: str | None = None


class EventConversation(Struct):
    """What the sender needs to know of a conversation that it spoke of."""

    takeover: bool
    takeover_expires_at: Moment | None
    heartbeat_seconds: float
    state: PresenceFilter


class EventsAnswer(Struct):
    """One result for each event, in their order."""

    results: list[EventResult]
    conversations: dict[str, EventConversation]

"""The public contract: what bodies look like, in and out. ``openapi.json`` is made from these.

Unknown fields in a request are ignored. Every name here is relied on from outside.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

Id = Annotated[
    str,
    Meta(min_length=1, max_length=128, description="Opaque: 1 to 128 printable characters."),
]
Moment = Annotated[
    str, Meta(description="RFC 3339, UTC, milliseconds.", extra_json_schema={"format": "date-time"})
]
Sequence = Annotated[int, Meta(ge=0, le=2**53, description="Rises with each event of a page.")]
Name = Annotated[str, Meta(max_length=200)]
Email = Annotated[str, Meta(max_length=320)]
Url = Annotated[str, Meta(max_length=2048)]
Amount = Annotated[str, Meta(max_length=40, description="A decimal number as text.")]

PageEventType = Literal["page_view", "heartbeat", "page_hidden", "page_unload"]
Right = Literal["conversations:read", "conversations:reply", "takeover", "takeover:force", "push"]
PresenceFilter = Literal["online", "switching_pages", "offline", "chat_cleared"]


# ------------------------------------------------------------------------------- events


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


class VisitorEvents(Struct):
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


# -------------------------------------------------------------------------------- store


class WooCommerceKeys(Struct):
    """A read-only REST key and the webhooks' secret."""

    consumer_key: Annotated[str, Meta(min_length=1, max_length=200)]
    consumer_secret: Annotated[str, Meta(min_length=1, max_length=200)]
    webhook_secret: Annotated[str, Meta(min_length=1, max_length=200)]


class StoreConnect(Struct):
    """What a store says of itself."""

    store_url: Url
    rest_url: Url
    name: Name
    origins: Annotated[list[Url], Meta(min_length=1, max_length=20)]
    plugin_version: Annotated[str, Meta(max_length=40)]
    wordpress_version: Annotated[str, Meta(max_length=40)]
    woocommerce_version: Annotated[str, Meta(max_length=40)] | None = None
    timezone: Annotated[str, Meta(max_length=64)] = "UTC"
    woocommerce: WooCommerceKeys | None = None


class StoreConnected(Struct):
    """The site as the bridge has it now."""

    site: str
    name: str
    bridge_version: str


class AgentBody(Struct):
    """A person in the app, as the store names them."""

    id: Id
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    email: Email | None = None
    avatar_url: Url | None = None


class PairingRequest(Struct):
    """Who may pair a device, and what they may do with it."""

    agent: AgentBody
    rights: Annotated[list[Right], Meta(max_length=5)]


class PairingOffer(Struct):
    """A code that works once, for 10 minutes; ``url`` opens the app with it."""

    code: str
    url: str
    expires_at: Moment


class DeviceBody(Struct):
    """A paired device."""

    id: str
    agent: AgentBody
    rights: list[Right]
    label: str
    platform: str
    registered_at: Moment
    last_seen_at: Moment


class DeviceList(Struct):
    """A site's devices, those seen last first."""

    devices: list[DeviceBody]


class SignedOut(Struct):
    """How many devices were signed out."""

    devices: int


class StoreStatus(Struct):
    """What the bridge knows of a store."""

    site: str
    name: str
    bridge_version: str
    connected_at: Moment | None
    last_event_at: Moment | None
    conversations: int
    online: int
    woocommerce: dict[str, Any] | None
    devices: list[DeviceBody]


# -------------------------------------------------------------------------------- agent


class PairDevice(Struct):
    """What a device calls itself."""

    label: Annotated[str, Meta(min_length=1, max_length=120)]
    platform: Annotated[str, Meta(max_length=60)] = ""


class PairRequest(Struct):
    """A pairing code and the device that has it."""

    code: Annotated[str, Meta(min_length=1, max_length=128)]
    device: PairDevice


class SiteBody(Struct):
    """The site that a device is paired with."""

    id: str
    name: str
    url: str


class Paired(Struct):
    """The device's token, told once."""

    token: str
    device: DeviceBody
    agent: AgentBody
    site: SiteBody


class Me(Struct):
    """The device that asks, its agent and its site."""

    device: DeviceBody
    agent: AgentBody
    site: SiteBody


class NoteBody(Struct):
    """What an agent should know before replying."""

    code: Literal["switching_pages", "left", "timed_out", "moved_on", "chat_cleared"]
    text: str


class PageBody(Struct):
    """The page that the visitor is on, or was last."""

    url: str
    title: str | None


class PresenceBody(Struct):
    """Whether the visitor is there (rules P and N)."""

    online: bool
    state: PresenceFilter
    reason: Literal["left", "timed_out", "moved_on"] | None
    since: Moment | None
    last_seen_at: Moment | None
    heard_at: Moment | None
    label: str
    note: NoteBody | None
    hidden: bool
    page: PageBody | None
    continued_in: str | None
    pages: int


class VisitorBody(Struct):
    """The visitor's browser."""

    id: str | None
    name: str | None
    device: str | None


class CustomerBody(Struct):
    """The customer behind the visitor, with the proof of it (C1)."""

    id: str | None
    name: str | None
    email: str | None
    proof: Literal["signed_in", "order", "claimed"]
    orders_count: int | None = None
    total_spent: str | None = None
    currency: str | None = None
    last_order: dict[str, Any] | None = None
    cart: dict[str, Any] | None = None
    fetched_at: Moment | None = None
    admin_url: str | None = None


class AgentName(Struct):
    """A person in the app, briefly."""

    id: str
    name: str


class TakeoverBody(Struct):
    """Who answers instead of the AI."""

    agent: AgentName
    since: Moment


class LastMessage(Struct):
    """The beginning of the newest message."""

    id: str
    author: Literal["visitor", "bot", "agent", "system"]
    text: str
    at: Moment


class ConversationBody(Struct):
    """A conversation; what is not known is null."""

    id: str
    rev: int
    started_at: Moment
    last_activity_at: Moment
    visitor: VisitorBody
    presence: PresenceBody
    customer: CustomerBody | None
    takeover: TakeoverBody | None
    watchers: list[AgentName]
    last_message: LastMessage | None
    unread: int


class ConversationList(Struct):
    """A page of conversations; ``rev`` is the site's revision that they are at least as new as."""

    conversations: list[ConversationBody]
    next_cursor: str | None
    rev: int


class MessageAgent(Struct):
    """The agent who wrote."""

    id: str
    name: str
    avatar_url: str | None = None


class MessageBody(Struct):
    """A message; ``delivery`` is null but for agents' messages."""

    id: str
    rev: int
    conversation: str
    author: Literal["visitor", "bot", "agent", "system"]
    text: str
    at: Moment
    agent: MessageAgent | None
    delivery: Literal["queued", "delivered"] | None
    delivered_at: Moment | None


class MessageList(Struct):
    """A page of messages, oldest first; ``before`` and ``after`` ask for the neighbouring pages,
    null where there is none."""

    messages: list[MessageBody]
    before: str | None
    after: str | None


# ---------------------------------------------------------------------------- operations


class Health(Struct):
    """The process, or storage too, is in order."""

    status: Literal["ok"]


class FieldError(Struct):
    """One bad field, by its JSON pointer."""

    pointer: str
    detail: str


class Problem(Struct):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str | None
    errors: list[FieldError] | UnsetType = UNSET


def to_json(body: Struct) -> bytes:
    """A body as JSON."""
    return _encoder.encode(body)


_encoder = msgspec.json.Encoder()

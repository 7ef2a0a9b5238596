"""The public contract: what bodies look like, in and out. ``openapi.json`` is made from these.

Unknown fields in a request are ignored. Every name here is relied on from outside.
"""

import msgspec

from bridge.api.schemas.agent import (
    AgentName,
    ConversationBody,
    ConversationList,
    CustomerBody,
    DeletedConversation,
    LastMessage,
    Me,
    MessageAgent,
    MessageBody,
    MessageList,
    MessageRequest,
    NoteBody,
    PageBody,
    PairDevice,
    Paired,
    PairRequest,
    PresenceBody,
    SiteBody,
    StreamHeard,
    StreamReady,
    SyncBody,
    TakeoverBody,
    TakeoverRequest,
    VisitorBody,
    Watching,
)
from bridge.api.schemas.common import PresenceFilter
from bridge.api.schemas.events import (
    CartItem,
    Event,
    EventCart,
    EventConversation,
    EventCustomer,
    EventMessage,
    EventOrder,
    EventResult,
    EventsAnswer,
    StoreEvents,
    VisitorEvents,
)
from bridge.api.schemas.operations import FieldError, Health, Problem
from bridge.api.schemas.store import (
    AgentBody,
    DeviceBody,
    DeviceList,
    PairingOffer,
    PairingRequest,
    SignedOut,
    StoreConnect,
    StoreConnected,
    StoreStatus,
    WooCommerceKeys,
)
from bridge.api.schemas.visitor import (
    VisitorCleared,
    VisitorDemand,
    VisitorReady,
    VisitorSync,
    VisitorTakeover,
)

__all__ = [
    "AgentBody",
    "AgentName",
    "CartItem",
    "ConversationBody",
    "ConversationList",
    "CustomerBody",
    "DeletedConversation",
    "DeviceBody",
    "DeviceList",
    "Event",
    "EventCart",
    "EventConversation",
    "EventCustomer",
    "EventMessage",
    "EventOrder",
    "EventResult",
    "EventsAnswer",
    "FieldError",
    "Health",
    "LastMessage",
    "Me",
    "MessageAgent",
    "MessageBody",
    "MessageList",
    "MessageRequest",
    "NoteBody",
    "PageBody",
    "PairDevice",
    "PairRequest",
    "Paired",
    "PairingOffer",
    "PairingRequest",
    "PresenceBody",
    "PresenceFilter",
    "Problem",
    "SignedOut",
    "SiteBody",
    "StoreConnect",
    "StoreConnected",
    "StoreEvents",
    "StoreStatus",
    "StreamHeard",
    "StreamReady",
    "SyncBody",
    "TakeoverBody",
    "TakeoverRequest",
    "VisitorBody",
    "VisitorCleared",
    "VisitorDemand",
    "VisitorEvents",
    "VisitorReady",
    "VisitorSync",
    "VisitorTakeover",
    "Watching",
    "WooCommerceKeys",
    "to_json",
]

_encoder = msgspec.json.Encoder()


def to_json(body: msgspec.Struct) -> bytes:
    """A body as JSON."""
    return _encoder.encode(body)

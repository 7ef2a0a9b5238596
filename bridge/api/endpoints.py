"""Every endpoint in one table: ``openapi.json`` is made from it, and the tests hold it to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import UnionType

from msgspec import Struct

from bridge.api import schemas as s

STORE, VISITOR, AGENT, ANYONE = "store", "visitor", "agent", "anyone"
WOOCOMMERCE = "woocommerce"

_OF_CALLER: dict[str, tuple[int, ...]] = {
    # The body of every signed request is read, for the signature is over it.
    STORE: (400, 401, 408, 413, 429, 503),
    VISITOR: (401, 403, 429, 503),
    AGENT: (401, 403, 429, 503),
    WOOCOMMERCE: (401, 429, 503),
    ANYONE: (),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the query; ``schema`` is JSON Schema."""

    name: str
    description: str
    schema: dict[str, object]
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one address.

    ``problems`` are the statuses that it may answer with besides those of its ``caller``;
    ``media_type`` is that of an answer which is not described by ``answer``; ``events`` are what a
    stream brings, with their data, one struct or a union of them.
    """

    method: str
    path: str
    caller: str
    summary: str
    body: type[Struct] | None = None
    answer: type[Struct] | None = None
    status: int = 200
    problems: tuple[int, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    media_type: str | None = None
    conditional: bool = False
    body_types: tuple[str, ...] = field(default=("application/json",))
    body_needed: bool = True
    events: Mapping[str, type[Struct] | UnionType] = field(default_factory=dict)

    @property
    def statuses(self) -> list[int]:
        """All statuses that it may answer with."""
        own = {self.status, *self.problems, *_OF_CALLER[self.caller]}
        return sorted(own | {304} if self.conditional else own)


_WITH_BODY = (400, 408, 413, 422)
_LIMIT = Parameter(
    "limit", "How many.", {"type": "integer", "minimum": 1, "maximum": 100, "default": 50}
)

_REVISION = {"type": "integer", "minimum": 0}
_ID = {"type": "string", "minLength": 1, "maxLength": 128}
_OF_PAGE = (
    Parameter("conversation", "The page's conversation, which is the visitor's.", _ID, needed=True),
    Parameter("page", "The page's own id.", _ID, needed=True),
    Parameter(
        "after",
        "The revision of the message that was shown last; without it, what is undelivered.",
        _REVISION,
    ),
)

ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/store/connect",
        STORE,
        "Tell the bridge who the store is",
        s.StoreConnect,
        s.StoreConnected,
        problems=_WITH_BODY,
    ),
    Endpoint(
        "GET", "/v1/store/status", STORE, "What the bridge knows of the store", answer=s.StoreStatus
    ),
    Endpoint(
        "POST",
        "/v1/store/events",
        STORE,
        "Events that the store saw",
        s.StoreEvents,
        s.EventsAnswer,
        problems=_WITH_BODY,
    ),
    Endpoint(
        "POST",
        "/v1/store/pairings",
        STORE,
        "A code with which one person may pair one device",
        s.PairingRequest,
        s.PairingOffer,
        problems=_WITH_BODY,
    ),
    Endpoint("GET", "/v1/store/devices", STORE, "The site's devices", answer=s.DeviceList),
    Endpoint(
        "DELETE",
        "/v1/store/devices/{device}",
        STORE,
        "Sign a device out",
        answer=s.SignedOut,
        problems=(404,),
    ),
    Endpoint(
        "DELETE",
        "/v1/store/agents/{agent}",
        STORE,
        "Sign out all devices of one person",
        answer=s.SignedOut,
        problems=(404,),
    ),
    Endpoint(
        "POST",
        "/v1/store/privacy/export",
        STORE,
        "All that is kept of a person",
        s.PrivacyRequest,
        s.PrivacyExport,
        problems=_WITH_BODY,
    ),
    Endpoint(
        "POST",
        "/v1/store/privacy/erase",
        STORE,
        "Erase what is kept of a person",
        s.PrivacyRequest,
        s.PrivacyErased,
        problems=_WITH_BODY,
    ),
    Endpoint(
        "POST",
        "/v1/visitor/events",
        VISITOR,
        "Events of a visitor's page",
        s.VisitorEvents,
        s.EventsAnswer,
        problems=(*_WITH_BODY, 415),
        body_types=("application/json", "text/plain"),
    ),
    Endpoint(
        "GET",
        "/v1/visitor/stream",
        VISITOR,
        "What concerns a page, as it happens: server-sent events",
        problems=(404, 422),
        parameters=_OF_PAGE,
        media_type="text/event-stream",
        events={
            "ready": s.VisitorReady,
            "demand": s.VisitorDemand,
            "message": s.MessageBody,
            "takeover": s.VisitorTakeover,
            "cleared": s.VisitorCleared,
        },
    ),
    Endpoint(
        "GET",
        "/v1/visitor/sync",
        VISITOR,
        "The same for a page that cannot stream",
        answer=s.VisitorSync,
        problems=(404, 422),
        parameters=_OF_PAGE,
    ),
    Endpoint(
        "POST",
        "/v1/pair",
        ANYONE,
        "Pair a device by a code",
        s.PairRequest,
        s.Paired,
        problems=(*_WITH_BODY, 401, 415, 429, 503),
    ),
    Endpoint("GET", "/v1/me", AGENT, "The device that asks", answer=s.Me),
    Endpoint("DELETE", "/v1/me", AGENT, "Sign this device out", status=204),
    Endpoint(
        "GET",
        "/v1/conversations",
        AGENT,
        "Conversations, those with somebody there first",
        answer=s.ConversationList,
        problems=(422,),
        conditional=True,
        parameters=(
            Parameter(
                "presence",
                "Only those in this state.",
                {"enum": ["online", "switching_pages", "offline", "chat_cleared"]},
            ),
            Parameter(
                "q",
                "Beginnings of words: of a name, an email, the number of an order; or a whole id.",
                {"type": "string", "maxLength": 200},
            ),
            Parameter(
                "follow_up",
                "Only those whose visitor is gone and awaits a reply, the latest first.",
                {"type": "boolean", "default": False},
            ),
            Parameter(
                "sort", "The order.", {"enum": ["presence", "recent"], "default": "presence"}
            ),
            Parameter(
                "mine",
                "Only those that this agent has taken over.",
                {"type": "boolean", "default": False},
            ),
            _LIMIT,
            Parameter("cursor", "`next_cursor` of the page before.", {"type": "string"}),
        ),
    ),
    Endpoint(
        "GET",
        "/v1/conversations/{conversation}",
        AGENT,
        "One conversation",
        answer=s.ConversationBody,
        problems=(404,),
        conditional=True,
    ),
    Endpoint(
        "GET",
        "/v1/conversations/{conversation}/messages",
        AGENT,
        "A page of messages, oldest first; the newest page without before and after",
        answer=s.MessageList,
        problems=(404, 422),
        parameters=(
            Parameter("before", "The id of a message: those before it.", {"type": "string"}),
            Parameter("after", "The id of a message: those after it.", {"type": "string"}),
            _LIMIT,
        ),
    ),
    Endpoint(
        "POST",
        "/v1/conversations/{conversation}/messages",
        AGENT,
        "Write to the visitor of a conversation that this agent has taken over",
        s.MessageRequest,
        s.MessageBody,
        status=201,
        problems=(*_WITH_BODY, 404, 409, 415),
    ),
    Endpoint(
        "PUT",
        "/v1/conversations/{conversation}/watch",
        AGENT,
        "The device has the conversation on its screen",
        answer=s.Watching,
        problems=(404,),
    ),
    Endpoint(
        "DELETE",
        "/v1/conversations/{conversation}/watch",
        AGENT,
        "The device has it on its screen no longer",
        status=204,
        problems=(404,),
    ),
    Endpoint(
        "PUT",
        "/v1/conversations/{conversation}/takeover",
        AGENT,
        "Answer instead of the AI",
        s.TakeoverRequest,
        s.ConversationBody,
        problems=(*_WITH_BODY, 404, 409, 415),
        body_needed=False,
    ),
    Endpoint(
        "DELETE",
        "/v1/conversations/{conversation}/takeover",
        AGENT,
        "Let the AI answer again",
        status=204,
        problems=(404, 409, 422),
        parameters=(
            Parameter("force", "Another agent's takeover.", {"type": "boolean", "default": False}),
        ),
    ),
    Endpoint(
        "GET",
        "/v1/sync",
        AGENT,
        "What changed since a revision",
        answer=s.SyncBody,
        problems=(422,),
        parameters=(
            Parameter("after", "The revision that the reader has.", {**_REVISION, "default": 0}),
            Parameter(
                "limit",
                "How many changes.",
                {"type": "integer", "minimum": 1, "maximum": 500, "default": 200},
            ),
        ),
    ),
    Endpoint(
        "GET",
        "/v1/stream",
        AGENT,
        "What changes, as it changes: server-sent events",
        problems=(422,),
        parameters=(
            Parameter("after", "The revision to resume from, as Last-Event-ID.", _REVISION),
        ),
        media_type="text/event-stream",
        events={
            "ready": s.StreamReady,
            "conversation": s.ConversationBody | s.DeletedConversation,
            "message": s.MessageBody,
            "heard": s.StreamHeard,
        },
    ),
    Endpoint(
        "POST",
        "/v1/conversations/{conversation}/read",
        AGENT,
        "Mark a conversation read for this agent",
        status=204,
        problems=(404,),
    ),
    Endpoint(
        "POST",
        "/v1/conversations/{conversation}/followed-up",
        AGENT,
        "Note that the visitor was written to elsewhere",
        status=204,
        problems=(404,),
    ),
    Endpoint(
        "POST",
        "/v1/woocommerce/webhooks/{site}",
        WOOCOMMERCE,
        "What WooCommerce says of customers and orders, signed by its webhook",
        problems=(400, 404, 408, 413),
    ),
    Endpoint("GET", "/healthz", ANYONE, "Whether the process is in order", answer=s.Health),
    Endpoint(
        "GET",
        "/readyz",
        ANYONE,
        "Whether storage is in order too",
        answer=s.Health,
        problems=(503,),
    ),
    Endpoint("GET", "/openapi.json", ANYONE, "This description", media_type="application/json"),
    Endpoint("GET", "/docs", ANYONE, "This description, to read", media_type="text/html"),
    Endpoint("GET", "/docs/errors", ANYONE, "Every error code", media_type="text/html"),
    Endpoint("GET", "/plugin.zip", ANYONE, "The WordPress plugin", media_type="application/zip"),
)

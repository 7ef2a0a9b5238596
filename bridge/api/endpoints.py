"""Every endpoint in one table: ``openapi.json`` is made from it, and the tests hold it to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import Struct

from bridge.api import schemas as s

STORE, VISITOR, AGENT, ANYONE = "store", "visitor", "agent", "anyone"

_OF_CALLER: dict[str, tuple[int, ...]] = {
    # The body of every signed request is read, for the signature is over it.
    STORE: (400, 401, 408, 413, 429, 503),
    VISITOR: (401, 403, 429, 503),
    AGENT: (401, 403, 429, 503),
    ANYONE: (),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the query; ``schema`` is JSON Schema."""

    name: str
    description: str
    schema: dict[str, object]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one address.

    ``problems`` are the statuses that it may answer with besides those of its ``caller``;
    ``media_type`` is that of an answer which is not described by ``answer``.
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

    @property
    def statuses(self) -> list[int]:
        """All statuses that it may answer with."""
        own = {self.status, *self.problems, *_OF_CALLER[self.caller]}
        return sorted(own | {304} if self.conditional else own)


_WITH_BODY = (400, 408, 413, 422)
_LIMIT = Parameter(
    "limit", "How many.", {"type": "integer", "minimum": 1, "maximum": 100, "default": 50}
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
        "/v1/visitor/events",
        VISITOR,
        "Events of a visitor's page",
        s.VisitorEvents,
        s.EventsAnswer,
        problems=(*_WITH_BODY, 415),
        body_types=("application/json", "text/plain"),
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
                "q", "Part of a name, an email or an id.", {"type": "string", "maxLength": 200}
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
        "/v1/conversations/{conversation}/read",
        AGENT,
        "Mark a conversation read for this agent",
        status=204,
        problems=(404,),
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

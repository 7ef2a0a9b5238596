"""What comes in, and what is answered: events whose fields were checked one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bridge.domain.customer import SignedIn


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """The message of a ``message`` or ``message_delivered`` event."""

    id: str
    author: str = "visitor"
    text: str = ""
    name: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """One event.

    ``at`` is when it happened (P11); ``visitor`` whom it is about, from the token or as the store
    named them; ``url`` is of the site already; ``details`` is the customer, order or cart;
    ``tokens_from`` is when, by the store's clock, a sign-in or sign-out happened.
    """

    id: str
    type: str
    at: datetime
    conversation: str | None = None
    visitor: str | None = None
    page: str | None = None
    seq: int | None = None
    url: str | None = None
    title: str | None = None
    message: IncomingMessage | None = None
    details: Mapping[str, Any] | None = None
    tokens_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """The visitor whose page sent a batch: what their browser calls itself, and whom the store
    vouches for in their token."""

    visitor: str
    device: str | None = None
    signed_in: SignedIn | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one event: ``accepted``, ``duplicate``, or ``rejected`` with the reason."""

    id: str | None
    status: str
    code: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class ConversationAnswer:
    """What a page or a store needs to know of a conversation it spoke of; ``takeover_until`` is
    when a takeover ends by itself, ``None`` without one (T3)."""

    state: str
    heartbeat_seconds: float
    takeover_until: datetime | None = None


@dataclass(slots=True)
class Answer:
    """The results, in the order of the events, and the conversations they were about."""

    results: list[Result] = field(default_factory=list)
    conversations: dict[str, ConversationAnswer] = field(default_factory=dict)


class RejectedError(Exception):
    """One event is wrong; the others of its batch are not."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail

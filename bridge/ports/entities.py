"""What the records keep, as the services see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bridge.domain.customer import Links
from bridge.domain.demand import Demand
from bridge.domain.presence import Presence, PresenceState, State
from bridge.ports.customers import CustomerRecord


@dataclass(frozen=True, slots=True)
class SiteSecret:
    """A key that a site signs with; ``until`` is when it verifies no more, once it was rotated."""

    key: bytes = field(repr=False)
    until: datetime | None = None


def good_keys(secrets: Sequence[SiteSecret], now: datetime) -> list[bytes]:
    """The keys that are good at ``now``, in the same order."""
    return [secret.key for secret in secrets if secret.until is None or now < secret.until]


@dataclass(frozen=True, slots=True)
class Site:
    """A connected store, with its secrets, the newest first.

    ``admin_url`` is where its wp-admin is, and ``webhook_secret`` what its WooCommerce signs with;
    ``None`` while it has not said.
    """

    id: str
    name: str
    url: str
    origins: frozenset[str]
    secrets: tuple[SiteSecret, ...]
    admin_url: str | None = None
    webhook_secret: str | None = field(repr=False, default=None)

    def keys(self, now: datetime) -> list[bytes]:
        """The keys that verify at ``now``, the newest first."""
        return good_keys(self.secrets, now)

    def allows(self, origin: str) -> bool:
        """Whether pages of ``origin`` may speak for this site's visitors."""
        return origin in self.origins


@dataclass(frozen=True, slots=True)
class StoreConnection:
    """What a store said of itself on connecting (``POST /v1/store/connect``)."""

    store_url: str
    rest_url: str
    name: str
    origins: tuple[str, ...]
    plugin_version: str
    wordpress_version: str
    woocommerce_version: str | None
    timezone: str
    admin_url: str | None = None
    woocommerce: Mapping[str, str] | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """What the records know of a site's store and traffic."""

    connected_at: datetime | None
    last_event_at: datetime | None
    conversations: int
    online: int


@dataclass(slots=True)
class VisitorRecord:
    """A browser, by its random first-party id. ``name`` and ``email`` are what is shown of
    ``links``; ``cart`` is as the store said, with when it did."""

    id: str
    name: str | None = None
    email: str | None = None
    device: str | None = None
    links: Links = field(default_factory=Links)
    cart: dict[str, Any] | None = None
    tokens_from: datetime | None = None
    """Tokens issued before this are superseded (C3)."""


@dataclass(slots=True)
class ConversationRecord:
    """One thread of the chat widget, with the presence recorded last.

    ``recorded_at`` is when ``presence`` was last saved, ``heard_at`` what was then known, and
    ``entered_at`` the computed time of the change recorded last (P14); ``demand`` says who watches
    it and who has taken it over, and ``demand_due`` when the next of these ends by itself;
    ``message_count`` counts the visitor's messages, which an agent may want to read;
    ``awaits_reply`` says that the visitor has not been shown an answer, and ``followed_up`` who
    wrote to them elsewhere, and when; ``rev`` is S1's.
    """

    id: str
    visitor: str | None
    started_at: datetime
    last_activity_at: datetime
    presence: Presence
    state: PresenceState
    recorded_at: datetime
    entered_at: datetime | None = None
    heard_at: datetime | None = None
    demand: Demand = field(default_factory=Demand)
    demand_due: datetime | None = None
    last_message: dict[str, Any] | None = None
    message_count: int = 0
    awaits_reply: bool = False
    followed_up: dict[str, Any] | None = None
    deleted: bool = False
    rev: int = 0


@dataclass(frozen=True, slots=True)
class Sibling:
    """Another conversation of the same visitor, as far as P8 looks at it."""

    id: str
    state: State
    continued_in: str | None
    heard_at: datetime | None


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """One message (M1). ``delivery`` is ``None`` but for agents' messages (M2); ``place`` is the
    revision that it came with, and orders those of one time; ``client_key`` names, in its
    conversation, what an agent's device sent once."""

    id: str
    conversation: str
    author: str
    text: str
    at: datetime
    name: str | None = None
    agent: Mapping[str, Any] | None = None
    delivery: str | None = None
    delivered_at: datetime | None = None
    rev: int = 0
    place: int = 0
    client_key: str | None = None


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """A conversation as a reader sees it, its visitor and the customer behind them joined, its
    unread messages counted."""

    record: ConversationRecord
    visitor: VisitorRecord | None
    unread: int
    customer: CustomerRecord | None = None


@dataclass(frozen=True, slots=True)
class Agent:
    """A person in the app."""

    id: str
    name: str
    email: str | None = None
    avatar_url: str | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """One installation of the app, and what its agent may do with it."""

    id: str
    site: str
    agent: Agent
    rights: frozenset[str]
    label: str
    platform: str
    created_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Pairing:
    """A pairing code's claim: who may pair a device with it, and until when."""

    site: str
    agent: Agent
    rights: frozenset[str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """What was answered to a signed request, kept so that a replay changes nothing."""

    status: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ConversationQuery:
    """What a reader wants listed; ``owner`` is who must have taken it over, ``after`` the sort key
    of the last one it has; ``to_follow_up`` asks for those whose visitor is gone and unanswered."""

    limit: int
    sort: str = "presence"
    presence: str | None = None
    text: str | None = None
    owner: str | None = None
    to_follow_up: bool = False
    after: tuple[int, datetime, str] | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed in a site since a revision, in its present form (S2), by revision.

    All up to ``rev`` is in it; ``more`` says that the site has changes beyond. A conversation's
    ``unread`` counts all messages: what each agent has read of them is asked apart.
    """

    rev: int
    conversations: Sequence[ConversationSummary]
    messages: Sequence[MessageRecord]
    more: bool


@dataclass(frozen=True, slots=True)
class StoreCall:
    """Something to tell a store (``api.md``, "Bridge to store"): kept until it was told, in order.

    ``body`` is JSON; ``id`` is its ``webhook-id`` in every attempt.
    """

    id: str
    site: str
    at: datetime
    body: bytes = field(repr=False)
    place: int = 0


@dataclass(frozen=True, slots=True)
class StoreDelivery:
    """How telling a store goes: the attempts that failed in a row and since when, the calls that
    were given up, and why the last attempt failed."""

    attempts: int = 0
    failing_since: datetime | None = None
    last_error: str | None = None
    given_up: int = 0

"""What the services ask of the engines.

Each engine family stands side by side behind one of these protocols and passes one conformance
suite (``tests/contract``). Every method says what happens on failure. Times are aware UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple, Protocol

from bridge.domain.events import Mark
from bridge.domain.presence import Presence, PresenceState

# ---------------------------------------------------------------------------- liveness


class ConversationKey(NamedTuple):
    """A conversation, named across sites."""

    site: str
    conversation: str


class Beat(Enum):
    """What became of a heartbeat that liveness was asked to answer alone."""

    HEARD = "heard"
    DUPLICATE = "duplicate"
    UNKNOWN = "unknown"
    """Liveness cannot tell, or it would change more: the records must be asked."""


@dataclass(frozen=True, slots=True)
class HotPage:
    """A live page: its greatest signal (P9), when it was last heard, and when it is gone (P2)."""

    mark: Mark
    heard_at: datetime
    allowance: float
    """Seconds from a heartbeat to the deadline that it sets."""
    deadline: datetime


@dataclass(frozen=True, slots=True)
class HotConversation:
    """What is hot of one conversation: everything that a heartbeat needs, and nothing more.

    ``pages`` are the live pages of browsers; ``due`` is the next moment at which the records must
    be asked although nothing was heard (the end of a grace time, the deadline of the store's
    page), pages apart; ``quiet`` says that a heartbeat changes nothing but what is kept here.
    """

    visitor: str | None
    heard_at: datetime | None
    pages: Mapping[str, HotPage] = field(default_factory=dict)
    due: datetime | None = None
    quiet: bool = False
    heartbeat_seconds: float = 0.0


class Liveness(Protocol):
    """Page deadlines: hot, and rebuilt from the records after a loss (P14).

    An engine that cannot be reached raises :class:`bridge.errors.UnavailableError` from every
    method and has then changed nothing.
    """

    def beat(self, key: ConversationKey, visitor: str, page: str, mark: Mark) -> tuple[Beat, float]:
        """Take a heartbeat of a page at ``mark.at``, in one round trip and without the records.

        ``HEARD`` moves the page's deadline to ``mark.at`` plus its allowance; ``DUPLICATE`` and
        ``UNKNOWN`` change nothing. ``UNKNOWN`` for a page that is not live at ``mark.at``, another
        visitor's conversation, and one that is not quiet. Also returns the heartbeat interval to
        tell, in seconds.
        """

    def read(self, keys: Iterable[ConversationKey]) -> dict[ConversationKey, HotConversation]:
        """What is hot of these conversations; those that are not are left out."""

    def place(self, key: ConversationKey, hot: HotConversation | None) -> None:
        """Set what is hot of a conversation, ``None`` to forget it. Of a page already known, the
        greater mark and the later hearing stay, so that a heartbeat in between is not lost."""

    def interrupt(self, key: ConversationKey) -> None:
        """Let the next heartbeat of this conversation be ``UNKNOWN``, once (P8)."""

    def take_due(self, now: datetime, limit: int) -> list[ConversationKey]:
        """The conversations that are due at ``now``, earliest first, never scanning the others.

        Each is lent to the caller: it is due again 5 s later unless placed before, so that what
        a caller loses is not lost.
        """

    def next_due(self) -> datetime | None:
        """When the next conversation may be due; never later than it is."""


# ----------------------------------------------------------------------------- records


@dataclass(frozen=True, slots=True)
class SiteSecret:
    """A key that a site signs with; ``until`` is when it verifies no more, once it was rotated."""

    key: bytes = field(repr=False)
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A connected store, with its secrets, the newest first."""

    id: str
    name: str
    url: str
    origins: frozenset[str]
    secrets: tuple[SiteSecret, ...]

    def keys(self, now: datetime) -> list[bytes]:
        """The keys that verify at ``now``, the newest first."""
        return [secret.key for secret in self.secrets if secret.until is None or now < secret.until]

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
    woocommerce: Mapping[str, str] | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """What the records know of a site's store and traffic."""

    connected_at: datetime | None
    connection: Mapping[str, Any]
    last_event_at: datetime | None
    conversations: int
    online: int


@dataclass(slots=True)
class VisitorRecord:
    """A browser, by its random first-party id. ``customer`` and ``cart`` are as the store said."""

    id: str
    name: str | None = None
    email: str | None = None
    device: str | None = None
    customer: dict[str, Any] | None = None
    cart: dict[str, Any] | None = None
    last_order: dict[str, Any] | None = None
    tokens_from: datetime | None = None
    """Tokens issued before this are superseded (C3)."""


@dataclass(slots=True)
class ConversationRecord:
    """One thread of the chat widget, with the presence recorded last.

    ``recorded_at`` is when ``presence`` was last saved; ``heard_at`` what was then known;
    ``unread_count`` counts the messages an agent may want to read; ``rev`` is S1's.
    """

    id: str
    visitor: str | None
    started_at: datetime
    last_activity_at: datetime
    presence: Presence
    state: PresenceState
    recorded_at: datetime
    heard_at: datetime | None = None
    last_message: dict[str, Any] | None = None
    message_count: int = 0
    deleted: bool = False
    rev: int = 0


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """One message (M1). ``delivery`` is ``None`` but for agents' messages (M2); ``place`` orders
    those of one time."""

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


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """A conversation as a reader sees it, its visitor joined and its unread messages counted."""

    record: ConversationRecord
    visitor: VisitorRecord | None
    unread: int


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
    body: bytes


@dataclass(frozen=True, slots=True)
class ConversationQuery:
    """What a reader wants listed; ``after`` is the sort key of the last one it has."""

    limit: int
    sort: str = "presence"
    presence: str | None = None
    text: str | None = None
    after: tuple[int, datetime, str] | None = None


class Work(Protocol):
    """One transaction of one site: all of it lasts, or nothing.

    Transactions of one site that write come one after another, so that revisions become visible in
    order (S1) and what was read here cannot change before it is written.
    """

    site: str

    def after_commit(self, effect: Callable[[], None]) -> None:
        """Run ``effect`` once all of this lasts; never if it does not."""

    def next_rev(self) -> int:
        """The site's next revision (S1)."""

    def note_event(self, at: datetime) -> None:
        """Remember when the site's last event came."""

    def answer_of(self, request: str) -> RecordedAnswer | None:
        """What the request with this ``webhook-id`` was answered, if it came before."""

    def keep_answer(self, request: str, answer: RecordedAnswer, at: datetime) -> None:
        """Remember what the request with this ``webhook-id`` was answered."""

    def first_time(self, event: str, at: datetime) -> bool:
        """Whether the event of this id comes for the first time; it is remembered from now on."""

    def conversation(self, conversation: str) -> ConversationRecord | None:
        """The conversation of this id, deleted ones too; ``None`` if it never was."""

    def save_conversation(self, record: ConversationRecord, *, known_rev: int) -> bool:
        """Write it, if its revision is still ``known_rev`` (0: it is new): compare-and-set.

        ``False``, and nothing written, when somebody else was faster.
        """

    def keep_change(self, conversation: str, rev: int, state: PresenceState, at: datetime) -> None:
        """Keep that a conversation entered ``state`` at the computed time ``at`` (P14)."""

    def siblings(self, visitor: str, conversation: str) -> list[ConversationRecord]:
        """The visitor's other conversations, the newest 50, deleted ones apart (P8)."""

    def empty_conversation(self, conversation: str) -> None:
        """Remove what hangs on a conversation, which is to be deleted: messages, changes of
        presence, read marks."""

    def idle_conversations(self, before: datetime, limit: int) -> list[ConversationRecord]:
        """Conversations without activity since ``before``, deleted ones apart, oldest first."""

    def visitor(self, visitor: str) -> VisitorRecord | None:
        """The visitor of this id."""

    def save_visitor(self, record: VisitorRecord) -> None:
        """Write the visitor."""

    def message(self, conversation: str, message: str) -> MessageRecord | None:
        """A message by its id."""

    def save_message(self, message: MessageRecord) -> None:
        """Write a message, new or changed."""

    def connect_site(self, store: StoreConnection, now: datetime) -> None:
        """Keep what the store said of itself, and the origins of its pages."""

    def add_pairing(self, code_hash: str, pairing: Pairing, now: datetime) -> None:
        """Keep a pairing code, by its hash."""

    def remove_device(self, device: str) -> bool:
        """Sign a device out; ``False`` if the site has no such device."""

    def remove_agent_devices(self, agent: str) -> int:
        """Sign out all devices of one person; how many there were."""


class Records(Protocol):
    """What lasts. Every method raises :class:`bridge.errors.UnavailableError` when storage is
    away, locked or full, and has then changed nothing."""

    def begin(self, site: str) -> AbstractContextManager[Work]:
        """A transaction of one site; committed at the end of the block, rolled back on an error."""

    def ready(self) -> None:
        """Return if storage answers."""

    def add_site(self, site: Site, now: datetime) -> None:
        """Add a site whose id is new."""

    def rotate_secret(self, site: str, secret: bytes, keep_old: datetime) -> bool:
        """Give a site a new secret; the old one verifies until ``keep_old``. ``False``: no site."""

    def site(self, site: str) -> Site | None:
        """The site of this id."""

    def sites(self) -> list[tuple[str, str, str]]:
        """Id, name and address of every site."""

    def site_status(self, site: str) -> SiteStatus:
        """What is known of the site's store and traffic."""

    def origin_known(self, origin: str) -> bool:
        """Whether any site lists this origin."""

    def superseded_tokens(self, since: datetime) -> list[tuple[str, str, datetime]]:
        """Site, visitor and the time from which its tokens are good again, of those superseded
        after ``since`` (C3)."""

    def use_pairing(
        self, code_hash: str, now: datetime, pair: Callable[[Pairing], tuple[Device, str]]
    ) -> Device | None:
        """Turn an unexpired pairing into the device, with the hash of its token, that ``pair``
        makes of it: both or neither, and of two callers at one time for one of them."""

    def device_by_token(self, token_hash: str) -> tuple[Device, int] | None:
        """The device that holds a token, and the revision of its site now."""

    def device_seen(self, device: str, now: datetime) -> None:
        """Remember that a device was in touch."""

    def devices(self, site: str) -> list[Device]:
        """A site's devices, those seen last first."""

    def list_conversations(
        self, site: str, agent: str, query: ConversationQuery
    ) -> list[ConversationSummary]:
        """Conversations for a reader, in one query, deleted ones left out."""

    def read_conversation(
        self, site: str, agent: str, conversation: str
    ) -> ConversationSummary | None:
        """One conversation for a reader; ``None`` if it is not there or deleted."""

    def list_messages(
        self, site: str, conversation: str, before: str | None, after: str | None, limit: int
    ) -> Sequence[MessageRecord] | None:
        """A page of messages, oldest first: the newest ``limit`` before the message ``before``, or
        the oldest ``limit`` after the message ``after``; ``None`` if that message is not there."""

    def changes(self, site: str, conversation: str) -> Sequence[tuple[str, str | None, datetime]]:
        """The recorded changes of presence, in order: state, reason, computed time (P14)."""

    def mark_read(self, site: str, agent: str, conversation: str, count: int) -> None:
        """The agent has read the first ``count`` messages."""

    def present_conversations(self) -> Iterable[tuple[str, list[ConversationRecord]]]:
        """All conversations recorded online or switching pages, by site, in batches (P14)."""

    def alive_at(self) -> datetime | None:
        """When the bridge last recorded that it was alive (P14)."""

    def record_alive(self, now: datetime) -> None:
        """Record that the bridge is alive (P14)."""

    def forget_replays(self, before: datetime) -> None:
        """Forget the answers and event ids that came ``before``, in small batches."""

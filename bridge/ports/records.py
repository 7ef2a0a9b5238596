"""What lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from bridge.domain.presence import PresenceState
from bridge.ports.entities import (
    ConversationQuery,
    ConversationRecord,
    ConversationSummary,
    Device,
    MessageRecord,
    Pairing,
    RecordedAnswer,
    Sibling,
    Site,
    SiteStatus,
    StoreConnection,
    VisitorRecord,
)


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

    def siblings(self, visitor: str, conversation: str) -> list[Sibling]:
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

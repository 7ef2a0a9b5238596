"""What lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from bridge.domain.customer import PlacedOrder, SignedIn, Subject
from bridge.domain.presence import PresenceState
from bridge.ports.customers import ClaimedLookUp, CustomerRecord, Profile
from bridge.ports.entities import (
    Changes,
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
        presence, read marks, what its store is still to be told."""

    def idle_conversations(self, before: datetime, limit: int) -> list[ConversationRecord]:
        """Conversations without activity since ``before``, deleted ones apart, oldest first."""

    def visitor(self, visitor: str) -> VisitorRecord | None:
        """The visitor of this id."""

    def save_visitor(self, record: VisitorRecord, now: datetime) -> None:
        """Write the visitor, whom they are linked to, and what they are found by."""

    def keep_evidence(self, visitor: str, evidence: SignedIn | PlacedOrder) -> None:
        """Keep for good that this account, email and order are the visitor's, whichever link turns
        out to be the strongest: they are found by it, and it is theirs to have erased."""

    def customer(self, key: str) -> CustomerRecord | None:
        """What is known of a customer, by :attr:`bridge.domain.customer.Subject.key`."""

    def want_customer(
        self,
        subject: Subject,
        due_at: datetime,
        now: datetime,
        *,
        looked_at: bool = False,
        changed_at: datetime | None = None,
    ) -> bool:
        """Have the store asked for a customer, at ``due_at`` or before, once all of this lasts.

        Because an agent looks (``looked_at``): before all others, unless that is coming anyway. Or
        because the store said that the customer changed, ``changed_at`` by its clock: not if what
        was fetched is newer. Whether readers see something new of the customer thereby: that an
        agent who looks must wait for a store that fails.
        """

    def keep_profile(self, claimed: ClaimedLookUp, profile: Profile, now: datetime) -> bool:
        """Keep what the store answered to a look-up, fetched ``now``; it waits no more, unless it
        was wanted again meanwhile. ``False``, and nothing kept, if the claim has ended."""

    def conversations_of_customer(self, key: str, limit: int) -> list[str]:
        """The ids of the newest ``limit`` conversations whose visitor's strongest link is to this
        customer, deleted ones apart."""

    def linked_visitors(self, subjects: Sequence[str]) -> list[str]:
        """The visitors who were ever linked, by whatever proof, to one of these: each
        ``customer:ID`` or ``email:ADDRESS``."""

    def unlink_visitor(self, visitor: str, subject: str) -> None:
        """Forget that a visitor was ever linked to this, and the numbers of their orders."""

    def conversations_of_visitors(
        self, visitors: Sequence[str], after: str, limit: int
    ) -> list[str]:
        """The ids of these visitors' conversations that come after ``after``, in their order,
        deleted ones apart."""

    def queued_for_store(self, conversation: str) -> list[Mapping[str, Any]]:
        """What the store is still to be told of a conversation, in order."""

    def forget_visitor(self, visitor: str) -> None:
        """Remove a visitor, and all that hangs on one but conversations."""

    def forget_typed_names(self, visitor: str) -> None:
        """Remove the names that a visitor gave with messages."""

    def forget_customers(self, keys: Sequence[str]) -> int:
        """Remove what is kept of those of these customers whom no visitor is linked to; how
        many."""

    def idle_visitors(
        self, before: datetime, after: str, limit: int
    ) -> tuple[list[str], str | None]:
        """Of the ``limit`` visitors whose ids come after ``after``, those without a conversation
        who were last written before ``before``; and the last id of all, if there is one."""

    def unlinked_customers(self, after: str, limit: int) -> tuple[list[str], str | None]:
        """Of the ``limit`` customers whose keys come after ``after``, those whom no visitor is
        linked to; and the last key of all, if there is one."""

    def message(self, conversation: str, message: str) -> MessageRecord | None:
        """A message by its id."""

    def save_message(self, message: MessageRecord) -> None:
        """Write a message, new or changed."""

    def message_sent(self, conversation: str, client_key: str) -> MessageRecord | None:
        """The message that an agent's device sent by this key (M1)."""

    def messages_since(self, conversation: str, rev: int, limit: int) -> list[MessageRecord]:
        """The newest ``limit`` messages that came after the revision ``rev``, oldest first."""

    def mark_read(self, agent: str, conversation: str, count: int) -> bool:
        """The agent has read the first ``count`` messages; ``False`` if as many before."""

    def owned_by(self, agent: str) -> list[str]:
        """The conversations that the agent has taken over."""

    def in_demand(self) -> list[str]:
        """The conversations that somebody watches or has taken over."""

    def tell_store(self, body: Mapping[str, Any], now: datetime) -> None:
        """Tell the store, once all of this lasts and after everything told before (``api.md``,
        "Bridge to store")."""

    def connect_site(self, store: StoreConnection, now: datetime) -> None:
        """Keep what the store said of itself, and the origins of its pages."""

    def add_pairing(self, code_hash: str, pairing: Pairing, now: datetime) -> None:
        """Keep a pairing code, by its hash."""

    def device(self, device: str) -> Device | None:
        """The site's device of this id."""

    def devices_of(self, agent: str) -> list[str]:
        """The ids of the agent's devices."""

    def agent_heard_at(self, agent: str) -> datetime | None:
        """When the last of the agent's devices was heard; ``None`` if the agent has none."""

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

    def customers_known(self, site: str, keys: Sequence[str], order: str | None) -> list[str]:
        """Which of these customers, and of those whose last order is ``order``, are kept."""

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

    def revision(self, site: str) -> int:
        """The site's revision now (S1)."""

    def sync(self, site: str, after: int, limit: int) -> Changes:
        """At most ``limit`` changes after the revision ``after``, those first that came first."""

    def read_counts(
        self, site: str, agents: Sequence[str], conversations: Sequence[str]
    ) -> dict[tuple[str, str], int]:
        """How many messages each of these agents has read of each of these conversations; those
        without any are left out."""

    def messages_for_visitor(
        self, site: str, conversation: str, after: int | None, limit: int
    ) -> list[MessageRecord]:
        """What the visitor's page is to show, oldest first: agents' messages still queued (M2), and
        agents' and system's that came after the revision ``after``, if one is given."""

    def watched_by(self, site: str, agent: str) -> list[str]:
        """The conversations that the agent watches, or watched a moment ago."""

    def active_conversations(self) -> Iterable[tuple[str, list[ConversationRecord]]]:
        """All conversations recorded online or switching pages, or in demand, by site, in batches
        (P14)."""

    def alive_at(self) -> datetime | None:
        """When the bridge last recorded that it was alive (P14)."""

    def record_alive(self, now: datetime) -> None:
        """Record that the bridge is alive (P14)."""

    def forget_replays(self, before: datetime) -> None:
        """Forget the answers and event ids that came ``before``, in small batches."""

"""One transaction of one site."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
import sqlalchemy as sa

from bridge.domain.customer import PlacedOrder, SignedIn, Subject
from bridge.domain.presence import PresenceState
from bridge.encryption import Encryption
from bridge.ports import (
    ClaimedLookUp,
    ConversationRecord,
    CustomerRecord,
    Device,
    MessageRecord,
    Pairing,
    Profile,
    RecordedAnswer,
    Sibling,
    StoreCall,
    StoreConnection,
    VisitorRecord,
)
from bridge.records import (
    conversations,
    customers,
    devices,
    look_ups,
    messages,
    outbox,
    privacy,
    reads,
    sites,
    visitors,
)
from bridge.records.tables import answered_requests, revisions, seen_events
from bridge.records.upsert import insert_once
from bridge.webhooks import OWN_ID_PREFIX

_SITE = revisions.c.site == sa.bindparam("in_site")
_LOCK = sa.select(revisions).where(_SITE).with_for_update()
_FLUSH = sa.update(revisions).where(_SITE)


class SqlWork:
    """Implements :class:`bridge.ports.Work`.

    It begins by locking the site's revision, so that the writers of a site come one after another:
    a revision is visible only when all before it are (S1), and no two of them can deadlock.
    """

    def __init__(self, connection: sa.Connection, site: str, encryption: Encryption) -> None:
        self.site = site
        self._encryption = encryption
        self._connection = connection
        self._effects: list[Callable[[], None]] = []
        self.tells_store = self.wants_customers = False
        row = connection.execute(_LOCK, {"in_site": site}).one()
        self._first_rev = int(row.rev)
        self._rev = self._first_rev
        self._counted = int(row.conversations)
        self._conversations = 0
        self._event_at: datetime | None = None

    def after_commit(self, effect: Callable[[], None]) -> None:
        """See :meth:`bridge.ports.Work.after_commit`."""
        self._effects.append(effect)

    def next_rev(self) -> int:
        """See :meth:`bridge.ports.Work.next_rev`."""
        self._rev += 1
        return self._rev

    def note_event(self, at: datetime) -> None:
        """See :meth:`bridge.ports.Work.note_event`."""
        self._event_at = at

    def answer_of(self, request: str) -> RecordedAnswer | None:
        """See :meth:`bridge.ports.Work.answer_of`."""
        known = answered_requests.c
        row = self._connection.execute(
            sa.select(known.status, known.body).where(known.site == self.site, known.id == request)
        ).first()
        if row is None:
            return None
        return RecordedAnswer(row.status, self._encryption.decrypt(row.body))

    def keep_answer(self, request: str, answer: RecordedAnswer, at: datetime) -> None:
        """See :meth:`bridge.ports.Work.keep_answer`."""
        self._connection.execute(
            sa.insert(answered_requests).values(
                site=self.site,
                id=request,
                at=at,
                status=answer.status,
                # It may hold a pairing code, of which the records otherwise keep the hash alone.
                body=self._encryption.encrypt(answer.body),
            )
        )

    def first_time(self, event: str, at: datetime) -> bool:
        """See :meth:`bridge.ports.Work.first_time`."""
        # A digest names nobody: it need not be found again when a person is to be forgotten.
        row = {"site": self.site, "id": sha256(event.encode()).hexdigest(), "at": at}
        return insert_once(self._connection, seen_events, row)

    def conversation(self, conversation: str) -> ConversationRecord | None:
        """See :meth:`bridge.ports.Work.conversation`."""
        return conversations.find(self._connection, self.site, conversation)

    def save_conversation(self, record: ConversationRecord, *, known_rev: int) -> bool:
        """See :meth:`bridge.ports.Work.save_conversation`."""
        saved = conversations.save(self._connection, self.site, record, known_rev)
        if saved and known_rev == 0:
            self._conversations += 1
        return saved

    def keep_change(self, conversation: str, rev: int, state: PresenceState, at: datetime) -> None:
        """See :meth:`bridge.ports.Work.keep_change`."""
        key = {"site": self.site, "conversation": conversation, "rev": rev}
        conversations.add_change(self._connection, key, state, at)

    def siblings(self, visitor: str, conversation: str) -> list[Sibling]:
        """See :meth:`bridge.ports.Work.siblings`."""
        return conversations.siblings(self._connection, self.site, visitor, conversation)

    def empty_conversation(self, conversation: str) -> None:
        """See :meth:`bridge.ports.Work.empty_conversation`."""
        conversations.empty(self._connection, self.site, conversation)
        privacy.forget_conversation(self._connection, self.site, conversation)
        self._conversations -= 1

    def idle_conversations(self, before: datetime, limit: int) -> list[ConversationRecord]:
        """See :meth:`bridge.ports.Work.idle_conversations`."""
        return conversations.idle(self._connection, self.site, before, limit)

    def visitor(self, visitor: str) -> VisitorRecord | None:
        """See :meth:`bridge.ports.Work.visitor`."""
        return visitors.find(self._connection, self.site, visitor)

    def save_visitor(self, record: VisitorRecord, now: datetime) -> None:
        """See :meth:`bridge.ports.Work.save_visitor`."""
        subject = record.links.subject
        customer = None if subject is None else self.customer(subject.key)
        profile = customer.profile if customer else None
        visitors.save(self._connection, self.site, record, profile, now)

    def keep_evidence(self, visitor: str, evidence: SignedIn | PlacedOrder) -> None:
        """See :meth:`bridge.ports.Work.keep_evidence`."""
        visitors.keep_evidence(self._connection, self.site, visitor, evidence)

    def customer(self, key: str) -> CustomerRecord | None:
        """See :meth:`bridge.ports.Work.customer`."""
        return customers.find(self._connection, self.site, key)

    def want_customer(
        self,
        subject: Subject,
        due_at: datetime,
        now: datetime,
        *,
        looked_at: bool = False,
        changed_at: datetime | None = None,
    ) -> bool:
        """See :meth:`bridge.ports.Work.want_customer`."""
        self.wants_customers = True
        return customers.want(
            self._connection,
            self.site,
            subject,
            due_at,
            now,
            looked_at=looked_at,
            changed_at=changed_at,
        )

    def keep_profile(self, claimed: ClaimedLookUp, profile: Profile, now: datetime) -> bool:
        """See :meth:`bridge.ports.Work.keep_profile`."""
        return customers.keep(self._connection, claimed, profile, now)

    def conversations_of_customer(self, key: str, limit: int) -> list[str]:
        """See :meth:`bridge.ports.Work.conversations_of_customer`."""
        return customers.conversations_of(self._connection, self.site, key, limit)

    def linked_visitors(self, subjects: Sequence[str]) -> list[str]:
        """See :meth:`bridge.ports.Work.linked_visitors`."""
        return privacy.linked(self._connection, self.site, subjects)

    def unlink_visitor(self, visitor: str, subject: str) -> None:
        """See :meth:`bridge.ports.Work.unlink_visitor`."""
        privacy.unlink(self._connection, self.site, visitor, subject)

    def conversations_of_visitors(
        self, visitors: Sequence[str], after: str, limit: int
    ) -> list[str]:
        """See :meth:`bridge.ports.Work.conversations_of_visitors`."""
        return privacy.conversations_of(self._connection, self.site, visitors, after, limit)

    def queued_for_store(self, conversation: str) -> list[Mapping[str, Any]]:
        """See :meth:`bridge.ports.Work.queued_for_store`."""
        queued = privacy.queued_for_store(self._connection, self.site, conversation)
        return [msgspec.json.decode(self._encryption.decrypt(body)) for body in queued]

    def forget_visitor(self, visitor: str) -> None:
        """See :meth:`bridge.ports.Work.forget_visitor`."""
        privacy.forget_visitor(self._connection, self.site, visitor)

    def forget_typed_names(self, visitor: str) -> None:
        """See :meth:`bridge.ports.Work.forget_typed_names`."""
        privacy.forget_typed_names(self._connection, self.site, visitor)

    def forget_customers(self, keys: Sequence[str]) -> int:
        """See :meth:`bridge.ports.Work.forget_customers`."""
        return privacy.forget_customers(self._connection, self.site, keys)

    def idle_visitors(
        self, before: datetime, after: str, limit: int
    ) -> tuple[list[str], str | None]:
        """See :meth:`bridge.ports.Work.idle_visitors`."""
        return privacy.idle_visitors(self._connection, self.site, before, after, limit)

    def unlinked_customers(self, after: str, limit: int) -> tuple[list[str], str | None]:
        """See :meth:`bridge.ports.Work.unlinked_customers`."""
        return privacy.unlinked_customers(self._connection, self.site, after, limit)

    def message(self, conversation: str, message: str) -> MessageRecord | None:
        """See :meth:`bridge.ports.Work.message`."""
        return messages.find(self._connection, self.site, conversation, message)

    def save_message(self, message: MessageRecord) -> None:
        """See :meth:`bridge.ports.Work.save_message`."""
        messages.save(self._connection, self.site, message)

    def message_sent(self, conversation: str, client_key: str) -> MessageRecord | None:
        """See :meth:`bridge.ports.Work.message_sent`."""
        return messages.sent(self._connection, self.site, conversation, client_key)

    def messages_since(self, conversation: str, rev: int, limit: int) -> list[MessageRecord]:
        """See :meth:`bridge.ports.Work.messages_since`."""
        return messages.since(self._connection, self.site, conversation, rev, limit)

    def mark_read(self, agent: str, conversation: str, count: int) -> bool:
        """See :meth:`bridge.ports.Work.mark_read`."""
        return reads.mark(self._connection, self.site, agent, conversation, count)

    def owned_by(self, agent: str) -> list[str]:
        """See :meth:`bridge.ports.Work.owned_by`."""
        return conversations.owned_by(self._connection, self.site, agent)

    def in_demand(self) -> list[str]:
        """See :meth:`bridge.ports.Work.in_demand`."""
        return conversations.in_demand(self._connection, self.site)

    def tell_store(self, body: Mapping[str, Any], now: datetime) -> None:
        """See :meth:`bridge.ports.Work.tell_store`."""
        call_id = f"{OWN_ID_PREFIX}{secrets.token_hex(16)}"
        content = msgspec.json.encode(body)
        outbox.add(
            self._connection,
            self.site,
            StoreCall(call_id, self.site, now, self._encryption.encrypt(content)),
            body.get("conversation"),
        )
        self.tells_store = True

    def connect_site(self, store: StoreConnection, now: datetime) -> None:
        """See :meth:`bridge.ports.Work.connect_site`."""
        sites.connect(self._connection, self.site, store, now, self._encryption.encrypt)
        outbox.wake(self._connection, self.site, now)
        look_ups.wake(self._connection, self.site, now)
        self.tells_store = self.wants_customers = True

    def add_pairing(self, code_hash: str, pairing: Pairing, now: datetime) -> None:
        """See :meth:`bridge.ports.Work.add_pairing`."""
        devices.add_pairing(self._connection, code_hash, pairing, now)

    def device(self, device: str) -> Device | None:
        """See :meth:`bridge.ports.Work.device`."""
        return devices.find(self._connection, self.site, device)

    def devices_of(self, agent: str) -> list[str]:
        """See :meth:`bridge.ports.Work.devices_of`."""
        return devices.owned_by(self._connection, self.site, agent)

    def agent_heard_at(self, agent: str) -> datetime | None:
        """See :meth:`bridge.ports.Work.agent_heard_at`."""
        return devices.heard_at(self._connection, self.site, agent)

    def remove_device(self, device: str) -> bool:
        """See :meth:`bridge.ports.Work.remove_device`."""
        return devices.remove(self._connection, self.site, device)

    def remove_agent_devices(self, agent: str) -> int:
        """See :meth:`bridge.ports.Work.remove_agent_devices`."""
        return devices.remove_all_of(self._connection, self.site, agent)

    def flush(self) -> None:
        """Write the site's revision: the last statement before the commit."""
        values: dict[str, object] = {}
        if self._rev != self._first_rev:
            values["rev"] = self._rev
        if self._conversations:
            values["conversations"] = self._counted + self._conversations
        if self._event_at is not None:
            values["last_event_at"] = self._event_at
        if values:
            self._connection.execute(_FLUSH, values | {"in_site": self.site})

    def committed(self) -> None:
        """Run what waited for the commit."""
        for effect in self._effects:
            effect()

    @property
    def has_changed(self) -> bool:
        """Whether a revision came of it."""
        return self._rev != self._first_rev

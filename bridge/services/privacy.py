"""What is kept of a person: told to them, or erased (``api.md``, "Store").

A person is named by email, by customer id or by visitor. Whoever merely typed an email has proven
nothing by it: their conversations are not told, and only the claim is erased.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from bridge.domain.customer import Subject, SubjectKind, email_address
from bridge.ports import ConversationRecord, VisitorRecord, Work
from bridge.services.customers import shown_of
from bridge.services.recording import Recorder
from bridge.services.retention import delete
from bridge.services.transcript import message_json
from bridge.times import rfc3339

MOST_MESSAGES = 1_000
"""Messages told at once; of the conversation that reaches it, all are."""

MOST_ERASED = 200
"""Conversations erased at once: the site's writers wait for no more."""

_MOST_OF_ONE = 1_000_000
_LOOKED_THROUGH = 100


@dataclass(frozen=True, slots=True)
class Person:
    """Whose data is meant: one of these at least. Together, they mean all who are named."""

    email: str | None = None
    customer: str | None = None
    visitor: str | None = None


@dataclass(slots=True)
class Exported:
    """All that is kept of a person; ``after`` is the conversation to go on from, ``None`` at the
    end. Visitors and customers come with the first part."""

    visitors: list[dict[str, Any]] = field(default_factory=list)
    customers: list[dict[str, Any]] = field(default_factory=list)
    conversations: list[dict[str, Any]] = field(default_factory=list)
    after: str | None = None


@dataclass(slots=True)
class Erased:
    """How much was erased; ``more`` says that there is more of it: ask again."""

    visitors: int = 0
    conversations: int = 0
    customers: int = 0
    claims: int = 0
    more: bool = False


class Privacy:
    """Tells what is kept of a person, and erases it."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def export(self, work: Work, person: Person, after: str | None) -> Exported:
        """What is kept of a person, from the conversation ``after`` on."""
        proven, _ = _visitors_of(work, person)
        exported = Exported()
        found = list(filter(None, map(work.visitor, proven)))
        if after is None:
            exported.visitors = [_visitor(each) for each in found]
            exported.customers = [
                customer for key in _keys(person, found) if (customer := _customer(work, key))
            ]
        told, last = 0, after or ""
        while proven and told < MOST_MESSAGES:
            page = work.conversations_of_visitors(proven, last, _LOOKED_THROUGH)
            for conversation in page:
                record = work.conversation(conversation)
                if record is not None:
                    exported.conversations.append(_conversation(work, record))
                    told += len(exported.conversations[-1]["messages"])
                last = conversation
                if told >= MOST_MESSAGES:
                    exported.after = last
                    break
            if len(page) < _LOOKED_THROUGH:
                break
        return exported

    def erase(self, work: Work, person: Person, now: datetime) -> Erased:
        """Erase what is kept of a person: conversations, messages, links, what the store told of
        them, and what is queued."""
        proven, claimed = _visitors_of(work, person)
        erased = Erased()
        keys = set(_keys(person, list(filter(None, map(work.visitor, proven)))))
        for visitor in proven:
            self._erase_conversations(work, visitor, erased, now)
            if erased.more:
                return erased
            work.forget_visitor(visitor)
            erased.visitors += 1
        for visitor in claimed:
            self._erase_claim(work, visitor, now)
            erased.claims += 1
        erased.customers = work.forget_customers(sorted(keys))
        return erased

    def _erase_conversations(self, work: Work, visitor: str, erased: Erased, now: datetime) -> None:
        left = MOST_ERASED - erased.conversations
        found = work.conversations_of_visitors([visitor], "", left + 1)
        for conversation in found[:left]:
            loaded = self._recorder.load(work, conversation, now)
            if loaded is not None:
                delete(work, loaded)
                self._recorder.write(work, loaded, now)
        erased.conversations += min(left, len(found))
        erased.more = len(found) > left

    def _erase_claim(self, work: Work, visitor: str, now: datetime) -> None:
        known = work.visitor(visitor)
        if known is None:
            return
        links = known.links.without_claim()
        parted = VisitorRecord(
            id=known.id,
            name=links.shown_name,
            email=links.shown_email,
            device=known.device,
            links=links,
            cart=known.cart,
            tokens_from=known.tokens_from,
        )
        work.save_visitor(parted, now)
        work.forget_typed_names(visitor)
        if shown_of(parted) != shown_of(known):
            for sibling in work.siblings(visitor, ""):
                loaded = self._recorder.load(work, sibling.id, now)
                if loaded is not None:
                    loaded.changed = True
                    self._recorder.write(work, loaded, now)


def _visitors_of(work: Work, person: Person) -> tuple[list[str], list[str]]:
    """The visitors who are this person by proof, and those who merely typed their email."""
    subjects = []
    email = email_address(person.email) if person.email else None
    if email is not None:
        subjects.append(f"email:{email}")
    if person.customer is not None:
        subjects.append(f"customer:{person.customer}")
    found = dict(work.linked_visitors(subjects))
    if person.visitor is not None:
        found[person.visitor] = True
    proven = sorted(visitor for visitor, is_proven in found.items() if is_proven)
    return proven, sorted(found.keys() - set(proven))


def _keys(person: Person, visitors: list[VisitorRecord]) -> list[str]:
    """The customers whom a person is: as they are named, and as their visitors are linked."""
    email = email_address(person.email) if person.email else None
    keys = set()
    if email is not None:
        by_email = (SubjectKind.GUEST, SubjectKind.CLAIMED)
        keys |= {Subject(kind, email).key for kind in by_email}
    if person.customer is not None:
        keys.add(Subject(SubjectKind.CUSTOMER, person.customer).key)
    keys |= {visitor.links.subject.key for visitor in visitors if visitor.links.subject}
    return sorted(keys)


def _visitor(visitor: VisitorRecord) -> dict[str, Any]:
    cart: Mapping[str, Any] = visitor.cart or {}
    return {
        "id": visitor.id,
        "name": visitor.name,
        "email": visitor.email,
        "device": visitor.device,
        "links": asdict(visitor.links),
        "cart": {name: value for name, value in cart.items() if name != "stamp"} or None,
    }


def _customer(work: Work, key: str) -> dict[str, Any] | None:
    customer = work.customer(key)
    if customer is None:
        return None
    return {
        "key": key,
        "profile": asdict(customer.profile) if customer.profile else None,
        "fetched_at": rfc3339(customer.fetched_at) if customer.fetched_at else None,
        "looked_up_at": rfc3339(customer.due_at) if customer.due_at else None,
    }


def _conversation(work: Work, record: ConversationRecord) -> dict[str, Any]:
    state = record.state
    messages = work.messages_since(record.id, 0, _MOST_OF_ONE)
    return {
        "id": record.id,
        "visitor": record.visitor,
        "started_at": rfc3339(record.started_at),
        "last_activity_at": rfc3339(record.last_activity_at),
        "last_seen_at": rfc3339(state.last_seen_at) if state.last_seen_at else None,
        "page": {"url": state.url, "title": state.title} if state.url else None,
        "messages": [{**message_json(each), "name": each.name} for each in messages],
        "queued_for_store": work.queued_for_store(record.id),
    }

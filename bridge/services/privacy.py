"""What is kept of a person: told to them, or erased (``api.md``, "Store").

A person is named by email, by customer id or by visitor. Only a visitor who is shown to be this
person is one: whoever merely typed an email, or had an order sent to it, keeps their conversations,
which are not told, and loses that alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from bridge.domain.customer import Links, Proof, Subject, SubjectKind, email_address
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
    """How much was erased; ``claims`` are visitors who are somebody else, and of whom only what
    speaks of the person went; ``more`` says that there is more of it: ask again."""

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
        theirs, _ = _visitors_of(work, person)
        exported = Exported()
        if after is None:
            exported.visitors = [_visitor(each) for each in theirs]
            exported.customers = [
                customer for key in _keys(person, theirs) if (customer := _customer(work, key))
            ]
        told, last, visitors = 0, after or "", [each.id for each in theirs]
        while visitors and told < MOST_MESSAGES:
            page = work.conversations_of_visitors(visitors, last, _LOOKED_THROUGH)
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
        theirs, others = _visitors_of(work, person)
        erased = Erased()
        for visitor in theirs:
            self._erase_conversations(work, visitor.id, erased, now)
            if erased.more:
                # The visitors stay until the last part: some are found only by each other.
                return erased
        for visitor in theirs:
            work.forget_visitor(visitor.id)
        for visitor in others:
            self._erase_evidence(work, visitor, person, now)
        keys = {*_keys(person, []), *(key for each in theirs for key in _all_keys(each.links))}
        erased.customers = work.forget_customers(sorted(keys))
        erased.visitors, erased.claims = len(theirs), len(others)
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

    def _erase_evidence(
        self, work: Work, known: VisitorRecord, person: Person, now: datetime
    ) -> None:
        """Take from a visitor who is somebody else what speaks of this person."""
        parted = replace(known, links=_without(known.links, person))
        parted.name, parted.email = parted.links.shown_name, parted.links.shown_email
        work.save_visitor(parted, now)
        for subject in _subjects(person):
            work.unlink_visitor(known.id, subject)
        if parted.links.name != known.links.name:
            work.forget_typed_names(known.id)
        if shown_of(parted) != shown_of(known):
            for conversation in work.conversations_of_visitors([known.id], "", _MOST_OF_ONE):
                loaded = self._recorder.load(work, conversation, now)
                if loaded is not None:
                    loaded.changed = True
                    self._recorder.write(work, loaded, now)


def _subjects(person: Person) -> list[str]:
    subjects = []
    email = email_address(person.email) if person.email else None
    if email is not None:
        subjects.append(f"email:{email}")
    if person.customer is not None:
        subjects.append(f"customer:{person.customer}")
    return subjects


def _visitors_of(work: Work, person: Person) -> tuple[list[VisitorRecord], list[VisitorRecord]]:
    """The visitors who are this person, as their conversations are shown to be; and those who are
    not, and of whom something speaks of this person: a typed email, an order paid for them."""
    found = _linked(work, _subjects(person))
    theirs = {each.id: each for each in found.values() if _is(work, each, person)}
    for each in list(theirs.values()):
        account = each.links.subject
        if account is not None and account.kind is SubjectKind.CUSTOMER:
            # Whoever used the same account is the same person, with or without the email.
            same = _linked(work, [account.key]).values()
            theirs |= {other.id: other for other in same if other.links.subject == account}
    named = work.visitor(person.visitor) if person.visitor else None
    if named is not None:
        theirs[named.id] = named
    others = [each for each in found.values() if each.id not in theirs]
    return list(theirs.values()), others


def _linked(work: Work, subjects: list[str]) -> dict[str, VisitorRecord]:
    known = map(work.visitor, work.linked_visitors(subjects))
    return {visitor.id: visitor for visitor in known if visitor is not None}


def _is(work: Work, visitor: VisitorRecord, person: Person) -> bool:
    """Whether the visitor is this person by the strongest proof, and by more than their word."""
    links = visitor.links
    if links.subject is None or links.proof is Proof.CLAIMED:
        return False
    if links.subject == (SubjectKind.CUSTOMER, person.customer):
        return True
    email = email_address(person.email) if person.email else None
    customer = work.customer(links.subject.key)
    stored = customer.profile.email if customer and customer.profile else None
    known = {links.subject_email, email_address(stored) if stored else None}
    return email is not None and email in known


def _without(links: Links, person: Person) -> Links:
    """The links without what speaks of this person."""
    email = email_address(person.email) if person.email else None
    if links.email is not None and email_address(links.email.text) == email:
        links = links.without_claim()
    order = links.order
    if order is not None and (
        (order.email and email_address(order.email) == email)
        or (order.customer_id and order.customer_id == person.customer)
    ):
        links = replace(links, order=None)
    return links


def _keys(person: Person, visitors: list[VisitorRecord]) -> list[str]:
    """The customers whom a person is: as they are named, and as their visitors are linked by more
    than their word."""
    keys = set()
    email = email_address(person.email) if person.email else None
    if email is not None:
        by_email = (SubjectKind.GUEST, SubjectKind.CLAIMED)
        keys |= {Subject(kind, email).key for kind in by_email}
    if person.customer is not None:
        keys.add(Subject(SubjectKind.CUSTOMER, person.customer).key)
    for visitor in visitors:
        subject = visitor.links.subject
        if subject is not None and subject.kind is not SubjectKind.CLAIMED:
            keys.add(subject.key)
    return sorted(keys)


def _all_keys(links: Links) -> set[str]:
    """The customers whom a visitor was looked up as, whichever link is the strongest now."""
    each = (links, replace(links, signed_in=None), Links(email=links.email))
    return {known.subject.key for known in each if known.subject is not None}


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

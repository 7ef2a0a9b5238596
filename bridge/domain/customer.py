"""Who is behind a visitor, and what proves it: rules C1 to C4.

Of each kind of proof only the latest is kept, by (time, event), so neither the order in which they
come nor how often matters; signing out adds nothing and takes nothing away (C3).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, TypeVar

STALE_AFTER = timedelta(minutes=15)
"""Data that is older is fetched again while an agent looks (C4)."""

_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_EMAIL = 254


class Proof(StrEnum):
    """What links a visitor to a customer, the strongest first (C1)."""

    SIGNED_IN = "signed_in"
    ORDER = "order"
    CLAIMED = "claimed"

    @property
    def shows_purchases(self) -> bool:
        """Whether amounts, addresses and order lines may be shown (C2)."""
        return self is not Proof.CLAIMED


class SubjectKind(StrEnum):
    """How a store is asked for a customer. What may be shown differs, so they are kept apart."""

    CUSTOMER = "customer"
    """One with an account, by its id."""
    GUEST = "guest"
    """One without, who placed an order, by the email of it."""
    CLAIMED = "claimed"
    """Whoever has an email that somebody typed (C2)."""


class Subject(NamedTuple):
    """Whom a store is asked for: ``value`` is an id, or an email by :func:`email_address`."""

    kind: SubjectKind
    value: str

    @property
    def key(self) -> str:
        """The same as one string."""
        return f"{self.kind.value}:{self.value}"

    @classmethod
    def of_key(cls, key: str) -> Subject:
        """The subject whose ``key`` this is."""
        kind, _, value = key.partition(":")
        return cls(SubjectKind(kind), value)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The store vouches for who is signed in."""

    id: str
    email: str | None = None
    name: str | None = None
    at: datetime = _ALWAYS
    event: str = ""


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """The store saw this browser place an order; ``customer_id`` is ``None`` for a guest."""

    id: str
    number: str
    total: str
    currency: str
    email: str | None = None
    customer_id: str | None = None
    at: datetime = _ALWAYS
    event: str = ""


@dataclass(frozen=True, slots=True)
class Typed:
    """A name or an email that somebody typed in the chat."""

    text: str
    at: datetime = _ALWAYS
    event: str = ""


Evidence = TypeVar("Evidence", SignedIn, PlacedOrder, Typed)


@dataclass(frozen=True, slots=True)
class Links:
    """All that is known of who a visitor is."""

    signed_in: SignedIn | None = None
    order: PlacedOrder | None = None
    email: Typed | None = None
    name: Typed | None = None

    def with_sign_in(self, evidence: SignedIn) -> Links:
        """Somebody signed in."""
        return replace(self, signed_in=_later(self.signed_in, evidence))

    def with_order(self, evidence: PlacedOrder) -> Links:
        """An order was placed. One that leads to nobody does not hide one that does."""
        leads, led = _orderer(evidence), _orderer(self.order) if self.order else None
        if (leads is None) != (led is None):
            return self if leads is None else replace(self, order=evidence)
        return replace(self, order=_later(self.order, evidence))

    def with_typed(self, email: Typed | None, name: Typed | None) -> Links:
        """An email or a name was typed. What is no email is none, and what is blank no name."""
        links = self
        if email is not None and email_address(email.text) is not None:
            links = replace(links, email=_later(links.email, _trimmed(email)))
        if name is not None and name.text.strip():
            links = replace(links, name=_later(links.name, _trimmed(name)))
        return links

    def without_claim(self) -> Links:
        """The same without what anybody could have typed."""
        return replace(self, email=None, name=None)

    @property
    def proof(self) -> Proof | None:
        """The strongest proof that leads to a customer (C1)."""
        if self.signed_in is not None:
            return Proof.SIGNED_IN
        if self.order is not None and _orderer(self.order) is not None:
            return Proof.ORDER
        return None if self.email is None else Proof.CLAIMED

    @property
    def subject(self) -> Subject | None:
        """Whom the store is to be asked for, by the strongest proof."""
        if self.signed_in is not None:
            return Subject(SubjectKind.CUSTOMER, self.signed_in.id)
        by_order = None if self.order is None else _orderer(self.order)
        if by_order is not None or self.email is None:
            return by_order
        email = email_address(self.email.text)
        return None if email is None else Subject(SubjectKind.CLAIMED, email)

    @property
    def shown_name(self) -> str | None:
        """The visitor's name: the store's word before what was typed."""
        vouched = self.signed_in.name if self.signed_in else None
        return vouched or (self.name.text if self.name else None)

    @property
    def shown_email(self) -> str | None:
        """Where the visitor can be written to: the store's word before what was typed."""
        return self.vouched_email or (self.email.text if self.email else None)

    @property
    def vouched_email(self) -> str | None:
        """The visitor's email by the store's word."""
        return next((each for each in self._vouched_emails if each), None)

    @property
    def subject_email(self) -> str | None:
        """The address that is this visitor's by the strongest proof. An order says whose it is by
        its account, if it has one: it may be sent to anybody."""
        if self.signed_in is not None:
            return email_address(self.signed_in.email or "")
        subject = self.subject
        return subject.value if subject and subject.kind is SubjectKind.GUEST else None

    @property
    def emails(self) -> frozenset[str]:
        """All addresses that the store has named with this visitor."""
        known = (email_address(each) for each in self._vouched_emails if each)
        return frozenset(each for each in known if each)

    @property
    def customer_ids(self) -> frozenset[str]:
        """The accounts that this visitor has used."""
        signed_in = self.signed_in.id if self.signed_in else None
        ordering = self.order.customer_id if self.order else None
        return frozenset(each for each in (signed_in, ordering) if each)

    @property
    def _vouched_emails(self) -> tuple[str | None, str | None]:
        signed_in = self.signed_in.email if self.signed_in else None
        return signed_in, self.order.email if self.order else None


def email_address(text: str) -> str | None:
    """An email as it is compared, ``None`` if it is none. Case is no difference: no host that
    matters makes one, and people type their own address in either."""
    address = text.strip().lower()
    name, at, host = address.rpartition("@")
    usable = name and at and host and "@" not in name and len(address) <= _LONGEST_EMAIL
    return address if usable and not any(map(_is_unusable, address)) else None


def is_stale(fetched_at: datetime | None, now: datetime) -> bool:
    """Whether an agent who looks at data of that age wants it fetched again (C4)."""
    return fetched_at is None or now - fetched_at > STALE_AFTER


def _orderer(order: PlacedOrder) -> Subject | None:
    """Who placed an order. One who was not signed in is not the account of the same email: anybody
    can order with anybody's."""
    if order.customer_id is not None:
        return Subject(SubjectKind.CUSTOMER, order.customer_id)
    email = email_address(order.email) if order.email else None
    return None if email is None else Subject(SubjectKind.GUEST, email)


def _trimmed(typed: Typed) -> Typed:
    return replace(typed, text=typed.text.strip())


def _later(known: Evidence | None, new: Evidence) -> Evidence:
    return new if known is None or (known.at, known.event) <= (new.at, new.event) else known


def _is_unusable(character: str) -> bool:
    return character.isspace() or not character.isprintable() or character in '<>,;"()[]\\'

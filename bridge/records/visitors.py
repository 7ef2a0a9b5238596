"""Queries about visitors, and whom they are linked to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
import sqlalchemy as sa

from bridge.domain.customer import Links, PlacedOrder, SignedIn, Typed, email_address
from bridge.ports import Profile, VisitorRecord
from bridge.records import search
from bridge.records.tables import visitor_links, visitors
from bridge.records.upsert import upsert

v = visitors.c
v_links = visitor_links.c


def find(connection: sa.Connection, site: str, visitor: str) -> VisitorRecord | None:
    """The visitor of this id."""
    row = connection.execute(sa.select(visitors).where(v.site == site, v.id == visitor)).first()
    return None if row is None else record(partial(getattr, row))


def record(read: Callable[[str], Any]) -> VisitorRecord:
    """The visitor in a row, of which ``read`` gives each column by its name."""
    links = Links(
        signed_in=_evidence(read("customer"), SignedIn),
        order=_evidence(read("last_order"), PlacedOrder),
        email=_evidence(read("typed_email"), Typed),
        name=_evidence(read("typed_name"), Typed),
    )
    return VisitorRecord(
        id=read("id"),
        name=read("name"),
        email=read("email"),
        device=read("device"),
        links=links,
        cart=read("cart"),
        tokens_from=read("tokens_from"),
    )


def save(
    connection: sa.Connection,
    site: str,
    visitor: VisitorRecord,
    profile: Profile | None,
    now: datetime,
) -> None:
    """Write a visitor, new or changed, with what they are found by; ``profile`` is what is known of
    the customer whom they are linked to."""
    links = visitor.links
    row = {
        "site": site,
        "id": visitor.id,
        "name": visitor.name,
        "email": visitor.email,
        "device": visitor.device,
        "cart": visitor.cart,
        "tokens_from": visitor.tokens_from,
        "customer": _document(links.signed_in),
        "last_order": _document(links.order),
        "typed_email": _document(links.email),
        "typed_name": _document(links.name),
        "customer_key": links.subject.key if links.subject else None,
        "saved_at": now,
    }
    upsert(connection, visitors, row)
    _link_typed(connection, site, visitor)
    search.index_visitor(connection, site, visitor, profile)


def keep_evidence(
    connection: sa.Connection, site: str, visitor: str, evidence: SignedIn | PlacedOrder
) -> None:
    """Keep which account and email are a visitor's for good, whatever comes before or after."""
    if isinstance(evidence, PlacedOrder):
        links = Links(order=evidence)
        search.index_order(connection, site, visitor, evidence.number)
    else:
        links = Links(signed_in=evidence)
    subjects = {f"email:{email}" for email in links.emails}
    subjects |= {f"customer:{customer}" for customer in links.customer_ids}
    for subject in sorted(subjects):
        row = {"site": site, "subject": subject, "visitor": visitor, "proven": True}
        upsert(connection, visitor_links, row)


def superseded(connection: sa.Connection, since: datetime) -> list[tuple[str, str, datetime]]:
    """The visitors whose tokens were superseded after ``since``, from an index (C3)."""
    rows = connection.execute(sa.select(v.site, v.id, v.tokens_from).where(v.tokens_from > since))
    return [(row.site, row.id, row.tokens_from) for row in rows]


def of_customer(connection: sa.Connection, site: str, key: str, limit: int) -> list[str]:
    """The ids of visitors whose strongest link is to this customer."""
    statement = sa.select(v.id).where(v.site == site, v.customer_key == key).limit(limit)
    return list(connection.scalars(statement))


def _link_typed(connection: sa.Connection, site: str, visitor: VisitorRecord) -> None:
    """Keep the email that the visitor typed, while it is the one."""
    email = visitor.links.email
    address = email_address(email.text) if email else None
    subject = f"email:{address}" if address else None
    mine = (v_links.site == site, v_links.visitor == visitor.id)
    rows = connection.execute(sa.select(v_links.subject, v_links.proven).where(*mine))
    known = {row.subject: row.proven for row in rows}
    gone = [each for each, proven in known.items() if not proven and each != subject]
    if gone:
        connection.execute(sa.delete(visitor_links).where(*mine, v_links.subject.in_(gone)))
    if subject is not None and subject not in known:
        row = {"site": site, "visitor": visitor.id, "subject": subject, "proven": False}
        connection.execute(sa.insert(visitor_links).values(row))


def _evidence(document: dict[str, Any] | None, kind: type[Any]) -> Any:
    return None if document is None else msgspec.convert(document, kind)


def _document(evidence: SignedIn | PlacedOrder | Typed | None) -> Any:
    return None if evidence is None else msgspec.to_builtins(asdict(evidence))

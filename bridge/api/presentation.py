"""Records as the bodies that readers get."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import msgspec

from bridge.api.schemas import (
    AgentBody,
    AgentName,
    ConversationBody,
    CustomerBody,
    DeletedConversation,
    DeviceBody,
    LastMessage,
    MessageAgent,
    MessageBody,
    NoteBody,
    PageBody,
    PresenceBody,
    SiteBody,
    TakeoverBody,
    VisitorBody,
    VisitorTakeover,
)
from bridge.domain.notes import label, note
from bridge.domain.presence import PresenceState, State
from bridge.domain.takeover import Person, Takeover
from bridge.ports import Agent, Device, MessageRecord, Site, VisitorRecord
from bridge.services.conversations import ConversationView
from bridge.services.transcript import message_json
from bridge.times import rfc3339


def conversation(view: ConversationView, now: datetime) -> ConversationBody:
    """A conversation as it is at ``now``."""
    record, visitor = view.summary.record, view.summary.visitor
    last = record.last_message
    return ConversationBody(
        id=record.id,
        rev=record.rev,
        started_at=rfc3339(record.started_at),
        last_activity_at=rfc3339(record.last_activity_at),
        visitor=VisitorBody(
            record.visitor,
            visitor.name if visitor else None,
            visitor.device if visitor else None,
        ),
        presence=presence(record.state, view.heard_at, now),
        customer=_customer(visitor),
        takeover=_takeover(record.demand.takeover),
        watchers=[AgentName(each.id, each.name) for each in record.demand.watchers(now)],
        last_message=None if last is None else msgspec.convert(last, LastMessage),
        unread=view.summary.unread,
    )


def presence(state: PresenceState, heard_at: datetime | None, now: datetime) -> PresenceBody:
    """A presence with its label and note (N)."""
    online = state.state is State.ONLINE
    last_seen_at = max(
        filter(None, (state.last_seen_at, heard_at if online else None)), default=None
    )
    said = note(state)
    return PresenceBody(
        online=online,
        state=state.state.value,
        reason=state.reason.value if state.reason else None,
        since=_moment(state.since),
        last_seen_at=_moment(last_seen_at),
        heard_at=_moment(heard_at),
        label=label(state, now),
        note=NoteBody(said.code, said.text) if said else None,  # type: ignore[arg-type]  # the codes of the domain are those of the schema
        hidden=state.hidden,
        page=PageBody(state.url, state.title) if state.url else None,
        continued_in=state.continued_in,
        pages=state.pages,
    )


def message(record: MessageRecord) -> MessageBody:
    """A message."""
    return msgspec.convert(message_json(record), MessageBody)


def changed(view: ConversationView, now: datetime) -> ConversationBody | DeletedConversation:
    """A conversation that changed, in its present form (S2)."""
    record = view.summary.record
    return DeletedConversation(record.id, record.rev) if record.deleted else conversation(view, now)


def for_visitor(record: MessageRecord) -> MessageBody:
    """A message as the visitor's page gets it: its ``rev`` is the one that it came with, whatever
    became of it, since a page asks for what came after it."""
    return message(replace(record, rev=record.place))


def visitor_takeover(owner: Person | None) -> VisitorTakeover:
    """Who answers instead of the AI, as the visitor's page gets it."""
    if owner is None:
        return VisitorTakeover(active=False, agent=None)
    return VisitorTakeover(active=True, agent=MessageAgent(owner.id, owner.name, owner.avatar_url))


def device(found: Device) -> DeviceBody:
    """A paired device."""
    return DeviceBody(
        id=found.id,
        agent=agent(found.agent),
        rights=sorted(found.rights),  # type: ignore[arg-type]  # checked when the code was offered
        label=found.label,
        platform=found.platform,
        registered_at=rfc3339(found.created_at),
        last_seen_at=rfc3339(found.last_seen_at),
    )


def agent(found: Agent) -> AgentBody:
    """A person in the app."""
    return AgentBody(found.id, found.name, found.email, found.avatar_url)


def site(found: Site) -> SiteBody:
    """The site that a device is paired with."""
    return SiteBody(found.id, found.name, found.url)


def _customer(visitor: VisitorRecord | None) -> CustomerBody | None:
    if visitor is None or visitor.customer is None:
        return None
    known = visitor.customer
    return CustomerBody(
        id=known.get("id"),
        name=known.get("name"),
        email=known.get("email"),
        proof=known["proof"],
        cart=visitor.cart,
    )


def _takeover(owned: Takeover | None) -> TakeoverBody | None:
    if owned is None:
        return None
    return TakeoverBody(AgentName(owned.owner.id, owned.owner.name), rfc3339(owned.since))


def _moment(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)

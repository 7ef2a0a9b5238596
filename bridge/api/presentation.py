"""Records as the bodies that readers get."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from bridge.api.schemas import (
    AgentBody,
    AgentName,
    ConversationBody,
    CustomerBody,
    DeletedConversation,
    DeviceBody,
    EventCart,
    FollowedUp,
    FollowUpBody,
    LastMessage,
    ListedConversation,
    ListedCustomer,
    LookUpProblemBody,
    MessageAgent,
    MessageBody,
    NoteBody,
    OrderBody,
    PageBody,
    PresenceBody,
    SiteBody,
    TakeoverBody,
    VisitorBody,
    VisitorTakeover,
    WooCommerceStatus,
)
from bridge.domain.follow_up import needs_follow_up
from bridge.domain.notes import label, note
from bridge.domain.presence import PresenceState, State
from bridge.domain.takeover import Person, Takeover
from bridge.ports import (
    Agent,
    ConversationSummary,
    Device,
    LookUpProblem,
    MessageRecord,
    Site,
    StoreHealth,
)
from bridge.services import customers
from bridge.services.conversations import ConversationView
from bridge.services.customers import CustomerView
from bridge.services.transcript import message_json
from bridge.times import rfc3339


def conversation(view: ConversationView, site: Site | None, now: datetime) -> ConversationBody:
    """A conversation of ``site`` as it is at ``now``, with the customer in full."""
    customer = customers.view(view.summary, site)
    return ConversationBody(
        **_fields(view, customer, site, now),
        customer=None if customer is None else _customer(customer),
    )


def listed(view: ConversationView, site: Site | None, now: datetime) -> ListedConversation:
    """The same as the list has it."""
    known = customers.view(view.summary, site)
    customer = None
    if known is not None:
        customer = ListedCustomer(
            known.id, known.name, known.email, known.proof.value, known.orders_count
        )
    return ListedConversation(**_fields(view, known, site, now), customer=customer)


def _fields(
    view: ConversationView, customer: CustomerView | None, site: Site | None, now: datetime
) -> dict[str, Any]:
    record, visitor = view.summary.record, view.summary.visitor
    last = record.last_message
    return {
        "id": record.id,
        "rev": record.rev,
        "started_at": rfc3339(record.started_at),
        "last_activity_at": rfc3339(record.last_activity_at),
        "visitor": VisitorBody(
            record.visitor,
            visitor.name if visitor else None,
            visitor.device if visitor else None,
        ),
        "presence": presence(record.state, view.heard_at, now),
        "takeover": _takeover(record.demand.takeover),
        "watchers": [AgentName(each.id, each.name) for each in record.demand.watchers(now)],
        "last_message": None if last is None else msgspec.convert(last, LastMessage),
        "unread": view.summary.unread,
        "follow_up": _follow_up(view.summary, customer, site),
    }


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


def changed(
    view: ConversationView, site: Site | None, now: datetime
) -> ConversationBody | DeletedConversation:
    """A conversation that changed, in its present form (S2)."""
    record = view.summary.record
    if record.deleted:
        return DeletedConversation(record.id, record.rev)
    return conversation(view, site, now)


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


def woocommerce(health: StoreHealth) -> WooCommerceStatus:
    """How asking a store for its customers goes."""
    problem = health.problem
    return WooCommerceStatus(
        reachable=None if problem is None and health.reached_at is None else problem is None,
        code=problem.value if problem else None,
        text=_PROBLEMS[problem] if problem else None,
        since=_moment(health.failing_since),
        reached_at=_moment(health.reached_at),
    )


_PROBLEMS = {
    LookUpProblem.NOT_CONNECTED: "The store has not let the bridge read its customers.",
    LookUpProblem.NOT_INSTALLED: "WooCommerce is not installed, or its REST API is switched off.",
    LookUpProblem.KEY_REFUSED: "The store refuses the key: connect it again.",
    LookUpProblem.UNREACHABLE: "The store cannot be reached.",
    LookUpProblem.BUSY: "The store asks to be left alone for a while.",
    LookUpProblem.BROKEN: "The store answers with an error.",
}


def _customer(known: CustomerView) -> CustomerBody:
    order, problem = known.last_order, known.problem
    return CustomerBody(
        id=known.id,
        name=known.name,
        email=known.email,
        proof=known.proof.value,
        orders_count=known.orders_count,
        total_spent=known.total_spent,
        currency=known.currency,
        last_order=None
        if order is None
        else OrderBody(order.number, order.status, order.total, order.currency, order.date),
        cart=None if known.cart is None else msgspec.convert(known.cart, EventCart),
        fetched_at=_moment(known.fetched_at),
        admin_url=known.admin_url,
        known=known.known,
        problem=None
        if problem is None
        else LookUpProblemBody(problem.value, _PROBLEMS[problem], _moment(known.failing_since)),
    )


def _follow_up(
    summary: ConversationSummary, customer: CustomerView | None, site: Site | None
) -> FollowUpBody:
    record = summary.record
    gone = record.state.state not in (State.ONLINE, State.SWITCHING_PAGES)
    return FollowUpBody(
        needed=needs_follow_up(record.state.state, awaited=record.awaits_reply),
        mailto=customers.mailto(summary.visitor, customer, site) if gone else None,
        done=None
        if record.followed_up is None
        else msgspec.convert(record.followed_up, FollowedUp),
    )


def _takeover(owned: Takeover | None) -> TakeoverBody | None:
    if owned is None:
        return None
    return TakeoverBody(AgentName(owned.owner.id, owned.owner.name), rfc3339(owned.since))


def _moment(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)

"""The agent's app: pairing, and reading conversations."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import get_args

import msgspec
from flask import Blueprint, Response, g, request

from bridge.api import body, conditional, cursors, limits, parameters, presentation
from bridge.api.auth import by_device
from bridge.api.schemas import (
    ConversationList,
    Me,
    MessageList,
    Paired,
    PairRequest,
    PresenceFilter,
    to_json,
)
from bridge.api.services import services
from bridge.errors import InvalidError, NotFoundError, UnauthorizedError
from bridge.ports import ConversationQuery, Device, MessageRecord
from bridge.services.conversations import ConversationView

blueprint = Blueprint("agent", __name__)

LISTED, MOST_LISTED = 50, 100
"""How many a list has, unless more or fewer are wanted, and at most."""
_SORTS = ("presence", "recent")
_pair = msgspec.json.Decoder(PairRequest)


@blueprint.post("/v1/pair")
def pair() -> Response:
    """Turn a pairing code into a device's token."""
    app = services()
    address = limits.address_key(request.remote_addr)
    app.limits.check(limits.WRONG_CODES, address, g.now)
    body.require_json(request)
    said = body.decode(body.raw(request, body.AGENT_LIMIT), _pair)
    paired = app.devices.pair(said.code, said.device.label, said.device.platform, g.now)
    if paired is None:
        app.limits.count(limits.WRONG_CODES, address, g.now)
        raise UnauthorizedError(
            "The code is wrong, used or expired: ask for a new one.", code="pairing-code-invalid"
        )
    me = _me(paired.device)
    return _json(Paired(paired.token, me.device, me.agent, me.site))


@blueprint.get("/v1/me")
@by_device()
def me(device: Device, rev: int) -> Response:  # noqa: ARG001 - every device's view gets the revision
    """The device that asks, its agent and its site."""
    return _json(_me(device))


@blueprint.delete("/v1/me")
@by_device()
def sign_out(device: Device, rev: int) -> Response:  # noqa: ARG001 - every device's view gets the revision
    """Sign this device out."""
    app = services()
    # Whoever signed it out a moment ago, it is signed out.
    with suppress(NotFoundError), app.records.begin(device.site) as work:
        app.sign_out.device(work, device.id, g.now)
    return Response(status=204)


@blueprint.get("/v1/conversations")
@by_device("conversations:read")
def conversations(device: Device, rev: int) -> Response:
    """Conversations: those with somebody there first, or the latest first."""
    query = _query(device.agent.id if parameters.flag("mine") else None)
    found = services().conversations.listing(device.site, device.agent.id, _one_more(query), g.now)
    shown, site = found[: query.limit], services().sites.find(device.site, g.now)
    answer = ConversationList(
        [presentation.listed(view, site, g.now) for view in shown],
        _cursor_after(shown[-1], query.sort) if len(found) > len(shown) else None,
        rev,
    )
    return conditional.answer(request, to_json(answer), body.JSON)


@blueprint.get("/v1/conversations/<id:conversation>")
@by_device("conversations:read")
def conversation(device: Device, rev: int, conversation: str) -> Response:  # noqa: ARG001 - every device's view gets the revision
    """One conversation."""
    view = services().conversations.one(device.site, device.agent.id, conversation, g.now)
    site = services().sites.find(device.site, g.now)
    answer = to_json(presentation.conversation(view, site, g.now))
    return conditional.answer(request, answer, body.JSON)


@blueprint.get("/v1/conversations/<id:conversation>/messages")
@by_device("conversations:read")
def messages(device: Device, rev: int, conversation: str) -> Response:  # noqa: ARG001 - every device's view gets the revision
    """A page of messages, oldest first; without ``before`` and ``after``, the newest."""
    before, after = request.args.get("before"), request.args.get("after")
    if before is not None and after is not None:
        raise InvalidError("Ask for before or after, not both.", errors=(("/before", "not both"),))
    if not (before or after or "-").isprintable():
        raise NotFoundError("There is no such message in this conversation.")
    limit = parameters.limit(LISTED, MOST_LISTED)
    found = services().conversations.messages(
        device.site, device.agent.id, conversation, before, after, limit + 1
    )
    return _json(_message_list(list(found), limit, before=before, after=after))


@blueprint.post("/v1/conversations/<id:conversation>/read")
@by_device("conversations:read")
def read(device: Device, rev: int, conversation: str) -> Response:  # noqa: ARG001 - every device's view gets the revision
    """Mark a conversation read for this agent."""
    services().conversations.mark_read(device.site, device.agent.id, conversation, g.now)
    return Response(status=204)


@blueprint.post("/v1/conversations/<id:conversation>/followed-up")
@by_device("conversations:reply")
def followed_up(device: Device, rev: int, conversation: str) -> Response:  # noqa: ARG001 - every device's view gets the revision
    """The agent wrote to the visitor elsewhere."""
    services().follow_ups.done(device, conversation, g.now)
    return Response(status=204)


def _query(owner: str | None) -> ConversationQuery:
    sort = parameters.choice("sort", _SORTS) or _SORTS[0]
    cursor = request.args.get("cursor")
    text = request.args.get("q", "").strip()
    if len(text) > 200 or "\0" in text:
        raise InvalidError("A search has at most 200 characters.", errors=(("/q", "too long"),))
    after = cursors.read(cursor, sort) if cursor is not None else None
    return ConversationQuery(
        limit=parameters.limit(LISTED, MOST_LISTED),
        sort=sort,
        presence=parameters.choice("presence", get_args(PresenceFilter)),
        text=text or None,
        owner=owner,
        to_follow_up=parameters.flag("follow_up"),
        after=(after.rank, after.at, after.id) if after else None,
    )


def _one_more(query: ConversationQuery) -> ConversationQuery:
    """One more than is shown tells whether there are more."""
    return replace(query, limit=query.limit + 1)


def _cursor_after(view: ConversationView, sort: str) -> str:
    record = view.summary.record
    rank = record.state.state.rank
    return cursors.write(cursors.Cursor(sort, rank, record.last_activity_at, record.id))


def _message_list(
    found: list[MessageRecord], limit: int, *, before: str | None, after: str | None
) -> MessageList:
    more = len(found) > limit
    forwards = after is not None
    shown = found[:limit] if forwards else found[-limit:]
    older = shown[0].id if shown and (more or forwards) else None
    newer = shown[-1].id if shown and (more if forwards else before is not None) else None
    return MessageList([presentation.message(each) for each in shown], older, newer)


def _me(device: Device) -> Me:
    site = services().sites.find(device.site, g.now)
    if site is None:
        raise UnauthorizedError("This device's site is gone.", code="device-unknown")
    return Me(
        presentation.device(device), presentation.agent(device.agent), presentation.site(site)
    )


def _json(answer: msgspec.Struct) -> Response:
    return Response(to_json(answer), content_type=body.JSON)

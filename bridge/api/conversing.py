"""The agent in a conversation: watching it, taking it over, writing in it."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, g, request

from bridge.api import body, parameters, presentation
from bridge.api.auth import by_device
from bridge.api.schemas import MessageRequest, TakeoverRequest, Watching, to_json
from bridge.api.services import services
from bridge.errors import InvalidError
from bridge.ports import Device
from bridge.times import rfc3339

blueprint = Blueprint("conversing", __name__)

_message = msgspec.json.Decoder(MessageRequest)
_takeover = msgspec.json.Decoder(TakeoverRequest)


@blueprint.post("/v1/conversations/<id:conversation>/messages")
@by_device("conversations:reply")
def send(device: Device, rev: int, conversation: str) -> Response:  # noqa: ARG001 - every device's view gets the revision
    """Write to the visitor."""
    body.require_json(request)
    said = body.decode(body.raw(request, body.AGENT_LIMIT), _message)
    if not said.text.strip():
        raise InvalidError("A message says something.", errors=(("/text", "blank"),))
    if not said.client_id.isprintable():
        raise InvalidError(
            "Ids are of printable characters.", errors=(("/client_id", "not printable"),)
        )
    sent = services().converse.send(device, conversation, said.client_id, said.text, g.now)
    answer = to_json(presentation.message(sent))
    return Response(answer, status=201, content_type=body.JSON)


@blueprint.put("/v1/conversations/<id:conversation>/watch")
@by_device("conversations:read")
def watch(device: Device, rev: int, conversation: str) -> Response:  # noqa: ARG001 - every device's view gets the revision
    """The device has the conversation on its screen."""
    until = services().watches.watch(device, conversation, g.now)
    return Response(to_json(Watching(rfc3339(until))), content_type=body.JSON)


@blueprint.delete("/v1/conversations/<id:conversation>/watch")
@by_device("conversations:read")
def leave(device: Device, rev: int, conversation: str) -> Response:  # noqa: ARG001 - every device's view gets the revision
    """The device has the conversation on its screen no longer."""
    services().watches.leave(device, conversation, g.now)
    return Response(status=204)


@blueprint.put("/v1/conversations/<id:conversation>/takeover")
@by_device("takeover", "conversations:read")
def take_over(device: Device, rev: int, conversation: str) -> Response:  # noqa: ARG001 - every device's view gets the revision
    """Answer instead of the AI."""
    app = services()
    content = body.raw(request, body.AGENT_LIMIT)
    asked = TakeoverRequest()
    if content:
        body.require_json(request)
        asked = body.decode(content, _takeover)
    app.takeovers.begin(device, conversation, asked.acknowledge, g.now)
    view = app.conversations.one(device.site, device.agent.id, conversation, g.now)
    site = app.sites.find(device.site, g.now)
    return Response(to_json(presentation.conversation(view, site, g.now)), content_type=body.JSON)


@blueprint.delete("/v1/conversations/<id:conversation>/takeover")
@by_device("takeover")
def release(device: Device, rev: int, conversation: str) -> Response:  # noqa: ARG001 - every device's view gets the revision
    """Let the AI answer again."""
    force = parameters.flag("force")
    services().takeovers.release(device, conversation, g.now, force=force)
    return Response(status=204)

"""The visitor's browser."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, g, request

from bridge.api import body, cors, events, visitor_stream
from bridge.api.auth import VisitorTokens, bearer, visitor_of
from bridge.api.devices import device_label
from bridge.api.services import services
from bridge.services.incoming import Answer, Incoming, Result, Sender

BLUEPRINT = "visitor"


def create_blueprint() -> Blueprint:
    """The endpoints that a page speaks to."""
    blueprint = Blueprint(BLUEPRINT, __name__)
    tokens = VisitorTokens()
    cors.add_preflight(blueprint, "/v1/visitor/events")

    @blueprint.route("/v1/visitor/events", methods=["POST"], provide_automatic_options=False)
    def visitor_events() -> Response:
        """Take in what happened on a page."""
        app, now = services(), g.now
        content = body.raw(request, body.VISITOR_LIMIT)
        body.require_json(request, "text/plain")
        batch = events.read_batch(content)
        token, site = visitor_of(
            app, tokens, bearer(request) or batch.token, now, len(batch.events)
        )
        incoming = [
            events.of_visitor(raw, token.visitor, site.origins, now) for raw in batch.events
        ]
        device = device_label(request.headers.get("User-Agent", ""))
        taken = _beat(site.id, incoming) or app.ingest.from_visitor(
            site.id, incoming, now, Sender(token.visitor, device, token.customer)
        )
        return Response(events.answer(taken), content_type=body.JSON)

    visitor_stream.add_to(blueprint, tokens)
    return blueprint


def _beat(site: str, incoming: Sequence[Incoming | Result]) -> Answer | None:
    """The answer to a heartbeat that changes nothing: no transaction is begun for it."""
    if len(incoming) == 1 and isinstance(incoming[0], Incoming):
        return services().ingest.beat(site, incoming[0])
    return None

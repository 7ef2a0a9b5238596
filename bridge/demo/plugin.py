"""What the WordPress plugin and a chatbot do in PHP: sessions, passing events on, answering."""

from datetime import UTC, datetime
from http import HTTPStatus

import requests
from flask import Blueprint, Response, abort, jsonify, request
from flask.typing import ResponseReturnValue

from bridge.demo import bot, cookies, events
from bridge.demo.basket import basket
from bridge.demo.outgoing import TIMEOUT_SECONDS, Outgoing, bridge_url
from bridge.demo.rest_api import PREFIX
from bridge.demo.same_origin import refuse_other_origins
from bridge.demo.site import DemoSite
from bridge.demo.takeovers import Takeovers

EVENTS_BYTES = 64 * 1024
CHAT_BYTES = 100_000
TEXT_CHARACTERS = 16_000
ID_CHARACTERS = 100


def add_plugin_routes(blueprint: Blueprint, site: DemoSite, outgoing: Outgoing) -> None:
    """Add ``/session``, ``/events``, ``/sync``, ``/chat`` and what the bridge calls."""
    takeovers = Takeovers()

    @blueprint.post("/session")
    def session() -> Response:
        """A visitor's token; asked for by presence.js when a chat begins."""
        refuse_other_origins()
        visitor = cookies.identify(site)
        token, expires_at = site.visitor_token(visitor, datetime.now(UTC), cookies.signed_in(site))
        ends = expires_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        response = jsonify(token=token, expires_at=ends, visitor=visitor)
        response.headers["Cache-Control"] = "no-store"
        cookies.remember_visitor(site, response, visitor)
        if lines := basket():
            # Filled before the chat began, when nobody was told of it.
            outgoing.tell(response, events.cart(visitor, lines))
        return response

    @blueprint.post("/events")
    def pass_events_on() -> ResponseReturnValue:
        """The visitor's own request, passed on where their browser cannot reach the bridge."""
        request.max_content_length = EVENTS_BYTES
        headers = {"Content-Type": request.content_type or "text/plain"}
        return _passed_on("POST", "/v1/visitor/events", headers, request.get_data())

    @blueprint.get("/sync")
    def sync() -> ResponseReturnValue:
        """The same for what the visitor's page asks."""
        query = request.query_string.decode("ascii", "replace")
        headers = {"Authorization": request.headers.get("Authorization", "")}
        return _passed_on("GET", f"/v1/visitor/sync?{query}", headers)

    @blueprint.post(f"{PREFIX}/chat-presence-bridge/v1/bridge")
    def told_by_bridge() -> ResponseReturnValue:
        """What the bridge tells the store: who answers, the bot or an agent."""
        request.max_content_length = CHAT_BYTES
        now = datetime.now(UTC)
        if not site.is_bridge(request.headers, request.get_data(), now):
            return {"title": "Not signed by the bridge."}, HTTPStatus.UNAUTHORIZED
        told = request.get_json()
        if isinstance(told, dict):
            takeovers.learn(told, now)
        return {"ok": True}

    @blueprint.post("/chat")
    def chat() -> Response:
        """The bot's answer, null while an agent answers; the bridge hears of it once the visitor
        has it."""
        refuse_other_origins()
        request.max_content_length = CHAT_BYTES
        conversation = _text_field("conversation", ID_CHARACTERS)
        message = _text_field("message", ID_CHARACTERS)
        text = _text_field("text", TEXT_CHARACTERS)
        if takeovers.holds(conversation, datetime.now(UTC)):
            return jsonify(reply=None)
        reply = bot.answer(text)
        response = jsonify(reply=reply)
        visitor = cookies.known_visitor(site)
        outgoing.tell(response, events.bot_message(conversation, visitor, message, reply))
        return response


def _text_field(name: str, most: int) -> str:
    fields = request.get_json()
    value = fields.get(name) if isinstance(fields, dict) else None
    if not isinstance(value, str) or not 0 < len(value.strip()) <= most:
        abort(HTTPStatus.UNPROCESSABLE_ENTITY)
    return value


def _passed_on(
    method: str, target: str, headers: dict[str, str], body: bytes = b""
) -> ResponseReturnValue:
    try:
        answer = requests.request(
            method,
            bridge_url(target),
            data=body,
            headers=headers,
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException:
        return {"title": "The bridge does not answer."}, HTTPStatus.BAD_GATEWAY
    kept = ("Content-Type", "Retry-After")
    passed = {name: answer.headers[name] for name in kept if name in answer.headers}
    return answer.content, answer.status_code, passed

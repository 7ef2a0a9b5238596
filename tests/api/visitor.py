"""A visitor's browser, as the bridge sees it: a token from the store, and events from its pages."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import jwt
from werkzeug.test import TestResponse

from tests.api.stream import Stream

if TYPE_CHECKING:
    from tests.api.installation import Installation

_ids = count(1)


def event(kind: str, conversation: str | None = None, **fields: Any) -> dict[str, Any]:
    """An event with an id of its own."""
    named = {} if conversation is None else {"conversation": conversation}
    return {"id": f"e_{next(_ids)}", "type": kind, **named, **fields}


def message(conversation: str, text: str = "Hello", **fields: Any) -> dict[str, Any]:
    """A message event; ``author``, ``message`` (its id), ``name`` and ``email`` are the message's,
    whatever else is the event's."""
    said = {"id": fields.pop("message", f"m_{next(_ids)}"), "text": text}
    for name in ("author", "name", "email"):
        if name in fields:
            said[name] = fields.pop(name)
    return event("message", conversation, message=said, **fields)


class Visitor:
    """One browser of one store's visitors."""

    def __init__(
        self, installation: Installation, site: str, secret: str, origin: str, visitor: str
    ) -> None:
        self.installation = installation
        self.site = site
        self.secret = secret
        self.origin = origin
        self.id = visitor

    def claims(self, **others: Any) -> dict[str, Any]:
        """What a token for now says; ``None`` leaves a claim out."""
        issued = int(self.installation.clock.now.timestamp())
        claims: dict[str, Any] = {
            "sub": self.id,
            "aud": "visitor",
            "iat": issued,
            "exp": issued + 12 * 3600,
            **others,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, *, headers: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """A token as the plugin makes it, with other claims and headers where a test wants them."""
        key = base64.urlsafe_b64decode(self.secret + "=" * (-len(self.secret) % 4))
        return jwt.encode(
            self.claims(**claims), key, "HS256", headers={"kid": self.site, **(headers or {})}
        )

    def post(self, body: Any, token: str | None = None, **request: Any) -> TestResponse:
        """A request with a token in its header (``""``: without one) and a body as it is given."""
        token = self.token() if token is None else token
        headers: dict[str, str | None] = {
            "Origin": self.origin,
            "Content-Type": "application/json",
        }
        if token:
            headers["Authorization"] = f"Bearer {token}"
        headers |= request.pop("headers", {})
        given = {name: value for name, value in headers.items() if value is not None}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.installation.open(
            "/v1/visitor/events", "POST", data=content, headers=given, **request
        )

    def get(self, path: str, token: str | None = None, **request: Any) -> TestResponse:
        """A GET with a token in its header (``""``: without one)."""
        token = self.token() if token is None else token
        headers: dict[str, str | None] = {"Origin": self.origin}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        headers |= request.pop("headers", {})
        given = {name: value for name, value in headers.items() if value is not None}
        method = request.pop("method", "GET")
        return self.installation.open(path, method, headers=given, **request)

    def send(self, *events: Mapping[str, Any], **request: Any) -> TestResponse:
        """Send a batch of events."""
        return self.post({"events": list(events)}, **request)

    def results(self, *events: Mapping[str, Any], **request: Any) -> list[dict[str, Any]]:
        """Send a batch of events that is answered, and return what became of each."""
        answered = self.send(*events, **request)
        assert answered.status_code == 200, answered.get_data(as_text=True)
        results: list[dict[str, Any]] = answered.json["results"]  # type: ignore[index]  # held to the description
        return results

    def outcome(self, happened: Mapping[str, Any]) -> tuple[str, str]:
        """Send one event; status and code of what became of it."""
        [result] = self.results(happened)
        return result["status"], result.get("code", "")

    def page(self, conversation: str, page: str = "p_1") -> Page:
        """A page on which this visitor has the chat open."""
        return Page(self, conversation, page)


class Page:
    """One loaded document: its lifecycle events carry a rising ``seq``."""

    def __init__(self, visitor: Visitor, conversation: str, page: str) -> None:
        self.visitor = visitor
        self.conversation = conversation
        self.id = page
        self._seq = count(1)

    def event(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The page's next event, not yet sent."""
        return event(kind, self.conversation, page=self.id, **{"seq": next(self._seq), **fields})

    def view(self, **fields: Any) -> dict[str, Any]:
        """The page is opened, or seen again."""
        return self._tell(self.event("page_view", **fields))

    def beat(self) -> dict[str, Any]:
        """The page's heartbeat."""
        return self._tell(self.event("heartbeat"))

    def hide(self) -> dict[str, Any]:
        """The page goes to the background."""
        return self._tell(self.event("page_hidden"))

    def unload(self) -> dict[str, Any]:
        """The page is left."""
        return self._tell(self.event("page_unload"))

    def clear(self) -> dict[str, Any]:
        """The visitor clears the chat on this page."""
        return self._tell(self.event("chat_cleared"))

    def write(self, text: str = "Hello", **fields: Any) -> dict[str, Any]:
        """The visitor writes on this page."""
        return self._tell(
            message(self.conversation, text, page=self.id, seq=next(self._seq), **fields)
        )

    def delivered(self, message: str) -> dict[str, Any]:
        """An agent's message was shown on this page."""
        said = {"id": message}
        return self._tell(event("message_delivered", self.conversation, message=said))

    def address(self, endpoint: str, after: int | None = None) -> str:
        """The address of this page's ``stream`` or ``sync``."""
        query: dict[str, str | int] = {"conversation": self.conversation, "page": self.id}
        if after is not None:
            query["after"] = after
        return f"/v1/visitor/{endpoint}?{urlencode(query)}"

    def stream(self, after: int | None = None, **request: Any) -> Stream:
        """A stream of what concerns this page, from its ``ready`` on."""
        answered = self.visitor.get(self.address("stream", after), **request)
        return Stream(self.visitor.installation, "/v1/visitor/stream", answered)

    def sync(self, after: int | None = None) -> dict[str, Any]:
        """The same without a stream."""
        answered = self.visitor.get(self.address("sync", after))
        assert answered.status_code == 200, answered.get_data(as_text=True)
        body: dict[str, Any] = answered.json or {}
        return body

    def _tell(self, happened: dict[str, Any]) -> dict[str, Any]:
        answered = self.visitor.send(happened)
        assert answered.status_code == 200, answered.get_data(as_text=True)
        body: dict[str, Any] = answered.json or {}
        assert body["results"][0]["status"] == "accepted", body
        return body

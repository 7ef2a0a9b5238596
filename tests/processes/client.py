"""A store, its visitors and an agent, who speak to a bridge over real connections."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from itertools import count
from typing import Any, Self, TypedDict, Unpack
from urllib.parse import urlencode, urlsplit

import jwt
import requests

from bridge.webhooks import decode_key, sign
from tests.processes.streams import Stream
from tests.servers.bridge import BridgeProcess

RIGHTS = ("conversations:read", "conversations:reply", "takeover", "takeover:force")
SHOP = "https://shop.example"
TIMEOUT = 30


class Details(TypedDict, total=False):
    """What an event may say besides."""

    page: str
    seq: int
    message: dict[str, str]


class Visitor:
    """A browser: it makes events, and sends them with its token over ``session``."""

    def __init__(self, url: str, id: str, token: str, session: requests.Session) -> None:
        self.id = id
        self._url = url
        self.token = token
        self._session = session
        self._events = count()

    def event(self, type: str, conversation: str, **details: Unpack[Details]) -> dict[str, Any]:  # noqa: A002 - the wire's own word
        """An event with an id of its own."""
        id = f"{self.id}-{next(self._events)}"
        return {"id": id, "type": type, "conversation": conversation, **details}

    def request(self, *events: dict[str, Any]) -> requests.PreparedRequest:
        """The request that sends events."""
        return requests.Request(
            "POST",
            f"{self._url}/v1/visitor/events",
            json={"events": events},
            headers={"Authorization": f"Bearer {self.token}"},
        ).prepare()

    def post(self, *events: dict[str, Any]) -> requests.Response:
        """Send events. Raises ``requests.ConnectionError`` when the bridge is gone."""
        return self._session.send(self.request(*events), timeout=TIMEOUT)

    def tell(self, type: str, conversation: str, **details: Unpack[Details]) -> str:  # noqa: A002 - the wire's own word
        """Send one event; its status, which the bridge must answer."""
        response = self.post(self.event(type, conversation, **details))
        assert response.status_code == 200, response.text
        (result,) = response.json()["results"]
        return str(result["status"])

    def stream(
        self, conversation: str, page: str, after: int | None = None, source: str = "127.0.0.1"
    ) -> Stream:
        """A stream of what concerns a page; whatever the answer is."""
        query: dict[str, str | int] = {"conversation": conversation, "page": page}
        if after is not None:
            query["after"] = after
        target = f"/v1/visitor/stream?{urlencode(query)}"
        return Stream(_port(self._url), target, self.token, source)


class Agent:
    """A paired device."""

    def __init__(self, url: str, token: str, session: requests.Session) -> None:
        self._url = url
        self.token = token
        self._session = session
        self._session.headers["Authorization"] = f"Bearer {token}"

    def request(self, method: str, conversation: str, what: str, **body: Any) -> requests.Response:
        """Do something in a conversation; whatever the answer is."""
        path = f"{self._url}/v1/conversations/{conversation}/{what}"
        return self._session.request(method, path, timeout=TIMEOUT, **body)

    def do(self, method: str, conversation: str, what: str, **body: Any) -> None:
        """Do something that must be done."""
        response = self.request(method, conversation, what, **body)
        assert response.ok, response.text

    def write(self, conversation: str, text: str) -> requests.Response:
        """Write to the visitor; the beginning of the text is its ``client_id`` too."""
        said = {"client_id": text[:50], "text": text}
        return self.request("POST", conversation, "messages", json=said)

    def stream(self, after: int | None = None, source: str = "127.0.0.1") -> Stream:
        """A stream of what changes, resumed after a revision."""
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        return Stream(_port(self._url), "/v1/stream", self.token, source, headers)

    def get(self, path: str, **query: str | int) -> requests.Response:
        """Read; whatever the answer is."""
        return self._session.get(f"{self._url}{path}", params=query, timeout=TIMEOUT)

    def read(self, path: str, **query: str | int) -> dict[str, Any]:
        """Read what must be there."""
        response = self.get(path, **query)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def presence(self, conversation: str) -> dict[str, Any]:
        """The presence of one conversation."""
        presence: dict[str, Any] = self.read(f"/v1/conversations/{conversation}")["presence"]
        return presence

    def messages(self, conversation: str) -> list[str]:
        """The ids of all messages of a conversation, oldest first."""
        return [each["id"] for each in self.transcript(conversation)]

    def transcript(self, conversation: str) -> list[dict[str, Any]]:
        """All messages of a conversation, oldest first."""
        path = f"/v1/conversations/{conversation}/messages"
        found: list[dict[str, Any]] = []
        page = self.read(path, limit=100)["messages"]
        while page:
            found = page + found
            page = self.read(path, limit=100, before=found[0]["id"])["messages"]
        return found


class Store:
    """A site that was added on the command line, with whoever belongs to it."""

    def __init__(self, bridge: BridgeProcess, url: str = SHOP) -> None:
        added = bridge.site_add("Shop", url)
        self.site = str(added["site"])
        self._url = bridge.url
        self._key = decode_key(added["secret"])
        self._requests = count()
        self._sessions: list[requests.Session] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._sessions:
            each.close()

    def session(self) -> requests.Session:
        """A connection that is kept, closed with the store."""
        self._sessions.append(requests.Session())
        return self._sessions[-1]

    def visitor(self, id: str, session: requests.Session | None = None) -> Visitor:
        """A browser with a token as the plugin makes it, on a connection of its own or shared."""
        now = int(time.time())
        claims = {"aud": "visitor", "sub": id, "iat": now, "exp": now + 3600}
        token = jwt.encode(claims, self._key, "HS256", headers={"kid": self.site})
        return Visitor(self._url, id, token, session or self.session())

    def agent(self, id: str = "1", name: str = "Sam") -> Agent:
        """A device, paired by a code that the store asked for."""
        asked = {"agent": {"id": id, "name": name}, "rights": RIGHTS}
        offered = self.post("/v1/store/pairings", json.dumps(asked).encode()).json()
        paired = requests.post(
            f"{self._url}/v1/pair",
            json={"code": offered["code"], "device": {"label": "Phone", "platform": "test"}},
            timeout=TIMEOUT,
        )
        return Agent(self._url, paired.json()["token"], self.session())

    def post(self, path: str, content: bytes) -> requests.Response:
        """A request signed as the plugin signs it."""
        headers = {"Content-Type": "application/json", **self._signed(content)}
        return requests.post(f"{self._url}{path}", data=content, headers=headers, timeout=TIMEOUT)

    def get(self, path: str) -> requests.Response:
        """The same without a body."""
        headers = self._signed(f"GET {path}".encode())
        return requests.get(f"{self._url}{path}", headers=headers, timeout=TIMEOUT)

    def _signed(self, content: bytes) -> dict[str, str]:
        id, stamp = f"msg_{next(self._requests)}", int(time.time())
        return {
            "Bridge-Site": self.site,
            "webhook-id": id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": sign(self._key, id, stamp, content),
        }


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def accepted(response: requests.Response, events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of ``events`` that were answered ``accepted``."""
    results = response.json()["results"] if response.status_code == 200 else []
    statuses = {each["id"]: each["status"] for each in results}
    return [event for event in events if statuses.get(event["id"]) == "accepted"]

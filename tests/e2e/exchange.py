"""What a browser asks the small shop and the small bridge, and what they answer."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.e2e.streams import NOBODY, OpenStream

EVENTS_PATH = "/v1/visitor/events"
STREAM_PATH = "/v1/visitor/stream"
SYNC_PATH = "/v1/visitor/sync"


@dataclass(frozen=True)
class Arrival:
    """One request as it arrived; ``server`` is ``shop`` or ``bridge``."""

    server: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.path).query))

    @property
    def token(self) -> str:
        """The credential in its header."""
        return self.headers.get("authorization", "").removeprefix("Bearer ")

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events in the body; none if this was no request with events."""
        if not self.path.endswith("/events"):
            return []
        events: list[dict[str, Any]] = json.loads(self.body)["events"]
        return events


@dataclass(frozen=True)
class Answer:
    """What a server says. Without a status it closes the connection and says nothing; a stream
    takes the place of the body."""

    status: int | None = 200
    body: str = "{}"
    headers: dict[str, str] = field(default_factory=dict)
    stream: OpenStream | None = None


def accepted(arrival: Arrival, *, heartbeat_seconds: float = 0) -> Answer:
    """The bridge's answer when all is well (api.md, Events)."""
    told = {"takeover": False, "heartbeat_seconds": heartbeat_seconds, "state": "online"}
    results = [{"id": event["id"], "status": "accepted"} for event in arrival.events]
    conversations = {event["conversation"]: told for event in arrival.events}
    return Answer(body=json.dumps({"results": results, "conversations": conversations}))


def open_stream(arrival: Arrival) -> Answer:
    """A stream that says what the test says."""
    return Answer(stream=OpenStream(arrival.query, arrival.token))


def ready_stream(arrival: Arrival) -> Answer:
    """A stream that is ready; heartbeats are not asked for."""
    answer = open_stream(arrival)
    assert answer.stream is not None
    answer.stream.ready()
    return answer


def session(name: str = "token-1", lifetime: timedelta = timedelta(hours=24)) -> Answer:
    """The store's answer to a request for a session; ``name`` stands in for a token."""
    expires_at = (datetime.now(UTC) + lifetime).isoformat(timespec="milliseconds")
    return Answer(body=json.dumps({"token": name, "expires_at": expires_at, "visitor": "v_1"}))


def synced(
    *messages: dict[str, Any],
    heartbeat_seconds: float = 60,
    next_sync_seconds: float = 60,
    takeover: dict[str, Any] = NOBODY,
    state: str = "online",
    rev: int = 1,
) -> Answer:
    """The bridge's answer to a page that syncs."""
    told = {
        "rev": rev,
        "messages": messages,
        "takeover": takeover,
        "heartbeat_seconds": heartbeat_seconds,
        "next_sync_seconds": next_sync_seconds,
        "state": state,
    }
    return Answer(body=json.dumps(told))

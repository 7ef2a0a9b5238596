"""The record of what a browser sent, in order."""

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.exchange import STREAM_PATH, Arrival
from tests.e2e.streams import OpenStream

# Long enough for a busy machine; reached only when something is broken.
DEADLINE_SECONDS = 30


class Record:
    """What arrived, in order, at both servers."""

    def __init__(self) -> None:
        self.streams: list[OpenStream] = []
        self._arrivals: list[Arrival] = []
        self._changed = threading.Condition()

    def add(self, arrival: Arrival, stream: OpenStream | None = None) -> None:
        with self._changed:
            self._arrivals.append(arrival)
            if stream is not None:
                self.streams.append(stream)
            self._changed.notify_all()

    def requests(self, server: str | None = None) -> list[Arrival]:
        """All that is not the fetching of pages, at one server or at both."""
        with self._changed:
            return [
                arrival
                for arrival in self._arrivals
                if arrival.method != "GET" and server in {None, arrival.server}
            ]

    def syncs(self, server: str | None = None) -> list[Arrival]:
        """All requests to sync, at one server or at both."""
        with self._changed:
            return [
                arrival
                for arrival in self._arrivals
                if urlsplit(arrival.path).path.endswith("/sync") and arrival.method == "GET"
                if server in {None, arrival.server}
            ]

    def stream_requests(self) -> list[Arrival]:
        """All requests for a stream, opened or refused."""
        with self._changed:
            return [
                arrival
                for arrival in self._arrivals
                if urlsplit(arrival.path).path == STREAM_PATH and arrival.method == "GET"
            ]

    def open_streams(self) -> list[OpenStream]:
        return [stream for stream in self.streams if not stream.closed.is_set()]

    def paths(self) -> list[str]:
        return [f"{arrival.server} {arrival.path}" for arrival in self.requests()]

    def events(self, type_: str | None = None) -> list[dict[str, Any]]:
        """All events in the order of their arrival, of one type or of all."""
        events = [event for arrival in self.requests() for event in arrival.events]
        return [event for event in events if type_ in {None, event["type"]}]

    def types(self) -> list[str]:
        return [event["type"] for event in self.events()]

    def wait_for(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds, looking at each arrival."""
        with self._changed:
            if not self._changed.wait_for(condition, DEADLINE_SECONDS):
                seen = [(a.server, a.path, a.body.decode()) for a in self.requests()]
                raise AssertionError(f"did not happen; arrived so far: {seen}")

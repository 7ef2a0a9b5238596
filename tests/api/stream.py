"""A stream of server-sent events, read as its reader would, each event held to the description."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.test import TestResponse

from tests.api.description import check_event

if TYPE_CHECKING:
    from tests.api.installation import Installation

COMMENT = b":\n\n"


@dataclass(frozen=True, slots=True)
class Sent:
    """One event; ``id`` is the revision to resume after, if it can be resumed from."""

    name: str
    data: Any
    id: int | None


class Stream:
    """An open stream, of which ``ready`` was read.

    Nothing feeds streams by itself here: what was recorded is fed to them as they are read.
    """

    def __init__(self, installation: Installation, path: str, answered: TestResponse) -> None:
        assert answered.status_code == 200, answered.get_data(as_text=True)
        assert answered.content_type == "text/event-stream; charset=utf-8"
        self.answered = answered
        self._installation = installation
        self._path = path
        self._chunks: Iterator[bytes] = iter(answered.response)  # type: ignore[arg-type]  # bytes
        self._waiting: list[Sent] = []
        [self.ready] = self.read()
        assert self.ready.name == "ready"

    def read(self, count: int = 1) -> list[Sent]:
        """The next ``count`` events. Fails when nothing comes, or the stream ends before."""
        self._installation.bridge.services.fan_out.feed()
        while len(self._waiting) < count:
            chunk = next(self._chunks, None)
            assert chunk is not None, f"the stream ended after {self._waiting}"
            assert chunk != COMMENT, f"nothing came after {self._waiting}"
            self._waiting += self._events(chunk)
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    def rest(self) -> list[Sent]:
        """What is still to come of a stream that ends by itself."""
        self._installation.bridge.services.fan_out.feed()
        for chunk in self._chunks:
            assert chunk != COMMENT, f"it does not end after {self._waiting}"
            self._waiting += self._events(chunk)
        taken, self._waiting = self._waiting, []
        return taken

    def until_now(self) -> list[Sent]:
        """All that is to come so far: then the bridge ends its streams, as it does at SIGTERM."""
        self._installation.bridge.services.fan_out.feed()
        self._installation.bridge.drain()
        return self.rest()

    def drop(self) -> None:
        """The reader goes without a word, and the bridge has noticed."""
        self.answered.close()
        self._installation.bridge.services.visits.settle_drops(self._installation.clock.now)

    def _events(self, chunk: bytes) -> Iterator[Sent]:
        assert chunk.endswith(b"\n\n")
        for frame in chunk.decode().split("\n\n")[:-1]:
            fields = dict(line.split(": ", 1) for line in frame.split("\n"))
            sent = Sent(
                fields["event"],
                json.loads(fields["data"]),
                int(fields["id"]) if "id" in fields else None,
            )
            check_event(self._path, sent.name, sent.data)
            yield sent

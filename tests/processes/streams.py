"""Streams of server-sent events over real connections."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any, Self

from tests.servers.waiting import wait_until

PATIENCE = 30.0
"""Seconds; what takes longer does not happen."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One event; ``id`` is the revision to resume after, ``at`` when it came, in seconds of
    ``time.perf_counter``."""

    name: str
    data: Any
    id: int | None
    at: float


class Stream:
    """One open stream, read by a thread of its own until it ends.

    ``status`` is the answer's; ``ended`` is set once the other side has ended it.

    Args:
        port: the bridge's, on 127.0.0.1.
        target: path and query.
        token: the visitor's or the device's.
        source: the address that it comes from.
        headers: besides those that any has.
    """

    def __init__(
        self,
        port: int,
        target: str,
        token: str,
        source: str = "127.0.0.1",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.sent: list[Sent] = []
        self.ended = threading.Event()
        self._connection = socket.create_connection(
            ("127.0.0.1", port), PATIENCE, source_address=(source, 0)
        )
        fields = {"Host": "localhost", "Authorization": f"Bearer {token}", **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self._connection.sendall(f"GET {target} HTTP/1.1\r\n{head}\r\n".encode())
        self._response = HTTPResponse(self._connection)
        self._response.begin()
        self.status = self._response.status
        self.retry_after = self._response.headers["Retry-After"]
        self._connection.settimeout(None)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def last_id(self) -> int | None:
        """The revision to resume after."""
        return max((each.id for each in self.sent if each.id is not None), default=None)

    def named(self, name: str) -> list[Any]:
        """The data of all events of one name so far."""
        return [each.data for each in self.sent if each.name == name]

    def wait_for(self, name: str, found: Callable[[Any], bool] = lambda _: True) -> Any:
        """The data of the first event of this name that is ``found``."""
        wait_until(lambda: any(map(found, self.named(name))), f"{name} has come")
        return next(data for data in self.named(name) if found(data))

    def wait_for_end(self) -> None:
        """Return once the other side has ended it."""
        wait_until(self.ended.is_set, "the stream has ended", seconds=PATIENCE)

    def close(self) -> None:
        """Go, without a word."""
        # Closing alone would wait for the thread that reads.
        # It fails if it was closed by the other side.
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        self._response.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> None:
        name, data, id = "", "", None
        try:
            for line in self._response:
                field, _, value = line.decode().rstrip("\r\n").partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    data = value
                elif field == "id":
                    id = int(value)
                elif not field and name:
                    self.sent.append(Sent(name, json.loads(data), id, time.perf_counter()))
                    name, data, id = "", "", None
        except (OSError, HTTPException):
            pass  # Cut off, by us or by a bridge that was killed.
        finally:
            self.ended.set()

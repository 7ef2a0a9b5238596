"""More streams than there are threads for: all of them read by one selector."""

from __future__ import annotations

import json
import re
import selectors
import socket
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from bridge.capacity import raise_open_files
from tests.processes.streams import PATIENCE
from tests.servers.waiting import wait_until

AT_ONCE = 50
"""Requests in flight while streams are being opened: the backlog must not overflow."""

BY_ADDRESS = 100
"""Streams from one source address, so that no limit by address is met."""

_MESSAGE = re.compile(rb"id: (\d+)\nevent: message\ndata: (.*)\n\n")


@dataclass
class _Open:
    connection: socket.socket
    received: bytearray = field(default_factory=bytearray)
    ended: bool = False


class ManyStreams:
    """Streams by name, of a bridge on a port of 127.0.0.1."""

    def __init__(self, port: int) -> None:
        raise_open_files()
        self._port = port
        self._selector = selectors.DefaultSelector()
        self._open: dict[str, _Open] = {}

    def open(self, asked: Mapping[str, tuple[str, str]], source: str | None = None) -> None:
        """Ask for streams, by name, each with its target and its token; return once each has been
        answered. From one ``source`` address, or else from many."""
        names = list(asked)
        for begin in range(0, len(names), AT_ONCE):
            group = names[begin : begin + AT_ONCE]
            for number, name in enumerate(group, begin):
                many = f"127.0.1.{number // BY_ADDRESS + 1}"
                self._ask(name, *asked[name], source or many)
            self.wait_until(lambda: all(map(self._answered, group)), "all are answered")  # noqa: B023 - waited for here

    def statuses(self) -> Counter[int]:
        """How many were answered with which status."""
        return Counter(int(each.received[9:12]) for each in self._open.values())

    def heads(self, status: int) -> list[str]:
        """The heads of the answers of one status."""
        heads = [bytes(each.received).partition(b"\r\n\r\n")[0] for each in self._open.values()]
        return [head.decode() for head in heads if head.startswith(b"HTTP/1.1 %d" % status)]

    def messages(self, name: str) -> list[tuple[int, Any]]:
        """The messages of one stream so far, each with its revision."""
        found = _MESSAGE.findall(self._open[name].received)
        return [(int(id), json.loads(data)) for id, data in found]

    def all_ended(self) -> bool:
        """Whether the other side has ended them all."""
        return all(each.ended for each in self._open.values())

    def wait_until(self, condition: Callable[[], object], what: str) -> None:
        """Read until the condition holds."""

        def holds() -> bool:
            self._read()
            return bool(condition())

        wait_until(holds, what, seconds=2 * PATIENCE)

    def close(self) -> None:
        """Go, from all of them, without a word."""
        for each in self._open.values():
            each.connection.close()
        self._selector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, name: str, target: str, token: str, source: str) -> None:
        connection = socket.create_connection(("127.0.0.1", self._port), PATIENCE, (source, 0))
        connection.sendall(
            f"GET {target} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {token}\r\n\r\n".encode()
        )
        self._open[name] = _Open(connection)
        self._selector.register(connection, selectors.EVENT_READ, self._open[name])

    def _answered(self, name: str) -> bool:
        """Whether a refusal's head, or a stream's opening, has come."""
        received = self._open[name].received
        opened = received.startswith(b"HTTP/1.1 200")
        return (b"event: ready" if opened else b"\r\n\r\n") in received

    def _read(self) -> None:
        for key, _ in self._selector.select(0):
            stream: _Open = key.data
            try:
                received = stream.connection.recv(65_536)
            except ConnectionError:
                received = b""
            stream.received += received
            if not received or stream.received.endswith(b"\r\n0\r\n\r\n"):
                stream.ended = True
                self._selector.unregister(stream.connection)

"""A load generator: a few keep-alive connections to loopback, each with one request in flight."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Load:
    """What a run came to: requests answered 200, others, and the seconds it took."""

    answered: int
    failed: int
    seconds: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds


def post(port: int, path: str, bodies: Callable[[], bytes], seconds: float) -> Load:
    """Post ``bodies()`` to ``path`` on loopback for ``seconds``."""
    selector = selectors.DefaultSelector()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n".encode()
    answered = failed = 0

    def send(connection: socket.socket) -> None:
        body = bodies()
        connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    for _ in range(CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
        send(connection)
    began = time.perf_counter()
    until = began + seconds
    while (now := time.perf_counter()) < until:
        for key, _ in selector.select(timeout=1):
            connection = key.fileobj  # type: ignore[assignment]  # only sockets are registered
            if _answer(connection).startswith(b"HTTP/1.1 200"):
                answered += 1
            else:
                failed += 1
            send(connection)
    for key in list(selector.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]  # only sockets are registered
    return Load(answered, failed, now - began)


class Connection:
    """One keep-alive connection to loopback."""

    def __init__(self, port: int) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port))
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, path: str, body: bytes) -> bytes:
        """Post ``body`` as a beacon does; the answer, head and body."""
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n"
        length = b"Content-Length: %d\r\n\r\n" % len(body)
        self._connection.sendall(head.encode() + length + body)
        return _answer(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def _answer(connection: socket.socket) -> bytes:
    received = connection.recv(65_536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        more = connection.recv(65_536)
        received, body = received + more, body + more
    return received

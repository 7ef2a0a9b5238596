"""The connection that a stream is written to, under gunicorn's gevent worker.

Under any other server, Flask's test client among them, nothing here does anything.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from fcntl import ioctl
from struct import unpack
from termios import FIONREAD
from typing import Any, Final
from wsgiref.types import WSGIEnvironment

import gevent
import gevent.socket

SEND_TIMEOUT: Final = 30.0
"""Seconds that a peer may leave what was written to it unread, or unacknowledged."""

SEND_BUFFER: Final = 32_768
"""Bytes that the kernel holds for a peer that reads slowly; it would hold megabytes by itself."""

_READABLE: Final = 1


def watch_for_close(environ: WSGIEnvironment, closed: Callable[[], None]) -> Callable[[], None]:
    """Call ``closed`` as soon as the peer closes its side, or is found to be gone.

    While it is watched, a peer that reads nothing, or does not acknowledge, fails a write after
    :data:`SEND_TIMEOUT` at most, instead of holding it up for ever. Bytes from the peer (a
    pipelined request) are no close; what comes after them is seen by a failed write only.

    Args:
        environ: of the request whose answer is the stream.
        closed: runs in gevent's hub, so it must not wait.

    Returns what stops watching; it must be called before the connection is closed.
    """
    connection = _connection(environ)
    if connection is None:
        return _nothing
    before = connection.gettimeout()
    connection.settimeout(SEND_TIMEOUT)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(SEND_TIMEOUT * 1000))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    watcher = gevent.get_hub().loop.io(connection.fileno(), _READABLE)

    def readable() -> None:
        # Told once: it stays readable, and would be told without end.
        watcher.stop()
        if not _has_bytes(connection):
            closed()

    def stop() -> None:
        watcher.stop()
        watcher.close()
        connection.settimeout(before)

    watcher.start(readable)
    return stop


def hang_up(environ: WSGIEnvironment) -> None:
    """Let the server close the connection after this answer, instead of keeping it alive."""
    connection = _connection(environ)
    if connection is not None:
        # The server takes it for the peer's close; it fails if that was first.
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RD)


def _connection(environ: WSGIEnvironment) -> gevent.socket.socket | None:
    connection: Any = environ.get("gunicorn.socket")
    return connection if isinstance(connection, gevent.socket.socket) else None


def _has_bytes(connection: gevent.socket.socket) -> bool:
    """Whether a readable connection holds bytes; without any, it is at its end or broken."""
    (count,) = unpack("i", ioctl(connection.fileno(), FIONREAD, bytes(4)))
    return bool(count)


def _nothing() -> None:
    pass

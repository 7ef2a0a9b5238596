"""The bridge's side of a visitor's stream, written by a test event by event."""

import json
import select
import socket
import threading
from io import BufferedIOBase
from queue import Empty, SimpleQueue
from typing import Any, Final

# How often an idle stream looks whether the page has gone.
_LOOK_SECONDS: Final = 0.02
_END: Final = b""

NOBODY: Final[dict[str, Any]] = {"active": False, "agent": None}
SAM: Final[dict[str, Any]] = {"id": "1", "name": "Sam", "avatar_url": None}


class OpenStream:
    """One stream that a page holds. ``closed`` is set once it has ended, whoever ended it.

    Args:
        query: what the page asked for, by name.
        token: the page's credential.
    """

    def __init__(self, query: dict[str, str], token: str) -> None:
        self.query = query
        self.token = token
        self.closed = threading.Event()
        self._pieces: SimpleQueue[bytes | None] = SimpleQueue()

    def say(self, event: str, data: Any, id_: int | None = None) -> None:
        """Write one event."""
        self.write(frame(event, data, id_))

    def ready(
        self,
        *,
        heartbeat_seconds: float = 0,
        takeover: dict[str, Any] = NOBODY,
        **more: Any,
    ) -> None:
        """Write the first event of every stream."""
        self.say("ready", {"heartbeat_seconds": heartbeat_seconds, "takeover": takeover, **more})

    def message(self, message: dict[str, Any]) -> None:
        """Write one message, as the bridge does: its id is its revision."""
        self.say("message", message, message["rev"])

    def write(self, piece: bytes) -> None:
        """Write these bytes as one piece, of an event or of several."""
        self._pieces.put(piece)

    def end(self) -> None:
        """End it as the bridge does when a stream has lasted long enough."""
        self._pieces.put(_END)

    def drop(self) -> None:
        """Cut the connection in the middle."""
        self._pieces.put(None)

    def serve(self, connection: socket.socket, output: BufferedIOBase) -> None:
        """Write what the test says until one of the two sides ends it."""
        try:
            while not _peer_has_closed(connection):
                try:
                    piece = self._pieces.get(timeout=_LOOK_SECONDS)
                except Empty:
                    continue
                if piece is None:
                    connection.shutdown(socket.SHUT_RDWR)
                    return
                output.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                output.flush()
                if piece == _END:
                    return
        except OSError:
            return  # the page has gone
        finally:
            self.closed.set()


def frame(event: str, data: Any, id_: int | None = None) -> bytes:
    """One server-sent event, its data not escaped beyond what JSON needs."""
    text = json.dumps(data, ensure_ascii=False)
    number = "" if id_ is None else f"id: {id_}\n"
    return f"event: {event}\n{number}data: {text}\n\n".encode()


def message(rev: int, text: str = "", **more: Any) -> dict[str, Any]:
    """An agent's message that nobody has seen yet, as the bridge words it."""
    return {
        "id": f"m{rev}",
        "rev": rev,
        "conversation": "c1",
        "author": "agent",
        "text": text or f"text {rev}",
        "at": "2026-01-01T00:00:00.000Z",
        "agent": SAM,
        "delivery": "queued",
        "delivered_at": None,
        **more,
    }


def _peer_has_closed(connection: socket.socket) -> bool:
    readable, _, _ = select.select([connection], [], [], 0)
    return bool(readable) and not connection.recv(1, socket.MSG_PEEK)

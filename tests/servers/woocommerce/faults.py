"""What may be wrong with a store: each of these answers instead of the simulated WooCommerce."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Mapping
from typing import Protocol


class Peer(Protocol):
    """Who waits for an answer."""

    @property
    def ending(self) -> threading.Event:
        """Set when the store is stopped."""

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Send a head."""

    def send(self, data: bytes) -> None:
        """Send something of a body. Raises ``OSError`` when nobody waits any more."""


Fault = Callable[[Peer], None]


def answer(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Fault:
    """Answers so, whatever was asked."""

    def fault(peer: Peer) -> None:
        length = {"Content-Length": str(len(body)), "Content-Type": "text/html; charset=UTF-8"}
        peer.begin(status, {**length, **(headers or {})})
        peer.send(body)

    return fault


def redirect(location: str) -> Fault:
    """Sends everybody elsewhere."""
    return answer(301, b"<p>Moved</p>", {"Location": location})


def wordpress_error(status: int, code: str) -> Fault:
    """An error as WordPress answers it."""
    body = f'{{"code":"{code}","message":"No.","data":{{"status":{status}}}}}'
    return answer(status, body.encode(), {"Content-Type": "application/json; charset=UTF-8"})


def says_nothing(peer: Peer) -> None:
    """Takes the request, and never answers."""
    peer.ending.wait()


def drips(peer: Peer) -> None:
    """Answers without an end, a little at a time, so that no single read takes long."""
    peer.begin(200, {"Content-Type": "application/json"})
    while not peer.ending.wait(0.01):
        peer.send(b" ")


def floods(peer: Peer) -> None:
    """Answers without an end, as fast as it is read."""
    peer.begin(200, {"Content-Type": "application/json"})
    while not peer.ending.is_set():
        peer.send(b" " * 65_536)


def breaks_off(peer: Peer) -> None:
    """Ends in the middle of its answer."""
    peer.begin(200, {"Content-Type": "application/json", "Content-Length": "1000"})
    peer.send(b'[{"id":')


def gzip_bomb(peer: Peer) -> None:
    """Some 100 KB which are 100 MB once they are unpacked."""
    packer = zlib.compressobj(9, wbits=31)
    packed = b"".join(packer.compress(b"[" * 1_000_000) for _ in range(100)) + packer.flush()
    peer.begin(200, {"Content-Type": "application/json", "Content-Encoding": "gzip"})
    peer.send(packed)

"""Many open streams: what one costs the worker, and how long one message takes to reach them all.

``python -m bench.streams [COUNT]`` measures streams that say nothing, without the bridge around
them: the floor under B7.
"""

from __future__ import annotations

import resource
import selectors
import socket
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self
from urllib.request import Request, urlopen

from bridge.capacity import raise_open_files
from tests.servers.gunicorn import gunicorn

AT_ONCE = 64
"""Requests in flight while streams are being opened: the backlog must not overflow."""

BY_ADDRESS = 50
"""Streams from one source address, so that no limit by address is met."""

WITHIN = 120.0
"""Seconds in which everything must have been opened, or have arrived."""


class OpenStreams:
    """Streams held open by this process, from many loopback addresses.

    Args:
        port: where the server listens on 127.0.0.1.
        requests: the bytes of each request.
    """

    def __init__(self, port: int, requests: Iterable[bytes]) -> None:
        self._selector = selectors.DefaultSelector()
        self._connections: list[socket.socket] = []
        waiting = 0
        for number, request in enumerate(requests):
            self._open(port, number, request)
            waiting += 1
            if waiting == AT_ONCE:
                self.wait_for(b"\n\n", waiting)
                waiting = 0
        self.wait_for(b"\n\n", waiting)

    def _open(self, port: int, number: int, request: bytes) -> None:
        high, low = divmod(number // BY_ADDRESS, 250)
        connection = socket.socket()
        # Ten thousand connections take a third of the ports that servers of other measurements are
        # started on: shared while they are open, and given back at once when they are closed.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.bind((f"127.1.{high}.{low + 1}", 0))
        connection.connect(("127.0.0.1", port))
        connection.sendall(request)
        self._connections.append(connection)
        self._selector.register(connection, selectors.EVENT_READ, bytearray())

    def wait_for(self, mark: bytes, streams: int) -> None:
        """Read until ``mark`` has arrived on so many streams since the last call.

        Raises SystemExit if one was refused or ended, or not all arrived in time.
        """
        until = time.monotonic() + WITHIN
        arrived = 0
        while arrived < streams:
            if time.monotonic() > until:
                raise SystemExit(f"{arrived} of {streams} streams had {mark!r} in {WITHIN:g} s")
            for key, _ in self._selector.select(timeout=1):
                connection: socket.socket = key.fileobj  # type: ignore[assignment]  # only sockets
                received = connection.recv(65_536)
                key.data.extend(received)
                if not received or (
                    key.data.startswith(b"HTTP/1.1 ") and not key.data.startswith(b"HTTP/1.1 200")
                ):
                    raise SystemExit(
                        f"a stream was not opened, or ended: {bytes(key.data[-300:])!r}"
                    )
                if mark in key.data:
                    arrived += 1
                    key.data.clear()

    def __len__(self) -> int:
        return len(self._connections)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._connections:
            connection.close()
        self._selector.close()


def request_of(path: str, token: str) -> bytes:
    """A stream's request with the headers that a browser sends: the server keeps them meanwhile."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n"
        f"Authorization: Bearer {token}\r\nAccept: text/event-stream\r\n"
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/130.0.0.0 Safari/537.36\r\n"
        'Sec-CH-UA: "Chromium";v="130", "Not?A_Brand";v="99"\r\nSec-CH-UA-Mobile: ?0\r\n'
        'Sec-CH-UA-Platform: "Linux"\r\nOrigin: http://shop.test\r\nSec-Fetch-Site: cross-site\r\n'
        "Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\nReferer: http://shop.test/\r\n"
        "Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-US,en;q=0.9\r\n\r\n"
    ).encode()


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


@contextmanager
def measured(
    port: int, worker: int, request: Callable[[int], bytes], count: int
) -> Iterator[tuple[OpenStreams, float, int]]:
    """``count`` open streams, the bytes that each holds in ``worker``, and those it holds in all.

    Args:
        request: the bytes of the stream's request of that number.
    """
    # What is loaded and cached with the first streams is not what the next ones cost.
    with OpenStreams(port, map(request, range(AT_ONCE))):
        before = resident(worker)
    with OpenStreams(port, map(request, range(AT_ONCE, AT_ONCE + count))) as streams:
        after = resident(worker)
        yield streams, (after - before) / count, after


def main() -> None:
    """Measure silent streams of the probe."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    raise_open_files()
    request = request_of("/streams/bench", "x" * 300)
    with (
        tempfile.TemporaryDirectory() as folder,
        gunicorn(Path(folder), "tests.servers.stream_probe:app") as server,
        measured(server.port, server.worker, lambda _: request, count) as (
            streams,
            each,
            total,
        ),
    ):
        print(f"{len(streams)} streams: {each / 1024:.1f} KiB each, {total / 2**20:.0f} MiB in all")
        began = time.perf_counter()
        body = b'{"text":"to all"}'
        urlopen(Request(f"http://127.0.0.1:{server.port}/streams/bench", body))
        streams.wait_for(body, count)
        print(f"one message has reached all after {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()

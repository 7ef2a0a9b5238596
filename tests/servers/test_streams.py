"""Streams over real connections, under a real gunicorn: how each begins, goes on and ends."""

from __future__ import annotations

import json
import signal
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Any, Self

import pytest

from tests.servers.gunicorn import Gunicorn, gunicorn
from tests.servers.waiting import wait_until

OPENING = b'event: ready\ndata: {"first":true}\n\nevent: ready\ndata: {"first":false}\n\n'
PATIENCE = 30.0
"""Seconds; what takes longer does not happen."""


class Client:
    """A connection that has asked for a stream of ``name``."""

    def __init__(
        self, port: int, name: str, query: str = "", version: str = "1.1", receive: int = 0
    ) -> None:
        self.connection = socket.socket()
        if receive:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        self.connection.settimeout(PATIENCE)
        self.connection.connect(("127.0.0.1", port))
        self.connection.sendall(
            f"GET /streams/{name}?{query} HTTP/{version}\r\nHost: localhost\r\n\r\n".encode()
        )
        self._file = self.connection.makefile("rb")

    def head(self) -> str:
        return b"".join(iter(self._file.readline, b"\r\n")).decode()

    def chunk(self) -> bytes:
        """The next chunk of the body; empty for the last."""
        size = int(self._file.readline(), 16)
        data = self._file.read(size)
        assert self._file.readline() == b"\r\n"
        return data

    def rest(self) -> bytes:
        """Everything until the server closes the connection."""
        return self._file.read()

    def reset(self) -> None:
        """Close it as a peer does that has crashed (RST), not in an orderly way (FIN)."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        self._file.close()
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Probe:
    """The application of stream_probe.py."""

    def __init__(self, server: Gunicorn) -> None:
        self.server = server

    def open(self, name: str, query: str = "", **options: Any) -> Client:
        """A stream whose head and opening have come."""
        client = Client(self.server.port, name, query, **options)
        assert client.head().startswith("HTTP/1.1 200 OK")
        assert client.chunk() == OPENING
        return client

    def call(self, method: str, path: str, body: bytes | None = None) -> Any:
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body)
            with connection.getresponse() as response:
                assert response.status == 200
                return json.load(response)
        finally:
            connection.close()

    def cut_off_after(self, seconds: float) -> None:
        """From now on, a peer that reads nothing is cut off after so long, not half a minute."""
        assert self.call("PUT", "/send-timeout", b"%g" % seconds) == seconds

    def put(self, name: str, item: bytes) -> None:
        assert self.call("POST", f"/streams/{name}", item) == 1

    def open_names(self) -> list[str]:
        names: list[str] = self.call("GET", "/streams")["open"]
        return names

    def ends(self) -> list[list[str]]:
        ends: list[list[str]] = self.call("GET", "/streams")["ends"]
        return ends

    def wait_for_end(self, name: str, why: str) -> None:
        wait_until(lambda: name not in self.open_names(), f"{name} ended", seconds=PATIENCE)
        assert [each for each in self.ends() if each[0] == name] == [[name, why]]

    def errors(self) -> list[str]:
        lines = [json.loads(line) for line in self.server.log.read_text().splitlines()]
        return [line for line in lines if line["level"] not in {"info", "debug"}]


@pytest.fixture
def probe(tmp_path: Path) -> Iterator[Probe]:
    # Idle connections are kept for long: one that is closed was closed on purpose.
    with gunicorn(tmp_path, "tests.servers.stream_probe:app", "--keep-alive=300") as server:
        probe = Probe(server)
        yield probe
        # Nothing that a peer does is worth a line.
        assert probe.errors() == []


def item(data: bytes) -> bytes:
    return b"id: %d\nevent: item\ndata: %s\n\n" % (len(data), data)


def test_the_first_bytes_come_at_once_and_in_one_chunk(probe: Probe) -> None:
    with Client(probe.server.port, "a") as client:
        head = client.head()
        assert "Content-Type: text/event-stream; charset=utf-8\r\n" in head
        assert "Transfer-Encoding: chunked\r\n" in head
        assert "Content-Length" not in head
        assert client.chunk() == OPENING


def test_items_come_as_they_are_put(probe: Probe) -> None:
    with probe.open("a") as a, probe.open("b") as b:
        probe.put("a", b"1")
        assert a.chunk() == item(b"1")
        probe.put("b", b"22")
        assert b.chunk() == item(b"22")
        probe.put("a", b"333")
        assert a.chunk() == item(b"333")


def test_comments_come_when_nothing_else_does(probe: Probe) -> None:
    with probe.open("a", "comment_every=0.05") as client:
        assert [client.chunk() for _ in range(3)] == [b":\n\n"] * 3
        probe.put("a", b"1")
        assert item(b"1") in iter(client.chunk, b"")
        assert client.chunk() == b":\n\n"


def test_a_planned_end_leaves_the_connection_for_the_next(probe: Probe) -> None:
    with probe.open("a", "lasts=0.05") as client:
        assert client.chunk() == b""
        probe.wait_for_end("a", "PLANNED")
        client.connection.sendall(b"GET /streams/b HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.head().startswith("HTTP/1.1 200 OK")
        assert client.chunk() == OPENING
        probe.put("b", b"1")
        assert client.chunk() == item(b"1")


def test_one_that_we_close_ends_cleanly_with_its_connection(probe: Probe) -> None:
    with probe.open("a") as client:
        assert probe.call("DELETE", "/streams/a") == 1
        assert client.chunk() == b""
        assert client.rest() == b""
    probe.wait_for_end("a", "CLOSED")


def test_an_old_client_gets_the_same_without_chunks(probe: Probe) -> None:
    with Client(probe.server.port, "a", "lasts=0.05", version="1.0") as client:
        assert "Transfer-Encoding" not in client.head()
        assert client.rest() == OPENING
    probe.wait_for_end("a", "PLANNED")


QUIET = "comment_every=300"
"""Nothing is written, so a failed write is not what a close is noticed by."""


def test_a_close_is_noticed_at_once(probe: Probe) -> None:
    probe.open("a", QUIET).close()
    probe.wait_for_end("a", "DROPPED")


def test_a_reset_is_noticed_at_once(probe: Probe) -> None:
    probe.open("a", QUIET).reset()
    probe.wait_for_end("a", "DROPPED")


def test_a_client_that_no_longer_sends_is_taken_for_gone(probe: Probe) -> None:
    with probe.open("a", QUIET) as client:
        client.connection.shutdown(socket.SHUT_WR)
        assert client.chunk() == b""
    probe.wait_for_end("a", "DROPPED")


def test_a_client_that_goes_before_the_first_byte(probe: Probe) -> None:
    gone = [f"{number}" for number in range(20)]
    for name in gone:
        Client(probe.server.port, name, QUIET).close()
    wait_until(lambda: len(probe.ends()) >= len(gone), "all ended", seconds=PATIENCE)
    assert sorted(probe.ends()) == sorted([name, "DROPPED"] for name in gone)
    assert probe.open_names() == []


def test_a_pipelined_request_is_no_close(probe: Probe) -> None:
    with probe.open("a") as client:
        client.connection.sendall(b"GET /streams HTTP/1.1\r\nHost: localhost\r\n\r\n")
        probe.put("a", b"1")
        assert client.chunk() == item(b"1")
        assert probe.call("DELETE", "/streams/a") == 1
        assert client.chunk() == b""
        assert client.head().startswith("HTTP/1.1 200 OK")


def test_one_that_reads_nothing_is_cut_off_and_holds_up_nobody(probe: Probe) -> None:
    probe.cut_off_after(1)
    with probe.open("deaf", receive=4096), probe.open("a") as reader:
        numbers = count()

        def deaf_is_gone() -> bool:
            # More than the kernel would hold for it, so that a write gets stuck.
            probe.call("POST", "/streams/deaf", b"x" * 65_536)
            number = b"%d" % next(numbers)
            probe.put("a", number)
            assert reader.chunk() == item(number)
            return "deaf" not in probe.open_names()

        wait_until(deaf_is_gone, "the deaf one is cut off", seconds=PATIENCE)
        probe.wait_for_end("deaf", "DROPPED")


def test_one_that_left_a_little_unread_is_cut_off_too(probe: Probe) -> None:
    probe.cut_off_after(1)
    with probe.open("deaf", receive=1):
        # No write gets stuck: the kernel takes it, and gives up delivering it.
        probe.put("deaf", b"x" * 16_384)
        probe.wait_for_end("deaf", "DROPPED")


def test_one_that_reads_too_slowly_is_cut_off_too(probe: Probe) -> None:
    probe.cut_off_after(1)
    with probe.open("slow", receive=4096) as client:
        # It would take a dozen seconds to read, though each bit of it is acknowledged in time.
        probe.put("slow", b"x" * 300_000)
        wait_until(
            lambda: not client.connection.recv(512) or "slow" not in probe.open_names(),
            "the slow one is cut off",
            seconds=PATIENCE,
        )
    probe.wait_for_end("slow", "DROPPED")


def test_one_that_falls_behind_is_cut_off_at_once(probe: Probe) -> None:
    with probe.open("slow", "size=1", receive=4096) as client:
        # The first of them takes longer to be written than the others take to come.
        for _ in range(3):
            probe.call("POST", "/streams/slow", b"x" * 300_000)
        assert client.chunk() == item(b"x" * 300_000)
        assert client.chunk() == b""
    probe.wait_for_end("slow", "CLOSED")


def test_sigterm_ends_every_stream_cleanly(probe: Probe) -> None:
    streams = 200
    with ExitStack() as stack:
        clients = [stack.enter_context(probe.open(f"{number}")) for number in range(streams)]
        assert len(probe.open_names()) == streams
        assert probe.server.end() == 0
        for client in clients:
            assert client.chunk() == b""
            assert client.rest() == b""


def test_sigterm_in_the_middle_of_things(probe: Probe) -> None:
    with probe.open("a") as client:
        probe.put("a", b"1")
        probe.put("a", b"22")
        assert probe.server.end() == 0
        assert b"".join(iter(client.chunk, b"")) == item(b"1") + item(b"22")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_the_signals_that_end_it_quickly_still_do(probe: Probe, number: signal.Signals) -> None:
    with probe.open("a"):
        assert probe.server.end(number) == 0

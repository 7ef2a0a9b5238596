"""Bodies as they come through a real server: cut off, wrongly framed, too large, or not at all."""

from __future__ import annotations

import base64
import io
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from gevent.event import Event

from bridge.api import body
from tests.api.description import refused
from tests.api.device import App
from tests.api.store import Store, encode, signature
from tests.api.visitor import Visitor, event
from tests.servers.bridge import BridgeProcess

VISITOR, STORE, PAIR = "/v1/visitor/events", "/v1/store/events", "/v1/pair"
LIMITS = {VISITOR: 64 * 1024, STORE: 2 * 1024 * 1024, PAIR: 256 * 1024}


@dataclass(frozen=True)
class Answer:
    """What came back, and what came after it until the server closed the connection."""

    status: int
    problem: dict[str, Any]
    rest: bytes


class Wire:
    """A bridge that is spoken to by the byte."""

    def __init__(self, bridge: BridgeProcess) -> None:
        self._port = bridge.port
        added = bridge.site_add("Shop", "https://shop.example")
        self._site, self._secret = added["site"], added["secret"]

    def ask(self, path: str, content: bytes, framing: bytes, *, ends: bool = True) -> Answer:
        """POST ``content`` to ``path`` with a credential, framed as told; ``ends`` says that the
        client sends no more."""
        head = b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        request = head % path.encode() + self._credential(path, content) + framing
        with socket.create_connection(("127.0.0.1", self._port), timeout=60) as connection:
            connection.sendall(request)
            if ends:
                connection.shutdown(socket.SHUT_WR)
            return _answer(connection)

    def _credential(self, path: str, content: bytes) -> bytes:
        now = int(time.time())
        if path == STORE:
            webhook_id = f"msg_{time.monotonic_ns()}"
            signed = signature(self._secret, webhook_id, now, content)
            headers = f"webhook-id: {webhook_id}\r\nwebhook-timestamp: {now}\r\n"
            return (headers + f"Bridge-Site: {self._site}\r\nwebhook-signature: {signed}").encode()
        if path == PAIR:
            return b"Accept: */*"
        key = base64.urlsafe_b64decode(self._secret + "=" * (-len(self._secret) % 4))
        claims = {"sub": "v", "aud": "visitor", "iat": now, "exp": now + 3600}
        token = jwt.encode(claims, key, "HS256", headers={"kid": self._site})
        return f"Authorization: Bearer {token}".encode()


def _answer(connection: socket.socket) -> Answer:
    received = connection.makefile("rb")
    status = int(received.readline().split()[1])
    lines = [line.decode().lower().strip() for line in iter(received.readline, b"\r\n")]
    headers = dict(line.split(": ", 1) for line in lines)
    problem = json.loads(received.read(int(headers["content-length"])))
    return Answer(status, problem, received.read())


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """The chunks, framed as such."""
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"\r\nTransfer-Encoding: chunked\r\n\r\n" + framed + end


def measured(content: bytes, length: int) -> bytes:
    """The content behind a ``Content-Length``, true or not."""
    return b"\r\nContent-Length: %d\r\n\r\n%b" % (length, content)


def batch() -> bytes:
    """A body that is in order."""
    return encode({"events": [event("page_view", "c", page="p", seq=1)]})


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """A bridge as a process of its own."""
    with BridgeProcess(tmp_path_factory.mktemp("bodies")) as bridge:
        yield Wire(bridge)


@pytest.mark.parametrize("path", [VISITOR, STORE])
def test_bodies_in_order_are_taken(wire: Wire, path: str) -> None:
    """Else the refusals below would show nothing."""
    content = batch()
    for framing in (
        measured(content, len(content)),
        chunked(content),
        chunked(content[:9], content[9:]),
        chunked(content, end=b"0\r\nDigest: x\r\n\r\n"),
    ):
        answer = wire.ask(path, content, framing)
        assert answer.status == 200, answer.problem


@pytest.mark.parametrize("path", [VISITOR, STORE, PAIR])
@pytest.mark.parametrize(
    "end",
    [
        b"zz\r\n{}\r\n0\r\n\r\n",
        b"-1\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}0\r\n\r\n",
        b"0\r\nTrailer: x\r\nbad header\r\n\r\n",
    ],
    ids=["size", "negative", "terminator", "trailer"],
)
def test_chunks_that_are_none_are_refused(wire: Wire, path: str, end: bytes) -> None:
    another = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = wire.ask(path, batch(), chunked(batch(), end=end) + another, ends=False)
    assert (answer.status, answer.problem["code"]) == (400, "malformed-request")
    assert answer.rest == b"", "where the next request begins is unknown"


@pytest.mark.parametrize("path", [VISITOR, STORE, PAIR])
def test_a_body_that_is_cut_off_is_not_carried_out(wire: Wire, path: str) -> None:
    content = batch()
    for framing in (
        measured(content, 5_000),
        chunked(content, end=b""),
        chunked(content, end=b"5\r\n "),
    ):
        answer = wire.ask(path, content, framing)
        assert (answer.status, answer.problem["code"]) == (400, "malformed-request")


@pytest.mark.parametrize("path", [VISITOR, STORE, PAIR])
def test_a_chunked_body_is_limited_as_any_other(wire: Wire, path: str) -> None:
    """Not cut off in silence: then it would be read as something else, or its signature fail."""
    blanks = b" " * (LIMITS[path] + 1)
    for chunks in ((batch() + blanks,), (batch(), *[b" " * 8_192] * (len(blanks) // 8_192))):
        answer = wire.ask(path, b"".join(chunks), chunked(*chunks))
        assert (answer.status, answer.problem["code"]) == (413, "body-too-large")


def test_a_body_that_does_not_come_is_not_waited_for(wire: Wire) -> None:
    answer = wire.ask(VISITOR, batch(), measured(b"{", 100), ends=False)
    assert (answer.status, answer.problem["code"]) == (408, "request-timeout")
    assert answer.rest == b""


class Stalled(io.BytesIO):
    """A body of which no byte comes."""

    def read(self, _size: int | None = -1) -> bytes:
        """Wait for what nobody sends."""
        Event().wait()
        return b""


def test_every_endpoint_with_a_body_says_that_it_did_not_come(
    monkeypatch: pytest.MonkeyPatch, visitor: Visitor, store: Store, app: App
) -> None:
    monkeypatch.setattr(body, "SECONDS", 0.01)
    overrides = {"wsgi.input": Stalled(), "CONTENT_LENGTH": "9"}
    stalled: dict[str, Any] = {"environ_overrides": overrides}
    for answered in (
        visitor.post(b"{}", **stalled),
        store.request("POST", STORE, b"{}", **stalled),
        store.get("/v1/store/status", **stalled),
        app.request("POST", PAIR, {"Content-Type": "application/json"}, **stalled),
    ):
        refused(answered, 408, "request-timeout")

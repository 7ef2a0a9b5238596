"""Stands where a bridge would: writes down what it is asked, and answers what it is told to."""

import base64
import contextlib
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

from tests.servers.waiting import wait_until

SITE: Final = "st_recording"
KEY: Final = bytes(range(32))
SECRET: Final = base64.urlsafe_b64encode(KEY).rstrip(b"=").decode()


@dataclass(frozen=True)
class Recorded:
    """One request as it arrived."""

    method: str
    target: str
    headers: Message
    body: bytes

    def is_signed(self) -> bool:
        """Whether the store signed it (the check is written anew here, not the bridge's)."""
        content = self.body or f"{self.method} {self.target}".encode()
        signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode()
        mac = hmac.new(KEY, signed + content, hashlib.sha256).digest()
        expected = f"v1,{base64.b64encode(mac).decode()}"
        return self.headers["Bridge-Site"] == SITE and hmac.compare_digest(
            self.headers["webhook-signature"] or "", expected
        )


@dataclass(frozen=True)
class Answer:
    """What to answer."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


def signed_headers(
    body: bytes, message_id: str, timestamp: int | None = None, key: bytes = KEY
) -> dict[str, str]:
    """The headers of a call that a bridge signs (written anew here, with nothing of ours).

    Args:
        body: what is signed.
        message_id: ``webhook-id``; a bridge's own begins with ``b_``.
        timestamp: Unix seconds; the present time if not given.
        key: the site's key.
    """
    at = int(time.time()) if timestamp is None else timestamp
    mac = hmac.new(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


def json_answer(status: int, body: object) -> Answer:
    return Answer(status, json.dumps(body).encode())


ACCEPTED: Final = json_answer(
    200, {"site": SITE, "name": "Plain Store", "bridge_version": "9.9.9", "results": []}
)


class RecordingBridge:
    """An HTTP server on a free loopback port; ``answer`` may be changed at any time."""

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self.answer: Answer | Callable[[Recorded], Answer] = ACCEPTED
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.connection_string = f"http://{SITE}:{SECRET}@127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering; the port is closed afterwards. Closing again does nothing."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    def wait_for(self, count: int) -> list[Recorded]:
        """Return what arrived once there are that many requests."""
        wait_until(lambda: len(self.requests) >= count, f"{count} requests at the bridge")
        return self.requests

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        bridge = self

        class Handler(BaseHTTPRequestHandler):
            def _handle(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                recorded = Recorded(self.command, self.path, self.headers, body)
                bridge.requests.append(recorded)
                answer = bridge.answer(recorded) if callable(bridge.answer) else bridge.answer
                # A store that was tired of waiting.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    self._send(answer)

            def _send(self, answer: Answer) -> None:
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(answer.body)))
                for name, value in answer.headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_DELETE = _handle

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class names it so
                """Keep the tests' output quiet."""

        return Handler

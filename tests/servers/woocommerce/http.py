"""The HTTP or HTTPS server that the simulated store answers by."""

from __future__ import annotations

import ipaddress
import ssl
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ADDRESS = "127.0.0.1"


class Exchange(BaseHTTPRequestHandler):
    """One request, as ``handle`` gets it, and the way to answer it."""

    server: _Server

    @property
    def ending(self) -> threading.Event:
        """Set when the server stops."""
        return self.server.ending

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Send a head."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def send(self, data: bytes) -> None:
        """Send something of a body. Raises ``OSError`` when nobody waits any more."""
        self.wfile.write(data)

    def _take(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.take(self)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _take

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Keep the tests' output quiet."""


class _Server(ThreadingHTTPServer):
    def __init__(self, take: Callable[[Exchange], None], context: ssl.SSLContext | None) -> None:
        super().__init__((ADDRESS, 0), Exchange)
        self.take = take
        self.ending = threading.Event()
        self._context = context

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self._context is None:
            super().finish_request(request, client_address)
            return
        # In the thread of the request: a handshake may take its time.
        with self._context.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)

    def shutdown_request(self, request: Any) -> None:
        # TLS has taken the socket over, and has closed it.
        if request.fileno() != -1:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a bridge that was tired of waiting, or does not accept the certificate."""


class StoreServer:
    """Hands each request to ``take``, each in a thread of its own, until the end of the block."""

    def __init__(self, take: Callable[[Exchange], None], certificate: Path | None) -> None:
        context = None
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
        self._server = _Server(take, context)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        scheme = "http" if context is None else "https"
        self.origin = f"{scheme}://{ADDRESS}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.ending.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def self_signed(file: Path) -> Path:
    """A certificate for the server's address with its key, written to ``file``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ADDRESS)])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(ADDRESS))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file

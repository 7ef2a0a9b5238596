"""Calling a store: what it gets, what counts as told, and that no answer takes for ever."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bridge import __version__
from bridge.ports import StoreCall, StoreCallError
from bridge.stores import http, line
from bridge.stores.http import HttpStoreCaller, endpoint
from bridge.webhooks import verify

NOW = datetime(2030, 1, 1, 12, 0, 0, 999_999, tzinfo=UTC)
KEY = b"the site's key"
BODY = json.dumps({"type": "message.created", "text": "Käse 🛒"}, ensure_ascii=False).encode()
CALL = StoreCall("b_1", "st_1", NOW, BODY)
REST = "https://shop.example/wp-json/"
URL = "https://shop.example/wp-json/chat-presence-bridge/v1/bridge"


def call(rest_url: str = REST, *, allow_private: bool = True) -> None:
    HttpStoreCaller(allow_private=allow_private).call(rest_url, [KEY], CALL, NOW)


def failure(rest_url: str = REST, *, allow_private: bool = True) -> StoreCallError:
    with pytest.raises(StoreCallError) as failed:
        call(rest_url, allow_private=allow_private)
    return failed.value


# ------------------------------------------------------------------------------- address


@pytest.mark.parametrize(
    ("rest_url", "expected"),
    [
        ("https://shop.example/wp-json/", URL),
        ("https://shop.example/wp-json", URL),
        ("https://shop.example/de/wp-json/", URL.replace("/wp-json", "/de/wp-json")),
        ("https://shop.example/wp-json/?lang=de", f"{URL}?lang=de"),
        (
            "https://shop.example/?rest_route=/",
            "https://shop.example/?rest_route=/chat-presence-bridge/v1/bridge",
        ),
        (
            "https://shop.example/index.php?rest_route=/",
            "https://shop.example/index.php?rest_route=/chat-presence-bridge/v1/bridge",
        ),
        (
            "https://shop.example/index.php?lang=de&rest_route=%2F#x",
            "https://shop.example/index.php?lang=de&rest_route=/chat-presence-bridge/v1/bridge",
        ),
        (
            "http://[::1]:8080/wp-json/",
            "http://[::1]:8080/wp-json/chat-presence-bridge/v1/bridge",
        ),
    ],
)
def test_the_route_under_the_stores_rest_address(rest_url: str, expected: str) -> None:
    assert endpoint(rest_url) == expected


# ------------------------------------------------------------------------------- request


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as web:
        yield web


def test_while_a_secret_is_rotated_each_key_signs(web: responses.RequestsMock) -> None:
    web.post(URL, status=204)
    HttpStoreCaller(allow_private=True).call(REST, [KEY, b"the old key"], CALL, NOW)
    headers: Any = web.calls[0].request.headers
    timestamp = int(headers["webhook-timestamp"])
    for known in (KEY, b"the old key"):
        assert verify([known], "b_1", timestamp, BODY, headers["webhook-signature"])


def test_it_is_signed_as_the_store_expects(web: responses.RequestsMock) -> None:
    web.post(URL, status=204)
    call()
    sent: Any = web.calls[0].request
    assert sent.body == BODY
    headers = sent.headers
    assert headers["Bridge-Site"] == "st_1"
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"] == f"chat-presence-bridge/{__version__}"
    assert headers["webhook-id"] == "b_1"
    timestamp = int(headers["webhook-timestamp"])
    assert timestamp == int(NOW.timestamp())
    assert verify([KEY], "b_1", timestamp, BODY, headers["webhook-signature"])
    assert "Authorization" not in headers
    assert "Cookie" not in headers


def test_credentials_of_the_machine_are_not_sent(
    web: responses.RequestsMock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine shop.example login admin password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    web.post(URL)
    call()
    assert "Authorization" not in web.calls[0].request.headers


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_says_that_it_has_it(web: responses.RequestsMock, status: int) -> None:
    web.post(URL, status=status, body=b"" if status == 204 else b"{}")
    call()


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 502, 503])
def test_no_other_does(web: responses.RequestsMock, status: int) -> None:
    web.post(URL, status=status, body="<html>Secret stack trace</html>")
    assert failure().reason == f"it answered {status}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
def test_redirects_are_not_followed(web: responses.RequestsMock, status: int) -> None:
    web.post(URL, status=status, headers={"Location": "https://elsewhere.example/"})
    assert failure().reason == f"it answered {status}: redirects are not followed"
    assert len(web.calls) == 1


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (429, "30", 30),
        (503, "0", 0),
        (503, "999999999", 999_999_999),
        (503, "Tue, 01 Jan 2030 12:01:00 GMT", 60),
        (503, "Tue, 01 Jan 2030 12:01:00 -0000", 60),
        (503, "Tue, 01 Jan 2030 11:00:00 GMT", 0),
        (503, "soon", None),
        (503, "9" * 5_000, None),
        (503, "-5", None),
        (503, "٣", None),
        (503, None, None),
        (500, "30", None),
    ],
)
def test_what_a_busy_store_asks_for(
    web: responses.RequestsMock, status: int, header: str | None, seconds: int | None
) -> None:
    web.post(URL, status=status, headers={} if header is None else {"Retry-After": header})
    asked = failure().retry_after
    if seconds is None:
        assert asked is None
    else:
        assert asked is not None
        assert asked == timedelta(seconds=seconds) or abs(asked.total_seconds() - seconds) < 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (requests.ConnectionError("shop.example"), "the connection broke off"),
        (requests.Timeout("shop.example"), "no answer in time"),
        (requests.exceptions.SSLError("shop.example"), "its certificate is not accepted"),
        (requests.exceptions.InvalidURL("shop.example"), "its address cannot be called"),
    ],
)
def test_failures_in_our_own_words(
    web: responses.RequestsMock, error: Exception, reason: str
) -> None:
    web.post(URL, body=error)
    assert failure().reason == reason


@pytest.mark.parametrize("address", ["https://[::1/", "https://" + "a" * 70 + ".example/", "x"])
def test_an_address_that_is_none(address: str) -> None:
    assert failure(address).reason in (
        "its address cannot be called",
        "its name leads to no address",
    )


# ---------------------------------------------------------------------------- real sockets


Serve = Callable[[socket.socket], None]


@contextmanager
def server(serve: Serve) -> Iterator[tuple[int, list[str]]]:
    """A listener on loopback that treats each connection as told; its port, and who came."""
    came: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            while True:
                try:
                    connection, peer = listener.accept()
                except OSError:
                    return
                came.append(peer[0])
                with connection:
                    try:
                        serve(connection)
                    except OSError:
                        continue

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield listener.getsockname()[1], came
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(30)
            assert not thread.is_alive()


def leads_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """``shop.example`` leads there; addresses lead to themselves."""
    real = socket.getaddrinfo

    def look_up(host: Any, *arguments: Any, **options: Any) -> Any:
        if host != "shop.example":
            return real(host, *arguments, **options)
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 0)) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def until_body(connection: socket.socket) -> bytes:
    received = b""
    while not received.endswith(BODY):
        more = connection.recv(65_536)
        assert more
        received += more
    return received


def test_what_goes_over_the_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to(monkeypatch, "127.0.0.1")
    requests_seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        requests_seen.append(until_body(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with server(serve) as (port, _):
        call(f"http://shop.example:{port}/?rest_route=/")
    head = requests_seen[0].removesuffix(BODY).decode().split("\r\n")
    assert head[0] == "POST /?rest_route=/chat-presence-bridge/v1/bridge HTTP/1.1"
    assert f"Host: shop.example:{port}" in head
    assert f"Content-Length: {len(BODY)}" in head


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",),
        ("10.0.0.1",),
        ("169.254.169.254",),
        ("100.64.0.1",),
        ("0.0.0.0",),  # noqa: S104 - it is to be refused
        ("::ffff:127.0.0.1",),
        ("fe80::1%eth0",),
        ("93.184.215.14", "127.0.0.1"),
    ],
)
def test_a_name_that_leads_to_a_private_address_is_not_called(
    monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
) -> None:
    """It led to a public one when the store connected."""
    leads_to(monkeypatch, *addresses)
    with server(lambda _: None) as (port, came):
        reason = failure(f"http://shop.example:{port}/", allow_private=False).reason
        assert reason == "its address is not public"
        reason = failure(f"https://shop.example:{port}/", allow_private=False).reason
        assert reason == "its address is not public"
        reason = failure(f"http://127.0.0.1:{port}/", allow_private=False).reason
        assert reason == "its address is not public"
        assert came == []


def test_the_address_that_was_checked_is_the_one_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second look-up could lead elsewhere."""
    looked_up: list[object] = []
    called: list[object] = []

    def look_up(host: str) -> list[str]:
        looked_up.append(host)
        return ["93.184.215.14"]

    def connect(address: object, timeout: float) -> socket.socket:
        called.append(address)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(line, "look_up", look_up)
    monkeypatch.setattr(socket, "create_connection", connect)
    reason = failure("https://shop.example/wp-json/", allow_private=False).reason
    assert reason == "no connection: Connection refused"
    assert looked_up == ["shop.example"]
    assert called == [("93.184.215.14", 443)]


def test_all_its_addresses_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to(monkeypatch, "127.0.0.2", "127.0.0.1")

    def serve(connection: socket.socket) -> None:
        until_body(connection)
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with server(serve) as (port, came):
        call(f"http://shop.example:{port}/")
        assert came == ["127.0.0.1"]


def test_a_name_that_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to(monkeypatch)
    assert failure().reason == "its name leads to no address"


def test_nobody_listens() -> None:
    with server(lambda _: None) as (port, _):
        pass
    assert failure(f"http://127.0.0.1:{port}/").reason == "no connection: Connection refused"


def test_an_ipv6_address_is_called_as_it_is() -> None:
    with server(lambda _: None) as (port, _):
        pass
    assert failure(f"http://[::1]:{port}/").reason.startswith("no connection: ")


def test_a_connection_made_too_late_is_hung_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time was over while it was being connected."""
    monkeypatch.setattr(http, "CALL_SECONDS", 0.05)
    connect, over = socket.create_connection, threading.Event()
    hang_up = line.Line._hang_up  # noqa: SLF001 - to know that it happened

    def noted(self: line.Line) -> None:
        hang_up(self)
        over.set()

    def late(*arguments: Any) -> socket.socket:
        assert over.wait(30)
        return connect(*arguments)

    monkeypatch.setattr(line.Line, "_hang_up", noted)
    monkeypatch.setattr(socket, "create_connection", late)
    answers = threading.Event()
    with server(saying_nothing(answers)) as (port, _):
        assert failure(f"http://127.0.0.1:{port}/").reason == "no answer in time"
        answers.set()


def test_a_connection_that_breaks_off() -> None:
    with server(lambda connection: connection.close()) as (port, _):
        assert failure(f"http://127.0.0.1:{port}/").reason == "the connection broke off"


def drip(opening: bytes, drop: bytes) -> Serve:
    """Sends a little now and then, so that no single read takes long."""

    def serve(connection: socket.socket) -> None:
        until_body(connection)
        connection.sendall(opening)
        while True:
            connection.sendall(drop)
            time.sleep(0.01)  # the pace of a drip, on which no outcome depends

    return serve


@pytest.mark.parametrize(
    ("opening", "drop"), [(b"HTTP/1.1 200", b" "), (b"HTTP/1.1 100 Continue\r\n\r\n", b"X")]
)
def test_an_answer_that_drips_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, opening: bytes, drop: bytes
) -> None:
    monkeypatch.setattr(http, "CALL_SECONDS", 0.3)
    with server(drip(opening, drop)) as (port, _):
        assert failure(f"http://127.0.0.1:{port}/").reason == "no answer in time"


def test_an_endless_body_after_a_good_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "CALL_SECONDS", 0.3)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
    with server(drip(head, b"x")) as (port, _):
        call(f"http://127.0.0.1:{port}/")


def test_a_large_body_is_not_read_to_its_end() -> None:
    sent = 0

    def serve(connection: socket.socket) -> None:
        nonlocal sent
        until_body(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            sent += connection.send(b"x" * 65_536)

    with server(serve) as (port, _):
        call(f"http://127.0.0.1:{port}/")
    assert sent < 100_000_000


def saying_nothing(until: threading.Event) -> Serve:
    def serve(_: socket.socket) -> None:
        assert until.wait(30)

    return serve


def test_one_that_accepts_and_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.2)
    over = threading.Event()
    with server(saying_nothing(over)) as (port, _):
        reason = failure(f"http://127.0.0.1:{port}/").reason
        over.set()
    assert reason == "no answer in time"


def test_a_tls_handshake_that_never_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "CALL_SECONDS", 0.2)
    over = threading.Event()
    with server(saying_nothing(over)) as (port, _):
        reason = failure(f"https://127.0.0.1:{port}/").reason
        over.set()
    assert reason == "no answer in time"


def test_the_certificate_must_be_good_and_the_name_is_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    leads_to(monkeypatch, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    names: list[str | None] = []
    context.sni_callback = lambda _, name, __: names.append(name)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True):
            pass

    with server(serve) as (port, _):
        reason = failure(f"https://shop.example:{port}/").reason
    assert reason == "its certificate is not accepted"
    assert names == ["shop.example"]


def test_over_tls_it_arrives(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    leads_to(monkeypatch, "127.0.0.1")
    certificate = self_signed(tmp_path)
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            seen.append(until_body(secure))
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with server(serve) as (port, _):
        call(f"https://shop.example:{port}/wp-json/")
    assert len(seen) == 1


def self_signed(folder: Path) -> Path:
    """A certificate for ``shop.example`` with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("shop.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file

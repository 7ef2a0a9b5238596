"""What holds for every test: no connection leaves this machine. And servers that tests share."""

import sys
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import pytest

from tests.servers.postgresql import PostgreSQL, postgresql


class OutsideConnectionError(RuntimeError):
    """A test tried to reach another machine. Not an OSError: code under test would handle that."""


def _refuse_outside_connections(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: it sees every socket of this process, gevent's too, before it is used."""
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]
        # A path is a Unix socket's, None a connected socket's.
        if isinstance(address, tuple) and not _is_local(address[0]):
            raise OutsideConnectionError(f"a test tried to reach {address[0]}")
    elif event == "socket.getaddrinfo":
        host = arguments[0]
        if host and _as_address(host) is None and not _is_local(host):
            raise OutsideConnectionError(f"a test tried to look up {host}")


def _is_local(host: str) -> bool:
    address = _as_address(host)
    if address is None:
        return host in {"", "localhost"}
    return address.is_loopback or address.is_unspecified


def _as_address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


# For the whole process: audit hooks cannot be taken back.
sys.addaudithook(_refuse_outside_connections)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQL]:
    """One PostgreSQL server for all tests; each makes its own database with ``new_database``."""
    with postgresql() as server:
        yield server


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Side by side, tests are handed out by name: several of one name would be run as one."""
    if hasattr(config, "workerinput"):
        name, count = Counter(item.nodeid for item in items).most_common(1)[0]
        if count > 1:
            raise pytest.UsageError(f"{count} tests have the name {name}")

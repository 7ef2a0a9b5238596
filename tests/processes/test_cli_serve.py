"""What the operator of a served bridge is told when a setting or its storage is wrong."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.servers.bridge import CHECKOUT, BridgeProcess
from tests.servers.ports import free_port
from tests.servers.postgresql import PostgreSQL
from tests.servers.waiting import wait_until

KEY = "the key that the database was made with"
GUNICORN = [sys.executable, "-m", "gunicorn", "-c", "bridge/gunicorn.conf.py", "bridge.wsgi:app"]


def _end_of_gunicorn(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start gunicorn itself, without the command line around it; it must end by itself."""
    return subprocess.run(
        GUNICORN,
        cwd=CHECKOUT,
        env={
            "PATH": os.environ["PATH"],
            "BRIDGE_SECRET_KEY": KEY,
            "DATABASE_URL": f"sqlite:///{folder / 'bridge.db'}",
            "PORT": str(free_port()),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def _one_line(ended: subprocess.CompletedProcess[str]) -> str:
    assert ended.returncode == 3, ended.stderr
    assert ended.stderr.startswith("bridge: ")
    assert ended.stderr.count("\n") == 1
    assert "Traceback" not in ended.stdout
    return ended.stderr


def test_gunicorn_ends_with_another_secret_key(tmp_path: Path) -> None:
    BridgeProcess(tmp_path, {"BRIDGE_SECRET_KEY": KEY}).site_add("Shop", "https://shop.example")
    ended = _end_of_gunicorn(tmp_path, BRIDGE_SECRET_KEY="a key of the right length, but another")
    assert "BRIDGE_SECRET_KEY is not the one" in _one_line(ended)


def test_gunicorn_ends_without_a_migrated_database(tmp_path: Path) -> None:
    assert "python -m bridge migrate" in _one_line(_end_of_gunicorn(tmp_path))


def test_gunicorn_ends_with_an_address_that_the_driver_refuses(tmp_path: Path) -> None:
    address = "postgres://u:hunter2@127.0.0.1:1/x?nonsense=1"
    line = _one_line(_end_of_gunicorn(tmp_path, DATABASE_URL=address))
    assert "DATABASE_URL" in line
    assert "hunter2" not in line


def test_gunicorn_ends_without_storage_and_says_why(tmp_path: Path) -> None:
    line = _one_line(_end_of_gunicorn(tmp_path, DATABASE_URL="sqlite:////no/such/folder/x.db"))
    assert "unable to open database file" in line


def test_postgresql_is_held_to_the_same(tmp_path: Path, postgresql_server: PostgreSQL) -> None:
    address = {"DATABASE_URL": postgresql_server.new_database(), "BRIDGE_SECRET_KEY": KEY}
    bridge = BridgeProcess(tmp_path, address)
    assert "python -m bridge migrate" in _refusal(bridge)
    bridge.run("migrate")
    bridge.site_add("Shop", "https://shop.example")
    other = BridgeProcess(tmp_path, {**address, "BRIDGE_SECRET_KEY": KEY[::-1]})
    assert "BRIDGE_SECRET_KEY is not the one" in _refusal(other)


def _refusal(bridge: BridgeProcess) -> str:
    with pytest.raises(RuntimeError, match="serve ended with 1") as caught:
        bridge.run("serve")
    assert str(caught.value).count("\n") == 1
    return str(caught.value)


def test_storage_that_cannot_be_written_is_told_once_with_its_reason(tmp_path: Path) -> None:
    """Another process holds SQLite's lock, as a backup may; then it lets go."""
    with BridgeProcess(tmp_path) as bridge:
        other = sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)
        with closing(other):
            other.execute("BEGIN IMMEDIATE")
            assert _status_of(bridge, "/readyz") == 503
            assert _status_of(bridge, "/healthz") == 200
            (failed,) = _lines(bridge, "request failed")
            assert (failed["route"], failed["reason"]) == ("/readyz", "database is locked")
            # Recording that the bridge is alive fails, again and again.
            wait_until(lambda: bool(_lines(bridge, "storage is away")), "the trouble is logged")
            other.execute("ROLLBACK")
        wait_until(lambda: bool(_lines(bridge, "storage is back")), "the end of it is logged")
        (away,) = _lines(bridge, "storage is away")
        assert away["event"] == "storage is away: deadlines wait (database is locked)"
        assert _status_of(bridge, "/readyz") == 200


def _status_of(bridge: BridgeProcess, path: str) -> int:
    with closing(HTTPConnection("127.0.0.1", bridge.port, timeout=30)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status


def _lines(bridge: BridgeProcess, beginning: str) -> list[dict[str, Any]]:
    lines = [
        json.loads(line)
        for line in bridge.log.read_text().splitlines(keepends=True)
        if line.endswith("\n")
    ]
    return [line for line in lines if line["event"].startswith(beginning)]


def test_a_port_in_use_is_told_in_one_line(tmp_path: Path) -> None:
    bridge = BridgeProcess(tmp_path)
    with closing(socket.create_server(("127.0.0.1", bridge.port))):
        ended = subprocess.run(
            [sys.executable, "-m", "bridge", "serve"],
            cwd=CHECKOUT,
            env={
                "PATH": os.environ["PATH"],
                "BRIDGE_SECRET_KEY": KEY,
                "DATABASE_URL": f"sqlite:///{tmp_path / 'bridge.db'}",
                "PORT": str(bridge.port),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert ended.returncode == 1
    assert ended.stderr == (
        f"bridge: PORT {bridge.port} cannot be used: address already in use. Set PORT to another.\n"
    )

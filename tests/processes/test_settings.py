"""A setting that is missing or wrong ends the process in one line, before anything is touched."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.processes.command import BRIDGE, GUNICORN, Ended, run

WRONG = {
    "BRIDGE_SECRET_KEY": "",
    "BRIDGE_OLD_SECRET_KEY": "too short",
    "PORT": "http",
    "DATABASE_URL": "mysql://localhost/bridge",
    "WEB_CONCURRENCY": "two",
    "PUBLIC_URL": "bridge.example.com",
    "TRUSTED_PROXY_HOPS": "-1",
    "ALLOW_PRIVATE_STORES": "yes",
    "PRESENCE_GRACE_SECONDS": "0",
    "HEARTBEAT_ACTIVE_SECONDS": "nan",
    "HEARTBEAT_IDLE_SECONDS": "ten",
    "WATCH_LEASE_SECONDS": "1e3",
    "TAKEOVER_IDLE_MINUTES": "-30",
    "RETENTION_DAYS": "a year",
}
WAYS = {"serve": [*BRIDGE, "serve"], "gunicorn": GUNICORN}


@pytest.mark.parametrize("way", WAYS)
def test_each_wrong_setting_ends_it_in_one_line_that_names_it(tmp_path: Path, way: str) -> None:
    def ended(name: str) -> Ended:
        return run(tmp_path, WAYS[way], **{name: WRONG[name]})

    # Gunicorn reads this one itself when it is imported, before anything of ours.
    names = [name for name in WRONG if way == "serve" or name != "WEB_CONCURRENCY"]
    with ThreadPoolExecutor(2) as pool:
        for name, end in zip(names, pool.map(ended, names), strict=True):
            assert name in end.failed(1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("way", WAYS)
def test_several_processes_without_redis_are_refused_before_anything_else(
    tmp_path: Path, way: str
) -> None:
    # Everything else is wrong as well.
    said = run(tmp_path, WAYS[way], **{**WRONG, "WEB_CONCURRENCY": "2"}).failed(1)
    assert "REDIS_URL" in said
    assert "set WEB_CONCURRENCY=1, or add Redis" in said


@pytest.mark.parametrize("way", WAYS)
def test_sqlite_is_refused_where_the_disk_vanishes(tmp_path: Path, way: str) -> None:
    assert "DYNO" in run(tmp_path, WAYS[way], DYNO="web.1").failed(1)


@pytest.mark.parametrize("way", WAYS)
def test_no_secret_is_repeated(tmp_path: Path, way: str) -> None:
    for name, secret in (
        ("BRIDGE_SECRET_KEY", "too-short-but-mine"),
        ("BRIDGE_OLD_SECRET_KEY", "too-short-but-mine"),
        ("DATABASE_URL", "mysql://me:my-password@localhost/bridge"),
    ):
        assert secret[-11:] not in run(tmp_path, WAYS[way], **{name: secret}).failed(1)


@pytest.mark.parametrize("command", ["migrate", "purge", "reencrypt", "site list", "devices st_1"])
def test_every_command_minds_the_settings(tmp_path: Path, command: str) -> None:
    said = run(tmp_path, [*BRIDGE, *command.split()], BRIDGE_SECRET_KEY="").failed(1)
    assert "BRIDGE_SECRET_KEY" in said
    assert list(tmp_path.iterdir()) == []

"""``GET /healthz`` and ``/readyz``: the process, and its storage."""

from __future__ import annotations

import sqlite3

import pytest

from bridge.records import database
from tests.api.description import refused
from tests.api.installation import Installation


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_all_is_well(installation: Installation, path: str) -> None:
    answered = installation.open(path)
    assert (answered.status_code, answered.get_json()) == (200, {"status": "ok"})
    assert answered.headers["Cache-Control"] == "no-store"


def test_the_process_is_well_though_storage_is_away(installation: Installation) -> None:
    installation.database.unlink()
    assert installation.open("/healthz").status_code == 200
    answered = installation.open("/readyz")
    refused(answered, 503, "storage-unavailable")
    assert int(answered.headers["Retry-After"]) >= 1


def test_a_file_that_is_no_database_is_no_storage(installation: Installation) -> None:
    installation.database.write_bytes(b"This is not a database. " * 1_000)
    refused(installation.open("/readyz"), 503, "storage-unavailable")


def test_storage_that_cannot_be_written_is_not_well(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    other = sqlite3.connect(installation.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    refused(installation.open("/readyz"), 503, "storage-unavailable")
    other.close()
    assert installation.open("/readyz").status_code == 200


def test_nobody_need_say_who_they_are(installation: Installation) -> None:
    headers = {"Authorization": "Bearer wrong"}
    assert installation.open("/readyz", headers=headers).status_code == 200

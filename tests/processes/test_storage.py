"""Storage that fails under a running bridge: 503 with Retry-After, and afterwards all is well."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.processes.client import Store, Visitor
from tests.servers.bridge import BridgeProcess


def view(visitor: Visitor, seq: int) -> str:
    return visitor.tell("page_view", "A", page="p", seq=seq)


def is_refused(visitor: Visitor, seq: int) -> None:
    """The bridge says that it cannot now, when to try again, and nothing else."""
    refused = visitor.post(visitor.event("page_view", "A", page="p", seq=seq))
    assert refused.status_code == 503
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.json()["code"] == "storage-unavailable"


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another process's transaction."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_database_that_another_process_locks(
    bridge: BridgeProcess, store: Store, tmp_path: Path
) -> None:
    visitor, agent = store.visitor("v"), store.agent()
    assert view(visitor, 1) == "accepted"
    with locked(tmp_path / "bridge.db"):
        is_refused(visitor, 2)
        # Who only reads, or only beats, does not notice.
        assert agent.presence("A")["state"] == "online"
        assert visitor.tell("heartbeat", "A", page="p", seq=3) == "accepted"
        assert agent.get("/healthz").status_code == 200
    assert view(visitor, 4) == "accepted"


def workers(bridge: BridgeProcess) -> list[int]:
    """The process ids of gunicorn's workers."""
    children = Path(f"/proc/{bridge.pid}/task/{bridge.pid}/children").read_text()
    return [int(pid) for pid in children.split()]


@contextmanager
def disk_full(bridge: BridgeProcess) -> Iterator[None]:
    """No file of the workers can grow, or be written beyond its first page."""
    limits = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in workers(bridge)}
    for pid, (_, hard) in limits.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, hard))
    yield
    for pid, limit in limits.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)


def test_a_full_disk(bridge: BridgeProcess, store: Store) -> None:
    visitor, agent = store.visitor("v"), store.agent()
    said = {"id": "before", "author": "visitor", "text": "Hello?"}
    assert visitor.tell("message", "A", page="p", message=said) == "accepted"
    with disk_full(bridge):
        is_refused(visitor, 2)
        is_refused(visitor, 3)
        assert agent.messages("A") == ["before"]
    assert view(visitor, 4) == "accepted"
    assert agent.messages("A") == ["before"]
    bridge.restart()
    assert agent.messages("A") == ["before"]
    assert agent.presence("A")["state"] == "online"


@pytest.mark.parametrize("unreadable", ["", "no database" * 1_000])
def test_a_file_that_is_no_database_ends_serve_in_one_line(tmp_path: Path, unreadable: str) -> None:
    (tmp_path / "bridge.db").write_text(unreadable)
    bridge = BridgeProcess(tmp_path)
    if not unreadable:
        # An empty file is an empty database.
        assert bridge.run("migrate")
        return
    with pytest.raises(RuntimeError, match="serve ended with 1") as caught:
        bridge.run("serve")
    assert str(caught.value).count("\n") == 1

"""Storage that is away, locked or full raises ``UnavailableError``, and works again afterwards."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from bridge.encryption import Encryption
from bridge.errors import UnavailableError
from bridge.ports import Records, VisitorRecord
from bridge.records import database as database_module
from bridge.records import schema
from bridge.records.database import Database
from bridge.records.engine import SqlRecords
from tests.contract.conftest import with_driver
from tests.contract.samples import SITE, START, conversation, message, moment, pairing, site
from tests.servers.postgresql import PostgreSQL, postgresql
from tests.servers.waiting import wait_until

ENCRYPTION = Encryption("a-key-for-tests-only-0123456789abcdef")


def write(records: Records, name: str = "Jane") -> None:
    with records.begin(SITE) as work:
        work.save_visitor(VisitorRecord("v", name))
        work.save_message(message(f"m {name}"))


def read(records: Records) -> object:
    return records.list_messages(SITE, "c", None, None, 10)


def visitor(records: Records) -> VisitorRecord | None:
    with records.begin(SITE) as work:
        return work.visitor("v")


EVERYTHING: dict[str, Callable[[Records], object]] = {
    "begin": write,
    "ready": lambda records: records.ready(),
    "add_site": lambda records: records.add_site(site("st_new"), START),
    "rotate_secret": lambda records: records.rotate_secret(SITE, b"new", START),
    "site": lambda records: records.site(SITE),
    "sites": lambda records: records.sites(),
    "site_status": lambda records: records.site_status(SITE),
    "origin_known": lambda records: records.origin_known("https://shop.example"),
    "superseded_tokens": lambda records: records.superseded_tokens(START),
    "use_pairing": lambda records: records.use_pairing("hash", START, unwanted),
    "device_by_token": lambda records: records.device_by_token("hash"),
    "device_seen": lambda records: records.device_seen("dev_1", START),
    "devices": lambda records: records.devices(SITE),
    "list_conversations": lambda records: records.list_conversations(SITE, "agent", everyone()),
    "read_conversation": lambda records: records.read_conversation(SITE, "agent", "c"),
    "list_messages": read,
    "changes": lambda records: records.changes(SITE, "c"),
    "mark_read": lambda records: records.mark_read(SITE, "agent", "c", 1),
    "present_conversations": lambda records: list(records.present_conversations()),
    "alive_at": lambda records: records.alive_at(),
    "record_alive": lambda records: records.record_alive(START),
    "forget_replays": lambda records: records.forget_replays(START),
}
"""Each method of the port, asked for something."""
WRITES = {"begin", "add_site", "rotate_secret", "mark_read", "record_alive", "forget_replays"}
"""Those that write whatever they find."""

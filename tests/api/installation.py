"""A bridge over a database of its own, answered in-process, under a clock that the test moves."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from bridge import bootstrap
from bridge.api.limits import Limits
from bridge.app import create_app
from bridge.settings import Settings
from tests.api.description import check_answer
from tests.api.store import Store

PUBLIC_URL = "https://bridge.example.com"
SHOP = "https://shop.example"


class Clock:
    """The time of one bridge: it stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        """Move on by the duration, in the words of ``timedelta``."""
        self.now += timedelta(**duration)


class Installation:
    """One bridge and everybody who speaks to it.

    Every answer is held to ``openapi.json``, whatever the test looks at, and none may be a 500.
    """

    def __init__(
        self,
        database: Path,
        clock: Clock,
        settings: Settings | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.database = database
        self.clock = clock
        self.settings = settings or settings_for(database)
        self._limits = limits
        self._sites = 0
        self._start()

    def open(
        self, path: str, method: str = "GET", *, described: bool = True, **request: Any
    ) -> TestResponse:
        """Make a request, in the words of Flask's test client, and hold its answer to the
        description, unless it is known not to be ``described``."""
        response = self.app.test_client().open(path, method=method, **request)
        assert response.status_code != 500, response.get_data(as_text=True)
        if described:
            check_answer(self.app, method, path, response)
        return response

    def add_store(self, url: str = SHOP) -> Store:
        """A store that was added on the command line."""
        self._sites += 1
        added = self.bridge.sites.add(f"Shop {self._sites}", url, self.clock.now)
        return Store(self, added.id, added.secret, url)

    def restart(self) -> None:
        """Begin anew over the same database, and restore what the memory lost."""
        self.close()
        self._start()
        self.bridge.sites.load_superseded(self.clock.now)
        self.bridge.sweep.restore(self.clock.now)

    def another_process(self) -> Installation:
        """A second process over the same database."""
        return Installation(self.database, self.clock, self.settings)

    def close(self) -> None:
        """Close the connections to the database."""
        self.bridge.database.dispose()

    def _start(self) -> None:
        self.bridge = bootstrap.build(self.settings, self.clock)
        sa.event.listen(self.bridge.database.writer, "connect", _without_waiting_for_the_disk)
        if self._limits is not None:
            services = replace(self.bridge.services, limits=self._limits)
            self.bridge = replace(self.bridge, services=services)
        self.app: Flask = create_app(self.settings, self.bridge)


SetUp = Callable[..., Installation]
"""Makes a bridge with the settings given by name."""


def _without_waiting_for_the_disk(connection: sqlite3.Connection, _record: Any) -> None:
    # What survives a power cut is not the matter here, and waiting for it is most of the time.
    connection.execute("PRAGMA synchronous=OFF")


def settings_for(database: Path) -> Settings:
    """Settings for a bridge over the SQLite file ``database``."""
    return Settings(
        secret_key="a key for nothing but these tests",
        database_url=f"sqlite:///{database}",
        public_url=PUBLIC_URL,
    )


def copy_of(migrated: Path, folder: Path) -> Path:
    """A fresh database: migrating each anew would cost more than the test."""
    return Path(shutil.copy(migrated, folder / "bridge.db"))

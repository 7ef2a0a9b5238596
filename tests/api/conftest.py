"""A bridge for each test, over a fresh SQLite file, and those who speak to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge import bootstrap
from tests.api.batches import Post
from tests.api.device import RIGHTS, App
from tests.api.installation import Clock, Installation, SetUp, copy_of, settings_for
from tests.api.shop import Shop
from tests.api.store import Store
from tests.api.visitor import Visitor
from tests.servers.woocommerce import woocommerce_store


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with all tables: the one that each test copies."""
    database = tmp_path_factory.mktemp("migrated") / "bridge.db"
    bootstrap.migrate(settings_for(database))
    return database


@pytest.fixture
def clock() -> Clock:
    """The bridge's time."""
    return Clock()


@pytest.fixture
def installation(migrated_database: Path, tmp_path: Path, clock: Clock) -> Iterator[Installation]:
    """A bridge."""
    made = Installation(copy_of(migrated_database, tmp_path), clock)
    yield made
    made.close()


@pytest.fixture
def set_up(migrated_database: Path, tmp_path: Path, clock: Clock) -> Iterator[SetUp]:
    """Makes a bridge whose settings differ."""
    made = []

    def with_settings(**changes: Any) -> Installation:
        database = copy_of(migrated_database, tmp_path)
        made.append(Installation(database, clock, replace(settings_for(database), **changes)))
        return made[-1]

    yield with_settings
    for installation in made:
        installation.close()


@pytest.fixture
def store(installation: Installation) -> Store:
    """A store that is connected to the bridge."""
    return installation.add_store()


@pytest.fixture
def other_store(installation: Installation) -> Store:
    """Another store on the same bridge."""
    return installation.add_store("https://other.example")


@pytest.fixture
def shop(set_up: SetUp) -> Iterator[Shop]:
    """A store with a WooCommerce, which has not connected yet."""
    with woocommerce_store() as woocommerce:
        yield Shop(set_up(allow_private_stores=True).add_store(), woocommerce)


@pytest.fixture
def visitor(store: Store) -> Visitor:
    """A visitor of the store."""
    return store.visitor()


@pytest.fixture
def app(store: Store) -> App:
    """An agent's app, with every right."""
    return store.app()


@pytest.fixture
def kim(store: Store) -> App:
    """Another agent's app, who may do everything but force."""
    return store.app("2", "Kim", tuple(right for right in RIGHTS if right != "takeover:force"))


@pytest.fixture(params=["store", "visitor"])
def post(request: pytest.FixtureRequest, store: Store, visitor: Visitor) -> Post:
    """Sends a body as the store, and as the visitor."""
    if request.param == "visitor":
        return visitor.post
    return lambda body: store.request("POST", "/v1/store/events", body)

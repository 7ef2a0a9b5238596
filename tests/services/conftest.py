"""The scene of the services' tests, over a copy of one prepared database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.live import LiveScene
from tests.services.scene import Scene, prepare


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database with one site."""
    database = tmp_path_factory.mktemp("prepared") / "bridge.db"
    prepare(database)
    return database


@pytest.fixture
def scene(tmp_path: Path, prepared: Path) -> Iterator[Scene]:
    """A bridge that has just started, with nothing recorded."""
    scene = Scene(tmp_path, prepared)
    yield scene
    scene.stop()


@pytest.fixture
def live(tmp_path: Path, prepared: Path) -> Iterator[LiveScene]:
    """The same, with two agents who have two devices each."""
    live = LiveScene(tmp_path, prepared)
    yield live
    live.stop()


@pytest.fixture
def online(live: LiveScene) -> LiveScene:
    """A visitor with one page, and everything fed."""
    live.view(1, at=0)
    live.feed()
    return live

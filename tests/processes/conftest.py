"""A bridge as it is deployed, and a store on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.client import Store
from tests.servers.bridge import BridgeProcess


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path, {"PRESENCE_GRACE_SECONDS": "0.5"}) as bridge:
        yield bridge


@pytest.fixture
def store(bridge: BridgeProcess) -> Iterator[Store]:
    with Store(bridge) as store:
        yield store

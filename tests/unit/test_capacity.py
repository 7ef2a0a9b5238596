"""How many streams a process holds follows from the files that it may open."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from bridge import capacity


def with_files(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int) -> list[tuple[int, int]]:
    """Let so many files be allowed; what they are set to comes first in the list returned."""
    limits = [(soft, hard)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[0])
    monkeypatch.setattr(resource, "setrlimit", lambda _, changed: limits.insert(0, changed))
    return limits


@pytest.mark.parametrize(
    ("soft", "hard", "raised"),
    [
        (1_024, 1_048_576, 20_200),
        (1_024, resource.RLIM_INFINITY, 20_200),
        (1_024, 4_096, 4_096),
        (65_536, 65_536, 65_536),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, resource.RLIM_INFINITY),
    ],
)
def test_the_limit_is_raised_as_far_as_wanted_and_allowed(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, raised: int
) -> None:
    limits = with_files(monkeypatch, soft, hard)
    capacity.raise_open_files()
    assert limits[0] == (raised, hard)


@pytest.mark.parametrize(
    ("files", "connections", "streams"),
    [
        (resource.RLIM_INFINITY, 20_000, 18_000),
        (1_048_576, 20_000, 18_000),
        (20_200, 20_000, 18_000),
        (4_096, 3_896, 3_507),
        (1_024, 824, 724),
        (256, 128, 64),
    ],
)
def test_connections_and_streams(
    monkeypatch: pytest.MonkeyPatch, files: int, connections: int, streams: int
) -> None:
    with_files(monkeypatch, files, files)
    assert capacity.most_connections() == connections
    assert capacity.most_streams() == streams


def test_nothing_is_imported_that_must_not_be_in_gunicorns_master() -> None:
    subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, bridge.capacity; assert not {'gevent', 'psycopg'} & sys.modules.keys()",
        ],
        check=True,
    )

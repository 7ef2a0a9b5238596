"""The bridge as a process: it starts, ends and comes back as a platform expects."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.bridge import BridgeProcess
from tests.servers.ports import is_listening


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[BridgeProcess]:
    with BridgeProcess(tmp_path) as bridge:
        yield bridge


def test_a_site_outlives_a_kill(bridge: BridgeProcess) -> None:
    site = bridge.site_add("Shop", "https://shop.example")
    assert f"//{site['site']}:{site['secret']}@" in site["connection_string"]
    bridge.restart()
    assert site["site"] in bridge.run("site", "list")


def test_a_kill_leaves_nothing_listening(bridge: BridgeProcess) -> None:
    bridge.kill()
    assert not is_listening(bridge.port)


def test_sigterm_ends_it_before_a_platform_would_kill_it(bridge: BridgeProcess) -> None:
    assert bridge.terminate() < 10
    assert not is_listening(bridge.port)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"WEB_CONCURRENCY": "2"}, "set WEB_CONCURRENCY=1, or add Redis"),
        ({"BRIDGE_SECRET_KEY": ""}, "BRIDGE_SECRET_KEY is not set"),
        ({"DYNO": "web.1"}, "DYNO"),
        ({"PORT": "x"}, "PORT is 'x'"),
        ({"WEB_CONCURRENCY": "x"}, "WEB_CONCURRENCY is 'x'"),
    ],
)
def test_a_wrong_setting_ends_serve_in_one_line(
    tmp_path: Path, environment: dict[str, str], words: str
) -> None:
    with pytest.raises(RuntimeError, match="serve ended with 1") as caught:
        BridgeProcess(tmp_path, environment).run("serve")
    assert words in str(caught.value)
    assert str(caught.value).count("\n") == 1
    assert not (tmp_path / "bridge.db").exists()


def test_an_empty_variable_counts_as_unset(tmp_path: Path) -> None:
    with BridgeProcess(tmp_path, {"WEB_CONCURRENCY": "", "REDIS_URL": ""}) as bridge:
        assert is_listening(bridge.port)

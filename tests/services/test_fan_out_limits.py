"""How many streams a process holds, and what stays of those that have ended."""

from __future__ import annotations

import pytest

from bridge.errors import TooManyRequestsError, UnavailableError
from bridge.live.fan_out import STREAMS_OF_DEVICE, STREAMS_OF_VISITOR, FanOut
from bridge.services.sync import Sync
from tests.services.live import LiveScene
from tests.services.scene import moment
from tests.services.streams import texts


def test_an_older_stream_of_too_many_of_a_device_ends(online: LiveScene) -> None:
    streams = [online.join_agent("sam-1") for _ in range(STREAMS_OF_DEVICE + 1)]
    other = online.join_agent("sam-2")
    assert [stream.read() for stream in streams] == [None, *[[]] * STREAMS_OF_DEVICE]
    assert other.read() == []


def test_a_visitor_has_so_many_streams_and_places_are_given_back(online: LiveScene) -> None:
    streams = [online.join_page(at=1, page=f"p{number}") for number in range(STREAMS_OF_VISITOR)]
    with pytest.raises(TooManyRequestsError) as refused:
        online.join_page(at=1, page="one more")
    assert refused.value.code == "too-many-streams"
    assert refused.value.retry_after is not None
    streams[0].leave()
    online.join_page(at=2, page="one more")
    with pytest.raises(TooManyRequestsError):
        online.join_page(at=2, page="two more")


def test_one_address_does_not_take_the_place_of_another(online: LiveScene) -> None:
    fan_out = online.another_fan_out(most=3)
    kept = [online.join_agent("sam-1"), online.join_agent("kim-1")]
    page = online.join_page(at=1)
    with pytest.raises(TooManyRequestsError):
        online.join_agent("sam-2", address="198.51.100.1")
    page.leave()
    kept.append(online.join_agent("sam-2", address="198.51.100.1"))
    assert [each.read() for each in kept] == [[], [], []]
    fan_out.drain()


def test_nothing_is_left_in_memory_after_all_left(online: LiveScene) -> None:
    fan_out = online.another_fan_out(most=2)
    page, sam = online.join_page(at=1), online.join_agent("sam-1")
    for refused in (lambda: online.join_agent("kim-1"), lambda: online.join_page(page="q")):
        with pytest.raises(TooManyRequestsError):
            refused()
    page.leave()
    sam.leave()
    assert emptied(fan_out)


@pytest.mark.parametrize("which", ["agent", "page"])
def test_nothing_is_left_of_one_who_was_refused(online: LiveScene, which: str) -> None:
    fan_out = online.another_fan_out(most=0)
    with pytest.raises(TooManyRequestsError):
        online.join_agent("sam-1") if which == "agent" else online.join_page(at=1)
    assert emptied(fan_out)


def test_nothing_is_left_of_one_who_came_while_storage_was_away(online: LiveScene) -> None:
    app = online.bridge.services

    class Away(Sync):
        def revision(self, site: str) -> int:
            raise UnavailableError

    fan_out = online.another_fan_out(sync=Away(app.records, app.conversations))
    with pytest.raises(UnavailableError):
        online.join_agent("sam-1")
    with pytest.raises(UnavailableError):
        online.join_page(at=1)
    assert emptied(fan_out)


def test_draining_ends_all_and_takes_no_more(online: LiveScene) -> None:
    page, sam = online.join_page(at=1), online.join_agent("sam-1")
    online.say("One", at=2)
    online.feed()
    online.fan_out.drain()
    assert texts(sam.read() or []) == ["One"], "what waits is still handed out"
    assert (sam.read(), page.read()) == (None, None)
    for join in (lambda: online.join_agent("kim-1"), lambda: online.join_page(page="q")):
        with pytest.raises(TooManyRequestsError):
            join()
    page.leave()
    sam.leave()
    assert emptied(online.fan_out)


def emptied(fan_out: FanOut) -> bool:
    """Whether nothing is kept of any stream."""
    admission = fan_out._admission  # noqa: SLF001 - memory that is never given back shows nowhere else
    counted = (admission._total, dict(admission._open))  # noqa: SLF001 - the same
    return not fan_out._sites and counted == (0, {})  # noqa: SLF001 - the same


def test_a_site_without_streams_is_not_read(online: LiveScene) -> None:
    online.join_agent("sam-1").leave()
    online.feed()
    online.view(2, at=5)
    with online.statements() as made:
        online.feed()
    assert made == []
    assert online.bridge.services.clock() == moment(5)

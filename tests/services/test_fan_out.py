"""From what is recorded to the streams of one process (S3, D3, M2, P3, P7, N2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bridge.errors import UnavailableError
from bridge.live.fan_out import AT_ONCE
from bridge.live.streams import MAILBOX
from bridge.services.sync import SiteChanges, Sync
from tests.services.live import LiveScene
from tests.services.scene import SITE
from tests.services.streams import AgentReading, Frame, names, texts

# ------------------------------------------------------------------------------- agents


def test_s3_an_agent_is_told_what_is_recorded_after_joining(online: LiveScene) -> None:
    sam = online.join_agent("sam-1")
    assert sam.opening == [("ready", {"rev": online.revision(), "id:": online.revision()})]
    online.say("Is it in stock?", at=1)
    online.feed()
    got = sam.read()
    assert got is not None
    assert names(got) == ["message", "conversation"]
    assert [said["id:"] for _, said in got] == [said["rev"] for _, said in got]
    assert got[-1][1]["id:"] == online.revision()
    assert (got[0][1]["text"], got[1][1]["unread"]) == ("Is it in stock?", 1)
    assert sam.read() == []


def test_s3_what_two_agents_read_is_told_apart(online: LiveScene) -> None:
    online.say("One", at=1)
    online.mark_read("sam", at=2)
    sam, kim = online.join_agent("sam-1", after=0), online.join_agent("kim-1", after=0)
    online.say("Two", at=3)
    online.feed()
    unread = [[each for name, each in one.read_all() if name != "message"] for one in (sam, kim)]
    assert [[each["unread"] for each in one] for one in unread] == [[1], [2]]
    online.mark_read("kim", at=4)
    online.feed()
    assert [one.read_all()[0][1]["unread"] for one in (sam, kim)] == [1, 0]


def test_s2_a_full_mailbox_cuts_its_reader_off_and_no_other(live: LiveScene) -> None:
    live.view(1, at=0)
    slow, quick = live.join_agent("sam-1"), live.join_agent("kim-1")
    got: list[Frame] = []
    for number in range(MAILBOX // 2 + 1):
        live.say(str(number), at=1 + number / 100)
        live.feed()
        got += quick.read_all()
    assert slow.read() is None
    assert texts(got) == [str(number) for number in range(MAILBOX // 2 + 1)]
    # It comes back with the revision that it has, and misses nothing.
    slow.leave()
    again = live.join_agent("sam-1", after=slow.opening[0][1]["rev"])
    assert texts(again.read_all()) == texts(got)


@pytest.mark.parametrize("missed", [1, AT_ONCE, 2 * AT_ONCE + 50, 3 * AT_ONCE])
def test_s2_one_who_resumes_misses_nothing(live: LiveScene, missed: int) -> None:
    # Each message is two changes, so that most of these are more than one page of them.
    live.view(1, at=0)
    after = live.revision()
    for number in range(missed):
        live.say(str(number), at=1 + number / 1_000)
    sam = live.join_agent("sam-1", after=after)
    live.say("meanwhile", at=10)
    live.feed()
    got = sam.read_all()
    assert texts(got) == [*(str(number) for number in range(missed)), "meanwhile"]
    revs = [said["id:"] for _, said in got]
    assert revs == sorted(set(revs))
    assert revs[-1] == live.revision()
    live.say("afterwards", at=11)
    live.feed()
    assert texts(sam.read_all()) == ["afterwards"]


def test_s2_what_changes_between_two_pages_of_the_missed_is_not_missed(live: LiveScene) -> None:
    live.view(1, at=0)
    for number in range(MAILBOX):
        live.say(str(number), at=1 + number / 1_000)
    sam = live.join_agent("sam-1", after=0)
    first = sam.read()
    live.say("between", at=10)
    live.feed()
    got = (first or []) + sam.read_all()
    assert texts(got) == [*(str(number) for number in range(MAILBOX)), "between"]
    assert got[-1][1]["id:"] == live.revision()


def test_s2_one_who_comes_from_another_database_gets_all_anew(online: LiveScene) -> None:
    online.say("One", at=1)
    sam = online.join_agent("sam-1", after=1_000_000)
    assert texts(sam.read_all()) == ["One"]
    online.say("Two", at=2)
    online.feed()
    assert texts(sam.read_all()) == ["Two"]


def test_s2_one_who_resumes_while_storage_is_away_is_sent_back(online: LiveScene) -> None:
    class Away(Sync):
        def since(self, *asked: Any, **more: Any) -> SiteChanges:
            raise UnavailableError

    app = online.bridge.services
    sam = online.join_agent("sam-1", after=0, sync=Away(app.records, app.conversations))
    assert sam.read() is None


def test_s2_storage_that_is_away_costs_a_delay_and_no_difference(online: LiveScene) -> None:
    app = online.bridge.services

    class Away(Sync):
        away = True

        def read(self, *asked: Any, **more: Any) -> SiteChanges:
            if self.away:
                raise UnavailableError
            return super().read(*asked, **more)

    sync = Away(app.records, app.conversations)
    fan_out = online.another_fan_out(sync=sync)
    sam = online.join_agent("sam-1")
    online.say("One", at=1)
    fan_out.changed(SITE)
    assert not fan_out.feed()
    assert sam.read() == []
    sync.away = False
    assert fan_out.feed()
    assert texts(sam.read_all()) == ["One"]


class JoinedMeanwhile(Sync):
    """Somebody joins while what changed is being read."""

    join: Callable[[], AgentReading] | None = None
    joined: AgentReading | None = None
    before = False
    """Whether they join before the reading, or between it and the telling."""

    def read(self, *asked: Any, **more: Any) -> SiteChanges:
        join, self.join = self.join, None
        if join is not None and self.before:
            self.joined = join()
        changes = super().read(*asked, **more)
        if join is not None and not self.before:
            self.joined = join()
        return changes


@pytest.mark.parametrize("before", [True, False])
def test_s2_one_who_joins_while_changes_are_read_misses_nothing(
    online: LiveScene, before: bool
) -> None:
    app = online.bridge.services
    online.say("read already", at=1)
    online.mark_read("kim", at=2)
    sync = JoinedMeanwhile(app.records, app.conversations)
    fan_out = online.another_fan_out(sync=sync)
    sam = online.join_agent("sam-1")
    online.say("meanwhile", at=3)
    sync.before, sync.join = before, lambda: online.join_agent("kim-1")
    fan_out.changed(SITE)
    fan_out.feed()
    assert sync.joined is not None
    assert texts(sam.read_all()) == ["meanwhile"]
    got = sync.joined.read_all()
    assert texts(got) == ["meanwhile"]
    assert [said["unread"] for name, said in got if name == "conversation"] == [1]


def test_s2_one_who_is_the_first_of_a_site_misses_nothing(online: LiveScene) -> None:
    app = online.bridge.services

    class SlowToJoin(Sync):
        """Something is recorded right after the revision was read."""

        def revision(self, site: str) -> int:
            rev = super().revision(site)
            online.say("at that moment", at=1)
            return rev

    fan_out = online.another_fan_out(sync=SlowToJoin(app.records, app.conversations))
    sam = online.join_agent("sam-1")
    fan_out.feed()
    assert texts(sam.read_all()) == ["at that moment"]


# ------------------------------------------------------------------------ heard, signed out


def test_n2_heard_is_told_to_those_who_watch_and_to_no_other(online: LiveScene) -> None:
    sam, again, kim = (online.join_agent(each) for each in ("sam-1", "sam-2", "kim-1"))
    online.watch("sam-1", at=1)
    online.feed()
    for each in (sam, again, kim):
        each.read_all()
    online.beat(2, at=2)
    online.beat(3, at=12)
    heard = [("heard", {"conversation": "A", "heard_at": "2030-01-01T00:00:02.000Z"})]
    heard.append(("heard", {"conversation": "A", "heard_at": "2030-01-01T00:00:12.000Z"}))
    assert (sam.read(), again.read(), kim.read()) == (heard, heard, [])
    online.sync(at=20)
    assert names(sam.read()) == ["heard"]
    online.leave("sam-1", at=21)
    online.feed()
    sam.read_all()
    online.beat(4, at=22)
    online.feed()
    assert sam.read() == []


def test_n2_a_stream_that_opens_later_hears_of_what_its_agent_watches(online: LiveScene) -> None:
    online.watch("sam-1", at=1)
    online.feed()
    sam = online.join_agent("sam-2")
    online.beat(2, at=2)
    online.feed()
    assert names(sam.read_all()) == ["heard"]


def test_n2_nobody_hears_once_the_lease_has_ended(online: LiveScene) -> None:
    sam = online.join_agent("sam-1")
    online.watch("sam-1", at=1)
    online.beat(2, at=30)
    online.sweep(at=46)
    online.feed()
    sam.read_all()
    online.beat(3, at=47)
    online.beat(4, at=48)
    online.feed()
    assert sam.read_all() == []


def test_a_signed_out_devices_streams_end_and_no_others(online: LiveScene) -> None:
    ended, again = online.join_agent("sam-1"), online.join_agent("sam-1")
    other, kim = online.join_agent("sam-2"), online.join_agent("kim-1")
    online.sign_out("sam-1", at=1)
    assert (ended.read(), again.read(), other.read(), kim.read()) == (None, None, [], [])
    online.sign_out_agent("kim", at=2)
    assert (other.read(), kim.read()) == ([], None)

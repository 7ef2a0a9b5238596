"""From what is recorded to the streams of one process (S3, D3, M2, P3, P7, N2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bridge.errors import TooManyRequestsError, UnavailableError
from bridge.live.admission import Admission
from bridge.live.fan_out import AT_ONCE, MAILBOX, STREAMS_OF_DEVICE, STREAMS_OF_VISITOR, FanOut
from bridge.services.sync import SiteChanges, Sync
from tests.services.live import AgentReader, Frame, LiveScene
from tests.services.scene import SITE, moment


def names(frames: list[Frame] | None) -> list[str] | None:
    """The names of what was written; ``None``: the stream has ended."""
    return None if frames is None else [name for name, _ in frames]


def texts(frames: list[Frame]) -> list[str]:
    """What the messages among these say."""
    return [said["text"] for name, said in frames if name == "message"]


def fan_out_of(live: LiveScene, most: int = 1_000, sync: Sync | None = None) -> FanOut:
    """Another fan-out over the same records, in the place of the bridge's own."""
    app = live.bridge.services
    fan_out = FanOut(sync or app.sync, app.visits, Admission(most), app.clock)
    app.fan_out = fan_out  # type: ignore[misc]  # frozen for all but tests, which put theirs in
    return fan_out


@pytest.fixture
def online(live: LiveScene) -> LiveScene:
    """A visitor with one page, and everything fed."""
    live.view(1, at=0)
    live.feed()
    return live


# ------------------------------------------------------------------------------- agents


def test_s3_an_agent_is_told_what_is_recorded_after_joining(online: LiveScene) -> None:
    sam = online.join_agent("sam-1")
    assert sam.opening == ("ready", {"rev": online.revision(), "id:": online.revision()})
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
    slow.joined.leave()
    again = live.join_agent("sam-1", after=slow.opening[1]["rev"])
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


def test_s2_one_who_resumes_while_storage_is_away_comes_back(online: LiveScene) -> None:
    class Away(Sync):
        def since(self, *asked: Any, **more: Any) -> SiteChanges:
            raise UnavailableError

    app = online.bridge.services
    sam = online.join_agent("sam-1", after=0)
    sam.frames._sync = Away(app.records, app.conversations)  # noqa: SLF001 - storage that is away for this reader alone
    assert sam.read() == []
    assert sam.read() is None


def test_s2_storage_that_is_away_costs_a_delay_and_no_difference(online: LiveScene) -> None:
    app = online.bridge.services

    class Away(Sync):
        away = True

        def since(self, *asked: Any, **more: Any) -> SiteChanges:
            if self.away:
                raise UnavailableError
            return super().since(*asked, **more)

    sync = Away(app.records, app.conversations)
    fan_out = fan_out_of(online, sync=sync)
    sam = online.join_agent("sam-1")
    online.say("One", at=1)
    fan_out.changed(SITE)
    with pytest.raises(UnavailableError):
        fan_out.feed()
    assert sam.read() == []
    sync.away = False
    fan_out.feed()
    assert texts(sam.read_all()) == ["One"]


class JoinedMeanwhile(Sync):
    """Somebody joins while what changed is being read."""

    join: Callable[[], AgentReader] | None = None
    joined: AgentReader | None = None
    before = False
    """Whether they join before the reading, or between it and the telling."""

    def since(self, *asked: Any, **more: Any) -> SiteChanges:
        join, self.join = self.join, None
        if join is not None and self.before:
            self.joined = join()
        changes = super().since(*asked, **more)
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
    fan_out = fan_out_of(online, sync=sync)
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

    fan_out = fan_out_of(online, sync=SlowToJoin(app.records, app.conversations))
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


# -------------------------------------------------------------------------------- visitors


def test_d3_a_page_that_streams_is_told_when_demand_begins_and_ends(online: LiveScene) -> None:
    page = online.join_page(at=1)
    assert page.opening == [
        ("ready", {"heartbeat_seconds": 0, "takeover": {"active": False, "agent": None}})
    ]
    online.watch("sam-1", at=2)
    online.feed()
    assert page.read() == [("demand", {"heartbeat_seconds": 10})]
    online.beat(2, at=3)
    online.watch("kim-1", at=4)
    online.leave("sam-1", at=5)
    online.feed()
    assert page.read() == [], "still in demand"
    online.leave("kim-1", at=6)
    online.feed()
    assert page.read() == [("demand", {"heartbeat_seconds": 0})]


def test_m2_a_page_is_told_of_takeover_and_messages(online: LiveScene) -> None:
    page, other = online.join_page(at=1), online.join_page(at=1.5, page="q")
    online.take_over("sam-1", at=2)
    sent = online.write("sam-1", at=3, text="<b>Yes</b>")
    online.say("Thank you", at=4)
    online.feed()
    agent = {"id": "sam", "name": "Sam", "avatar_url": None}
    for stream in (page, other):
        got = stream.read() or []
        assert texts(got) == ["Sam has joined the chat.", "<b>Yes</b>"]
        assert ("takeover", {"active": True, "agent": agent}) in got
        assert got[1][1]["id:"] == got[1][1]["rev"] == sent.place
    online.deliver(sent.id, at=5)
    online.release("sam-1", at=6)
    online.feed()
    got = page.read() or []
    assert names(got) == ["message", "demand", "takeover"], "a delivery is no new message"


def test_p7_every_stream_of_a_cleared_chat_is_told_and_ends(online: LiveScene) -> None:
    pages = [online.join_page(at=1), online.join_page(at=1.5, page="q")]
    online.take_over("sam-1", at=2)
    online.write("sam-1", at=3, text="before the clear")
    online.clear(at=4, seq=2)
    online.feed()
    for page in pages:
        got = page.read() or []
        assert names(got)[-1:] == ["cleared"]  # type: ignore[index]  # it has not ended yet
        assert "before the clear" in texts(got)
        assert page.read() is None
    late = online.join_page(at=5)
    assert names(late.opening) == ["ready", "cleared"]
    assert late.read() is None


def test_p3_an_unload_ends_its_own_pages_stream_only(online: LiveScene) -> None:
    online.view(1, at=0.5, page="q")
    page, other = online.join_page(at=1), online.join_page(at=1, page="q")
    online.unload(2, at=2)
    online.feed()
    assert (page.read(), other.read()) == (None, [])


def test_an_older_stream_of_the_same_page_ends(online: LiveScene) -> None:
    first, other = online.join_page(at=1), online.join_page(at=1, page="q")
    second = online.join_page(at=2)
    assert (first.read(), other.read(), second.read()) == (None, [], [])


def test_a_strangers_stream_of_the_same_page_id_ends_none(online: LiveScene) -> None:
    own = online.join_page(at=1)
    fan_out = online.bridge.services.fan_out
    stranger = fan_out.join_visitor(own.opened.key, "stranger", "p", "192.0.2.9")
    assert own.read() == []
    stranger.leave()


def test_streams_hear_of_their_own_conversation_alone(online: LiveScene) -> None:
    online.view(1, at=0.5, page="r", conversation="B", visitor="w")
    page = online.join_page(at=1)
    online.take_over("sam-1", at=2, conversation="B")
    online.write("sam-1", at=3, conversation="B")
    online.feed()
    assert page.read() == []


# ------------------------------------------------------------------------------- limits


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
    streams[0].joined.leave()
    online.join_page(at=2, page="one more")
    with pytest.raises(TooManyRequestsError):
        online.join_page(at=2, page="two more")


def test_one_address_does_not_take_the_place_of_another(online: LiveScene) -> None:
    fan_out = fan_out_of(online, most=3)
    kept = [online.join_agent("sam-1"), online.join_agent("kim-1")]
    page = online.join_page(at=1)
    with pytest.raises(TooManyRequestsError):
        online.join_agent("sam-2", address="198.51.100.1")
    page.joined.leave()
    kept.append(online.join_agent("sam-2", address="198.51.100.1"))
    assert [each.read() for each in kept] == [[], [], []]
    fan_out.drain()


def test_nothing_is_left_in_memory_after_all_left(online: LiveScene) -> None:
    fan_out = fan_out_of(online, most=2)
    page, sam = online.join_page(at=1), online.join_agent("sam-1")
    for refused in (lambda: online.join_agent("kim-1"), lambda: online.join_page(page="q")):
        with pytest.raises(TooManyRequestsError):
            refused()
    page.joined.leave()
    sam.joined.leave()
    assert emptied(fan_out)


@pytest.mark.parametrize("which", ["agent", "page"])
def test_nothing_is_left_of_one_who_was_refused(online: LiveScene, which: str) -> None:
    fan_out = fan_out_of(online, most=0)
    with pytest.raises(TooManyRequestsError):
        online.join_agent("sam-1") if which == "agent" else online.join_page(at=1)
    assert emptied(fan_out)


def test_nothing_is_left_of_one_who_came_while_storage_was_away(online: LiveScene) -> None:
    app = online.bridge.services

    class Away(Sync):
        def revision(self, site: str) -> int:
            raise UnavailableError

    fan_out = fan_out_of(online, sync=Away(app.records, app.conversations))
    with pytest.raises(UnavailableError):
        online.join_agent("sam-1")
    with pytest.raises(UnavailableError):
        online.join_page(at=1)
    assert emptied(fan_out)


def test_draining_ends_all_and_takes_no_more(online: LiveScene) -> None:
    page, sam = online.join_page(at=1), online.join_agent("sam-1")
    online.say("One", at=2)
    online.feed()
    online.bridge.services.fan_out.drain()
    assert texts(sam.read() or []) == ["One"], "what waits is still handed out"
    assert (sam.read(), page.read()) == (None, None)
    for join in (lambda: online.join_agent("kim-1"), lambda: online.join_page(page="q")):
        with pytest.raises(TooManyRequestsError):
            join()
    page.joined.leave()
    sam.joined.leave()
    assert emptied(online.bridge.services.fan_out)


def emptied(fan_out: FanOut) -> bool:
    """Whether nothing is kept of any stream."""
    admission = fan_out._admission  # noqa: SLF001 - memory that is never given back shows nowhere else
    counted = (admission._total, dict(admission._open))  # noqa: SLF001 - the same
    return not fan_out._sites and counted == (0, {})  # noqa: SLF001 - the same


def test_a_site_without_streams_is_not_read(online: LiveScene) -> None:
    online.join_agent("sam-1").joined.leave()
    online.feed()
    online.view(2, at=5)
    with online.statements() as made:
        online.feed()
    assert made == []
    assert online.bridge.services.clock() == moment(5)

"""Demand, and pages that stream or sync: D1 to D4, P2, P3, as it is recorded."""

from __future__ import annotations

import pytest

from bridge.errors import NotFoundError
from tests.services.live import LiveScene
from tests.services.scene import seconds, told


@pytest.fixture
def streaming(live: LiveScene) -> LiveScene:
    """A page viewed at 0 that opened a stream at 1."""
    live.view(1, at=0)
    live.open_stream(at=1)
    return live


# ----------------------------------------------------------------------------------- D1, D4


def test_d1_in_demand_while_watched_or_taken_over(live: LiveScene) -> None:
    live.view(1, at=0)
    assert live.beat(2, at=1) == 60
    live.watch("sam-1", at=2)
    assert live.beat(3, at=3) == 10
    live.take_over("sam-1", at=4)
    live.leave("sam-1", at=5)
    assert live.beat(4, at=6) == 10
    live.release("sam-1", at=7)
    assert live.beat(5, at=8) == 60


def test_d4_a_watch_is_a_lease_of_45_seconds(live: LiveScene) -> None:
    live.view(1, at=0)
    assert live.watch("sam-1", at=10) == 55
    assert live.watch("sam-1", at=50) == 95
    assert live.watchers(at=94.999) == ["sam"]
    assert live.watchers(at=95) == []


def test_d4_two_devices_of_one_agent_are_two_leases_and_one_person(live: LiveScene) -> None:
    live.view(1, at=0)
    live.watch("sam-1", at=1)
    live.watch("kim-1", at=2)
    live.watch("sam-2", at=3)
    assert live.watchers() == ["sam", "kim"]
    rev = live.shown().rev
    live.leave("sam-2", at=4)
    live.watch("sam-1", at=5)
    assert live.watchers() == ["sam", "kim"]
    assert live.shown().rev == rev, "nothing that a reader sees"
    live.leave("sam-1", at=6)
    assert live.watchers() == ["kim"]
    assert live.shown().rev > rev


def test_d4_leaving_twice_and_leaving_unwatched_is_nothing(live: LiveScene) -> None:
    live.view(1, at=0)
    live.leave("sam-1", at=1)
    rev = live.shown().rev
    live.leave("sam-1", at=2)
    assert live.shown().rev == rev
    for conversation in ("unknown", "B"):
        with pytest.raises(NotFoundError):
            live.watch("sam-1", at=3, conversation=conversation)


def test_d4_leases_outlive_a_restart_and_end_on_time(live: LiveScene) -> None:
    live.view(1, at=0)
    live.watch("sam-1", at=10)
    live.restart(at=20)
    assert live.watchers() == ["sam"]
    assert live.beat(2, at=30) == 10
    assert live.watchers(at=55) == []
    live.watch("sam-1", at=60)
    live.restart(at=200)
    assert live.watchers() == []


# -------------------------------------------------------------------------------------- D3


def test_d3_pages_that_stream_are_told_in_the_transaction_that_begins_demand(
    streaming: LiveScene,
) -> None:
    with streaming.statements() as made:
        streaming.watch("sam-1", at=100)
    assert made.count("BEGIN") == 1
    record = streaming.recorded()
    assert record is not None
    page = record.presence.pages["p"]
    assert page.told is not None
    assert (seconds(page.told.at), page.told.interval, page.told.pushed) == (100, 10, True)


def test_d3_pages_that_stream_are_told_when_demand_ends_by_itself(streaming: LiveScene) -> None:
    streaming.watch("sam-1", at=100)
    assert streaming.beat(2, at=101) == 10
    for beat in range(3, 7):
        streaming.beat(beat, at=81 + beat * 10)
    streaming.sweep(at=145)
    assert streaming.beat(7, at=145.5) == 0
    assert streaming.shown(at=145.5 + 329.9).state == "online"
    assert streaming.shown(at=145.5 + 330).state == "offline"


def test_d3_the_beat_that_tells_a_new_interval_is_recorded_and_later_ones_are_not(
    live: LiveScene,
) -> None:
    live.view(1, at=0)
    live.watch("sam-1", at=10)
    with live.statements() as made:
        assert live.beat(2, at=20) == 10
    assert made != []
    with live.statements() as made:
        assert [live.beat(seq, at=seq * 10) for seq in range(3, 6)] == [10, 10, 10]
    assert made == []
    live.sweep(at=55)
    with live.statements() as made:
        assert live.beat(6, at=60) == 60
    assert made != []
    with live.statements() as made:
        assert live.beat(7, at=120) == 60
        live.sweep()
    assert made == []


def test_d3_a_page_that_syncs_is_told_by_its_next_sync(live: LiveScene) -> None:
    live.view(1, at=0)
    answers = [live.sync(at=1)]
    live.watch("sam-1", at=2)
    answers.append(live.sync(at=3))
    live.take_over("sam-1", at=4)
    answers.append(live.sync(at=5))
    live.hide(2, at=6)
    answers.append(live.sync(at=7))
    live.release("sam-1", at=8)
    live.leave("sam-1", at=9)
    answers.append(live.sync(at=10))
    paces = [(each.told.heartbeat_seconds, each.next_sync_seconds) for each in answers]
    assert paces == [(60, 60), (10, 10), (10, 3), (60, 60), (60, 60)]
    owners = [each.told.owner.id if each.told.owner else None for each in answers]
    assert owners == [None, None, "sam", "sam", None]


def test_d3_what_a_sync_tells_between_the_end_of_demand_and_its_recording_is_recorded(
    live: LiveScene,
) -> None:
    live.view(1, at=0)
    live.watch("sam-1", at=0)
    assert live.beat(2, at=1) == 10
    for at in (10, 20, 30, 40):
        live.sync(at=at)
    # The sweep is yet to come.
    assert live.sync(at=45.1).told.heartbeat_seconds == 60
    live.sweep(at=45.2)
    assert live.shown(at=45.1 + 60).state == "online", "it does as it was told"


def test_d2_a_cleared_chat_is_told_not_to_beat(live: LiveScene) -> None:
    live.view(1, at=0)
    live.clear(at=1, seq=2)
    live.watch("sam-1", at=2)
    synced = live.sync(at=3)
    assert (synced.told.heartbeat_seconds, synced.told.cleared) == (0, True)
    opened = live.open_stream(at=4)
    assert (opened.told.heartbeat_seconds, opened.told.cleared) == (0, True)


# -------------------------------------------------------------------------------------- P2


def test_p2_a_page_that_streams_and_does_not_beat_lives_330_seconds(streaming: LiveScene) -> None:
    assert streaming.shown(at=330.999).state == "online"
    shown = streaming.shown(at=331)
    assert (shown.reason, shown.since, shown.last_seen_at) == ("timed_out", 331, 1)


def test_p2_a_page_told_to_beat_and_unheard_is_gone_10_seconds_later(streaming: LiveScene) -> None:
    streaming.watch("sam-1", at=100)
    assert streaming.shown(at=109.999).state == "online"
    streaming.sweep(at=110)
    shown = streaming.shown()
    assert (shown.state, shown.reason) == ("offline", "timed_out")
    assert (shown.since, shown.last_seen_at, shown.heard_at) == (110, 1, 1)
    assert streaming.changes() == [("online", 0), ("timed_out", 110)]


def test_p2_a_page_told_to_beat_that_beats_has_its_usual_deadline(streaming: LiveScene) -> None:
    streaming.watch("sam-1", at=100)
    assert streaming.beat(2, at=100.5) == 10
    streaming.watch("kim-1", at=120)
    assert streaming.shown(at=130.499).state == "online", "nobody is told anew"
    assert streaming.shown(at=130.5).since == 130.5


def test_p2_a_page_opened_in_demand_is_told_so_at_once(live: LiveScene) -> None:
    live.view(1, at=0)
    live.watch("sam-1", at=1)
    assert live.open_stream(at=2).told.heartbeat_seconds == 10
    assert live.shown(at=31.999).state == "online"
    assert live.shown(at=32).state == "offline"


def test_p2_a_dropped_stream_leaves_the_grace_time(streaming: LiveScene) -> None:
    streaming.dropped(streaming.open_stream(at=2), at=100)
    assert streaming.shown(at=114.999).state == "online"
    shown = streaming.shown(at=115)
    assert (shown.reason, shown.since, shown.last_seen_at) == ("timed_out", 115, 2)


def test_p2_an_older_stream_that_drops_means_nothing(streaming: LiveScene) -> None:
    older = streaming.open_stream(at=2)
    streaming.open_stream(at=3)
    streaming.dropped(older, at=4)
    assert streaming.shown(at=300).state == "online"


def test_p2_one_who_reopens_after_a_drop_lives_on(streaming: LiveScene) -> None:
    streaming.dropped(streaming.open_stream(at=2), at=100)
    assert streaming.open_stream(at=110).told.heartbeat_seconds == 0
    assert streaming.shown(at=439.999).state == "online"
    assert streaming.changes() == [("online", 0)]


def test_p2_drops_noted_while_nobody_settled_count_from_their_time(streaming: LiveScene) -> None:
    visits = streaming.bridge.services.visits
    stream = streaming.open_stream(at=2)
    visits.dropped(stream, streaming.at(100))
    assert visits.settle_drops(streaming.at(300)) == 1
    assert visits.settle_drops(streaming.at(301)) == 0
    assert streaming.shown().since == 115


@pytest.mark.parametrize("by", ["sync", "stream"])
def test_p2_a_request_keeps_a_live_page_alive(live: LiveScene, by: str) -> None:
    live.view(1, at=0)
    keep = live.sync if by == "sync" else live.open_stream
    keep(at=154.999)
    assert live.shown(at=155).state == "online"
    assert live.shown().heard_at == 154.999


@pytest.mark.parametrize("by", ["sync", "stream"])
@pytest.mark.parametrize("ended", ["unloaded", "timed out"])
def test_p2_a_request_never_revives_a_page_that_has_ended(
    live: LiveScene, by: str, ended: str
) -> None:
    live.view(1, at=0)
    if ended == "unloaded":
        live.unload(2, at=100)
    before = live.shown(at=200)
    assert before.state == "offline"
    answer = live.sync(at=201) if by == "sync" else live.open_stream(at=201)
    assert answer.told.heartbeat_seconds == 60, "a beat brings it back, if it is there"
    assert live.shown() == before
    assert live.view(3, at=202) == "accepted"
    assert live.shown().state == "online"


def test_p2_a_sync_that_changes_nothing_writes_nothing(live: LiveScene) -> None:
    live.view(1, at=0)
    live.sync(at=1)
    with live.statements() as made:
        for at in range(60, 600, 60):
            live.sync(at=at)
            live.sweep()
    assert all(each.startswith(("SELECT", "BEGIN")) for each in made)
    assert not any("FOR UPDATE" in each for each in made)
    assert live.shown(at=540 + 154.999).state == "online"
    assert live.shown(at=540 + 155).last_seen_at == 540


def test_p2_a_quiet_sync_outlives_requests_that_change_nothing(live: LiveScene) -> None:
    live.view(1, at=0)
    live.sync(at=67)
    for at in (68, 69):
        live.leave("sam-1", at=at)
        live.sync(at=at, page="a page that nobody knows")
    assert live.shown(at=67 + 154.999).state == "online"
    assert live.shown().heard_at == 67
    assert live.shown(at=67 + 155).last_seen_at == 67


def test_p2_a_page_recovered_from_a_restart_is_not_told_what_only_a_stream_is(
    streaming: LiveScene,
) -> None:
    streaming.record_alive(at=10)
    streaming.restart(at=12)
    streaming.watch("sam-1", at=13)
    assert streaming.shown(at=24).state == "online", "its stream ended with the bridge"
    streaming.leave("sam-1")
    assert streaming.beat(2, at=25) == 60
    assert streaming.open_stream(at=26).told.heartbeat_seconds == 0


def test_p2_who_writes_in_a_cleared_chat_that_is_watched_has_the_deadline_it_is_told(
    live: LiveScene,
) -> None:
    live.view(1, at=0)
    live.clear(at=5, seq=2)
    live.watch("sam-1", at=6)
    answer = live.answer(live.event("message", 7, "p", 3))
    assert told(answer).heartbeat_seconds == 10
    assert live.shown(at=36.999).state == "online"
    live.watch("sam-1")
    assert live.shown(at=37).state == "offline"


# -------------------------------------------------------------------------------------- P3


def test_p3_an_unload_ends_the_stream_of_its_own_page(streaming: LiveScene) -> None:
    streaming.view(1, at=2, page="q")
    streaming.open_stream(at=3, page="q")
    streaming.unload(2, at=4)
    streaming.view(3, at=5)
    assert streaming.shown().pages == 2
    streaming.watch("sam-1", at=100)
    # `p` came back without a stream: it was not told to beat, and keeps the deadline that it had.
    assert streaming.shown(at=110).pages == 1
    assert streaming.shown(at=159.999).state == "online"
    assert streaming.shown(at=160).state == "offline"


@pytest.mark.parametrize("by", ["sync", "stream"])
def test_a_strangers_stream_or_sync_finds_nothing(live: LiveScene, by: str) -> None:
    live.view(1, at=0)
    ask = live.sync if by == "sync" else live.open_stream
    for visitor, conversation in (("w", "A"), ("v", "unknown")):
        key = live.key(conversation)
        with pytest.raises(NotFoundError):
            ask(at=1, visitor=visitor, key=key)
    assert live.shown().heard_at == 0

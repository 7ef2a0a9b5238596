"""D1, D2, D4, and what T3 takes from D4: an owner's watching keeps the takeover."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.domain.demand import Demand, heartbeat_seconds, sync_seconds
from bridge.domain.page import Timing
from bridge.domain.takeover import Person, Takeover
from tests.unit.domain.story import moment, seconds

SAM = Person("1", "Sam")
KIM = Person("2", "Kim")
HALF_AN_HOUR = 1_800.0


class Desk:
    """Who watches one conversation and who owns it, told in seconds."""

    def __init__(self, **numbers: float) -> None:
        self.timing = Timing(**numbers)
        self.demand = Demand()

    def watch(self, agent: Person, device: str, at: float) -> None:
        self.demand = self.demand.watched(agent, device, moment(at), self.timing)

    def leave(self, device: str, at: float) -> None:
        self.demand = self.demand.left(device, moment(at))

    def settle(self, at: float) -> None:
        self.demand = self.demand.expired(moment(at))

    def take_over(self, owner: Person, at: float) -> None:
        taken = Takeover(owner, since=moment(at), began_rev=1, active_at=moment(at))
        self.demand = replace(self.demand, takeover=taken)

    def write(self, at: float) -> None:
        self.demand = self.demand.owner_wrote(moment(at))

    def in_demand(self, at: float) -> bool:
        return self.demand.present(moment(at))

    def watchers(self, at: float) -> list[str]:
        return [person.name for person in self.demand.watchers(moment(at))]

    @property
    def ends_at(self) -> float | None:
        return seconds(self.demand.takeover_ends_at(self.timing))

    @property
    def next_change(self) -> float | None:
        return seconds(self.demand.next_change(self.timing))


# D1: in demand.


def test_d1_nobody_watches_and_nobody_owns_no_demand() -> None:
    desk = Desk()
    assert not desk.in_demand(0)
    assert (desk.watchers(0), desk.next_change, desk.ends_at) == ([], None, None)


def test_d1_one_unexpired_watch_is_demand() -> None:
    desk = Desk()
    desk.watch(SAM, "s1", at=0)
    desk.watch(KIM, "k1", at=10)
    assert [desk.in_demand(at) for at in (0, 45, 54.999, 55)] == [True, True, True, False]
    assert desk.next_change == 45


def test_d1_a_takeover_is_demand_without_any_watch() -> None:
    desk = Desk()
    desk.take_over(SAM, at=0)
    assert desk.in_demand(HALF_AN_HOUR - 0.001)
    assert desk.watchers(1) == []


# D2: how often a page beats.


@pytest.mark.parametrize(
    ("cleared", "in_demand", "streams", "interval"),
    [
        (False, True, True, 10),
        (False, True, False, 10),
        (False, False, True, 0),
        (False, False, False, 60),
        (True, True, True, 0),
        (True, True, False, 0),
        (True, False, True, 0),
        (True, False, False, 0),
    ],
)
def test_d2_how_often_a_page_beats(
    cleared: bool, in_demand: bool, streams: bool, interval: float
) -> None:
    told = heartbeat_seconds(cleared=cleared, in_demand=in_demand, streams=streams, timing=Timing())
    assert told == interval


def test_d2_the_intervals_are_settings() -> None:
    timing = Timing(active=4, idle=20)
    assert heartbeat_seconds(cleared=False, in_demand=True, streams=True, timing=timing) == 4
    assert heartbeat_seconds(cleared=False, in_demand=False, streams=False, timing=timing) == 20


@pytest.mark.parametrize(
    ("in_demand", "taken_over", "visible", "pause"),
    [
        (True, True, True, 3),
        (True, False, True, 10),
        (False, False, True, 60),
        (True, True, False, 60),
        (True, False, False, 60),
        (False, False, False, 60),
    ],
)
def test_d3_a_page_without_a_stream_is_told_on_its_next_sync(
    in_demand: bool, taken_over: bool, visible: bool, pause: float
) -> None:
    told = sync_seconds(
        in_demand=in_demand, taken_over=taken_over, visible=visible, timing=Timing()
    )
    assert told == pause


# D4: a watch is a lease.


def test_d4_a_watch_lasts_45_seconds() -> None:
    desk = Desk()
    desk.watch(SAM, "s1", at=100)
    assert (desk.watchers(144.999), desk.watchers(145)) == (["Sam"], [])
    assert desk.next_change == 145


def test_d4_the_lease_is_a_setting() -> None:
    desk = Desk(watch=2)
    desk.watch(SAM, "s1", at=100)
    assert (desk.watchers(101.999), desk.watchers(102)) == (["Sam"], [])


def test_d4_renewed_it_lasts_45_seconds_from_then() -> None:
    desk = Desk()
    desk.watch(SAM, "s1", at=0)
    desk.watch(SAM, "s1", at=30)
    assert (desk.watchers(74.999), desk.watchers(75)) == (["Sam"], [])
    assert len(desk.demand.watches) == 1, "one device, one lease"


def test_d4_after_it_has_ended_one_can_watch_again() -> None:
    for settled in (False, True):
        desk = Desk()
        desk.watch(SAM, "s1", at=0)
        if settled:
            desk.settle(50)
        desk.watch(SAM, "s1", at=60)
        assert (desk.watchers(104.999), desk.watchers(105)) == (["Sam"], [])


def test_d4_left_it_is_released_at_once_and_alone() -> None:
    desk = Desk()
    desk.watch(SAM, "s1", at=0)
    desk.watch(KIM, "k1", at=0)
    desk.leave("s1", at=10)
    assert desk.watchers(10) == ["Kim"]
    desk.leave("k1", at=11)
    assert not desk.in_demand(11)
    assert desk.next_change is None


def test_d4_leaving_what_one_does_not_watch_changes_nothing() -> None:
    desk = Desk()
    desk.watch(SAM, "s1", at=0)
    before = desk.demand
    desk.leave("k1", at=1)
    assert desk.demand == before


def test_d4_each_sees_who_else_watches_those_longest_there_first() -> None:
    desk = Desk()
    desk.watch(KIM, "k1", at=0)
    desk.watch(SAM, "s1", at=1)
    desk.watch(KIM, "k1", at=2)
    assert desk.watchers(3) == ["Kim", "Sam"]


def test_d4_two_devices_of_one_agent_are_two_leases_shown_as_one_person() -> None:
    desk = Desk()
    desk.watch(SAM, "s1", at=0)
    desk.watch(SAM, "s2", at=20)
    assert desk.watchers(30) == ["Sam"]
    assert desk.next_change == 45
    desk.leave("s2", at=30)
    assert desk.watchers(44.999) == ["Sam"]
    desk.watch(SAM, "s2", at=40)
    assert (desk.watchers(45), desk.watchers(84.999), desk.watchers(85)) == (["Sam"], ["Sam"], [])


def test_d4_whoever_watches_the_lease_that_ends_first_is_the_next_change() -> None:
    desk = Desk()
    desk.watch(SAM, "s1", at=0)
    desk.watch(KIM, "k1", at=10)
    desk.watch(SAM, "s1", at=20)
    assert desk.next_change == 55


def test_d4_only_ended_leases_expire() -> None:
    desk = Desk()
    desk.watch(SAM, "s1", at=0)
    desk.watch(KIM, "k1", at=1)
    before = desk.demand
    desk.settle(44.999)
    assert desk.demand == before
    desk.settle(45)
    assert [watch.device for watch in desk.demand.watches] == ["k1"]
    assert desk.next_change == 46


# T3: half an hour in which the owner neither wrote nor watched.


def test_t3_a_takeover_ends_half_an_hour_after_it_began_if_its_owner_does_nothing() -> None:
    desk = Desk()
    desk.take_over(SAM, at=100)
    assert desk.ends_at == desk.next_change == 100 + HALF_AN_HOUR


def test_t3_the_half_hour_is_a_setting() -> None:
    desk = Desk(takeover_idle=6)
    desk.take_over(SAM, at=100)
    assert desk.ends_at == 106


def test_t3_writing_keeps_it() -> None:
    desk = Desk()
    desk.take_over(SAM, at=0)
    desk.write(at=1_000)
    assert desk.ends_at == 1_000 + HALF_AN_HOUR
    desk.write(at=900)
    assert desk.ends_at == 1_000 + HALF_AN_HOUR, "what is told late takes nothing back"


def test_t3_without_a_takeover_writing_keeps_nothing() -> None:
    desk = Desk()
    desk.write(at=0)
    assert desk.demand == Demand()


def test_t3_the_owner_watches_until_the_lease_ends() -> None:
    desk = Desk()
    desk.watch(SAM, "s1", at=0)
    desk.take_over(SAM, at=10)
    assert desk.ends_at == 45 + HALF_AN_HOUR
    for settled_at in (45, 45 + HALF_AN_HOUR):
        desk.settle(settled_at)
        assert desk.ends_at == 45 + HALF_AN_HOUR, "whenever the end of the lease is noticed"
    assert desk.in_demand(45 + HALF_AN_HOUR - 0.001)


@pytest.mark.parametrize(("left_at", "watched_until"), [(30, 30), (45, 45), (1_000, 45)])
def test_t3_the_owner_who_leaves_has_watched_until_then(
    left_at: float, watched_until: float
) -> None:
    desk = Desk()
    desk.take_over(SAM, at=0)
    desk.watch(SAM, "s1", at=0)
    desk.leave("s1", at=left_at)
    assert desk.ends_at == watched_until + HALF_AN_HOUR


def test_t3_what_was_watched_before_does_not_shorten_it() -> None:
    desk = Desk()
    desk.watch(SAM, "s1", at=0)
    desk.take_over(SAM, at=100)
    desk.settle(100)
    assert desk.ends_at == 100 + HALF_AN_HOUR


def test_t3_the_last_of_the_owners_devices_counts() -> None:
    desk = Desk()
    desk.take_over(SAM, at=0)
    desk.watch(SAM, "s1", at=100)
    desk.watch(SAM, "s2", at=90)
    assert desk.ends_at == 145 + HALF_AN_HOUR
    desk.leave("s2", at=110)
    assert desk.ends_at == 145 + HALF_AN_HOUR
    desk.watch(SAM, "s2", at=115)
    assert desk.ends_at == 160 + HALF_AN_HOUR
    desk.leave("s2", at=116)
    desk.leave("s1", at=120)
    assert desk.ends_at == 120 + HALF_AN_HOUR


def test_t3_somebody_elses_watching_keeps_nothing() -> None:
    desk = Desk()
    desk.take_over(SAM, at=0)
    desk.watch(KIM, "k1", at=1_000)
    assert desk.ends_at == HALF_AN_HOUR
    desk.leave("k1", at=1_010)
    assert desk.ends_at == HALF_AN_HOUR
    desk.watch(KIM, "k1", at=1_020)
    desk.settle(1_065)
    assert desk.ends_at == HALF_AN_HOUR

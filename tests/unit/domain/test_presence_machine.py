"""The domain against the naive model of ``model.py``, over anything that may happen.

Events come late, doubled and in any order; what the bridge itself sees (syncs, streams) or does
(pushes) comes in the order of time. Checked at every step: P1 to P9, P12, P13 and P15.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.unit.domain.happenings import (
    DURATIONS,
    EVENTS,
    INTERVALS,
    PAGES,
    dated,
    steady,
    tell,
)
from tests.unit.domain.model import Expected, Happening, History
from tests.unit.domain.story import Story

A_MOMENT = 0.001
"""Shorter than any distance between two turning points."""


class PresenceMachine(RuleBasedStateMachine):
    """One conversation of a visitor, with the other conversations as far as P8 sees them."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Story()
        self.history = History()
        self.now = 0.0
        self.events: list[Happening] = []
        self.delivered: set[str] = set()
        self.open_streams: dict[str, str] = {}
        self.numbers = 0

    @rule(passed=DURATIONS)
    def time_passes(self, passed: float) -> None:
        self.now += passed

    @precondition(lambda self: self.history.turning_points())
    @rule(early=st.sampled_from([0.0, 0.25]), pick=st.integers(0, 9))
    def a_turning_point_comes(self, early: float, pick: int) -> None:
        points = sorted(at - early for at in self.history.turning_points() if at - early > self.now)
        if points:
            self.now = points[pick % len(points)]

    @rule(event=EVENTS, ago=DURATIONS, tie=st.sampled_from("xyz"), at_once=st.booleans())
    def an_event_happens(self, event: Happening, ago: float, tie: str, at_once: bool) -> None:
        self.numbers += 1
        self.events.append(dated(event, self.now - ago, self.numbers, tie))
        if at_once:
            self._deliver(self.events[-1])

    @precondition(lambda self: self.events)
    @rule(pick=st.integers(0, 99))
    def an_event_arrives_late_or_again(self, pick: int) -> None:
        event = self.events[pick % len(self.events)]
        again = event.id in self.delivered
        changed = self._deliver(event)
        assert not (again and changed), "P9: what changes nothing is a duplicate"

    @rule(page=st.sampled_from(PAGES), told=INTERVALS)
    def a_page_syncs(self, page: str, told: float | None) -> None:
        self._tell(Happening("sync", self.now, page=page, told=told))

    @rule(
        page=st.sampled_from(PAGES), told=st.sampled_from([0.0, 0.0, 10.0]), revived=st.booleans()
    )
    def a_page_opens_a_stream(self, page: str, told: float, revived: bool) -> None:
        if revived:
            view = Happening("view", self.now, page=page, seq=9)
            self.an_event_happens(view, ago=0.0, tie="x", at_once=True)
        self.numbers += 1
        stream = f"s{self.numbers:04}"
        self._tell(Happening("stream", self.now, id=stream, page=page, told=told))
        self.open_streams[stream] = page

    @precondition(lambda self: self.open_streams)
    @rule(pick=st.integers(0, 9))
    def a_stream_drops(self, pick: int) -> None:
        stream = sorted(self.open_streams)[pick % len(self.open_streams)]
        page = self.open_streams.pop(stream)
        self._tell(Happening("drop", self.now, id=stream, page=page))

    @precondition(lambda self: self.open_streams)
    @rule(pick=st.integers(0, 9), told=st.sampled_from([0.0, 10.0, 60.0]))
    def a_page_is_told_through_its_stream(self, pick: int, told: float) -> None:
        stream = sorted(self.open_streams)[pick % len(self.open_streams)]
        self._tell(Happening("push", self.now, page=self.open_streams[stream], told=told))

    @invariant()
    def the_state_is_what_the_rules_say(self) -> None:
        self._compare(self.now)

    @invariant()
    def nothing_changes_before_the_next_deadline(self) -> None:
        deadline = self.story.next_deadline(self.now)
        points = {at for at in self.history.turning_points() if at > self.now}
        assert deadline == min(points, default=None)
        if deadline is None:
            assert self._shown(self.now + 1e6) == self._shown(self.now)
            return
        for later in ((self.now + deadline) / 2, deadline - A_MOMENT):
            self._compare(later)
            assert self._shown(later) == self._shown(self.now)
        self._compare(deadline)

    def _deliver(self, event: Happening) -> bool:
        self.delivered.add(event.id)
        return self._tell(event)

    def _tell(self, it: Happening) -> bool:
        self.history.tell(it)
        return tell(self.story, it)

    def _shown(self, now: float) -> Expected:
        """What the domain shows at ``now``, in the words of the model."""
        seen = self.story.at(now)
        return Expected(
            seen.state,
            seen.reason,
            None if seen.state == "online" else seen.since,
            seen.last_seen_at,
            seen.continued_in,
            seen.hidden,
            frozenset(self.story.live_pages(now)),
            seen.url,
        )

    def _compare(self, now: float) -> None:
        expected = self.history.expected(now)
        assert self._shown(now) == expected
        assert self.story.at(now).pages == len(expected.pages)


TestPresenceMachine = PresenceMachine.TestCase
TestPresenceMachine.settings = settings(
    steady, stateful_step_count=40, suppress_health_check=[HealthCheck.too_slow]
)

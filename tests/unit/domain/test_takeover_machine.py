"""D1, D4 and T1 to T3 against a second model, over anything that two agents may do.

The model is naive and shares nothing with ``bridge.domain``: a list of all that was asked for, and
the words of the rules read over it anew at every question. Times are seconds, as floats that
quarters represent exactly.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bridge.domain.demand import Demand
from bridge.domain.page import Timing
from bridge.domain.takeover import (
    Ending,
    NotTakenOverError,
    Person,
    TakenOverError,
    Takeover,
    may_release,
    require_owner,
)
from tests.unit.domain.happenings import steady
from tests.unit.domain.story import moment, seconds

AGENTS = {"1": Person("1", "Sam"), "2": Person("2", "Kim")}
OWNER_OF = {"s1": "1", "s2": "1", "k1": "2", "k2": "2"}
"""The agent of each device."""

DEVICES = st.sampled_from(sorted(OWNER_OF))
# Around every number of the rules, so that boundaries are met and not merely approached; mostly
# short, so that leases overlap.
DURATIONS = st.sampled_from([0, 0.25, 1, 5, 20]) | st.sampled_from(
    [20, 44.75, 45, 600, 899.75, 900, 1_754.75, 1_755, 1_799.75]
)
A_MOMENT = 0.001
"""Shorter than any distance between two turning points."""


@dataclass(frozen=True)
class Asked:
    """A request of a device; whether it was granted is for the rules to say."""

    what: str
    at: float
    device: str
    right: bool = False

    @property
    def agent(self) -> str:
        return OWNER_OF[self.device]


@dataclass(frozen=True)
class Told:
    """Who owns the conversation since when, and how each takeover before ended."""

    owner: str | None
    since: float | None
    endings: tuple[tuple[float, Ending], ...]


class Log:
    """All that was ever asked for, in order."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    def lease(self, device: str, began: int) -> tuple[float, float]:
        """D4: from when until when the watch lasts that was asked for in the place ``began``."""
        watch = self.asked[began]
        stops = [
            it.at
            for it in self.asked[began + 1 :]
            if it.device == device and it.what in ("leave", "sign_out")
        ]
        return watch.at, min([watch.at + 45, *stops])

    def leases(self, device: str) -> list[tuple[float, float]]:
        places = range(len(self.asked))
        watches = [n for n in places if self.asked[n].what == "watch"]
        return [self.lease(device, n) for n in watches if self.asked[n].device == device]

    def watching(self, agent: str, now: float) -> bool:
        leases = [lease for d in OWNER_OF if OWNER_OF[d] == agent for lease in self.leases(d)]
        return any(began <= now < ended for began, ended in leases)

    def idle_from(self, owner: str, since: float) -> float:
        """T3: the beginning of the first half hour in which the owner neither wrote nor watched."""
        spans = [(it.at, it.at) for it in self.asked if it.what == "write" and it.agent == owner]
        for device in OWNER_OF:
            spans += self.leases(device) if OWNER_OF[device] == owner else []
        active_until = since
        for began, ended in sorted(spans):
            if began < active_until + 1_800:
                active_until = max(active_until, ended)
        return active_until

    def paired(self, agent: str, before: int) -> set[str]:
        """The agent's devices that are not signed out."""
        last = {it.device: it.what for it in self.asked[:before] if it.agent == agent}
        return {device for device, what in last.items() if what != "sign_out"}

    def unheard(self, agent: str, before: int, now: float) -> bool:
        """T3: whether all devices of the agent were unheard for 15 minutes."""
        paired = self.paired(agent, before)
        heard = [it.at for it in self.asked[:before] if it.device in paired]
        return all(at <= now - 900 for at in heard)

    def told(self, now: float) -> Told:
        """T1 to T3, read from the beginning."""
        owner: str | None = None
        since = 0.0
        endings: list[tuple[float, Ending]] = []
        for place, it in [*enumerate(self.asked), (len(self.asked), Asked("look", now, "s1"))]:
            if owner is not None and it.at >= self.idle_from(owner, since) + 1_800:
                endings.append((self.idle_from(owner, since) + 1_800, Ending.IDLE))
                owner = None
            if it.what == "take_over" and owner is None:
                owner, since = it.agent, it.at
            elif owner is not None and (ending := self.ending(owner, place, it)):
                endings.append((it.at, ending))
                owner = None
        return Told(owner, None if owner is None else since, tuple(endings))

    def ending(self, owner: str, place: int, it: Asked) -> Ending | None:
        """How the takeover ends by what is asked for, if it does."""
        if it.what == "sign_out" and it.agent == owner and not self.paired(owner, place + 1):
            return Ending.SIGNED_OUT
        if it.what != "release":
            return None
        if it.agent == owner:
            return Ending.RELEASED
        return Ending.FORCED if it.right or self.unheard(owner, place, it.at) else None

    def turning_points(self, now: float) -> set[float]:
        """When, without another request, a watch or the takeover ends by itself."""
        points = {ended for device in OWNER_OF for _, ended in self.leases(device)[-1:]}
        told = self.told(now)
        if told.owner is not None and told.since is not None:
            points.add(self.idle_from(told.owner, told.since) + 1_800)
        return {at for at in points if at > now}


def may_write(demand: Demand) -> list[str]:
    """Everyone who may write, by asking for each (T2)."""
    able = []
    for agent in AGENTS:
        with suppress(NotTakenOverError, TakenOverError):
            require_owner(demand.takeover, agent)
            able.append(agent)
    return able


def seen(demand: Demand, now: float) -> tuple[bool, set[str]]:
    """D1 and D4: whether it is in demand, and who watches; each person once."""
    watchers = [person.id for person in demand.watchers(moment(now))]
    assert len(watchers) == len(set(watchers))
    return demand.present(moment(now)), set(watchers)


class TakeoverMachine(RuleBasedStateMachine):
    """One conversation; the machine settles what is due, then asks, as the bridge's services do."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.timing = Timing()
        self.demand = Demand()
        self.log = Log()
        self.heard: dict[str, float] = {}
        self.endings: list[tuple[float, Ending]] = []

    @rule(passed=DURATIONS)
    def time_passes(self, passed: float) -> None:
        self.now += passed

    @rule(early=st.sampled_from([0.0, 0.0, 0.25]), pick=st.integers(0, 9))
    def a_turning_point_comes(self, early: float, pick: int) -> None:
        points = sorted(at - early for at in self.log.turning_points(self.now))
        points = [at for at in points if at > self.now]
        if points:
            self.now = points[pick % len(points)]

    @rule(device=DEVICES, passed=st.sampled_from([0, 0.25, 20]))
    def a_device_watches(self, device: str, passed: float) -> None:
        self.now += passed
        self._ask("watch", device)
        person = AGENTS[OWNER_OF[device]]
        self.demand = self.demand.watched(person, device, moment(self.now), self.timing)

    @rule(device=DEVICES)
    def a_device_leaves(self, device: str) -> None:
        self._ask("leave", device)
        self.demand = self.demand.left(device, moment(self.now))

    @rule(device=DEVICES)
    def a_device_is_signed_out(self, device: str) -> None:
        self._ask("sign_out", device)
        del self.heard[device]
        self.demand = self.demand.left(device, moment(self.now))
        taken = self.demand.takeover
        if taken is not None and not any(OWNER_OF[it] == taken.owner.id for it in self.heard):
            self._end(Ending.SIGNED_OUT, self.now)

    @rule(device=DEVICES)
    def an_agent_takes_over(self, device: str) -> None:
        self._ask("take_over", device)
        now, owner = moment(self.now), AGENTS[OWNER_OF[device]]
        if self.demand.takeover is None:
            self.demand = replace(self.demand, takeover=Takeover(owner, now, 1, now))

    @rule(device=DEVICES)
    def an_agent_writes(self, device: str) -> None:
        self._ask("write", device)
        if OWNER_OF[device] in may_write(self.demand):
            self.demand = self.demand.owner_wrote(moment(self.now))

    @rule(device=DEVICES, right=st.booleans())
    def an_agent_releases(self, device: str, right: bool) -> None:
        self._ask("release", device, right)
        taken, agent = self.demand.takeover, OWNER_OF[device]
        if taken is None:
            return
        heard = [at for it, at in self.heard.items() if OWNER_OF[it] == taken.owner.id]
        heard_at = moment(max(heard)) if heard else None
        now = moment(self.now)
        if may_release(taken, agent, heard_at, now, self.timing, forced=right):
            self._end(Ending.RELEASED if agent == taken.owner.id else Ending.FORCED, self.now)

    @rule()
    def what_is_due_is_settled(self) -> None:
        self.demand, self.endings = self._settled()

    @invariant()
    def the_owner_is_who_the_rules_say_and_nobody_else_may_write(self) -> None:
        told = self.log.told(self.now)
        demand, endings = self._settled()
        assert may_write(demand) == ([told.owner] if told.owner else [])
        assert (seconds(demand.takeover.since) if demand.takeover else None) == told.since
        assert tuple(endings) == told.endings
        ends_at = seconds(demand.takeover_ends_at(self.timing))
        if told.owner is None or told.since is None:
            assert ends_at is None
        else:
            assert ends_at == self.log.idle_from(told.owner, told.since) + 1_800

    @invariant()
    def leases_that_have_ended_may_be_kept_or_not(self) -> None:
        now, kept = moment(self.now), self.demand
        late = kept.expired(now)
        assert seen(late, self.now) == seen(kept, self.now)
        ends_at = kept.takeover_ends_at(self.timing)
        assert late.takeover_ends_at(self.timing) == ends_at
        if ends_at is not None and ends_at <= now:
            late = replace(late, takeover=None)
        assert late == self._settled()[0], "whether noticed one by one or all at once"

    @invariant()
    def nothing_changes_before_the_next_change(self) -> None:
        demand, _ = self._settled()
        self._compare(demand, self.now)
        next_change = seconds(demand.next_change(self.timing))
        assert next_change == min(self.log.turning_points(self.now), default=None)
        if next_change is None:
            assert seen(demand, self.now + 1e6) == (False, set())
            return
        for at in ((self.now + next_change) / 2, next_change - A_MOMENT):
            self._compare(demand, at)
            assert demand.expired(moment(at)) == demand

    def _ask(self, what: str, device: str, right: bool = False) -> None:
        """Note that the device asks, which is being heard, once all that was due has happened."""
        self.demand, self.endings = self._settled()
        self.log.asked.append(Asked(what, self.now, device, right))
        self.heard[device] = self.now

    def _settled(self) -> tuple[Demand, list[tuple[float, Ending]]]:
        """What stands now, by taking one ``next_change`` after the other."""
        demand, endings = self.demand, list(self.endings)
        while (due := demand.next_change(self.timing)) and due <= moment(self.now):
            before, ends_at = demand, demand.takeover_ends_at(self.timing)
            demand = demand.expired(due)
            if ends_at == due:
                demand = replace(demand, takeover=None)
                endings.append(((due - moment(0)).total_seconds(), Ending.IDLE))
            assert demand != before, "a change was due, and nothing changed"
        return demand, endings

    def _end(self, ending: Ending, at: float) -> None:
        self.endings.append((at, ending))
        self.demand = replace(self.demand, takeover=None)

    def _compare(self, demand: Demand, now: float) -> None:
        watchers = {agent for agent in AGENTS if self.log.watching(agent, now)}
        in_demand = bool(watchers) or self.log.told(now).owner is not None
        assert seen(demand, now) == (in_demand, watchers)


TestTakeoverMachine = TakeoverMachine.TestCase
TestTakeoverMachine.settings = settings(
    steady, stateful_step_count=40, suppress_health_check=[HealthCheck.too_slow]
)

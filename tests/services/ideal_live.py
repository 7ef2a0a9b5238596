"""What ought to be recorded of a live conversation: the rules D, T and P2, by an observer who looks
on whenever the bridge does.

The observer keeps who watches until when, who owns the conversation, and the presence of the
domain, fed with what happened and with what pages were told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.domain.demand import heartbeat_seconds
from bridge.domain.events import Event, StreamOpened, ToldByStream
from bridge.domain.page import later
from bridge.domain.presence import PresenceState, State
from tests.services.ideal import TIMING, IdealConversation

MUTE = timedelta(seconds=TIMING.takeover_idle + TIMING.watch)
"""How long a store that hears nothing more may take a takeover for lasting: 30 minutes after what
its owner did last, which may be a lease that had just begun."""


def agent_of(device: str) -> str:
    """Whose device it is."""
    return device.partition("-")[0]


@dataclass
class LiveConversation(IdealConversation):
    """One conversation whose pages stream or sync, and which agents watch and take over."""

    leases: dict[str, datetime] = field(default_factory=dict)
    owner: str | None = None
    active_at: datetime | None = None
    settled_at: datetime | None = None
    in_demand: bool = False
    begun: int = 0
    ended: list[tuple[str, datetime]] = field(default_factory=list)

    # ------------------------------------------------------------- looking, as the bridge does

    def look(self, now: datetime) -> None:
        """Enter all that ended by itself until ``now``, each at its time."""
        at = self.settled_at or self.began_at
        while (due := self._next_end(at)) is not None and due <= now:
            at = due
            self._end_leases({device for device, until in self.leases.items() if until <= at})
            if (ends_at := self.ends_at()) is not None and ends_at <= at:
                self.end("idle", at)
            self.evaluate(at)
        self.settled_at = max(now, at)

    def write(self, now: datetime) -> None:
        """Enter the state at ``now``, and tell the pages that stream whether anybody cares."""
        self.evaluate(now)
        if self.in_demand != self.demanded(now):
            self.in_demand = self.demanded(now)
            for page in self.presence.streaming_pages(now, TIMING):
                self.presence.apply(ToldByStream(page, now, self.interval(page, now)), TIMING)

    def evaluate(self, at: datetime) -> None:
        """See :meth:`IdealConversation.evaluate`; a clear ends a takeover (P7)."""
        was = self.state
        super().evaluate(at)
        assert self.state is not None
        if self.state.state is State.CHAT_CLEARED and _clear(was) != _clear(self.state):
            self.end("cleared", at)

    def restart(self, recorded_at: datetime, alive_at: datetime, now: datetime) -> None:
        """The bridge comes back to what it had recorded then (P14)."""
        if self.state is not None and self.state.state is State.ONLINE:
            self.presence.restore(recorded_at, alive_at, now, TIMING)
        self.settled_at = recorded_at
        self.in_demand = self.demanded(recorded_at)

    # -------------------------------------------------------------------------- what happens

    def happens(self, event: Event) -> bool:
        """See :meth:`bridge.domain.presence.Presence.apply`."""
        return self.presence.apply(event, TIMING)

    def watches(self, device: str, now: datetime) -> None:
        self.leases[device] = later(now, TIMING.watch)

    def leaves(self, device: str, now: datetime) -> None:
        if device in self.leases:
            self.leases[device] = min(self.leases[device], now)
            self._end_leases({device})

    def takes_over(self, agent: str, now: datetime) -> None:
        self.owner, self.active_at = agent, now
        self.begun += 1

    def wrote(self, now: datetime) -> None:
        assert self.active_at is not None
        self.active_at = max(self.active_at, now)

    def end(self, how: str, at: datetime) -> None:
        """The takeover ends, if there is one."""
        if self.owner is not None:
            self.ended.append((how, at))
            self.owner = self.active_at = None

    # ------------------------------------------------------------------------- what is true

    def demanded(self, now: datetime) -> bool:
        """Whether anybody watches, or has taken it over (D1)."""
        return self.owner is not None or any(now < until for until in self.leases.values())

    def watchers(self, now: datetime) -> set[str]:
        return {agent_of(device) for device, until in self.leases.items() if now < until}

    def ends_at(self) -> datetime | None:
        """When the takeover ends by itself (T3)."""
        if self.owner is None or self.active_at is None:
            return None
        own = [until for device, until in self.leases.items() if agent_of(device) == self.owner]
        return later(max([self.active_at, *own]), TIMING.takeover_idle)

    def owner_at(self, now: datetime) -> str | None:
        """Who owns it at ``now``, whether or not anybody has looked since."""
        ends_at = self.ends_at()
        return self.owner if ends_at is not None and now < ends_at else None

    def last_end(self, now: datetime) -> datetime | None:
        """When a takeover last ended."""
        ends_at = self.ends_at()
        if ends_at is not None and ends_at <= now:
            return ends_at
        return self.ended[-1][1] if self.ended else None

    def interval(self, page: str, now: datetime, *, streams: bool = True) -> float:
        """What a page is told (D2, P12); not ``streams``: it asks, and so holds none."""
        known = self.presence.pages.get(page)
        return heartbeat_seconds(
            cleared=self.cleared,
            in_demand=self.demanded(now),
            streams=known is not None and known.streams and streams,
            visible=known is None or not known.hidden,
            timing=TIMING,
        )

    def told_on_opening(self, page: str, now: datetime) -> float:
        """What a page is told that opens a stream: one that is held for gone is to beat."""
        live = self.presence.live_pages(now, TIMING).get(page)
        return heartbeat_seconds(
            cleared=self.cleared,
            in_demand=self.demanded(now),
            streams=live is not None,
            visible=live is None or not live.hidden,
            timing=TIMING,
        )

    def opens(self, page: str, stream: str, now: datetime) -> float:
        """A page opens a stream; what it is told."""
        told = self.told_on_opening(page, now)
        self.happens(StreamOpened(page, stream, now, told))
        return told

    @property
    def cleared(self) -> bool:
        return self.state is not None and self.state.state is State.CHAT_CLEARED

    def _next_end(self, at: datetime) -> datetime | None:
        ends = [max(at, until) for until in self.leases.values()]
        if (ends_at := self.ends_at()) is not None:
            ends.append(max(at, ends_at))
        if (deadline := self.presence.next_deadline(at, TIMING)) is not None:
            ends.append(deadline)
        return min(ends, default=None)

    def _end_leases(self, devices: set[str]) -> None:
        for device in devices:
            until = self.leases.pop(device)
            if self.active_at is not None and agent_of(device) == self.owner:
                self.active_at = max(self.active_at, until)


def _clear(state: PresenceState | None) -> tuple[State, datetime | None] | None:
    return None if state is None else (state.state, state.since)

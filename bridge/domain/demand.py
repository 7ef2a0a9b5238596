"""Demand: whether anybody needs to know, right now, that a visitor is there (rules D1 to D4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bridge.domain.page import Timing, later
from bridge.domain.takeover import Person, Takeover


@dataclass(frozen=True, slots=True)
class Watch:
    """A lease: one agent, on one device, has the conversation on the screen (D4)."""

    agent: Person
    device: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Demand:
    """Who watches a conversation, and who has taken it over. A value: each change makes another."""

    watches: tuple[Watch, ...] = ()
    takeover: Takeover | None = None

    def present(self, now: datetime) -> bool:
        """Whether the conversation is in demand at ``now`` (D1)."""
        return self.takeover is not None or any(now < watch.until for watch in self.watches)

    def watchers(self, now: datetime) -> tuple[Person, ...]:
        """Who watches at ``now``, each person once, those who have watched longest first (D4)."""
        people = {watch.agent.id: watch.agent for watch in self.watches if now < watch.until}
        return tuple(people.values())

    def watched(self, agent: Person, device: str, now: datetime, timing: Timing) -> Demand:
        """``agent`` on ``device`` watches, or goes on to (D4)."""
        lease = Watch(agent, device, later(now, timing.watch))
        if any(watch.device == device for watch in self.watches):
            renewed = [lease if watch.device == device else watch for watch in self.watches]
        else:
            renewed = [*self.watches, lease]
        return replace(self, watches=tuple(renewed))

    def left(self, device: str, now: datetime) -> Demand:
        """The conversation is no longer on the screen of ``device`` (D4)."""
        ended = [replace(w, until=min(w.until, now)) for w in self.watches if w.device == device]
        others = tuple(watch for watch in self.watches if watch.device != device)
        return replace(self, watches=others, takeover=self._takeover_after(ended))

    def expired(self, now: datetime) -> Demand:
        """Without the leases that have ended at ``now`` (D4); a takeover ends apart."""
        ended = [watch for watch in self.watches if watch.until <= now]
        lasting = tuple(watch for watch in self.watches if now < watch.until)
        return replace(self, watches=lasting, takeover=self._takeover_after(ended))

    def owner_wrote(self, now: datetime) -> Demand:
        """The owner of the takeover wrote, which keeps it (T3)."""
        if self.takeover is None:
            return self
        active_at = max(self.takeover.active_at, now)
        return replace(self, takeover=replace(self.takeover, active_at=active_at))

    def takeover_ends_at(self, timing: Timing) -> datetime | None:
        """When the takeover ends by itself if its owner does nothing more (T3)."""
        owned = self.takeover
        if owned is None:
            return None
        own = [watch.until for watch in self.watches if watch.agent.id == owned.owner.id]
        return owned.ends_at(own, timing)

    def next_change(self, timing: Timing) -> datetime | None:
        """When the next lease, or the takeover, ends by itself."""
        ends = [watch.until for watch in self.watches]
        ends_at = self.takeover_ends_at(timing)
        return min(ends if ends_at is None else [*ends, ends_at], default=None)

    def _takeover_after(self, ended: list[Watch]) -> Takeover | None:
        """The takeover, its owner active until the last of those leases (T3)."""
        owned = self.takeover
        if owned is None:
            return None
        own = [watch.until for watch in ended if watch.agent.id == owned.owner.id]
        return replace(owned, active_at=max([owned.active_at, *own]))


def heartbeat_seconds(
    *, cleared: bool, in_demand: bool, streams: bool, timing: Timing, visible: bool = True
) -> float:
    """The interval to tell a page (D2); 0: do not beat. ``streams``: the page holds a stream. One
    in the background is held up by its browser, and cannot beat more often than this (P12)."""
    if cleared or (streams and not in_demand):
        return 0.0
    return timing.active if in_demand and visible else timing.idle


def sync_seconds(*, in_demand: bool, taken_over: bool, visible: bool, timing: Timing) -> float:
    """How long a page that cannot stream waits before its next sync: short while an agent may
    write to somebody who looks on, else as it would beat (D2, D3)."""
    if taken_over and visible:
        return timing.sync
    return timing.active if in_demand and visible else timing.idle

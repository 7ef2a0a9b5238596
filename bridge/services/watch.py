"""Agents watch conversations, which puts them in demand (D1, D4)."""

from __future__ import annotations

from datetime import datetime

from bridge.domain.demand import Demand
from bridge.domain.page import Timing, later
from bridge.ports import Device, Records, Work
from bridge.services.customers import look_up_seen
from bridge.services.loaded import Loaded
from bridge.services.people import person_of, require_paired
from bridge.services.recording import Recorder


class Watches:
    """Keeps who has which conversation on the screen."""

    def __init__(self, records: Records, recorder: Recorder, timing: Timing) -> None:
        self._records = records
        self._recorder = recorder
        self._timing = timing

    def watch(self, device: Device, conversation: str, now: datetime) -> datetime:
        """The device has the conversation on its screen; until when, unless it says so again.

        Raises :class:`bridge.errors.NotFoundError`.
        """
        with self._records.begin(device.site) as work:
            require_paired(work, device)
            loaded = self._recorder.find(work, conversation, now)
            watched = loaded.record.demand.watched(
                person_of(device.agent), device.id, now, self._timing
            )
            self._write(work, loaded, watched, now)
            look_up_seen(work, self._recorder, loaded.record.visitor, now)
        return later(now, self._timing.watch)

    def leave(self, device: Device, conversation: str, now: datetime) -> None:
        """The device has it no longer on its screen. Raises as :meth:`watch` does."""
        with self._records.begin(device.site) as work:
            loaded = self._recorder.find(work, conversation, now)
            self._write(work, loaded, loaded.record.demand.left(device.id, now), now)

    def sign_out(self, work: Work, devices: set[str], now: datetime) -> None:
        """These devices are signed out, and so watch nothing any more."""
        for conversation in work.in_demand():
            loaded = self._recorder.load(work, conversation, now)
            if loaded is None:
                continue
            demand = loaded.record.demand
            for device in devices:
                demand = demand.left(device, now)
            self._write(work, loaded, demand, now)

    def _write(self, work: Work, loaded: Loaded, demand: Demand, now: datetime) -> None:
        record, known = loaded.record, loaded.record.demand
        if demand != known:
            record.demand, loaded.dirty = demand, True
            loaded.changed |= demand.watchers(now) != known.watchers(now)
        self._recorder.write(work, loaded, now)

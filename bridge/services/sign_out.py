"""Signing devices out, and what they held (T3, D4)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from bridge.domain.page import Timing
from bridge.domain.takeover import Ending
from bridge.errors import NotFoundError
from bridge.ports import Nudges, Work
from bridge.services import ownership
from bridge.services.recording import Recorder
from bridge.services.watch import Watches


class SignOut:
    """Signs devices out at once: their tokens, their watches, their streams, and, with the last of
    an agent, what the agent had taken over."""

    def __init__(
        self, recorder: Recorder, watches: Watches, nudges: Nudges, timing: Timing
    ) -> None:
        self._recorder = recorder
        self._watches = watches
        self._nudges = nudges
        self._timing = timing

    def device(self, work: Work, device: str, now: datetime) -> None:
        """Sign one device out. Raises :class:`NotFoundError` if the site has none such."""
        found = work.device(device)
        if found is None or not work.remove_device(device):
            raise NotFoundError("There is no such device.")
        self._let_go(work, found.agent.id, [device], now)

    def agent(self, work: Work, agent: str, now: datetime) -> int:
        """Sign out all devices of one person; how many there were."""
        devices = work.devices_of(agent)
        removed = work.remove_agent_devices(agent)
        self._let_go(work, agent, devices, now)
        return removed

    def _let_go(self, work: Work, agent: str, devices: Iterable[str], now: datetime) -> None:
        self._watches.sign_out(work, set(devices), now)
        if work.agent_heard_at(agent) is None:
            self._release(work, agent, now)
        for device in devices:
            work.after_commit(partial(self._nudges.signed_out, device))

    def _release(self, work: Work, agent: str, now: datetime) -> None:
        for conversation in work.owned_by(agent):
            loaded = self._recorder.load(work, conversation, now)
            if loaded is not None:
                ownership.end(work, loaded, Ending.SIGNED_OUT, now, self._timing)
                self._recorder.write(work, loaded, now)

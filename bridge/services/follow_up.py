"""An agent wrote elsewhere to a visitor who was gone."""

from __future__ import annotations

from datetime import datetime

from bridge.ports import Device, Records
from bridge.services.people import require_paired
from bridge.services.recording import Recorder
from bridge.times import rfc3339


class FollowUps:
    """Keeps which conversations were followed up, by whom and when."""

    def __init__(self, records: Records, recorder: Recorder) -> None:
        self._records = records
        self._recorder = recorder

    def done(self, device: Device, conversation: str, now: datetime) -> None:
        """The device's agent has followed the conversation up: it needs that no more, until the
        visitor writes again.

        Raises :class:`bridge.errors.NotFoundError`.
        """
        with self._records.begin(device.site) as work:
            require_paired(work, device)
            loaded = self._recorder.find(work, conversation, now)
            agent = {"id": device.agent.id, "name": device.agent.name}
            loaded.record.followed_up = {"agent": agent, "at": rfc3339(now)}
            loaded.record.awaits_reply = False
            loaded.changed = True
            self._recorder.write(work, loaded, now)

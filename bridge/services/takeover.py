"""An agent takes a conversation over, or releases it (T1 to T6)."""

from __future__ import annotations

from datetime import datetime

from bridge.domain import takeover as rules
from bridge.domain.page import Timing
from bridge.domain.takeover import Ending, NoteUnreadError, Takeover
from bridge.errors import ConflictError, ForbiddenError
from bridge.ports import Device, Records, Work
from bridge.services import ownership
from bridge.services.people import person_of, require_paired, taken_over
from bridge.services.recording import Recorder

FORCE = "takeover:force"
"""The right to release another agent's takeover at any time (T3)."""


class Takeovers:
    """Lets agents answer instead of the AI, one at a time."""

    def __init__(self, records: Records, recorder: Recorder, timing: Timing) -> None:
        self._records = records
        self._recorder = recorder
        self._timing = timing

    def begin(
        self, device: Device, conversation: str, acknowledge: str | None, now: datetime
    ) -> None:
        """The device's agent takes the conversation over; one who has already keeps it (T1, T5).

        ``acknowledge`` is the code of the note that the agent has read. Raises
        :class:`ConflictError`, with the owner or with the present note, and
        :class:`bridge.errors.NotFoundError`.
        """
        with self._records.begin(device.site) as work:
            require_paired(work, device)
            loaded = self._recorder.find(work, conversation, now)
            owned = loaded.record.demand.takeover
            if owned is not None and owned.owner.id != device.agent.id:
                raise taken_over(owned.owner)
            if owned is None:
                try:
                    rules.require_acknowledged(loaded.record.state, acknowledge)
                except NoteUnreadError as unread:
                    raise _unread(unread) from unread
                ownership.begin(work, loaded, person_of(device.agent), now, self._timing)
            self._recorder.write(work, loaded, now)

    def release(self, device: Device, conversation: str, now: datetime, *, force: bool) -> None:
        """End a takeover: one's own, or with ``force`` another's (T3). Nothing, if there is none.

        Raises :class:`ConflictError` with the owner, :class:`ForbiddenError`, and
        :class:`bridge.errors.NotFoundError`.
        """
        with self._records.begin(device.site) as work:
            loaded = self._recorder.find(work, conversation, now)
            owned = loaded.record.demand.takeover
            if owned is not None:
                ending = self._ending(work, owned, device, now, force=force)
                by = person_of(device.agent)
                ownership.end(work, loaded, ending, now, self._timing, by)
            self._recorder.write(work, loaded, now)

    def _ending(
        self, work: Work, owned: Takeover, device: Device, now: datetime, *, force: bool
    ) -> Ending:
        if owned.owner.id == device.agent.id:
            return Ending.RELEASED
        if not force:
            raise taken_over(owned.owner)
        allowed = rules.may_release(
            owned,
            device.agent.id,
            work.agent_heard_at(owned.owner.id),
            now,
            self._timing,
            forced=FORCE in device.rights,
        )
        if not allowed:
            raise ForbiddenError(
                f"{owned.owner.name} was here less than 15 minutes ago. Releasing the chat from "
                f"them needs the right {FORCE}.",
                code="right-missing",
            )
        return Ending.FORCED


def _unread(unread: NoteUnreadError) -> ConflictError:
    return ConflictError(
        "Read the note first, then take over with `acknowledge` set to its code.",
        code="presence-note",
        note={"code": unread.note.code, "text": unread.note.text},
    )

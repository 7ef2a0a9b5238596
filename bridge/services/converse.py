"""An agent writes to a visitor (T2, M1, M2)."""

from __future__ import annotations

from datetime import datetime

from bridge.domain import takeover as rules
from bridge.domain.messages import Delivery, sent_once
from bridge.domain.page import Timing
from bridge.domain.takeover import NotTakenOverError, TakenOverError
from bridge.errors import ConflictError
from bridge.ports import Device, MessageRecord, Records, Work
from bridge.services import ownership
from bridge.services.loaded import Loaded
from bridge.services.people import person_of, require_paired, taken_over
from bridge.services.recording import Recorder
from bridge.services.transcript import message_json, new_id, person_json, say


class Converse:
    """Takes in what agents write."""

    def __init__(self, records: Records, recorder: Recorder, timing: Timing) -> None:
        self._records = records
        self._recorder = recorder
        self._timing = timing

    def send(
        self, device: Device, conversation: str, client_id: str, text: str, now: datetime
    ) -> MessageRecord:
        """Add the agent's message; one that came before by the same ``client_id`` is returned as it
        is now, and nothing is added (M1).

        Raises :class:`ConflictError` if the agent does not own the conversation (T2), and
        :class:`bridge.errors.NotFoundError`.
        """
        key = sent_once(device.agent.id, client_id)
        with self._records.begin(device.site) as work:
            require_paired(work, device)
            loaded = self._recorder.find(work, conversation, now)
            sent = work.message_sent(conversation, key)
            if sent is None:
                _require_owner(loaded, device)
                sent = self._send(work, loaded, device, key, text, now)
            self._recorder.write(work, loaded, now)
        return sent

    def _send(
        self, work: Work, loaded: Loaded, device: Device, key: str, text: str, now: datetime
    ) -> MessageRecord:
        agent = person_json(person_of(device.agent))
        sent = say(
            work,
            loaded,
            MessageRecord(
                id=new_id(),
                conversation=loaded.record.id,
                author="agent",
                text=text,
                at=now,
                agent=agent,
                delivery=Delivery.QUEUED.value,
                client_key=key,
            ),
        )
        loaded.record.demand = loaded.record.demand.owner_wrote(now)
        message = message_json(sent)
        ownership.tell_store(
            work, loaded, "message.created", now, self._timing, agent=agent, message=message
        )
        return sent


def _require_owner(loaded: Loaded, device: Device) -> None:
    try:
        rules.require_owner(loaded.record.demand.takeover, device.agent.id)
    except TakenOverError as taken:
        raise taken_over(taken.owner) from taken
    except NotTakenOverError as nobody:
        raise ConflictError(
            "Take the conversation over before writing in it.", code="takeover-required"
        ) from nobody

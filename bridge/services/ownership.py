"""Who owns a conversation, and what each change of that leaves behind: a line in the transcript
(T4), and a word to the store, whose AI must know (T3, T6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from bridge.domain import takeover as rules
from bridge.domain.page import Timing
from bridge.domain.takeover import Ending, Person, Said, Takeover
from bridge.ports import Work
from bridge.services.loaded import Loaded
from bridge.services.transcript import person_json, say_by_system
from bridge.times import rfc3339

MOST_LOOKED_BACK_ON = 400
"""Messages that a hand-off note looks back on."""


def begin(work: Work, loaded: Loaded, owner: Person, now: datetime, timing: Timing) -> None:
    """``owner`` takes over a conversation that nobody owns."""
    said = say_by_system(work, loaded, rules.begun_text(owner), now)
    begun = Takeover(owner, since=now, began_rev=said.rev, active_at=now)
    loaded.record.demand = replace(loaded.record.demand, takeover=begun)
    loaded.changed = True
    tell_store(work, loaded, "takeover.started", now, timing, agent=person_json(owner))


def end(
    work: Work,
    loaded: Loaded,
    ending: Ending,
    at: datetime,
    timing: Timing,
    by: Person | None = None,
    now: datetime | None = None,
) -> None:
    """End the takeover, if there is one; ``by`` is who forced it, ``now`` when it is recorded, if
    that is not ``at``. A clear leaves no note (P7)."""
    owned = loaded.record.demand.takeover
    if owned is None:
        return
    note = None
    if ending is not Ending.CLEARED:
        since = work.messages_since(loaded.record.id, owned.began_rev, MOST_LOOKED_BACK_ON)
        note = rules.handoff_note(owned.owner, [Said(each.author, each.text) for each in since])
    say_by_system(work, loaded, rules.ended_text(owned.owner, ending, by), at)
    loaded.record.demand = replace(loaded.record.demand, takeover=None)
    loaded.changed = True
    owner = person_json(owned.owner)
    tell_store(work, loaded, "takeover.released", at, timing, now, agent=owner, handoff_note=note)


def tell_store(
    work: Work,
    loaded: Loaded,
    what: str,
    at: datetime,
    timing: Timing,
    now: datetime | None = None,
    **more: Any,
) -> None:
    """Tell the store what came about ``at`` that time, and is recorded ``now``, with the time at
    which the takeover would end by itself (T3)."""
    ends_at = loaded.record.demand.takeover_ends_at(timing)
    work.tell_store(
        {
            "type": what,
            "conversation": loaded.record.id,
            "at": rfc3339(at),
            "expires_at": rfc3339(ends_at) if ends_at else None,
            **more,
        },
        now or at,
    )

"""What is said in a conversation: the one place where a message becomes part of it (M1)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bridge.domain.follow_up import awaits_reply
from bridge.domain.takeover import Person
from bridge.ports import MessageRecord, Work
from bridge.services.loaded import Loaded
from bridge.times import rfc3339

PREVIEW = 200
"""Characters of a message that the list shows."""


def say(work: Work, loaded: Loaded, message: MessageRecord) -> MessageRecord:
    """Add a message to its conversation, with a revision of its own; the message as it is kept."""
    rev = work.next_rev()
    said = replace(message, rev=rev, place=rev)
    work.save_message(said)
    record, sent_at = loaded.record, rfc3339(said.at)
    if record.last_message is None or sent_at >= record.last_message["at"]:
        record.last_message = {
            "id": said.id,
            "author": said.author,
            "text": said.text[:PREVIEW],
            "at": sent_at,
        }
    record.awaits_reply = awaits_reply(said.author, awaited=record.awaits_reply)
    show_active(loaded, said.at)
    loaded.changed = True
    return said


def say_by_system(work: Work, loaded: Loaded, text: str, at: datetime) -> MessageRecord:
    """Add a message that the bridge itself writes (T4)."""
    return say(work, loaded, MessageRecord(new_id(), loaded.record.id, "system", text, at))


def show_active(loaded: Loaded, at: datetime) -> None:
    """Something happened in the conversation at that time, which is what lists are sorted by."""
    if at > loaded.record.last_activity_at:
        loaded.record.last_activity_at = at
        loaded.changed = True


def new_id() -> str:
    """An id for a message of the bridge's own."""
    return f"msg_{secrets.token_hex(12)}"


def person_json(person: Person) -> dict[str, Any]:
    """An agent as the wire has them."""
    return {"id": person.id, "name": person.name, "avatar_url": person.avatar_url}


def message_json(message: MessageRecord) -> Mapping[str, Any]:
    """A message as the wire has it."""
    return {
        "id": message.id,
        "rev": message.rev,
        "conversation": message.conversation,
        "author": message.author,
        "text": message.text,
        "at": rfc3339(message.at),
        "agent": message.agent,
        "delivery": message.delivery,
        "delivered_at": rfc3339(message.delivered_at) if message.delivered_at else None,
    }

"""The words that an agent reads about a visitor's presence (N, N1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.domain.presence import PresenceState, Reason, State


@dataclass(frozen=True, slots=True)
class Note:
    """What an agent should know before replying; an app may translate ``text`` by ``code``."""

    code: str
    text: str


_NOTES = {
    note.code: note
    for note in (
        Note(
            State.SWITCHING_PAGES,
            "The visitor is changing pages. If they do not come back to this chat, live replies "
            "may not appear in it.",
        ),
        Note(
            Reason.LEFT,
            "The visitor left the page. Live replies may not appear in the same thread.",
        ),
        Note(
            Reason.TIMED_OUT,
            "Contact with the visitor was lost. A live reply may not reach them.",
        ),
        Note(
            Reason.MOVED_ON,
            "The visitor went on in another chat. Replies here will not appear in it.",
        ),
        Note(
            State.CHAT_CLEARED,
            "The visitor cleared this chat. It can still be read, but replies here will not "
            "reach them.",
        ),
    )
}

_MINUTE, _HOUR, _DAY, _WEEK = 60, 3_600, 86_400, 604_800


def note(presence: PresenceState) -> Note | None:
    """The note for a visitor who is not plainly online (N); ``None`` for one who is."""
    if presence.state is State.ONLINE:
        return None
    return _NOTES[presence.reason or presence.state]


def label(presence: PresenceState, now: datetime) -> str:
    """What the header says at ``now`` (N)."""
    if presence.state is State.ONLINE:
        return "Online now"
    if presence.state is State.SWITCHING_PAGES:
        return "Switching pages"
    if presence.state is State.CHAT_CLEARED:
        return "Chat cleared"
    if presence.last_seen_at is None:
        return "Not seen yet"
    return f"Last seen {ago(presence.last_seen_at, now)}"


def ago(at: datetime, now: datetime) -> str:
    """How long ago ``at`` was (N1): *just now*, minutes, hours, days, then the date in UTC."""
    seconds = (now - at).total_seconds()
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return _count(int(seconds // _MINUTE), "minute")
    if seconds < _DAY:
        return _count(int(seconds // _HOUR), "hour")
    if seconds < _WEEK:
        return _count(int(seconds // _DAY), "day")
    return f"{at.day} {at:%B %Y}"


def _count(number: int, unit: str) -> str:
    return f"{number} {unit} ago" if number == 1 else f"{number} {unit}s ago"

"""Which conversations a person should still answer elsewhere, once their visitor is gone."""

from __future__ import annotations

from bridge.domain.presence import State


def awaits_reply(author: str, *, awaited: bool) -> bool:
    """Whether the visitor awaits a reply after a message of ``author``.

    They do after their own; after an agent's until it was shown to them (M2), which
    :func:`shown` tells; the bot's answer is one; the system's words change nothing.
    """
    return awaited if author == "system" else author != "bot"


def shown(last_author: str | None, *, awaited: bool) -> bool:
    """The same once an agent's message was shown, where the last word is of ``last_author``."""
    return awaited and last_author == "visitor"


def needs_follow_up(state: State, *, awaited: bool) -> bool:
    """Whether a person should write to the visitor elsewhere: who is there is answered here."""
    return awaited and state not in (State.ONLINE, State.SWITCHING_PAGES)

"""Those who follow what a bridge says, as the programs do that rely on it: agents' apps, the tabs
of a visitor, and the store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from bridge.api import presentation
from bridge.ports import MessageRecord
from bridge.services.conversations import ConversationView
from tests.services.streams import Frame, PageReading

TOLD_WITHOUT_A_REVISION = ("heard_at", "last_seen_at", "label")
"""What a reader asks for anew, or works out: it changes by itself (N1, N2)."""


def conversation_body(view: ConversationView, now: datetime) -> dict[str, Any]:
    """A conversation as an app has it on its screen, apart from what changes by itself."""
    return steady(msgspec.to_builtins(presentation.changed(view, None, now)))


def message_body(message: MessageRecord) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.to_builtins(presentation.message(message))
    return body


def steady(body: dict[str, Any]) -> dict[str, Any]:
    """The same without what changes by itself."""
    presence = {key: body["presence"][key] for key in body["presence"]}
    for each in TOLD_WITHOUT_A_REVISION:
        presence.pop(each)
    return body | {"presence": presence}


@dataclass
class App:
    """An agent's app: the conversations and messages that it knows, and how far it has come."""

    rev: int = 0
    conversations: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take_frames(self, frames: Iterable[Frame]) -> None:
        """What its stream wrote (S3): each has a revision greater than those before."""
        for name, said in frames:
            if name in ("ready", "heard"):
                continue
            body = {key: value for key, value in said.items() if key != "id:"}
            assert said["id:"] == body["rev"] > self.rev, "in order, and once"
            self.rev = said["id:"]
            self._keep(name, steady(body) if name == "conversation" else body)

    def take_changes(
        self,
        rev: int,
        conversations: Iterable[dict[str, Any]],
        messages: Iterable[dict[str, Any]],
    ) -> None:
        """What a sync answered (S2)."""
        assert rev >= self.rev
        for each in conversations:
            self._keep("conversation", each)
        for each in messages:
            self._keep("message", each)
        self.rev = rev

    def _keep(self, kind: str, body: dict[str, Any]) -> None:
        known = self.conversations if kind == "conversation" else self.messages
        known[body["id"]] = body


@dataclass
class Tab:
    """A tab of the visitor: it shows messages by their revision, each once, and says up to which it
    did; ``since`` is the revision from which on it was told everything."""

    page: str
    seq: int = 0
    stream: PageReading | None = None
    after: int = 0
    since: int | None = None
    shown: list[str] = field(default_factory=list)

    def receive(self, id: str, rev: int) -> None:
        """Show a message unless it was shown."""
        if rev > self.after:
            self.after = rev
            self.shown.append(id)


@dataclass
class StoreCopy:
    """What a store knows of a takeover, by the bridge's calls and by the answers to its events
    (T3): its AI is silent until ``until``."""

    until: str | None = None
    heard: int = 0

    def take_calls(self, calls: list[dict[str, Any]]) -> None:
        """The next calls, in order."""
        for call in calls:
            self.heard += 1
            self.until = call["expires_at"]

    def mute(self, now: str) -> bool:
        return self.until is not None and now < self.until

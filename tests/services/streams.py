"""Streams as those read them who opened them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from bridge.live.mailbox import Mailbox
from bridge.live.streams import AgentItem, VisitorItem
from bridge.services.visits import OpenedStream

Item = TypeVar("Item")
Frame = tuple[str, dict[str, Any]]
"""An event of a stream: its name and what it says."""


def parsed(frame: bytes) -> Frame:
    """An event as its reader has it, with its ``id`` where it has one."""
    fields = dict(line.split(": ", 1) for line in frame.decode().strip().split("\n"))
    said: dict[str, Any] = msgspec.json.decode(fields["data"])
    return fields["event"], said | ({"id:": int(fields["id"])} if "id" in fields else {})


@dataclass
class Reading(Generic[Item]):
    """A stream as its reader has it: what the bridge keeps of it, and what was written to it."""

    mailbox: Mailbox[Item]
    frames: Callable[[Item], Iterable[bytes]]
    leave: Callable[[], None]
    opening: list[Frame]

    def read(self) -> list[Frame] | None:
        """What was written since it was last read; ``None`` once it has ended."""
        while items := self.mailbox.take(0):
            if got := [parsed(frame) for item in items for frame in self.frames(item)]:
                return got
        return None if items is None else []

    def read_all(self) -> list[Frame]:
        """The same until nothing more is written."""
        got: list[Frame] = []
        while more := self.read():
            got += more
        return got


class AgentReading(Reading[AgentItem]):
    """An agent's stream."""


class PageReading(Reading[VisitorItem]):
    """A page's stream."""

    opened: OpenedStream


def names(frames: list[Frame] | None) -> list[str] | None:
    """The names of what was written; ``None``: the stream has ended."""
    return None if frames is None else [name for name, _ in frames]


def texts(frames: list[Frame]) -> list[str]:
    """What the messages among these say."""
    return [said["text"] for name, said in frames if name == "message"]

"""A conversation in the hands of one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bridge.domain.presence import PresenceState
from bridge.ports import ConversationRecord


@dataclass(slots=True)
class Loaded:
    """A conversation in the hands of one transaction.

    ``known_rev`` is its revision as it was read (0: it is new); ``changed`` says that something
    changed which readers must see, ``dirty`` that something did which they need not, and ``moved``
    that the visitor may be gone from here, and may have been heard elsewhere since (P8);
    ``entered`` are the states entered meanwhile, each with its computed time; ``in_demand`` is what
    the pages that hold a stream were last told of demand (D3).
    """

    record: ConversationRecord
    known_rev: int
    changed: bool = False
    dirty: bool = False
    moved: bool = False
    entered: list[tuple[PresenceState, datetime]] = field(default_factory=list)
    in_demand: bool = False

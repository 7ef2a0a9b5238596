"""Kinds of fields that bodies share."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Id = Annotated[
    str,
    Meta(min_length=1, max_length=128, description="Opaque: 1 to 128 printable characters."),
]
Moment = Annotated[
    str, Meta(description="RFC 3339, UTC, milliseconds.", extra_json_schema={"format": "date-time"})
]
Sequence = Annotated[int, Meta(ge=0, le=2**53, description="Rises with each event of a page.")]
Name = Annotated[str, Meta(max_length=200)]
Email = Annotated[str, Meta(max_length=320)]
Url = Annotated[str, Meta(max_length=2048)]
Amount = Annotated[str, Meta(max_length=40, description="A decimal number as text.")]

PageEventType = Literal["page_view", "heartbeat", "page_hidden", "page_unload"]
Right = Literal["conversations:read", "conversations:reply", "takeover", "takeover:force", "push"]
PresenceFilter = Literal["online", "switching_pages", "offline", "chat_cleared"]


class Confidential(Struct):
    """A body that holds a token or a secret: its ``repr`` names no value."""

    def __repr__(self) -> str:
        """Its type alone."""
        return f"{type(self).__name__}(…)"

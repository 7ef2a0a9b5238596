"""Health and errors."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from bridge.api.schemas.agent import AgentName, NoteBody


class Health(Struct):
    """The process, or storage too, is in order."""

    status: Literal["ok"]


class FieldError(Struct):
    """One bad field, by its JSON pointer."""

    pointer: str
    detail: str


class Problem(Struct):
    """An error (RFC 9457); a conflict also says whose takeover, or which note, is in the way."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str | None
    errors: list[FieldError] | UnsetType = UNSET
    owner: AgentName | UnsetType = UNSET
    note: NoteBody | UnsetType = UNSET

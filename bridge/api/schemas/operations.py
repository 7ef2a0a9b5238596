"""Health and errors."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType


class Health(Struct):
    """The process, or storage too, is in order."""

    status: Literal["ok"]


class FieldError(Struct):
    """One bad field, by its JSON pointer."""

    pointer: str
    detail: str


class Problem(Struct):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str | None
    errors: list[FieldError] | UnsetType = UNSET

"""Keyset cursors: where a list goes on, whatever moved meanwhile."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

import msgspec
from msgspec import Struct

from bridge.errors import InvalidError


class Cursor(Struct, array_like=True):
    """The sort key of the last conversation of a page, and the order it is of."""

    sort: str
    rank: int
    at: datetime
    id: str


_decoder = msgspec.json.Decoder(Cursor)


def write(cursor: Cursor) -> str:
    """The cursor as opaque text."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).rstrip(b"=").decode()


def read(text: str, sort: str) -> Cursor:
    """The cursor that ``write`` made for this order. Raises :class:`InvalidError`."""
    try:
        cursor = _decoder.decode(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", True))
    except (msgspec.DecodeError, binascii.Error, ValueError) as error:
        raise _wrong() from error
    if cursor.sort != sort or cursor.at.tzinfo is None or "\0" in cursor.id:
        raise _wrong()
    return cursor


def _wrong() -> InvalidError:
    return InvalidError(
        "The cursor is not one of this list's: begin again without it.",
        code="cursor-invalid",
        errors=(("/cursor", "not a cursor of this list"),),
    )

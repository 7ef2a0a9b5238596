"""Keyset cursors: where a list goes on, whatever moved meanwhile."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from bridge.api.schemas.common import Id
from bridge.errors import InvalidError


class Cursor(Struct, array_like=True):
    """The sort key of the last conversation of a page, and the order it is of."""

    sort: str
    rank: Annotated[int, Meta(ge=0, le=2)]
    at: Annotated[datetime, Meta(tz=True)]
    id: Id


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
    if cursor.sort != sort or not cursor.id.isprintable():
        raise _wrong()
    return cursor


def _wrong() -> InvalidError:
    return InvalidError(
        "The cursor is not one of this list's: begin again without it.",
        code="cursor-invalid",
        errors=(("/cursor", "not a cursor of this list"),),
    )

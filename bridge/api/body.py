"""Reading bodies: size, content type, JSON and text, each with a clear answer when it is wrong."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec
from flask import Request
from gevent import Timeout
from gunicorn.http.errors import ParseException

from bridge.errors import (
    BadRequestError,
    InvalidError,
    RequestTimeoutError,
    TooLargeError,
    UnsupportedTypeError,
)

T = TypeVar("T", bound=msgspec.Struct)

JSON = "application/json"
STORE_LIMIT = 2 * 1024 * 1024
"""Bytes of a store's request: 100 messages of 16,000 characters are within it, mostly."""
VISITOR_LIMIT = 64 * 1024
"""Bytes of a visitor's request: what a browser lets a beacon carry."""
AGENT_LIMIT = 256 * 1024
"""Bytes of an agent's request: a message of 16,000 emoji, escaped as \\u…, is within it."""

SECONDS = 15.0
"""How long a body may take: one that stops half-way would hold its connection for ever."""

_SURROGATES = re.compile(
    rb"(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
"""What to leave as it is (an escaped backslash, a pair of surrogates), and, in no group, a lone
surrogate."""


def raw(request: Request, limit: int) -> bytes:
    """The whole body as it came, at most ``limit`` bytes.

    Raises :class:`TooLargeError`; :class:`BadRequestError` for a body that is cut off or wrongly
    framed; :class:`RequestTimeoutError` for one that does not come within ``SECONDS``.
    """
    declared = request.content_length
    if declared is not None and declared > limit:
        raise _too_large(limit)
    # A chunked body does not say its length: one byte more than it may have tells that it is over.
    content = _read(request, limit + 1 if declared is None else declared)
    if declared is not None and len(content) < declared:
        raise BadRequestError("The body is shorter than its Content-Length.")
    if len(content) > limit:
        raise _too_large(limit)
    return content


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"The body may have {limit} bytes.")


def _read(request: Request, size: int) -> bytes:
    try:
        # An error that gunicorn sees too: it then closes the connection, on which nobody knows
        # where the next request begins.
        with Timeout(SECONDS, TimeoutError):
            content: bytes = request.environ["wsgi.input"].read(size)
            return content
    except TimeoutError as error:
        raise RequestTimeoutError(f"The body did not come within {SECONDS:g} s.") from error
    except (OSError, ParseException) as error:
        raise BadRequestError("The body is cut off, or its chunks are none.") from error


def require_json(request: Request, *others: str) -> None:
    """Raise :class:`UnsupportedTypeError` unless the body is JSON, or one of ``others``."""
    media_type = request.environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if media_type != JSON and media_type not in others:
        raise UnsupportedTypeError(f"Send the body as {JSON}.")


def decode(content: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """The body as the decoder's type, free of NUL and lone surrogates. Raises as :func:`parse`
    does, and :class:`InvalidError` for such a character."""
    content = without_lone_surrogates(content)
    decoded = parse(content, decoder)
    refuse_nul(content, decoded)
    return decoded


def without_lone_surrogates(content: bytes) -> bytes:
    """The JSON in a body with a NUL in place of each lone surrogate, for :func:`refuse_nul`.

    A page that cuts a text in the middle of an emoji sends one: JSON, but for msgspec no text.
    """
    if b"\\ud" not in content and b"\\uD" not in content:
        return content
    return _SURROGATES.sub(lambda found: found[1] or b"\\u0000", content)


def parse(content: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """The body as the decoder's type. Raises :class:`BadRequestError` for what is no JSON, and
    :class:`InvalidError` for JSON that is wrong."""
    try:
        return decoder.decode(content)
    except msgspec.ValidationError as error:
        raise invalid(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequestError("The body is not JSON in UTF-8.", code="malformed-json") from error


def invalid(error: msgspec.ValidationError) -> InvalidError:
    """A failed check as an error with the field's JSON pointer."""
    detail, _, path = str(error).partition(" - at `$")
    at = path.rstrip("`").replace("[", ".").replace("]", "")
    pointer = "/".join(at.split("."))
    return InvalidError(f"{detail}.", errors=((pointer, detail),))


def refuse_nul(content: bytes, decoded: object) -> None:
    """Raise :class:`InvalidError` if a text in ``decoded``, the JSON in ``content``, holds a NUL
    (PostgreSQL cannot keep it, and nobody types it) or held a lone surrogate."""
    if b"\\u0000" in content and _holds_nul(msgspec.to_builtins(decoded)):
        raise InvalidError(
            "A text holds NUL, or half of a surrogate pair.", code="character-not-allowed"
        )


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(key) or _holds_nul(item) for key, item in value.items())
    return isinstance(value, list | tuple) and any(_holds_nul(item) for item in value)

"""Reading the query's parameters, each with a clear answer when it is wrong."""

from __future__ import annotations

import re

from flask import request

from bridge.errors import InvalidError

_BOOLEANS = ("true", "false")


def choice(name: str, allowed: tuple[str, ...]) -> str | None:
    """What the parameter says, ``None`` without it. Raises :class:`InvalidError` if that is not one
    of ``allowed``."""
    given = request.args.get(name)
    if given is not None and given not in allowed:
        raise InvalidError(
            f"{name} is one of {', '.join(allowed)}.", errors=((f"/{name}", "not one of these"),)
        )
    return given


def flag(name: str) -> bool:
    """Whether the parameter says ``true``. Raises as :func:`choice` does."""
    return choice(name, _BOOLEANS) == "true"


def limit(default: int, most: int) -> int:
    """How many are wanted, from 1 to ``most`` (below 1,000). Raises :class:`InvalidError`."""
    given = request.args.get("limit", str(default))
    number = int(given) if re.fullmatch(r"[0-9]{1,3}", given) else 0
    if not 1 <= number <= most:
        raise InvalidError(
            f"limit is a number from 1 to {most}.", errors=(("/limit", "out of range"),)
        )
    return number

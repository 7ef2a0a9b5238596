"""Times as the wire has them: RFC 3339 in UTC, with milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The present moment, aware UTC: the clock that :mod:`bridge.bootstrap` hands out."""
    return datetime.now(UTC)


def rfc3339(at: datetime) -> str:
    """``at`` as ``2026-01-31T12:00:00.000Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

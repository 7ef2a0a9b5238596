"""What a browser calls itself, as people would."""

from __future__ import annotations

from functools import lru_cache

from ua_parser import parse

_UNTOLD = frozenset({"Other", "Mac", "Generic Smartphone", "Generic Tablet", "K", "Spider"})
_LONGEST = 300


@lru_cache(maxsize=1_000)
def device_label(user_agent: str) -> str | None:
    """``iPhone / Safari`` for the ``User-Agent`` of one; ``None`` if it says nothing known."""
    found = parse(user_agent[:_LONGEST])
    device = found.device.family if found.device else None
    if device is None or device in _UNTOLD:
        device = found.os.family if found.os else None
    browser = found.user_agent.family if found.user_agent else None
    known = [each.removeprefix("Mobile ") for each in (device, browser) if each]
    return " / ".join(known) or None

"""Limits on the rate of requests: per site, per visitor and per address.

An address counts what fails (a wrong credential, a wrong code), not what a known visitor does: a
whole office, or a phone network, can share one.
"""

from __future__ import annotations

import ipaddress
import time

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from bridge.errors import TooManyRequestsError

VISITOR = RateLimitItemPerMinute(300, namespace="visitor")
"""Requests of one visitor: five tabs that beat every 10 s need 30."""
SITE_VISITORS = RateLimitItemPerMinute(600_000, namespace="site-visitors")
"""Requests of all visitors of one site."""
SITE = RateLimitItemPerMinute(6_000, namespace="site")
"""Signed requests of one store."""
DEVICE = RateLimitItemPerMinute(600, namespace="device")
"""Requests of one agent's device."""
ADDRESS_FAILURES = RateLimitItemPerMinute(120, namespace="failures")
"""Requests of one address with a bad credential."""
WRONG_CODES = RateLimitItemPerMinute(10, 10, namespace="codes")
"""Wrong pairing codes from one address in 10 minutes."""


class Limits:
    """Counts requests, in the memory of this process."""

    def __init__(self) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def count(self, limit: RateLimitItem, key: str) -> None:
        """Count a request. Raises :class:`TooManyRequestsError` when it is one too many."""
        if not self._limiter.hit(limit, key):
            raise self._error(limit, key)

    def check(self, limit: RateLimitItem, key: str) -> None:
        """Raise :class:`TooManyRequestsError` if the limit is reached, without counting."""
        if not self._limiter.test(limit, key):
            raise self._error(limit, key)

    def _error(self, limit: RateLimitItem, key: str) -> TooManyRequestsError:
        reset = self._limiter.get_window_stats(limit, key).reset_time
        return TooManyRequestsError(
            f"At most {limit.amount} of these in {limit.get_expiry()} s. Try again later.",
            retry_after=reset - time.time(),
        )


def address_key(address: str | None) -> str:
    """What an address is counted by: itself, or for IPv6 its /64, which is one customer's."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)

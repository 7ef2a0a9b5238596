"""Limits on the rate of requests: per site, per visitor and per address.

An address counts what fails (a wrong credential, a wrong code), and beyond its limit what fails is
all that is refused: a whole office, or a phone network, can share one.
"""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass
from datetime import datetime

from bridge.errors import TooManyRequestsError

_MOST_COUNTED = 200_000


@dataclass(frozen=True, slots=True, eq=False)
class Limit:
    """At most ``amount`` of what it counts in each window of ``seconds``. Equal to itself alone."""

    amount: int
    seconds: int = 60


VISITOR = Limit(600)
"""Events of one visitor: five tabs that beat every 10 s need 30."""
SITE_VISITORS = Limit(600_000)
"""Requests of all visitors of one site."""
SITE = Limit(6_000)
"""Signed requests of one store."""
DEVICE = Limit(600)
"""Requests of one agent's device."""
ADDRESS_FAILURES = Limit(120)
"""Requests of one address with a bad signature or device's token."""
BAD_TOKENS = Limit(120)
"""Requests of one address with a bad visitor's token: apart, for what the store's PHP passes on
comes from the store's own address."""
WRONG_CODES = Limit(10, 600)
"""Wrong pairing codes from one address."""


class Limits:
    """Counts requests in fixed windows, in the memory of this process.

    A few lines of our own: the library for this schedules a timer for each count, which cost more
    than the rest of a heartbeat together (``docs/decisions/``).
    """

    def __init__(self) -> None:
        self._counted: dict[tuple[Limit, int, str], int] = {}

    def count(self, limit: Limit, key: str, now: datetime, amount: int = 1) -> None:
        """Count ``amount`` more. Raises :class:`TooManyRequestsError`, and counts none of them,
        when that is too many."""
        window = _window(limit, key, now)
        counted = self._counted.get(window, 0)
        if counted + amount > limit.amount:
            raise _error(limit, now)
        if counted == 0 and len(self._counted) >= _MOST_COUNTED:
            self._forget(now)
        self._counted[window] = counted + amount

    def check(self, limit: Limit, key: str, now: datetime) -> None:
        """Raise :class:`TooManyRequestsError` if the limit is reached, without counting."""
        if self._counted.get(_window(limit, key, now), 0) >= limit.amount:
            raise _error(limit, now)

    def _forget(self, now: datetime) -> None:
        """Drop the windows that are over, or everything if all of them last: memory is bounded."""
        at = now.timestamp()
        self._counted = {
            (limit, number, key): counted
            for (limit, number, key), counted in self._counted.items()
            if (number + 1) * limit.seconds > at
        }
        if len(self._counted) >= _MOST_COUNTED:
            self._counted.clear()


def _window(limit: Limit, key: str, now: datetime) -> tuple[Limit, int, str]:
    return limit, int(now.timestamp()) // limit.seconds, key


def _error(limit: Limit, now: datetime) -> TooManyRequestsError:
    left = limit.seconds - now.timestamp() % limit.seconds
    return TooManyRequestsError(
        f"At most {limit.amount} of these in {limit.seconds} s. Try again later.",
        retry_after=math.ceil(left),
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

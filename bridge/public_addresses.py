"""Which addresses are public: the bridge calls no others, unless told otherwise."""

from __future__ import annotations

import ipaddress
import socket


def look_up(host: str) -> list[str]:
    """The IP addresses that ``host`` leads to, the preferred first.

    Raises ``OSError`` or ``UnicodeError`` if it leads nowhere.
    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def is_public(address: str) -> bool:
    """Whether this IP address is reached over the internet."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    # For Python, a multicast group is global.
    return parsed.is_global and not parsed.is_multicast

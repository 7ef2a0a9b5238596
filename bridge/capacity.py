"""How many connections and streams one process may hold.

Imported in gunicorn's master: nothing here may import gevent or open a socket.
"""

import resource
from typing import Final

MOST_CONNECTIONS: Final = 20_000
"""Each open stream is a connection, and nearly all of them are idle greenlets."""

_SPARE_FILES: Final = 200
"""Files that are not visitors' connections: database, listening socket, log, calls to stores."""

_LEAST_RESERVE: Final = 100
"""Connections kept for ordinary requests: more than are ever in flight at once in one process."""


def raise_open_files() -> None:
    """Raise the soft limit of open files, for this process and its children, to what is wanted, or
    as near as the platform allows."""
    wanted = MOST_CONNECTIONS + _SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def most_connections() -> int:
    """How many connections one process accepts, by the files that it may open.

    Where the platform allows few files, the other connections wait in the backlog, which is better
    than to fail.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return min(MOST_CONNECTIONS, max(files - _SPARE_FILES, files // 2))


def most_streams() -> int:
    """How many streams one process may hold, so that a request always finds a connection free."""
    connections = most_connections()
    reserve = max(connections // 10, min(_LEAST_RESERVE, connections // 2))
    return connections - reserve

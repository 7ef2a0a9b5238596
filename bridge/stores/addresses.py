"""Where a route of a store's REST API is."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit


def address_of(rest_url: str, route: str, query: Sequence[tuple[str, str]] = ()) -> str:
    """The address of ``route`` under ``rest_url``, which names its route in the query where the
    store has plain permalinks. What else ``rest_url`` has in its query stays, before ``query``.

    Raises ``ValueError`` if ``rest_url`` is no address.
    """
    parts = urlsplit(rest_url)
    kept = parse_qsl(parts.query, keep_blank_values=True)
    path = parts.path
    if any(name == "rest_route" for name, _ in kept):
        kept = [
            (name, _joined(value, route) if name == "rest_route" else value) for name, value in kept
        ]
    else:
        path = _joined(path, route)
    return urlunsplit((parts.scheme, parts.netloc, path, urlencode([*kept, *query], safe="/"), ""))


def _joined(root: str, route: str) -> str:
    return f"{root.rstrip('/')}/{route}"

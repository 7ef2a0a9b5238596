"""Web addresses: origins, and what is kept of the page that a visitor is on."""

from __future__ import annotations

from collections.abc import Container
from urllib.parse import SplitResult, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str | None:
    """The origin of an http or https address, as browsers write it; ``None`` for any other."""
    parts = _split(url)
    return None if parts is None else _origin(parts)


def page_address(url: str | None, origins: Container[str]) -> str | None:
    """A page's address without query and fragment, if it is of one of ``origins``, else ``None``.

    What a visitor searched for, or a token in a link, is nobody's business.
    """
    parts = _split(url) if url else None
    if parts is None:
        return None
    origin = _origin(parts)
    return f"{origin}{parts.path or '/'}" if origin in origins else None


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _DEFAULT_PORTS and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


def _origin(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    if parts.port is None or parts.port == _DEFAULT_PORTS[parts.scheme]:
        return f"{parts.scheme}://{host}"
    return f"{parts.scheme}://{host}:{parts.port}"

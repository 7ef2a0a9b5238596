"""Cross-origin requests: a visitor's page is the store's, and speaks to the bridge.

The preflight carries no token, so it allows an origin that any site lists; the request itself is
answered only for an origin of the token's own site (``auth.visitor_of``).
"""

from __future__ import annotations

from flask import Blueprint, Request, Response, g, request

from bridge.api.services import services
from bridge.errors import UnavailableError

_PREFLIGHT_SECONDS = "7200"
_HEADERS = "Authorization, Content-Type, Last-Event-ID"


def add_preflight(blueprint: Blueprint, path: str) -> None:
    """Answer the preflights of ``path``."""

    @blueprint.route(path, methods=["OPTIONS"], endpoint=f"preflight {path}")
    def preflight() -> Response:
        """Whether a page of this origin may ask."""
        response = Response(status=204)
        if _known(request.headers.get("Origin", "")):
            response.headers["Access-Control-Allow-Methods"] = "GET, POST"
            response.headers["Access-Control-Allow-Headers"] = _HEADERS
            response.headers["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS
        return response


def allow_origin(asked: Request, response: Response) -> None:
    """Let a page of any site's origin read the answer, a refusal too: that its token expired, say.

    What it may not have, it was not answered.
    """
    response.headers.add("Vary", "Origin")
    origin = asked.environ.get("HTTP_ORIGIN")
    if origin is not None and _known(origin):
        response.headers.add("Access-Control-Allow-Origin", origin)
        response.headers.add("Access-Control-Expose-Headers", "Retry-After")


def _known(origin: str) -> bool:
    try:
        return services().sites.origin_known(origin, g.now)
    except UnavailableError:
        # The answer says so already, and must not fail over who may read it.
        return False

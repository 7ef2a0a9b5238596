"""Cross-origin requests: a visitor's page is the store's, and speaks to the bridge.

The preflight carries no token, so it allows an origin that any site lists; the request itself is
answered only for an origin of the token's own site (``auth.visitor_of``).
"""

from __future__ import annotations

from flask import Flask, Response, g, request

from bridge.api.services import services

PATHS = "/v1/visitor/"
_PREFLIGHT_SECONDS = "7200"


def register(app: Flask) -> None:
    """Answer preflights of visitors' pages, and let those pages read the answers."""

    @app.before_request
    def preflight() -> Response | None:
        if request.method != "OPTIONS" or not request.path.startswith(PATHS):
            return None
        response = Response(status=204)
        response.headers["Vary"] = "Origin"
        origin = request.headers.get("Origin", "")
        if services().sites.origin_known(origin):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Methods"] = "GET, POST"
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
            response.headers["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS
        return response

    @app.after_request
    def allow_origin(response: Response) -> Response:
        if request.path.startswith(PATHS) and request.method != "OPTIONS":
            response.headers["Vary"] = "Origin"
            origin = request.headers.get("Origin")
            # A page must be able to read why it was refused: that its token expired, say.
            if origin and ("visitor" in g or services().sites.origin_known(origin)):
                response.headers["Access-Control-Allow-Origin"] = origin
                response.headers["Access-Control-Expose-Headers"] = "Retry-After"
        return response

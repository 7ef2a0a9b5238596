"""The application: blueprints, and what every request goes through."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import NotFound
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter

from bridge.api import (
    agent,
    agent_stream,
    conversing,
    cors,
    operations,
    problems,
    store,
    visitor,
    woocommerce,
)
from bridge.api.services import Services
from bridge.bootstrap import Bridge, build
from bridge.demo import create_blueprint as create_demo
from bridge.logs import REQUEST_ID, log_if_notable
from bridge.settings import Settings

_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{8,128}")


class IdConverter(BaseConverter):
    """An id in an address: 1 to 128 printable characters, slashes too. Any other is not there."""

    regex = ".{1,128}?"
    part_isolating = False

    def to_python(self, value: str) -> str:
        """The id, as it is."""
        if not value.isprintable():
            # Not a ValidationError, after which another method's rule would make it a 405.
            raise NotFound
        return value


class BridgeApp(Flask):
    """Flask, all of whose views are plain functions."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """``func`` itself: to ask whether each hook is a coroutine costs 7 % of a heartbeat."""
        return func


def create_app(settings: Settings, bridge: Bridge | None = None) -> Flask:
    """The application over ``bridge``, or over the engines that ``settings`` name.

    Nothing runs in the background yet: see :mod:`bridge.background`.
    """
    bridge = bridge or build(settings)
    app = BridgeApp("bridge", static_folder=None, root_path=str(Path(__file__).parent))
    app.config["PUBLIC_URL"] = settings.public_url and settings.public_url.rstrip("/")
    app.extensions["bridge"] = bridge.services
    app.extensions["drain"] = bridge.drain
    app.url_map.strict_slashes = app.url_map.merge_slashes = False
    app.url_map.converters["id"] = IdConverter
    for blueprint in (
        store.blueprint,
        visitor.create_blueprint(),
        agent.blueprint,
        conversing.blueprint,
        agent_stream.blueprint,
        woocommerce.blueprint,
        operations.blueprint,
    ):
        app.register_blueprint(blueprint)
    if bridge.demo_site is not None:
        app.register_blueprint(create_demo(bridge.demo_site))
    _every_request(app, bridge.services)
    problems.register(app)
    if hops := settings.trusted_proxy_hops:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # Flask's own way to wrap itself
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
    return app


def _every_request(app: Flask, services: Services) -> None:
    @app.before_request
    def begin() -> None:
        given = request.environ.get("HTTP_X_REQUEST_ID", "")
        known = given and _REQUEST_ID.fullmatch(given)
        # An id to find a line in a log by: nothing depends on its being hard to guess.
        request_id = given if known else f"{random.getrandbits(64):016x}"
        REQUEST_ID.set(request_id)
        g.request_id = request_id
        g.now = services.clock()
        g.began = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        headers = response.headers
        headers.add("X-Request-Id", g.request_id)
        headers.add("X-Content-Type-Options", "nosniff")
        if response.status_code == 204:
            headers.pop("Content-Type", None)
        if "Cache-Control" not in headers:
            headers.add("Cache-Control", "no-store")
        if request.blueprint == visitor.BLUEPRINT:
            cors.allow_origin(request, response)
        elif response.mimetype == "text/html":
            headers.setdefault("Referrer-Policy", "no-referrer")
            headers.setdefault("Content-Security-Policy", _POLICY)
        rule = request.url_rule
        log_if_notable(
            request.method,
            rule.rule if rule else "(none)",
            response.status_code,
            time.perf_counter() - g.began,
        )
        return response

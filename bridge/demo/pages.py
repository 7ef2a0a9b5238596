"""The shop's pages, and the page that shows what an agent sees."""

import secrets
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    g,
    render_template,
    request,
    send_from_directory,
    url_for,
)
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from bridge.demo.basket import basket
from bridge.demo.catalogue import CATALOGUE
from bridge.demo.cookies import signed_in
from bridge.demo.site import DemoSite

ASSETS = Path(__file__).parents[2] / "wp-plugin" / "assets"


def add_pages(blueprint: Blueprint, site: DemoSite) -> None:
    """Add the shop's pages, the agent's page and ``presence.js``."""
    blueprint.before_request(_make_nonce)
    blueprint.after_request(_add_policy)
    blueprint.context_processor(lambda: _shared(site))

    @blueprint.get("/")
    def front() -> str:
        return render_template("demo/front.html", products=CATALOGUE.values())

    @blueprint.get("/product/<slug>")
    def product(slug: str) -> str:
        if slug not in CATALOGUE:
            abort(HTTPStatus.NOT_FOUND)
        others = [other for other in CATALOGUE.values() if other.slug != slug][:3]
        return render_template("demo/product.html", product=CATALOGUE[slug], others=others)

    @blueprint.get("/agent")
    def agent() -> ResponseReturnValue:
        """What an agent's app would show, for the demo alone."""
        page = render_template("demo/agent.html", agent_token=site.agent_token)
        return page, {"Cache-Control": "no-store"}

    @blueprint.get("/<any('presence.js', 'live.js'):script>")
    def presence_script(script: str) -> Response:
        """The plugin's own files."""
        return send_from_directory(ASSETS, script, mimetype="text/javascript")


def _make_nonce() -> None:
    g.demo_nonce = secrets.token_urlsafe(16)


def _add_policy(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
            f"script-src 'self' 'nonce-{g.demo_nonce}'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )
        response.headers["Referrer-Policy"] = "same-origin"
        # Not no-store: that would keep the shop's pages out of the back/forward cache.
        response.headers.setdefault("Cache-Control", "private, no-cache")
    return response


def _shared(site: DemoSite) -> dict[str, Any]:
    """What every page's frame needs."""
    return {
        "nonce": g.demo_nonce,
        "page": request.full_path.rstrip("?"),
        "customer": signed_in(site),
        "basket_count": sum(line.quantity for line in basket()),
        "stub": Markup((ASSETS / "stub.js").read_text("utf-8")),  # noqa: S704 (our own file)
        "presence_config": {
            "bridge": request.host_url.rstrip("/"),
            "session": url_for("demo.session", _external=True),
            "events": url_for("demo.pass_events_on", _external=True),
            "sync": url_for("demo.sync", _external=True),
            "live": url_for("demo.presence_script", script="live.js", _external=True),
        },
    }

"""For those who run the bridge and those who build on it: health, the description, the plugin."""

from __future__ import annotations

from functools import cache
from itertools import groupby, pairwise
from pathlib import Path

import msgspec
from flask import Blueprint, Response, g, render_template
from markdown_it import MarkdownIt
from markupsafe import Markup

from bridge.api import body, openapi, problems
from bridge.api.endpoints import ENDPOINTS
from bridge.api.schemas import Health, to_json
from bridge.api.services import services
from bridge.errors import UnavailableError
from bridge.logs import FAILURE
from bridge.plugin_archive import build_plugin_archive

blueprint = Blueprint("operations", __name__, template_folder="templates")

_ERRORS = Path(__file__).resolve().parents[2] / "docs" / "errors.md"
_STYLESHEET = Path(__file__).parent / "static" / "reference.css"


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return Response(to_json(Health("ok")), content_type=body.JSON)


@blueprint.get("/readyz")
def readyz() -> Response:
    """Storage answers too, and can be written: what cannot be kept must not be sent here."""
    services().records.record_alive(g.now)
    return Response(to_json(Health("ok")), content_type=body.JSON)


@blueprint.app_errorhandler(UnavailableError)
def storage_away(error: UnavailableError) -> Response:
    """The caller is told that storage is away; why, only whoever reads the log."""
    FAILURE.set(error)
    return problems.problem(error)


@blueprint.get("/openapi.json")
def openapi_json() -> Response:
    """The description of the API."""
    return Response(_description(), content_type=body.JSON)


@blueprint.get("/docs")
def docs() -> str:
    """The description of the API, to read."""
    described = openapi.document()["components"]["schemas"]
    schemas = {
        name: msgspec.json.format(msgspec.json.encode(schema), indent=2).decode()
        for name, schema in described.items()
    }
    callers = [
        (caller, list(group))
        for caller, group in groupby(ENDPOINTS, key=lambda endpoint: endpoint.caller)
    ]
    return render_template("reference.html", title="Endpoints", callers=callers, schemas=schemas)


@blueprint.get("/docs/errors")
def error_docs() -> str:
    """Every error code."""
    return render_template("reference.html", title="Errors", text=Markup(_error_text()))  # noqa: S704 - our own file, rendered with raw HTML switched off


@blueprint.get("/docs/reference.css")
def stylesheet() -> Response:
    """How the documentation looks."""
    return Response(_STYLESHEET.read_bytes(), content_type="text/css; charset=utf-8")


@blueprint.get("/plugin.zip")
def plugin_zip() -> Response:
    """The WordPress plugin, packed from the code that this bridge runs."""
    response = Response(_plugin(), content_type="application/zip")
    response.headers["Content-Disposition"] = 'attachment; filename="chat-presence-bridge.zip"'
    return response


@cache
def _description() -> str:
    return openapi.to_text(openapi.document())


@cache
def _plugin() -> bytes:
    return build_plugin_archive()


@cache
def _error_text() -> str:
    """The errors' page; each code's heading is the anchor that problems point to."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(_ERRORS.read_text(encoding="utf-8"))
    for token, following in pairwise(tokens):
        if token.type == "heading_open" and token.tag == "h2":
            token.attrSet("id", following.content.strip("` "))
    return str(markdown.renderer.render(tokens, markdown.options, {}))

"""``openapi.json``, made from the table of endpoints and the schemas."""

from __future__ import annotations

import re
from typing import Any, get_args

import msgspec

from bridge import __version__
from bridge.api.endpoints import AGENT, ENDPOINTS, STORE, VISITOR, WOOCOMMERCE, Endpoint
from bridge.api.schemas import Problem

_PROBLEMS = {
    400: "Not JSON, or cut off",
    401: "No or a bad credential",
    403: "Not allowed",
    404: "Not there, or another site's",
    409: "In conflict with the present state",
    408: "The body did not come in time",
    413: "Too large",
    415: "A content type that is not taken",
    422: "Well-formed but wrong",
    429: "Too many requests: see Retry-After",
    503: "Storage is away: see Retry-After",
}
_SECURITY: dict[str, list[dict[str, list[str]]]] = {
    STORE: [{"store": [], "storeId": [], "storeTime": [], "storeSite": []}],
    VISITOR: [{"visitor": []}, {}],
    AGENT: [{"device": []}],
    WOOCOMMERCE: [{"webhook": []}],
}
_SCHEMES = {
    "store": {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": "`v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`, or of "
        "`id.timestamp.METHOD path?query` without a body (Standard Webhooks).",
    },
    "storeId": {"type": "apiKey", "in": "header", "name": "webhook-id"},
    "storeTime": {"type": "apiKey", "in": "header", "name": "webhook-timestamp"},
    "storeSite": {"type": "apiKey", "in": "header", "name": "Bridge-Site"},
    "visitor": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "Made by the store; or as `token` in the body.",
    },
    "webhook": {
        "type": "apiKey",
        "in": "header",
        "name": "X-WC-Webhook-Signature",
        "description": "The base64 HMAC-SHA256 of the body, by the webhook's own secret.",
    },
    "device": {"type": "http", "scheme": "bearer", "description": "Got by pairing."},
}


def document() -> dict[str, Any]:
    """The OpenAPI 3.1 description of everything that this bridge serves to programs."""
    structs = {each for endpoint in ENDPOINTS for each in (endpoint.body, endpoint.answer) if each}
    events = [each for endpoint in ENDPOINTS for each in endpoint.events.values()]
    structs |= {form for event in events for form in _forms(event)}
    names = sorted(structs | {Problem}, key=lambda struct: struct.__name__)
    schemas, components = msgspec.json.schema_components(
        names, ref_template="#/components/schemas/{name}"
    )
    del schemas
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Chat Presence Bridge",
            "version": __version__,
            "description": "Whether the visitor of a chat is still there. See /docs/errors for "
            "every error code.",
            "license": {"name": "GPL-2.0-or-later", "identifier": "GPL-2.0-or-later"},
        },
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": _SCHEMES,
        },
    }


def to_text(described: dict[str, Any]) -> str:
    """The description as committed: indented, one way only."""
    return msgspec.json.format(msgspec.json.encode(described), indent=2).decode() + "\n"


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": endpoint.summary,
        "operationId": _operation_id(endpoint),
        "tags": [endpoint.caller],
        "security": _SECURITY.get(endpoint.caller, []),
        "responses": {str(status): _response(endpoint, status) for status in endpoint.statuses},
    }
    parameters: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "maxLength": 128},
        }
        for name in re.findall(r"{(\w+)}", endpoint.path)
    ]
    parameters += [
        {
            "name": parameter.name,
            "in": "query",
            "required": parameter.needed,
            "description": parameter.description,
            "schema": parameter.schema,
        }
        for parameter in endpoint.parameters
    ]
    if parameters:
        operation["parameters"] = parameters
    if endpoint.body is not None:
        schema = {"$ref": f"#/components/schemas/{endpoint.body.__name__}"}
        content = {media_type: {"schema": schema} for media_type in endpoint.body_types}
        operation["requestBody"] = {"required": endpoint.body_needed, "content": content}
    return operation


def _forms(event: Any) -> tuple[type[msgspec.Struct], ...]:
    """The forms that a stream's event may have."""
    return get_args(event) or (event,)


def _event(event: Any) -> dict[str, Any]:
    references = [{"$ref": f"#/components/schemas/{form.__name__}"} for form in _forms(event)]
    return references[0] if len(references) == 1 else {"anyOf": references}


def _operation_id(endpoint: Endpoint) -> str:
    words = re.findall(r"\w+", endpoint.path.replace("{", "by_").removeprefix("/v1"))
    return "_".join([endpoint.method.lower(), *words])


def _response(endpoint: Endpoint, status: int) -> dict[str, Any]:
    if status == 304:
        return {"description": "Unchanged since the ETag in If-None-Match"}
    if status != endpoint.status:
        problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
        response: dict[str, Any] = {
            "description": _PROBLEMS[status],
            "content": {"application/problem+json": problem},
        }
        if status in (429, 503):
            seconds = {"schema": {"type": "integer"}, "description": "Seconds to wait."}
            response["headers"] = {"Retry-After": seconds}
        return response
    if endpoint.answer is not None:
        schema = {"$ref": f"#/components/schemas/{endpoint.answer.__name__}"}
        return {"description": "Done", "content": {"application/json": {"schema": schema}}}
    if endpoint.media_type is not None:
        events = {name: _event(data) for name, data in endpoint.events.items()}
        # OpenAPI 3.1 has no words for a stream's events.
        described = {"x-events": events} if events else {}
        return {"description": "Done", "content": {endpoint.media_type: described}}
    return {"description": "Done"}

"""Holds answers to ``openapi.json``: the description is a promise of every single answer."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import jsonschema_rs
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from bridge.api import openapi
from bridge.api.problems import MEDIA_TYPE

DESCRIBED = openapi.document()
_CODE = re.compile(r"[a-z]+(-[a-z]+)*")


def check_answer(app: Flask, method: str, path: str, response: TestResponse) -> None:
    """Fail unless the answer is one that the description promises for this request."""
    if response.status_code >= 400:
        check_problem(response)
    template = template_of(app, method, path)
    operation = DESCRIBED["paths"].get(template, {}).get(method.lower())
    if operation is None:
        return
    described = operation["responses"].get(str(response.status_code))
    assert described is not None, f"{method} {path}: {response.status_code} is not described"
    for name in described.get("headers", {}):
        assert name in response.headers, f"{method} {path}: no {name}"
    content = described.get("content")
    if content is None:
        assert not response.get_data(), f"{method} {path}: an answer where none is described"
        return
    assert response.mimetype in content, f"{method} {path}: {response.mimetype} is not described"
    if schema := content[response.mimetype].get("schema"):
        _validate(schema, response.get_json(force=True))


def check_problem(response: TestResponse) -> None:
    """Fail unless the answer is a problem as RFC 9457 and the agreement have it."""
    assert response.content_type == MEDIA_TYPE
    if not response.get_data():
        return  # The answer to a HEAD.
    problem = response.get_json(force=True)
    assert set(problem) - {"errors", "owner", "note"} == {
        "type",
        "title",
        "status",
        "detail",
        "code",
        "request_id",
    }
    assert problem["status"] == response.status_code
    assert _CODE.fullmatch(problem["code"]), problem["code"]
    assert problem["type"].endswith(f"/docs/errors#{problem['code']}")
    assert problem["title"]
    assert problem["detail"]
    assert response.headers["X-Request-Id"]
    assert (response.status_code in (429, 503)) == ("Retry-After" in response.headers)


def template_of(app: Flask, method: str, path: str) -> str:
    """The path as the description has it, ``/v1/conversations/{conversation}``; ``""`` if the
    application has no rule for it."""
    try:
        rule, _ = app.url_map.bind("").match(path.partition("?")[0], method, return_rule=True)
    except HTTPException:
        return ""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)


def check_event(path: str, name: str, data: Any) -> None:
    """Fail unless the event is one that the description promises for the stream at ``path``."""
    media_types = DESCRIBED["paths"][path]["get"]["responses"]["200"]["content"]
    described = media_types["text/event-stream"]["x-events"]
    assert name in described, f"{path}: {name} is not described"
    _validate(described[name], data)


def _validate(schema: dict[str, Any], data: Any) -> None:
    _validator(json.dumps(schema)).validate(data)


@cache
def _validator(schema: str) -> Any:
    described = {**json.loads(schema), "components": DESCRIBED["components"]}
    return jsonschema_rs.validator_for(described, validate_formats=True)


def refused(response: TestResponse, status: int, code: str) -> dict[str, Any]:
    """The problem in an answer that must be one, of this status and code."""
    problem: dict[str, Any] = response.get_json(force=True)
    assert (response.status_code, problem.get("code")) == (status, code), problem
    return problem

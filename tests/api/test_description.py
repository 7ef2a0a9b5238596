"""``/openapi.json``, ``/docs``, ``/docs/errors``: the description, held to the application."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from werkzeug.routing import Rule

from bridge.api import openapi
from bridge.api.endpoints import AGENT, ANYONE, ENDPOINTS, VISITOR
from tests.api.description import DESCRIBED
from tests.api.installation import Installation

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = [
    (path, method, operation)
    for path, methods in DESCRIBED["paths"].items()
    for method, operation in methods.items()
]


def test_the_committed_description_is_fresh() -> None:
    committed = (ROOT / "openapi.json").read_text(encoding="utf-8")
    assert committed == openapi.to_text(openapi.document()), "run: make openapi.json"


def test_the_bridge_serves_it(installation: Installation) -> None:
    answered = installation.open("/openapi.json")
    assert answered.mimetype == "application/json"
    assert answered.data == (ROOT / "openapi.json").read_bytes()


def test_every_rule_is_an_endpoint_and_every_endpoint_a_rule(installation: Installation) -> None:
    rules = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in installation.app.url_map.iter_rules()
        for method in _methods(rule)
    }
    stylesheets = {("GET", "/docs/reference.css")}
    assert rules - stylesheets == {(each.method, each.path) for each in ENDPOINTS}


def _methods(rule: Rule) -> set[str]:
    return (rule.methods or set()) - {"HEAD", "OPTIONS"}


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_each_operation_says_who_may_call_it_and_how_it_fails(
    path: str, method: str, operation: dict[str, object]
) -> None:
    [endpoint] = [e for e in ENDPOINTS if (e.path, e.method.lower()) == (path, method)]
    statuses = {int(status) for status in operation["responses"]}  # type: ignore[attr-defined]  # the description is JSON
    assert {401, 429, 503} <= statuses or endpoint.caller == ANYONE
    assert (403 in statuses) == (endpoint.caller in (VISITOR, AGENT))
    assert bool(operation["security"]) == (endpoint.caller != ANYONE)
    if endpoint.body is not None:
        assert {400, 408, 413, 422} <= statuses


def test_every_name_refers_to_something() -> None:
    references = set(re.findall(r'"\$ref":"#/components/schemas/(\w+)"', _compact()))
    assert references == set(DESCRIBED["components"]["schemas"])
    schemes = {name for *_, each in OPERATIONS for one in each["security"] for name in one}
    assert schemes == set(DESCRIBED["components"]["securitySchemes"])


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for *_, operation in OPERATIONS]
    assert len(set(names)) == len(names)


def _compact() -> str:
    return json.dumps(DESCRIBED, separators=(",", ":"))


class Page(HTMLParser):
    """What a page of the documentation holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.add(tag)
        self.ids += [found["id"]] if found.get("id") else []  # type: ignore[list-item]  # it is there
        self.links += [value for name in ("href", "src") if (value := found.get(name))]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("path", ["/docs", "/docs/errors"])
def test_the_documentation_is_a_page_without_scripts(installation: Installation, path: str) -> None:
    answered = installation.open(path)
    page = Page(answered.get_data(as_text=True))
    assert answered.mimetype == "text/html"
    assert "script" not in page.tags
    assert "script-src" not in answered.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answered.headers["Content-Security-Policy"]
    for link in page.links:
        if link.startswith("/"):
            assert installation.open(link).status_code == 200, link


def test_every_endpoint_is_in_the_documentation(installation: Installation) -> None:
    page = Page(installation.open("/docs").get_data(as_text=True))
    for endpoint in ENDPOINTS:
        assert endpoint.path in page.text
        assert endpoint.summary in page.text


def test_every_problem_points_to_its_entry(installation: Installation) -> None:
    page = Page(installation.open("/docs/errors").get_data(as_text=True))
    text = (ROOT / "docs" / "errors.md").read_text("utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert [each for each in page.ids if each in headings] == headings
    problem = installation.open("/v1/me").get_json()
    assert problem["type"].partition("#")[2] in page.ids

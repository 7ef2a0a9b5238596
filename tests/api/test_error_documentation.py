"""``docs/errors.md`` has one heading for each error code in the source, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ERRORS = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")


def test_each_error_code_has_a_heading_and_each_heading_a_code() -> None:
    headings = re.findall(r"^## (.+)$", ERRORS, re.MULTILINE)
    assert set(headings) == codes()
    assert headings == sorted(set(headings))


def test_each_heading_says_what_it_means_and_what_to_do() -> None:
    for text in re.split(r"^## .+$", ERRORS, flags=re.MULTILINE)[1:]:
        assert re.match(r"(\d{3}|Rejected event)", text.strip()), text
        assert len(text.split()) >= 8


def test_the_codes_are_found_where_they_are_made() -> None:
    """Else the tests above would compare nothing with nothing."""
    assert {
        "invalid",
        "token-expired",
        "seq-required",
        "cursor-invalid",
        "too-many-events",
    } <= codes()


def codes() -> set[str]:
    """Every error code in the source: class attributes, ``code=`` and positional ones."""
    found = set()
    for path in sorted((ROOT / "bridge").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found |= set(_codes_of(node))
    return found


_POSITIONS = {"RejectedError": 0, "TokenError": 0, "_rejected": 1, "_refused": 2}


def _codes_of(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ClassDef) and node.name.endswith("Error"):
        for statement in node.body:
            if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "code":
                yield from _texts(statement.value)
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).rpartition(".")[2]
        for keyword in node.keywords:
            if keyword.arg == "code" and name.endswith("Error"):
                yield from _texts(keyword.value)
        if name in _POSITIONS and len(node.args) > _POSITIONS[name]:
            yield from _texts(node.args[_POSITIONS[name]])


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)

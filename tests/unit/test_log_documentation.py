"""``docs/operations.md`` explains each line that the bridge's own code writes to the log."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_LEVELS = {"info", "warning", "error", "exception", "critical"}
_LOGGERS = {"_log", "_requests", "getLogger", "get_logger"}


def test_each_line_is_explained() -> None:
    logged = {line for path in (ROOT / "bridge").rglob("*.py") for line in _logged(path)}
    assert {"request failed", "a sweep failed", "unexpected error"} <= logged
    documented = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [line for line in sorted(logged) if f"`{line}" not in documented] == []


def _logged(path: Path) -> Iterator[str]:
    """What the calls of loggers in a file begin their lines with."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _LEVELS
            and _name(node.func.value) in _LOGGERS
        ):
            said = node.args[0]
            assert isinstance(said, ast.Constant), f"{path}:{node.lineno}: not a plain line"
            yield str(said.value).partition("%")[0].rstrip(" (:")


def _name(logger: ast.expr) -> str:
    """``_log`` of ``_log.info``, and ``getLogger`` of ``logging.getLogger("…").info``."""
    if isinstance(logger, ast.Call):
        return _name(logger.func)
    if isinstance(logger, ast.Attribute):
        return logger.attr
    return logger.id if isinstance(logger, ast.Name) else ""

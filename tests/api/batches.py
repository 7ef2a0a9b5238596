"""Batches of events as bytes, and what became of them, whoever sent them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from werkzeug.test import TestResponse

from tests.api.visitor import event

Post = Callable[[bytes], TestResponse]
"""Sends a body to the endpoint of the store, or of the visitor."""


def batch(*events: object) -> bytes:
    """A body with these events, in UTF-8."""
    return json.dumps({"events": list(events)}, ensure_ascii=False).encode()


def view(page: str = "p", **fields: Any) -> dict[str, Any]:
    """A page view of the conversation ``c``, the first of its page."""
    return event("page_view", "c", page=page, **{"seq": 1, **fields})


def results(answered: TestResponse) -> list[Any]:
    """What became of each event of a batch that was answered."""
    assert answered.status_code == 200, answered.get_data(as_text=True)
    found: list[Any] = answered.get_json()["results"]
    return found


def rejection(answered: TestResponse) -> tuple[str, str]:
    """Status and code of the last event's result."""
    last = results(answered)[-1]
    return last["status"], last.get("code", "")

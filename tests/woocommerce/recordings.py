"""What was recorded of WooCommerce 9.5.1."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import responses
from responses import matchers

_FOLDER = Path(__file__).parent / "recorded"


@dataclass(frozen=True)
class Recording:
    """A request and its answer; ``route`` is what was asked of the REST API."""

    route: str
    query: dict[str, str]
    status: int
    headers: dict[str, str]
    body: Any

    def answer(self, web: responses.RequestsMock, rest_url: str) -> None:
        """Have ``web`` give the answer to such a request, which may ask for more besides."""
        web.get(
            f"{rest_url}{self.route}",
            json=self.body,
            status=self.status,
            headers={"X-WP-Total": self.headers["X-WP-Total"]}
            if "X-WP-Total" in self.headers
            else {},
            match=[matchers.query_param_matcher(self.query, strict_match=False)],
        )


def recorded(name: str) -> Recording:
    """The recording of that name, without ``.json``."""
    entry = _read(name)
    asked, said = entry["request"], entry["response"]
    return Recording(
        route=asked["path"].removeprefix("/wp-json/"),
        query={key: str(value) for key, value in asked["query"].items()},
        status=said["status"],
        headers=said["headers"],
        body=said["body"],
    )


def delivery(name: str) -> dict[str, Any]:
    """The ``headers`` and the ``raw_body`` of a webhook's delivery."""
    return cast(dict[str, Any], _read(name)["request"])


def _read(name: str) -> dict[str, Any]:
    return cast(dict[str, Any], json.loads((_FOLDER / f"{name}.json").read_text()))

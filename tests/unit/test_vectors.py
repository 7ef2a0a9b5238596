"""The vectors that the plugin's PHP is held to as well: see tests/vectors/README.md."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.api.signing import TokenError, VisitorToken, read_token, token_site
from bridge.services.sites import connection_string
from bridge.webhooks import TOLERANCE, decode_key, sign, verify

VECTORS = Path(__file__).resolve().parents[1] / "vectors"


def _cases(file: str) -> list[Any]:
    cases = json.loads((VECTORS / file).read_text(encoding="utf-8"))["cases"]
    return [pytest.param(case, id=case["name"]) for case in cases]


def _content(case: dict[str, Any]) -> bytes:
    text: str = case["body"] if case["body"] is not None else f"{case['method']} {case['target']}"
    return text.encode()


@pytest.mark.parametrize("case", _cases("signature.json"))
def test_signatures_are_verified_as_the_plugin_makes_them(case: dict[str, Any]) -> None:
    key, stamp = decode_key(case["secret"]), int(case["timestamp"])
    matches = verify([key], case["id"], stamp, _content(case), case["signature"])
    assert matches == case["signature_matches"]
    within = abs(case["now"] - stamp) <= TOLERANCE.total_seconds()
    assert (matches and within) == case["valid"]
    if case["code"] == "timestamp-out-of-range":
        assert not within


@pytest.mark.parametrize("case", _cases("signature.json"))
def test_signatures_are_made_as_the_plugin_verifies_them(case: dict[str, Any]) -> None:
    made = sign(decode_key(case["secret"]), case["id"], int(case["timestamp"]), _content(case))
    assert (made in case["signature"].split(" ")) == case["signature_matches"]


@pytest.mark.parametrize("case", _cases("jwt.json"))
def test_tokens_are_read_as_the_plugin_makes_them(case: dict[str, Any]) -> None:
    if not case["valid"]:
        with pytest.raises(TokenError):
            _read(case)
        return
    token = _read(case)
    assert token.site == case["site"]
    assert token.visitor == case["visitor"]
    customer = asdict(token.customer) if token.customer else None
    assert customer == (
        case["customer"] and case["customer"] | {"at": token.issued_at, "event": "token"}
    )


def _read(case: dict[str, Any]) -> VisitorToken:
    """As a bridge that knows but the one site does."""
    keys = [decode_key(case["secret"])] if token_site(case["token"]) == case["site"] else []
    return read_token(case["token"], keys, datetime.fromtimestamp(case["now"], UTC))


@pytest.mark.parametrize(
    "case", [case for case in _cases("connection.json") if case.values[0]["error"] is None]
)
def test_connection_strings_are_made_as_the_plugin_reads_them(case: dict[str, Any]) -> None:
    made = connection_string(case["bridge"], case["site"], case["secret"])
    _, _, rest = made.partition("://")
    assert rest.casefold() in case["text"].casefold()
    assert len(decode_key(case["secret"])) >= 16

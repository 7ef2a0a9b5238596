"""The vectors that the plugin's PHP is held to as well, through the whole of HTTP."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.ports import Site, SiteSecret
from tests.api.installation import SHOP, Clock, Installation
from tests.api.visitor import event

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
REASONS = {"expired": "token-expired"}


def cases(file: str) -> list[Any]:
    read = json.loads((VECTORS / file).read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["name"]) for case in read["cases"]]


def set_up(installation: Installation, clock: Clock, case: dict[str, Any]) -> None:
    """The site that the vector speaks of, at its time."""
    clock.now = datetime.fromtimestamp(case["now"], UTC)
    secret = case["secret"]
    key = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
    site = Site(case["site"], "Shop", SHOP, frozenset({SHOP}), (SiteSecret(key),))
    installation.bridge.records.add_site(site, clock.now)


@pytest.mark.parametrize("case", cases("signature.json"))
def test_signatures(installation: Installation, clock: Clock, case: dict[str, Any]) -> None:
    set_up(installation, clock, case)
    answered = installation.open(
        case["target"],
        case["method"],
        data=None if case["body"] is None else case["body"].encode(),
        headers={
            "Bridge-Site": case["site"],
            "webhook-id": case["id"],
            "webhook-timestamp": str(case["timestamp"]),
            "webhook-signature": case["signature"],
        },
        described=False,
    )
    code = (answered.get_json(silent=True) or {}).get("code")
    if case["valid"]:
        assert answered.status_code != 401, code
    elif case["signature_matches"]:
        assert (answered.status_code, code) == (401, case["code"])
    else:
        assert answered.status_code in (401, 405)
        assert code in ("signature-invalid", "signature-missing", "method-not-allowed")


@pytest.mark.parametrize("case", cases("jwt.json"))
def test_tokens(installation: Installation, clock: Clock, case: dict[str, Any]) -> None:
    set_up(installation, clock, case)
    body = {"events": [event("page_view", "c", page="p", seq=1)], "token": case["token"]}
    answered = installation.open("/v1/visitor/events", "POST", json=body)
    if case["valid"]:
        assert answered.status_code == 200
        begun = installation.bridge.records.read_conversation(case["site"], "1", "c")
        assert begun is not None
        assert begun.record.visitor == case["visitor"]
    else:
        assert answered.status_code == 401
        code = "token-invalid" if case["token"] else "token-missing"
        assert answered.get_json()["code"] == REASONS.get(case["reason"], code)

"""``POST /v1/store/pairings``: a code with which one person may pair one device."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.description import refused
from tests.api.device import RIGHTS, App
from tests.api.installation import PUBLIC_URL, Installation
from tests.api.store import Store

PATH = "/v1/store/pairings"
AGENT = {
    "id": "7",
    "name": "Kim",
    "email": "kim@shop.example",
    "avatar_url": "https://shop.example/kim.png",
}


def test_an_offer(store: Store) -> None:
    offered = store.request("POST", PATH, {"agent": AGENT, "rights": list(RIGHTS)}).get_json()
    assert set(offered) == {"code", "url", "expires_at"}
    assert offered["url"] == f"{PUBLIC_URL}/app/#pair={offered['code']}"
    assert offered["expires_at"] == "2026-03-02T09:40:00.123Z"


def test_a_code_has_at_least_50_random_bits(store: Store) -> None:
    codes = {store.offer()["code"] for _ in range(50)}
    assert len(codes) == 50
    # Six bits a character, if all are random.
    assert min(len(code) for code in codes) * 6 >= 50
    columns = zip(*codes, strict=False)
    assert all(len(set(column)) > 5 for column in list(columns)[:8])


def test_only_the_hash_of_a_code_is_kept(store: Store, installation: Installation) -> None:
    code = store.offer()["code"]
    installation.close()
    assert code.encode() not in installation.database.read_bytes()


def test_the_device_is_of_that_agent_with_those_rights(
    store: Store, installation: Installation
) -> None:
    said = {"agent": AGENT, "rights": ["push", "conversations:read"]}
    code = store.request("POST", PATH, said).get_json()["code"]
    me = App.paired(installation, code).get("/v1/me").get_json()
    assert me["agent"] == AGENT
    assert me["device"]["rights"] == ["conversations:read", "push"]


def test_email_and_picture_may_be_unknown(store: Store) -> None:
    for agent in ({"id": "1", "name": "Sam"}, {**AGENT, "email": None, "avatar_url": None}):
        assert store.request("POST", PATH, {"agent": agent, "rights": []}).status_code == 200


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"agent": None}, "/agent"),
        ({"agent": "Sam"}, "/agent"),
        ({"agent": {"name": "Sam"}}, "/agent"),
        ({"agent": {**AGENT, "id": ""}}, "/agent/id"),
        ({"agent": {**AGENT, "id": 7}}, "/agent/id"),
        ({"agent": {**AGENT, "id": "x" * 129}}, "/agent/id"),
        ({"agent": {**AGENT, "id": "a\n"}}, "/agent/id"),
        ({"agent": {**AGENT, "name": ""}}, "/agent/name"),
        ({"agent": {**AGENT, "name": "x" * 201}}, "/agent/name"),
        ({"agent": {**AGENT, "email": "x" * 321}}, "/agent/email"),
        ({"agent": {**AGENT, "avatar_url": "x" * 2049}}, "/agent/avatar_url"),
        ({"agent": {**AGENT, "avatar_url": "javascript:alert(1)"}}, "/agent/avatar_url"),
        ({"rights": None}, "/rights"),
        ({"rights": "push"}, "/rights"),
        ({"rights": ["admin"]}, "/rights/0"),
        ({"rights": ["push", "Push"]}, "/rights/1"),
        ({"rights": ["push"] * 6}, "/rights"),
    ],
    ids=range(17),
)
def test_what_is_not_taken(store: Store, change: dict[str, Any], pointer: str) -> None:
    said = {"agent": AGENT, "rights": ["push"], **change}
    problem = refused(store.request("POST", PATH, said), 422, "invalid")
    assert problem["errors"][0]["pointer"] == pointer
    assert problem["errors"][0]["detail"]


@pytest.mark.parametrize("missing", ["agent", "rights"])
def test_what_is_needed(store: Store, missing: str) -> None:
    said = {"agent": AGENT, "rights": ["push"]}
    del said[missing]
    problem = refused(store.request("POST", PATH, said), 422, "invalid")
    assert missing in problem["errors"][0]["detail"]


def test_characters_that_are_not_taken(store: Store) -> None:
    for bad in (b"\\u0000", b"\\ud800"):
        body = b'{"agent": {"id": "1", "name": "%b"}, "rights": []}' % bad
        refused(store.request("POST", PATH, body), 422, "character-not-allowed")


def test_what_is_no_json(store: Store) -> None:
    for body in (b"no JSON", b"{", b"\xff", b'{"x":' + b"[" * 100_000):
        refused(store.request("POST", PATH, body), 400, "malformed-json")


def test_a_request_without_a_body(store: Store) -> None:
    refused(store.request("POST", PATH), 400, "malformed-json")

"""``docs/protocol.md``: its examples are carried out, its table of events is tried out."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from bridge.api.schemas import Event
from bridge.ports import Site, SiteSecret, StoreConnection
from tests.api.installation import SHOP, Clock, Installation
from tests.api.store import Store
from tests.api.visitor import Visitor, event

PROTOCOL = (Path(__file__).resolve().parents[2] / "docs" / "protocol.md").read_text("utf-8")


def test_the_examples_are_answered_as_they_say(
    installation: Installation, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = re.findall(r"```http\n(.*?)\n```\n\n```http\n(.*?)\n```", PROTOCOL, re.DOTALL)
    assert len(examples) == PROTOCOL.count("```http") / 2 == 12
    _documented_site(installation, clock)
    _no_chance(monkeypatch)
    for asked, expected in examples:
        method, path, headers, body = _request(asked)
        answered = installation.open(path, method, headers=headers, data=body or None)
        status, _, content = expected.partition("\n\n")
        assert status.splitlines()[0] == f"HTTP/1.1 {answered.status}"
        assert answered.get_data(as_text=True) == content


def test_the_examples_token_is_made_of_what_is_shown() -> None:
    shown = [
        json.loads(part)
        for part in re.findall(r"`({.*?})`", PROTOCOL)
        if '"alg"' in part or '"aud"' in part
    ]
    token = re.search(r"Bearer (\S+\.\S+\.\S+)", PROTOCOL)
    assert token is not None
    parts = token[1].split(".")[:2]
    assert [json.loads(base64.urlsafe_b64decode(part + "==")) for part in parts] == shown


def test_what_is_signed_is_what_is_shown() -> None:
    assert "`msg_1.1767225600.`" in PROTOCOL
    assert "`msg_2.1767225600.GET /v1/store/devices`" in PROTOCOL


def _documented_site(installation: Installation, clock: Clock) -> None:
    """The site that the page's introduction describes."""
    said = re.search(r"site is `(\S+)`, its secret `(\S+)`, .* time is (\S+Z)\.", PROTOCOL)
    assert said is not None
    clock.now = datetime.fromisoformat(said[3]).astimezone(UTC)
    key = base64.urlsafe_b64decode(said[2] + "=" * (-len(said[2]) % 4))
    site = Site(said[1], "Shop", SHOP, frozenset({SHOP}), (SiteSecret(key),))
    installation.bridge.records.add_site(site, clock.now)
    with installation.bridge.records.begin(site.id) as work:
        installation.bridge.sites.connect(work, _connection(), clock.now)


def _connection() -> StoreConnection:
    """The store's, with keys that nothing is asked with here."""
    secret = re.search(r"`(\S+)` as the secret of its WooCommerce webhooks", PROTOCOL)
    assert secret is not None
    return StoreConnection(
        store_url=SHOP,
        rest_url=f"{SHOP}/wp-json/",
        name="Shop",
        origins=(SHOP,),
        plugin_version="1",
        wordpress_version="6.7",
        woocommerce_version="9.5.1",
        timezone="UTC",
        woocommerce={"consumer_key": "k", "consumer_secret": "s", "webhook_secret": secret[1]},
    )


def _no_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code, the token and the device id of the examples, in place of random ones."""
    drawn = iter(re.findall(r'"(?:code|token)":"([\w-]{14}|[\w-]{43})"', PROTOCOL)[::2])
    device = re.search(r'"id":"dev_(\w+)"', PROTOCOL)
    assert device is not None
    monkeypatch.setattr("bridge.services.pair.secrets.token_urlsafe", lambda _: next(drawn))
    monkeypatch.setattr("bridge.services.pair.secrets.token_hex", lambda _: device[1])


def _request(text: str) -> tuple[str, str, dict[str, str], str]:
    head, _, body = text.partition("\n\n")
    first, *lines = head.splitlines()
    method, path, _ = first.split(" ")
    return method, path, dict(line.split(": ", 1) for line in lines), body


_SAMPLES: dict[str, Any] = {
    "conversation": "c",
    "page": "p",
    "seq": 1,
    "visitor": "v",
    "message.id": "m",
    "message.text": "Hello",
    "message.author": "visitor",
    "message.name": "Jane",
    "message.email": "jane@example.com",
    "url": "https://shop.example/",
    "title": "Shop",
    "customer": {"id": "1", "email": "jane@example.com", "name": "Jane"},
    "order": {"id": "1", "number": "1", "total": "1.00", "currency": "EUR"},
    "cart": {"items": [], "total": "0.00", "currency": "EUR"},
}


def _rows() -> list[tuple[str, list[str] | None, list[str], list[str]]]:
    """The events' table: type, what a page needs, what the store needs, what it may have."""
    rows = []
    table = PROTOCOL.partition("| a page needs |")[2].partition("\n\n")[0]
    for row in re.findall(r"^\| `([a-z_]+)` \| (.*?) \| (.*?) \|(.*?)\|$", table, re.MULTILINE):
        kind, page, store, further = row
        fields = [re.findall(r"`([\w.]+)`", cell) for cell in (page, store, further)]
        rows.append((kind, None if page == "store only" else fields[0], fields[1], fields[2]))
    return rows


def test_every_type_of_event_is_in_the_table() -> None:
    documented = [row[0] for row in _rows()]
    known = next(each for each in msgspec.structs.fields(Event) if each.name == "type")
    assert documented == list(get_args(known.type))


@pytest.mark.parametrize(("kind", "page", "store", "further"), _rows())
def test_each_type_needs_the_fields_of_the_table_and_no_others(
    installation: Installation,
    store: list[str],
    kind: str,
    page: list[str] | None,
    further: list[str],
) -> None:
    shop = installation.add_store()
    senders: list[tuple[Store | Visitor, list[str] | None]] = [
        (shop, store),
        (shop.visitor(), page),
    ]
    for sender, needed in senders:
        if needed is None:
            assert _outcome(sender, kind, store) == "store-only"
            continue
        assert _outcome(sender, kind, needed) in ("taken", "message-not-found")
        assert _outcome(sender, kind, [*needed, *further]) in ("taken", "message-not-found")
        for missing in needed:
            assert _outcome(sender, kind, [name for name in needed if name != missing]) in (
                "invalid",
                *(f"{word}-required" for word in (missing.partition(".")[0], "message")),
            )


def _outcome(sender: Store | Visitor, kind: str, fields: list[str]) -> str:
    happened = event(kind)
    for name in fields:
        whole, _, part = name.partition(".")
        if part:
            happened.setdefault(whole, {})[part] = _SAMPLES[name]
        else:
            happened[name] = _SAMPLES[name]
    if kind == "conversation_deleted":
        sender.results(event("page_view", "c", page="p", seq=1))
    [result] = sender.results(happened)
    code: str = result.get("code", "taken")
    return code

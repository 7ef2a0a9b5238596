"""Tokens and secrets are in no log line, no error and no ``repr``."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import structlog

from bridge.api import events, schemas
from bridge.api.signed_requests import SignedRequest
from bridge.api.signing import read_token
from bridge.logs import configure_logging
from bridge.ports import Agent, StoreConnection
from tests.api.device import App
from tests.api.installation import Clock, Installation
from tests.api.store import Store
from tests.api.test_store_connect import CONNECTION
from tests.api.visitor import message

TEXT = "What the visitor wrote is nobody's business"


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Logging as a running bridge sets it up."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging()
    yield capsys
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def test_no_log_line_and_no_error_holds_a_secret(
    installation: Installation,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    logged: pytest.CaptureFixture[str],
) -> None:
    """In everything that goes well and everything that fails, a fault of our own included."""
    visitor = store.visitor()
    offered = store.offer()
    app = App.paired(installation, offered["code"])
    token, said = visitor.token(), message("c", TEXT, name="Jane Doe", email="jane@example.com")
    keys = CONNECTION["woocommerce"].values()
    secrets = [store.secret, offered["code"], app.token, token, TEXT, "jane@example.com", *keys]

    def everything() -> list[str]:
        answers = [
            visitor.send(said, token=token, described=False),
            visitor.send(said, token=f"{token}x", described=False),
            visitor.post(b"no JSON", described=False),
            visitor.post({"events": [{**said, "page": 7}], "token": token}, token=""),
            installation.open("/v1/pair", "POST", json={"code": offered["code"], "device": {}}),
            installation.open(
                "/v1/pair", "POST", json={"code": offered["code"], "device": {"label": "x"}}
            ),
            installation.open(f"/v1/me?token={app.token}", described=False),
            app.request("POST", "/v1/me"),
            app.get(f"/v1/conversations/{app.token}", described=False),
            app.get(f"/v1/conversations?sort={app.token}", described=False),
            store.request("POST", "/v1/store/connect", {**CONNECTION, "name": 7}),
            store.request("POST", "/v1/store/connect", CONNECTION, described=False),
            store.get("/v1/store/status", headers={"webhook-signature": store.secret}),
        ]
        return [answered.get_data(as_text=True) for answered in answers]

    bodies = everything()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"a library that quotes {' '.join(secrets)}")

    monkeypatch.setattr(type(installation.bridge.records), "begin", fail)
    monkeypatch.setattr(type(installation.bridge.records), "list_conversations", fail)
    client = installation.app.test_client()
    headers = {"Authorization": f"Bearer {app.token}"}
    failed = [
        client.get(f"/v1/conversations?q={app.token}", headers=headers),
        client.post("/v1/visitor/events", json={"events": [said], "token": token}),
        client.delete("/v1/me", headers=headers),
    ]
    assert [answered.status_code for answered in failed] == [500] * 3
    bodies += [answered.get_data(as_text=True) for answered in failed]
    captured = logged.readouterr()
    assert captured.out.count("request failed") == 3
    assert captured.out.count("RuntimeError") == 3
    for secret in secrets:
        assert secret not in captured.out + captured.err
        for body in bodies:
            assert secret not in body or '"unread"' in body


def test_no_repr_holds_a_secret(installation: Installation, store: Store, clock: Clock) -> None:
    visitor = store.visitor()
    token = visitor.token()
    site = installation.bridge.records.site(store.site)
    assert site is not None
    verified = read_token(token, site.keys(clock.now), clock.now)
    with installation.bridge.records.begin(store.site) as work:
        offer = installation.bridge.services.devices.offer(
            work, Agent("1", "Sam"), frozenset(), clock.now
        )
    paired = installation.bridge.services.devices.pair(offer.code, "x", "y", clock.now)
    assert paired is not None
    connection = StoreConnection(**{**CONNECTION, "origins": tuple(CONNECTION["origins"])})
    keys = CONNECTION["woocommerce"]
    secrets = [store.secret, token, offer.code, paired.token, *keys.values()]
    secrets += [repr(site.secrets[0].key), repr(verified.key)]
    body = msgspec.json.encode({"events": [], "token": token})
    holders: list[Any] = [
        installation.settings,
        installation.bridge,
        site,
        verified,
        offer,
        paired,
        connection,
        installation.bridge.sites.add("Shop", "https://new.example", clock.now),
        SignedRequest(site, "msg_1", clock.now + timedelta(), msgspec.json.encode(CONNECTION)),
        events.read_batch(msgspec.json.encode({"events": [{}], "token": token})),
        msgspec.convert(CONNECTION, schemas.StoreConnect),
        schemas.VisitorEvents([], token),
        schemas.PairingOffer(offer.code, f"https://bridge/#pair={offer.code}", ""),
        schemas.PairRequest(offer.code, schemas.PairDevice("x")),
        schemas.Paired(paired.token, *[None] * 3),  # type: ignore[arg-type]  # only the token matters
    ]
    assert token.encode() in body
    for holder in holders:
        shown = f"{holder!r} {holder}"
        assert type(holder).__name__ in shown
        assert not [secret for secret in secrets if secret in shown], type(holder).__name__
        assert installation.settings.secret_key not in shown

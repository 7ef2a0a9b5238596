"""``/v1/store/devices`` and ``/v1/store/agents``: the paired devices, and signing them out."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.api.description import refused
from tests.api.device import App
from tests.api.installation import Clock
from tests.api.store import Store

DEVICES = "/v1/store/devices"


def devices(store: Store) -> list[str]:
    return [each["id"] for each in store.get(DEVICES).get_json()["devices"]]


def test_no_devices(store: Store) -> None:
    assert store.get(DEVICES).get_json() == {"devices": []}


def test_a_device_is_listed_as_it_sees_itself(store: Store, app: App) -> None:
    assert store.get(DEVICES).get_json() == {"devices": [app.get("/v1/me").get_json()["device"]]}


def test_those_seen_last_come_first(store: Store, clock: Clock) -> None:
    first = store.app()
    clock.advance(minutes=1)
    second = store.app()
    assert devices(store) == [second.device, first.device]
    clock.advance(minutes=1)
    first.get("/v1/me")
    assert devices(store) == [first.device, second.device]


def test_a_device_is_signed_out_at_once(store: Store) -> None:
    phone, tablet = store.app(), store.app()
    answered = store.request("DELETE", f"{DEVICES}/{phone.device}")
    assert (answered.status_code, answered.get_json()) == (200, {"devices": 1})
    for path in ("/v1/me", "/v1/conversations"):
        refused(phone.get(path), 401, "device-unknown")
    assert tablet.get("/v1/me").status_code == 200
    assert devices(store) == [tablet.device]


@pytest.mark.parametrize("device", ["dev_0000000000000000", "DEV_1", "x" * 129, "ü", "\n", "\0"])
def test_a_device_that_is_not_there(store: Store, app: App, device: str) -> None:
    refused(store.request("DELETE", f"{DEVICES}/{quote(device)}"), 404, "not-found")
    assert devices(store) == [app.device]


def test_a_device_is_signed_out_once(store: Store, app: App) -> None:
    assert store.request("DELETE", f"{DEVICES}/{app.device}").status_code == 200
    refused(store.request("DELETE", f"{DEVICES}/{app.device}"), 404, "not-found")


def test_another_sites_device_is_not_there(store: Store, other_store: Store) -> None:
    app = other_store.app()
    refused(store.request("DELETE", f"{DEVICES}/{app.device}"), 404, "not-found")
    assert app.get("/v1/me").status_code == 200
    assert devices(store) == []


def test_all_devices_of_one_person_are_signed_out_at_once(store: Store) -> None:
    mine = [store.app("1", "Sam") for _ in range(3)]
    other = store.app("2", "Kim")
    answered = store.request("DELETE", "/v1/store/agents/1")
    assert (answered.status_code, answered.get_json()) == (200, {"devices": 3})
    for app in mine:
        refused(app.get("/v1/me"), 401, "device-unknown")
    assert other.get("/v1/me").status_code == 200
    assert store.request("DELETE", "/v1/store/agents/1").get_json() == {"devices": 0}


def test_a_person_of_another_site_is_another_person(store: Store, other_store: Store) -> None:
    app = other_store.app("1", "Sam")
    assert store.request("DELETE", "/v1/store/agents/1").get_json() == {"devices": 0}
    assert app.get("/v1/me").status_code == 200


@pytest.mark.parametrize("agent", ["a b", "ü", "cli:sam", "a/b", "a%2Fb", "x" * 128, "Sam@shop"])
def test_a_persons_id_may_have_any_printable_characters(store: Store, agent: str) -> None:
    store.app(agent)
    path = f"/v1/store/agents/{quote(agent, safe='')}"
    assert store.request("DELETE", path).get_json() == {"devices": 1}


def test_persons_ids_are_case_sensitive(store: Store) -> None:
    store.app("sam")
    assert store.request("DELETE", "/v1/store/agents/SAM").get_json() == {"devices": 0}


@pytest.mark.parametrize("path", ["/v1/store/agents/1", DEVICES + "/{}"])
def test_a_delete_needs_no_body_and_may_have_one(store: Store, path: str) -> None:
    json = {"Content-Type": "application/json"}
    first = path.format(store.app().device)
    assert store.request("DELETE", first, headers=json).get_json() == {"devices": 1}
    second = path.format(store.app().device)
    assert store.request("DELETE", second, b"no JSON", headers=json).get_json() == {"devices": 1}

"""``…/watch``: who has a conversation on the screen, and for how long (D1, D4)."""

from __future__ import annotations

import pytest

from tests.api.description import refused
from tests.api.device import App
from tests.api.installation import Clock, Installation, SetUp
from tests.api.store import Store
from tests.api.visitor import Page, Visitor, event

SAM, KIM = {"id": "1", "name": "Sam"}, {"id": "2", "name": "Kim"}
LEASE = 45


@pytest.fixture
def page(visitor: Visitor) -> Page:
    """A page on which somebody is."""
    page = visitor.page("c")
    page.view()
    return page


def watchers(app: App) -> list[dict[str, str]]:
    found: list[dict[str, str]] = app.conversation("c")["watchers"]
    return found


@pytest.mark.usefixtures("page")
def test_d4_a_watch_is_a_lease_of_45_seconds(app: App, clock: Clock) -> None:
    answered = app.watch("c")
    assert answered.status_code == 200
    assert answered.get_json() == {"expires_at": "2026-03-02T09:30:45.123Z"}
    assert watchers(app) == [SAM]
    clock.advance(seconds=LEASE - 0.001)
    assert watchers(app) == [SAM]
    clock.advance(seconds=0.001)
    assert watchers(app) == []


@pytest.mark.usefixtures("page")
def test_d4_a_watch_is_renewed(app: App, clock: Clock) -> None:
    app.watch("c")
    clock.advance(seconds=40)
    assert app.watch("c").get_json() == {"expires_at": "2026-03-02T09:31:25.123Z"}
    clock.advance(seconds=40)
    assert watchers(app) == [SAM]


@pytest.mark.usefixtures("page")
def test_d4_leaving_ends_it_at_once_and_twice_is_as_good(app: App) -> None:
    app.watch("c")
    for _ in range(2):
        answered = app.leave("c")
        assert (answered.status_code, answered.data) == (204, b"")
        assert watchers(app) == []


@pytest.mark.usefixtures("page")
def test_d4_each_sees_who_else_watches(app: App, kim: App, clock: Clock) -> None:
    app.watch("c")
    clock.advance(seconds=1)
    kim.watch("c")
    assert watchers(app) == watchers(kim) == [SAM, KIM]
    app.leave("c")
    assert watchers(kim) == [KIM]


@pytest.mark.usefixtures("page")
def test_d4_two_devices_of_one_agent_are_two_leases_and_one_person(store: Store) -> None:
    phone, tablet = store.app(), store.app()
    phone.watch("c")
    tablet.watch("c")
    assert watchers(phone) == [SAM]
    phone.leave("c")
    assert watchers(phone) == [SAM]
    tablet.leave("c")
    assert watchers(phone) == []


@pytest.mark.usefixtures("page")
def test_d4_signing_out_ends_the_devices_watches(app: App, kim: App, store: Store) -> None:
    app.watch("c")
    kim.watch("c")
    app.request("DELETE", "/v1/me")
    assert watchers(kim) == [KIM]
    store.request("DELETE", "/v1/store/agents/2")
    assert watchers(store.app("3", "Eve")) == []


def test_d1_d2_a_page_beats_every_10_seconds_while_it_is_watched(
    page: Page, app: App, clock: Clock
) -> None:
    def told() -> float:
        clock.advance(seconds=1)
        return float(page.beat()["conversations"]["c"]["heartbeat_seconds"])

    assert told() == 60
    app.watch("c")
    assert told() == 10
    app.leave("c")
    assert told() == 60
    app.watch("c")
    assert told() == 10
    clock.advance(seconds=LEASE)
    assert told() == 60


def test_d1_the_last_of_two_watchers_ends_demand(page: Page, app: App, kim: App) -> None:
    app.watch("c")
    kim.watch("c")
    app.leave("c")
    assert page.beat()["conversations"]["c"]["heartbeat_seconds"] == 10
    kim.leave("c")
    assert page.beat()["conversations"]["c"]["heartbeat_seconds"] == 60


def test_d2_nobody_beats_in_a_cleared_chat_whoever_watches(page: Page, app: App) -> None:
    app.watch("c")
    assert page.clear()["conversations"]["c"]["heartbeat_seconds"] == 0
    app.watch("c")
    answered = page.visitor.send(page.event("heartbeat")).get_json()
    assert answered["conversations"]["c"]["heartbeat_seconds"] == 0


def test_n2_heard_at_becomes_newer_than_the_watch_if_somebody_is_there(
    page: Page, app: App, clock: Clock
) -> None:
    clock.advance(seconds=30)
    app.watch("c")
    began = "2026-03-02T09:30:30.123Z"
    assert app.presence("c")["heard_at"] < began
    clock.advance(seconds=1)
    page.beat()
    assert app.presence("c")["heard_at"] > began


@pytest.mark.usefixtures("page")
def test_watching_begins_and_ends_with_a_revision_and_renewing_has_none(
    app: App, clock: Clock
) -> None:
    revisions = [app.listing()["rev"]]
    for ask in (app.watch, app.leave, app.watch):
        ask("c")
        revisions.append(app.listing()["rev"])
    assert revisions == sorted(set(revisions))
    clock.advance(seconds=30)
    app.watch("c")
    assert app.listing()["rev"] == revisions[-1]


@pytest.mark.usefixtures("page")
def test_watching_changes_the_etag(app: App, kim: App) -> None:
    path = "/v1/conversations/c"
    etag = app.get(path).headers["ETag"]
    kim.watch("c")
    seen = app.get(path, headers={"If-None-Match": etag})
    assert seen.status_code == 200
    assert seen.get_json()["watchers"] == [KIM]
    assert app.get(path, headers={"If-None-Match": seen.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("conversation", ["nowhere", "x" * 129, "a\nb"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_what_is_not_there_cannot_be_watched(
    page: Page, app: App, conversation: str, method: str
) -> None:
    ask = app.watch if method == "PUT" else app.leave
    refused(ask(conversation), 404, "not-found")


def test_what_was_deleted_cannot_be_watched(page: Page, app: App, store: Store) -> None:
    app.watch("c")
    store.results(event("conversation_deleted", "c"))
    refused(app.watch("c"), 404, "not-found")
    refused(app.leave("c"), 404, "not-found")


@pytest.mark.usefixtures("page")
def test_a_watch_needs_the_right_to_read(store: Store) -> None:
    reader = store.app("3", "Eve", ("conversations:read",))
    assert reader.watch("c").status_code == 200
    assert reader.leave("c").status_code == 204
    stranger = store.app("4", "Ann", ("takeover", "push"))
    refused(stranger.watch("c"), 403, "right-missing")
    refused(stranger.leave("c"), 403, "right-missing")


@pytest.mark.usefixtures("page")
def test_without_a_token_nobody_watches(installation: Installation, app: App) -> None:
    for method in ("PUT", "DELETE"):
        answered = installation.open("/v1/conversations/c/watch", method)
        refused(answered, 401, "token-missing")
    assert watchers(app) == []


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize("body", [b"", b"{}", b'{"x": 1}', b"no JSON"])
def test_a_body_is_not_needed_and_a_content_type_no_matter(app: App, body: bytes) -> None:
    for method, status in (("PUT", 200), ("DELETE", 204)):
        answered = app.request(
            method, "/v1/conversations/c/watch", data=body, content_type="application/json"
        )
        assert answered.status_code == status


@pytest.mark.usefixtures("page")
def test_d4_a_watch_outlives_a_restart_no_longer_than_its_lease(
    installation: Installation, app: App, clock: Clock
) -> None:
    app.watch("c")
    clock.advance(seconds=20)
    installation.restart()
    assert watchers(app) == [SAM]
    clock.advance(seconds=25)
    assert watchers(app) == []


def test_the_lease_is_a_setting(set_up: SetUp, clock: Clock) -> None:
    store = set_up(watch_lease_seconds=2.5).add_store()
    store.visitor().page("c").view()
    app = store.app()
    assert app.watch("c").get_json() == {"expires_at": "2026-03-02T09:30:02.623Z"}
    clock.advance(seconds=2.5)
    assert watchers(app) == []

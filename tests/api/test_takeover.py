"""``…/takeover``: one agent answers instead of the AI (T1 to T6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bridge.api import body
from tests.api.description import refused
from tests.api.device import RIGHTS, App
from tests.api.installation import Clock, Installation, SetUp
from tests.api.store import Store
from tests.api.visitor import Page, Visitor, event, message

SAM, KIM = {"id": "1", "name": "Sam"}, {"id": "2", "name": "Kim"}
PATH = "/v1/conversations/c/takeover"
IDLE_MINUTES = 30
UNHEARD_MINUTES = 15


@pytest.fixture
def page(visitor: Visitor) -> Page:
    """A page on which somebody is."""
    page = visitor.page("c")
    page.view()
    return page


def owner(app: App) -> dict[str, str] | None:
    taken: dict[str, Any] | None = app.conversation("c")["takeover"]
    return None if taken is None else taken["agent"]


def said_by_system(app: App) -> list[str]:
    found = app.messages("c", limit=100)["messages"]
    return [each["text"] for each in found if each["author"] == "system"]


# ----------------------------------------------------------------------------- T1, T2


@pytest.mark.usefixtures("page")
def test_taking_over_answers_with_the_conversation(app: App) -> None:
    answered = app.take_over("c")
    assert answered.status_code == 200
    taken = answered.get_json()
    assert taken == app.conversation("c")
    assert taken["takeover"] == {"agent": SAM, "since": "2026-03-02T09:30:00.123Z"}
    assert taken["last_message"]["author"] == "system"
    assert app.listing()["conversations"] == [taken]


@pytest.mark.usefixtures("page")
def test_t1_another_agent_is_told_whose_it_is(app: App, kim: App) -> None:
    app.take_over("c")
    problem = refused(kim.take_over("c"), 409, "takeover-owned")
    assert problem["owner"] == SAM
    assert owner(kim) == SAM
    assert len(said_by_system(app)) == 1


@pytest.mark.usefixtures("page")
def test_t1_taking_over_again_changes_nothing(app: App, store: Store, clock: Clock) -> None:
    first = app.take_over("c").get_json()
    clock.advance(seconds=5)
    for device in (app, store.app()):
        again = device.take_over("c")
        assert again.status_code == 200
        assert again.get_json()["takeover"] == first["takeover"]
        assert again.get_json()["rev"] == first["rev"]
    assert len(said_by_system(app)) == 1


def test_d1_a_takeover_is_demand_and_every_answer_says_how_long_it_would_last(
    page: Page, app: App, store: Store
) -> None:
    app.take_over("c")
    ends = "2026-03-02T10:00:00.123Z"
    told = page.beat()["conversations"]["c"]
    assert (told["heartbeat_seconds"], told["takeover"]) == (10, True)
    assert told["takeover_expires_at"] == ends
    answered = store.send(message("c", author="bot")).get_json()["conversations"]["c"]
    assert (answered["takeover"], answered["takeover_expires_at"]) == (True, ends)
    app.release("c")
    told = page.beat()["conversations"]["c"]
    assert (told["heartbeat_seconds"], told["takeover"]) == (60, False)
    assert told["takeover_expires_at"] is None


@pytest.mark.usefixtures("page")
def test_mine_are_those_that_this_agent_has_taken_over(
    app: App, kim: App, store: Store, visitor: Visitor
) -> None:
    visitor.page("d", "p_2").view()
    visitor.page("e", "p_3").view()
    app.take_over("c")
    kim.take_over("d")
    for query in ({}, {"sort": "recent"}, {"presence": "online"}):
        assert app.listed(mine="true", **query) == ["c"]
        assert kim.listed(mine="true", **query) == ["d"]
        assert store.app("3", "Eve").listed(mine="true", **query) == []
        assert sorted(app.listed(mine="false", **query)) == ["c", "d", "e"]
    assert app.listed(mine="true", presence="offline") == []
    assert app.pages(mine="true", limit=1) == [["c"]]
    app.release("c")
    assert app.listed(mine="true") == []


@pytest.mark.usefixtures("page")
def test_a_takeover_changes_the_etags(app: App, kim: App) -> None:
    paths = ("/v1/conversations", "/v1/conversations/c", "/v1/conversations?mine=true")
    for ask in (kim.take_over, kim.release):
        tags = {path: kim.get(path).headers["ETag"] for path in paths}
        ask("c")
        for path, etag in tags.items():
            assert kim.get(path, headers={"If-None-Match": etag}).status_code == 200, path


# --------------------------------------------------------------------------------- T5


def leave_it(page: Page, clock: Clock) -> None:
    page.unload()
    clock.advance(seconds=15)


def lose_it(page: Page, clock: Clock) -> None:
    clock.advance(minutes=10)


def clear_it(page: Page, clock: Clock) -> None:
    page.clear()


def move_on(page: Page, clock: Clock) -> None:
    page.unload()
    clock.advance(seconds=20)
    page.visitor.installation.bridge.sweep.settle(clock.now)
    page.visitor.page("d", "p_9").view()


Absence = Callable[[Page, Clock], None]
absences = pytest.mark.parametrize(
    ("absence", "code"),
    [
        (leave_it, "left"),
        (lose_it, "timed_out"),
        (clear_it, "chat_cleared"),
        (move_on, "moved_on"),
    ],
)


@absences
def test_t5_the_note_must_be_read_before_taking_over(
    page: Page, app: App, clock: Clock, absence: Absence, code: str
) -> None:
    absence(page, clock)
    note = app.presence("c")["note"]
    assert note["code"] == code
    others = {"left", "timed_out", "chat_cleared", "moved_on", "switching_pages", ""} - {code}
    for acknowledge in (None, *sorted(others), code.upper()):
        problem = refused(app.take_over("c", acknowledge), 409, "presence-note")
        assert problem["note"] == note
    assert (owner(app), said_by_system(app)) == (None, [])
    assert app.take_over("c", code).status_code == 200
    assert owner(app) == SAM


@absences
def test_t5_an_owner_is_not_asked_again(
    page: Page, app: App, clock: Clock, absence: Absence, code: str
) -> None:
    absence(page, clock)
    app.take_over("c", code)
    assert app.take_over("c").status_code == 200
    assert app.take_over("c", "left").status_code == 200


@absences
def test_t1_whose_it_is_comes_before_the_note(
    page: Page, app: App, kim: App, clock: Clock, absence: Absence, code: str
) -> None:
    absence(page, clock)
    app.take_over("c", code)
    for acknowledge in (None, code):
        problem = refused(kim.take_over("c", acknowledge), 409, "takeover-owned")
        assert problem["owner"] == SAM


@pytest.mark.parametrize("acknowledge", [None, "left", "switching_pages", "anything"])
@pytest.mark.parametrize("unloads", [False, True])
def test_t5_while_somebody_is_there_what_is_acknowledged_is_ignored(
    page: Page, app: App, acknowledge: str | None, unloads: bool
) -> None:
    if unloads:
        page.unload()
    assert app.presence("c")["state"] == ("switching_pages" if unloads else "online")
    assert app.take_over("c", acknowledge).status_code == 200


def test_t5_the_note_of_this_moment_counts_not_that_of_the_last_look(
    page: Page, app: App, clock: Clock
) -> None:
    page.unload()
    assert app.presence("c")["state"] == "switching_pages"
    clock.advance(seconds=15)
    problem = refused(app.take_over("c", "switching_pages"), 409, "presence-note")
    assert problem["note"]["code"] == "left"
    page.visitor.page("c", "p_2").view()
    assert app.take_over("c").status_code == 200


def test_t5_the_note_is_that_of_now_though_the_sweep_has_not_come_yet(
    page: Page, app: App, clock: Clock
) -> None:
    page.unload()
    clock.advance(seconds=20)
    page.visitor.page("d", "p_9").view()
    problem = refused(app.take_over("c"), 409, "presence-note")
    assert problem["note"]["code"] == "moved_on"
    assert app.take_over("c", "moved_on").status_code == 200


# --------------------------------------------------------------------------------- T3


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize("query", ["", "?force=false", "?force=true"])
def test_t3_the_owner_releases_it(kim: App, query: str) -> None:
    kim.take_over("c")
    answered = kim.release("c", query)
    assert (answered.status_code, answered.data) == (204, b"")
    assert owner(kim) is None
    assert kim.release("c", query).status_code == 204
    assert len(said_by_system(kim)) == 2


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize("query", ["", "?force=false"])
def test_t3_another_does_not_without_force(app: App, kim: App, query: str) -> None:
    kim.take_over("c")
    problem = refused(app.release("c", query), 409, "takeover-owned")
    assert problem["owner"] == KIM
    assert owner(app) == KIM


@pytest.mark.usefixtures("page")
def test_t3_force_is_a_right(app: App, kim: App, store: Store) -> None:
    kim.take_over("c")
    assert app.release("c", "?force=true").status_code == 204
    assert owner(kim) is None
    assert "Sam" in said_by_system(kim)[-1]
    app.take_over("c")
    refused(kim.release("c", "?force=true"), 403, "right-missing")
    assert owner(kim) == SAM


@pytest.mark.usefixtures("page")
def test_t3_anybody_may_once_all_of_the_owners_devices_are_unheard(
    app: App, kim: App, store: Store, clock: Clock
) -> None:
    tablet = store.app()
    app.take_over("c")
    clock.advance(minutes=UNHEARD_MINUTES - 1)
    tablet.get("/v1/me")
    clock.advance(minutes=UNHEARD_MINUTES - 1)
    refused(kim.release("c", "?force=true"), 403, "right-missing")
    clock.advance(minutes=1)
    refused(kim.release("c"), 409, "takeover-owned")
    assert kim.release("c", "?force=true").status_code == 204
    assert owner(kim) is None


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize("force", ["", "1", "yes", "True", "TRUE"])
def test_force_is_true_or_false(app: App, force: str) -> None:
    app.take_over("c")
    problem = refused(app.release("c", f"?force={force}"), 422, "invalid")
    assert problem["errors"][0]["pointer"] == "/force"
    assert owner(app) == SAM


@pytest.mark.usefixtures("page")
def test_t3_it_ends_by_itself_after_30_minutes(app: App, clock: Clock) -> None:
    app.take_over("c")
    clock.advance(minutes=IDLE_MINUTES, seconds=-1)
    assert owner(app) == SAM
    clock.advance(seconds=1)
    assert owner(app) is None
    clock.advance(minutes=5)
    ended = app.messages("c")["messages"][-1]
    assert (ended["author"], ended["at"]) == ("system", "2026-03-02T10:00:00.123Z")


@pytest.mark.usefixtures("page")
def test_t3_writing_and_watching_keep_it_and_reading_does_not(app: App, clock: Clock) -> None:
    app.take_over("c")
    clock.advance(minutes=29)
    app.write("c", "Still here")
    clock.advance(minutes=29)
    app.watch("c")
    clock.advance(minutes=30)
    assert owner(app) == SAM, "30 minutes after the lease of 45 seconds, not after its beginning"
    app.read("c")
    clock.advance(seconds=45)
    assert owner(app) is None


@pytest.mark.usefixtures("page")
def test_t3_another_who_watches_does_not_keep_it(app: App, kim: App, clock: Clock) -> None:
    app.take_over("c")
    for _ in range(60):
        clock.advance(seconds=30)
        kim.watch("c")
    assert owner(kim) is None


@pytest.mark.usefixtures("page")
def test_t3_it_ends_with_the_owners_last_device(app: App, kim: App, store: Store) -> None:
    tablet = store.app()
    app.take_over("c")
    app.request("DELETE", "/v1/me")
    assert owner(kim) == SAM
    tablet.request("DELETE", "/v1/me")
    assert owner(kim) is None
    assert len(said_by_system(kim)) == 2


@pytest.mark.usefixtures("page")
def test_t3_the_store_signs_the_owner_out(app: App, kim: App, store: Store) -> None:
    app.take_over("c")
    store.request("DELETE", f"/v1/store/devices/{app.device}")
    assert owner(kim) is None
    kim.take_over("c")
    store.request("DELETE", "/v1/store/agents/2")
    assert owner(store.app("3", "Eve")) is None


def test_p7_a_clear_ends_it_with_one_line(page: Page, app: App) -> None:
    app.take_over("c")
    page.clear()
    assert owner(app) is None
    assert len(said_by_system(app)) == 2
    refused(app.send("c", {"client_id": "1", "text": "x"}), 409, "takeover-required")


@pytest.mark.usefixtures("page")
def test_t4_each_beginning_and_end_leaves_one_line(app: App, kim: App, clock: Clock) -> None:
    kim.take_over("c")
    kim.release("c")
    kim.take_over("c")
    app.release("c", "?force=true")
    app.take_over("c")
    clock.advance(minutes=IDLE_MINUTES)
    assert owner(app) is None
    lines = said_by_system(app)
    assert len(lines) == 6
    assert [name for line in lines for name in ("Sam", "Kim") if line.startswith(name)] == [
        "Kim",
        "Kim",
        "Kim",
        "Sam",
        "Sam",
        "Sam",
    ]


@pytest.mark.usefixtures("page")
def test_t3_a_takeover_outlives_a_restart(installation: Installation, app: App) -> None:
    app.take_over("c")
    installation.restart()
    assert owner(app) == SAM
    assert app.write("c", "Hello")["delivery"] == "queued"


def test_t3_one_that_ended_while_the_bridge_was_away_ended_in_time(
    page: Page, installation: Installation, app: App, clock: Clock
) -> None:
    app.take_over("c")
    clock.advance(hours=2)
    installation.restart()
    assert owner(app) is None
    ended = app.messages("c")["messages"][-1]
    assert ended["at"] == "2026-03-02T10:00:00.123Z"


def test_the_time_until_it_ends_by_itself_is_a_setting(set_up: SetUp, clock: Clock) -> None:
    store = set_up(takeover_idle_minutes=0.05).add_store()
    page = store.visitor().page("c")
    page.view()
    app = store.app()
    app.take_over("c")
    told = page.beat()["conversations"]["c"]
    assert told["takeover_expires_at"] == "2026-03-02T09:30:03.123Z"
    clock.advance(seconds=3)
    assert owner(app) is None


# -------------------------------------------------------------------------- bad input


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize("right", RIGHTS)
def test_only_who_may_takes_over(store: Store, right: str) -> None:
    app = store.app("3", "Eve", ("conversations:read", right))
    if right == "takeover":
        assert app.take_over("c").status_code == 200
        assert app.release("c").status_code == 204
    else:
        refused(app.take_over("c"), 403, "right-missing")
        refused(app.release("c"), 403, "right-missing")
        assert owner(app) is None


@pytest.mark.usefixtures("page")
def test_taking_over_shows_the_conversation_and_so_needs_the_right_to_read(store: Store) -> None:
    app = store.app("3", "Eve", ("takeover",))
    refused(app.take_over("c"), 403, "right-missing")


@pytest.mark.usefixtures("page")
def test_without_a_token_nobody_takes_over(installation: Installation, app: App) -> None:
    for method in ("PUT", "DELETE"):
        refused(installation.open(PATH, method), 401, "token-missing")
    assert owner(app) is None


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"no JSON", 400, "malformed-json"),
        (b"{", 400, "malformed-json"),
        (b"\xff", 400, "malformed-json"),
        (b"[]", 422, "invalid"),
        (b"null", 422, "invalid"),
        (b'"left"', 422, "invalid"),
        (b'{"acknowledge": 7}', 422, "invalid"),
        (b'{"acknowledge": {"code": "left"}}', 422, "invalid"),
        (b'{"acknowledge": "%s"}' % (b"x" * 65), 422, "invalid"),
        (b'{"acknowledge": "\\u0000"}', 422, "character-not-allowed"),
        (b'{"acknowledge": "\\ud800"}', 422, "character-not-allowed"),
        (b'{"x": "%s"}' % (b"x" * body.AGENT_LIMIT), 413, "body-too-large"),
    ],
)
def test_a_body_that_is_wrong(app: App, content: bytes, status: int, code: str) -> None:
    answered = app.request("PUT", PATH, data=content, content_type="application/json")
    refused(answered, status, code)
    assert owner(app) is None


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"acknowledge": null}', b'{"note": 1, "acknowledge": "left"}']
)
def test_a_body_that_is_right(app: App, content: bytes) -> None:
    answered = app.request("PUT", PATH, data=content, content_type="application/json")
    assert answered.status_code == 200
    assert app.request("DELETE", PATH, content_type="application/json").status_code == 204


@pytest.mark.usefixtures("page")
def test_a_body_of_another_type(app: App) -> None:
    for media_type in ("text/plain", "application/x-www-form-urlencoded", None):
        answered = app.request("PUT", PATH, data=b"{}", content_type=media_type)
        refused(answered, 415, "unsupported-media-type")


@pytest.mark.parametrize("conversation", ["nowhere", "C", "deleted"])
def test_what_is_not_there_cannot_be_taken_over(
    page: Page, app: App, store: Store, conversation: str
) -> None:
    store.begin("deleted")
    store.results(event("conversation_deleted", "deleted"))
    refused(app.take_over(conversation), 404, "not-found")
    refused(app.take_over(conversation, "left"), 404, "not-found")
    refused(app.release(conversation), 404, "not-found")
    refused(app.release(conversation, "?force=true"), 404, "not-found")

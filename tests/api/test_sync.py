"""``GET /v1/sync``: what changed since a revision, in its present form (S1, S2)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.description import refused
from tests.api.device import App
from tests.api.installation import Clock, Installation
from tests.api.store import Store
from tests.api.visitor import Page, Visitor, event, message

EMPTY: dict[str, Any] = {"rev": 0, "conversations": [], "messages": [], "more": False}


@pytest.fixture
def page(visitor: Visitor) -> Page:
    """A page on which somebody is."""
    page = visitor.page("c")
    page.view()
    return page


def changed(app: App, after: int, **query: int) -> tuple[list[str], list[str]]:
    """The ids of the conversations and the texts of the messages that changed."""
    found = app.sync(after, **query)
    return (
        [each["id"] for each in found["conversations"]],
        [each["text"] for each in found["messages"]],
    )


def test_nothing_has_happened(app: App) -> None:
    found = app.sync()
    assert found.pop("next_sync_seconds") > 0
    assert found == EMPTY


def test_s2_everything_in_its_present_form(page: Page, app: App, store: Store) -> None:
    page.write("Hello", name="Jane")
    store.results(message("c", "How can I help?", author="bot"))
    app.take_over("c")
    app.write("c", "I am Sam")
    app.watch("c")
    found = app.sync()
    assert found["conversations"] == [app.conversation("c")]
    assert found["messages"] == app.messages("c")["messages"]
    assert found["rev"] == app.listing()["rev"]
    assert found["more"] is False
    assert changed(app, found["rev"]) == ([], [])


def test_s2_only_what_changed_since(page: Page, app: App, store: Store) -> None:
    page.write("Hello")
    store.begin("d")
    before = app.sync()["rev"]
    store.results(message("c", "News", author="bot"))
    found = app.sync(before)
    assert [each["text"] for each in found["messages"]] == ["News"]
    assert [each["id"] for each in found["conversations"]] == ["c"]
    assert found["conversations"][0]["last_message"]["text"] == "News"
    assert found["rev"] > before


def test_s1_the_row_that_changed_carries_the_revision(page: Page, app: App) -> None:
    app.take_over("c")
    sent = app.write("c", "Hello")
    found = app.sync(sent["rev"] - 1)
    assert [each["rev"] for each in found["messages"]] == [sent["rev"]]
    page.delivered(sent["id"])
    delivered = app.sync(found["rev"])
    assert [each["delivery"] for each in delivered["messages"]] == ["delivered"]
    assert delivered["messages"][0]["rev"] > found["rev"]
    assert delivered["rev"] >= delivered["messages"][0]["rev"]


def test_s2_a_deleted_conversation_is_told_and_its_messages_are_gone(
    page: Page, app: App, store: Store
) -> None:
    page.write("Hello")
    before = app.sync()["rev"]
    store.results(event("conversation_deleted", "c"))
    for after in (0, before):
        found = app.sync(after)
        [gone] = found["conversations"]
        assert gone == {"id": "c", "rev": gone["rev"], "deleted": True}
        assert before < gone["rev"] <= found["rev"]
        assert found["messages"] == []


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 500])
def test_s2_page_by_page_nothing_is_missing_nor_comes_twice(
    store: Store, visitor: Visitor, app: App, limit: int
) -> None:
    for number in range(5):
        visitor.page(f"c{number}", f"p{number}").write(f"text {number}")
    store.results(message("c0", "later", author="bot"))
    store.results(event("conversation_deleted", "c1"))
    seen: dict[tuple[str, str], Any] = {}
    after, more, rounds = 0, True, 0
    while more:
        found = app.sync(after, limit=limit)
        changes = [*found["conversations"], *found["messages"]]
        assert len(changes) <= limit
        for kind in ("conversations", "messages"):
            for each in found[kind]:
                assert after < each["rev"] <= found["rev"]
                assert (kind, each["id"]) not in seen
                seen[kind, each["id"]] = each
        assert found["rev"] > after
        after, more, rounds = found["rev"], found["more"], rounds + 1
    whole = app.sync(limit=500)
    assert after == whole["rev"]
    for kind in ("conversations", "messages"):
        assert [each for (of, _), each in seen.items() if of == kind] == whole[kind]
    assert rounds == 1 or limit < 500


def test_a_revision_that_the_site_has_not_reached_is_of_another_database(
    page: Page, app: App
) -> None:
    """One restored from a backup, say: who goes on from there would wait for ever."""
    page.write("Hello")
    found = app.sync(10**9)
    assert found == app.sync()
    assert found["rev"] == app.listing()["rev"]


def test_a_deadline_that_passed_is_settled_before_it_is_read(
    page: Page, app: App, clock: Clock
) -> None:
    before = app.sync()["rev"]
    clock.advance(minutes=10)
    [seen] = app.sync(before)["conversations"]
    assert (seen["presence"]["state"], seen["presence"]["reason"]) == ("offline", "timed_out")


def test_heartbeats_change_nothing(page: Page, app: App, clock: Clock) -> None:
    before = app.sync()["rev"]
    for _ in range(5):
        clock.advance(seconds=30)
        page.beat()
    assert changed(app, before) == ([], [])


def test_unread_is_each_agents_own(page: Page, app: App, kim: App) -> None:
    page.write("Hello")
    before = app.sync()["rev"]
    app.read("c")
    for reader, unread in ((app, 0), (kim, 1)):
        [seen] = reader.sync(before)["conversations"]
        assert seen["unread"] == unread
        assert reader.sync()["conversations"][0]["unread"] == unread


def test_watching_and_taking_over_are_changes(page: Page, app: App, kim: App) -> None:
    rev = kim.sync()["rev"]
    for ask, watchers, owner in (
        (app.watch, 1, None),
        (app.take_over, 1, "Sam"),
        (app.leave, 0, "Sam"),
        (app.release, 0, None),
    ):
        ask("c")
        found = kim.sync(rev)
        [seen] = found["conversations"]
        taken = seen["takeover"]
        assert len(seen["watchers"]) == watchers
        assert (taken and taken["agent"]["name"]) == owner
        assert found["rev"] > rev
        rev = found["rev"]


@pytest.mark.parametrize("after", ["", "-1", "1.0", "x", "1e3", " 1", "9" * 19, "٣", "0x1"])
def test_after_is_a_revision(app: App, after: str) -> None:
    answered = app.get("/v1/sync", query_string={"after": after})
    problem = refused(answered, 422, "invalid")
    assert problem["errors"][0]["pointer"] == "/after"


@pytest.mark.parametrize("limit", ["", "0", "-1", "501", "10000", "x", "1.5", "٣"])
def test_limit_is_from_1_to_500(app: App, limit: str) -> None:
    answered = app.get("/v1/sync", query_string={"limit": limit})
    problem = refused(answered, 422, "invalid")
    assert problem["errors"][0]["pointer"] == "/limit"


def test_without_after_everything(page: Page, app: App) -> None:
    assert app.get("/v1/sync").get_json() == app.sync(0)


def test_it_needs_a_token_and_the_right_to_read(installation: Installation, store: Store) -> None:
    refused(installation.open("/v1/sync"), 401, "token-missing")
    refused(store.app("3", "Eve", ("takeover",)).get("/v1/sync"), 403, "right-missing")
    assert store.app("4", "Ann", ("conversations:read",)).get("/v1/sync").status_code == 200


def test_a_head_is_a_get_without_its_body(page: Page, app: App) -> None:
    answered = app.request("HEAD", "/v1/sync", described=False)
    assert (answered.status_code, answered.data) == (200, b"")


def test_nobody_keeps_the_answer(app: App) -> None:
    assert app.get("/v1/sync").headers["Cache-Control"] == "no-store"

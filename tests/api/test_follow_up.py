"""``follow_up``: which conversations a person should still answer elsewhere, and that one did."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest

from tests.api.description import refused
from tests.api.device import App
from tests.api.installation import Clock
from tests.api.shop import Shop
from tests.api.store import Store
from tests.api.visitor import Page, Visitor, event, message

SAM = {"id": "1", "name": "Sam"}


@pytest.fixture
def page(visitor: Visitor) -> Page:
    """A page on which the visitor has asked something."""
    page = visitor.page("c")
    page.view()
    page.write("Do you have ferns?", email="jane@example.test")
    return page


def leave(page: Page, clock: Clock) -> None:
    """The visitor is gone, for longer than a change of pages takes."""
    page.unload()
    clock.advance(seconds=16)


def follow_up(app: App, conversation: str = "c") -> dict[str, Any]:
    shown: dict[str, Any] = app.conversation(conversation)["follow_up"]
    return shown


def needed(app: App) -> bool:
    return bool(follow_up(app)["needed"])


# ------------------------------------------------------------------------------- who needs one


def test_one_who_is_there_is_answered_there(page: Page, app: App, clock: Clock) -> None:
    assert follow_up(app) == {"needed": False, "mailto": None, "done": None}
    page.unload()
    assert app.presence("c")["state"] == "switching_pages"
    assert not needed(app)
    clock.advance(seconds=16)
    assert needed(app)
    page.view()
    assert not needed(app)


@pytest.mark.parametrize("end", ["unload", "clear"])
def test_one_who_is_gone_and_awaits_a_reply_needs_one(
    page: Page, app: App, clock: Clock, end: str
) -> None:
    getattr(page, end)()
    clock.advance(seconds=16)
    [listed] = app.listing()["conversations"]
    assert listed["follow_up"] == follow_up(app) == app.sync()["conversations"][0]["follow_up"]
    assert needed(app)


def test_the_bots_answer_is_one(store: Store, page: Page, app: App, clock: Clock) -> None:
    store.results(message("c", "Yes, three.", author="bot"))
    leave(page, clock)
    assert not needed(app)


def test_the_systems_words_are_none(store: Store, page: Page, app: App, clock: Clock) -> None:
    store.results(message("c", "The chat was archived.", author="system"))
    leave(page, clock)
    assert needed(app)


def test_an_agents_answer_is_one_once_it_was_shown(page: Page, app: App, clock: Clock) -> None:
    assert app.take_over("c").status_code == 200
    answer = app.write("c", "Yes, three.")
    leave(page, clock)
    assert needed(app), "nobody has seen it"
    page.view()
    page.delivered(answer["id"])
    leave(page, clock)
    assert not needed(app)
    page.view()
    page.write("And cacti?")
    leave(page, clock)
    assert needed(app)


def test_a_conversation_in_which_nobody_wrote_needs_none(
    visitor: Visitor, app: App, clock: Clock
) -> None:
    page = visitor.page("c")
    page.view()
    leave(page, clock)
    assert not needed(app)


# -------------------------------------------------------------------------------------- mailto


def test_it_begins_an_email_to_the_address_that_is_known(shop: Shop, clock: Clock) -> None:
    shop.connect(name="Pots & Plants")
    app, page = shop.store.app(), shop.store.visitor().page("c")
    page.write("Hello", email="jane+chat@example.test")
    assert follow_up(app)["mailto"] is None
    leave(page, clock)
    subject = "subject=Your%20chat%20with%20Pots%20%26%20Plants"
    assert follow_up(app)["mailto"] == f"mailto:jane%2Bchat@example.test?{subject}"
    # The store's word is better than what was typed.
    customer = {"id": "7", "email": "jane@doe.test", "name": "Jane"}
    shop.store.results(event("customer", visitor="v_jane", customer=customer))
    assert follow_up(app)["mailto"] == f"mailto:jane@doe.test?{subject}"
    # And what the store tells of the customer is better still.
    shop.woocommerce.add_customer("jane.doe@example.test", "Jane", id=7)
    shop.look_up()
    assert follow_up(app)["mailto"] == f"mailto:jane.doe@example.test?{subject}"


def test_without_an_address_there_is_no_link(visitor: Visitor, app: App, clock: Clock) -> None:
    page = visitor.page("c")
    page.write("Hello")
    leave(page, clock)
    assert follow_up(app) == {"needed": True, "mailto": None, "done": None}


@pytest.mark.parametrize(
    "email",
    [
        "jane@example.test?bcc=all@example.test",
        "jane&cc=x@example.test",
        "jane%0d%0abcc:x@example.test",
        "jäne@exämple.test",
        "jane'\"@example.test",
        "jane#x@example.test",
    ],
)
def test_an_address_adds_nothing_to_the_link(
    visitor: Visitor, app: App, clock: Clock, email: str
) -> None:
    page = visitor.page("c")
    page.write("Hello", email=email)
    leave(page, clock)
    mailto = follow_up(app)["mailto"]
    if mailto is None:
        assert app.conversation("c")["customer"] is None, "no address"
        return
    to, _, query = mailto.partition("?")
    assert unquote(to) == f"mailto:{email}"
    assert query == "subject=Your%20chat%20with%20Shop%201"
    assert mailto.isascii()
    assert not set(to) & set("&#\"'<> ")


# --------------------------------------------------------------------------------- followed up


def test_whoever_did_it_is_shown_until_the_visitor_writes_again(
    page: Page, app: App, kim: App, clock: Clock
) -> None:
    leave(page, clock)
    assert app.follow_up("c").status_code == 204
    shown = follow_up(kim)
    assert not shown["needed"]
    assert shown["done"] == {"agent": SAM, "at": "2026-03-02T09:30:16.123Z"}
    assert shown["mailto"], "one may write again"
    page.view()
    page.write("Thank you! And cacti?")
    leave(page, clock)
    shown = follow_up(kim)
    assert shown["needed"]
    assert shown["done"]["agent"] == SAM
    clock.advance(seconds=1)
    assert kim.follow_up("c").status_code == 204
    assert follow_up(app)["done"]["agent"]["name"] == "Kim"


def test_readers_are_shown_it(page: Page, app: App, kim: App, clock: Clock) -> None:
    leave(page, clock)
    rev = kim.sync()["rev"]
    stream = kim.stream(after=rev)
    app.follow_up("c")
    [changed] = kim.sync(rev)["conversations"]
    assert changed["follow_up"]["needed"] is False
    assert [sent.data["follow_up"] for sent in stream.until_now()] == [changed["follow_up"]]


def test_one_who_is_there_can_be_written_to_elsewhere_too(
    page: Page, app: App, clock: Clock
) -> None:
    assert app.follow_up("c").status_code == 204
    leave(page, clock)
    assert not needed(app)


def test_it_is_no_message_and_no_activity(page: Page, app: App, clock: Clock) -> None:
    leave(page, clock)
    before = app.conversation("c")
    app.follow_up("c")
    after = app.conversation("c")
    for field in ("last_activity_at", "last_message", "unread", "presence", "takeover"):
        assert after[field] == before[field]
    assert len(app.messages("c")["messages"]) == 1


def test_it_needs_the_right_to_reply(store: Store, page: Page, app: App, clock: Clock) -> None:
    reader = store.app("9", "Ann", ("conversations:read", "takeover", "push"))
    leave(page, clock)
    refused(reader.follow_up("c"), 403, "right-missing")
    assert needed(app)
    writer = store.app("8", "Bo", ("conversations:reply",))
    assert writer.follow_up("c").status_code == 204


def test_only_a_device_may(store: Store, page: Page) -> None:
    path = "/v1/conversations/c/followed-up"
    refused(store.installation.open(path, "POST"), 401, "token-missing")
    refused(store.request("POST", path), 401, "token-missing")
    refused(page.visitor.get(path, method="POST"), 401, "device-unknown")


def test_of_what_is_not_there(store: Store, other_store: Store, page: Page, app: App) -> None:
    refused(app.follow_up("unknown"), 404, "not-found")
    refused(other_store.app().follow_up("c"), 404, "not-found")
    store.results(event("conversation_deleted", "c"))
    refused(app.follow_up("c"), 404, "not-found")


def test_one_who_was_signed_out_may_not(store: Store, page: Page, app: App) -> None:
    store.request("DELETE", f"/v1/store/devices/{app.device}")
    refused(app.follow_up("c"), 401, "device-unknown")


def test_it_lasts(page: Page, app: App, clock: Clock) -> None:
    leave(page, clock)
    app.follow_up("c")
    app.installation.restart()
    assert follow_up(app)["done"]["agent"] == SAM
    assert not needed(app)


# --------------------------------------------------------------------------------------- list


@pytest.fixture
def five(store: Store, clock: Clock) -> list[str]:
    """Conversations that need a follow-up, the one that was active last first."""
    names = [f"gone_{number}" for number in range(5)]
    for name in names:
        page = store.visitor(f"v_{name}").page(name)
        page.view()
        page.write("Hello", email=f"{name}@example.test")
        leave(page, clock)
    store.visitor("v_there").page("there").write("Hello")
    store.begin("bot alone")
    return names[::-1]


def test_the_list_of_those_that_need_one(five: list[str], app: App) -> None:
    assert app.listed(follow_up="true") == five
    assert app.listed(follow_up="true", sort="recent") == five
    assert sorted(app.listed()) == sorted([*five, "there", "bot alone"])
    assert sorted(app.listed(follow_up="false")) == sorted(app.listed())


def test_it_is_read_page_by_page(five: list[str], app: App) -> None:
    assert app.pages(follow_up="true", limit=2) == [five[:2], five[2:4], five[4:]]


def test_those_that_were_followed_up_are_not_in_it(five: list[str], app: App) -> None:
    app.follow_up(five[0])
    assert app.listed(follow_up="true") == five[1:]


def test_it_goes_with_the_other_conditions(
    five: list[str], store: Store, app: App, kim: App, clock: Clock
) -> None:
    assert app.listed(follow_up="true", q="gone_3") == ["gone_3"]
    assert app.listed(follow_up="true", presence="offline") == five
    assert app.listed(follow_up="true", presence="online") == []
    assert app.take_over("gone_1", "left").status_code == 200
    assert app.listed(follow_up="true", mine="true") == ["gone_1"]
    assert kim.listed(follow_up="true", mine="true") == []


@pytest.mark.parametrize("value", ["yes", "1", "", "TRUE"])
def test_a_flag_is_true_or_false(app: App, value: str) -> None:
    answered = app.get("/v1/conversations", query_string={"follow_up": value})
    problem = refused(answered, 422, "invalid")
    assert problem["errors"][0]["pointer"] == "/follow_up"


def test_another_sites_are_not_listed(five: list[str], other_store: Store) -> None:
    assert other_store.app().listed(follow_up="true") == []


def test_the_list_is_another_one_when_that_changes(five: list[str], app: App) -> None:
    """The ETag is not that of before."""
    app.listing()
    first = app.get("/v1/conversations?follow_up=true")
    etag = {"If-None-Match": first.headers["ETag"]}
    assert app.get("/v1/conversations?follow_up=true", headers=etag).status_code == 304
    app.follow_up(five[0])
    assert app.get("/v1/conversations?follow_up=true", headers=etag).status_code == 200

"""``POST /v1/conversations/{id}/read``: what is unread, for each agent."""

from __future__ import annotations

from tests.api.description import refused
from tests.api.device import App
from tests.api.installation import Installation
from tests.api.store import Store
from tests.api.visitor import Visitor, message


def unread(app: App, conversation: str = "c") -> int:
    count: int = app.conversation(conversation)["unread"]
    [listed] = [each for each in app.listing()["conversations"] if each["id"] == conversation]
    assert listed["unread"] == count
    return count


def test_what_the_visitor_writes_is_unread_until_it_is_read(visitor: Visitor, app: App) -> None:
    page = visitor.page("c")
    page.view()
    assert unread(app) == 0
    page.write("one")
    page.write("two")
    assert unread(app) == 2
    answered = app.read("c")
    assert (answered.status_code, answered.data) == (204, b"")
    assert unread(app) == 0
    page.write("three")
    assert unread(app) == 1


def test_what_the_bot_and_the_system_write_need_not_be_read(store: Store, app: App) -> None:
    store.results(message("c", author="bot"), message("c", author="system"))
    assert unread(app) == 0


def test_each_agent_has_read_for_themselves(visitor: Visitor, store: Store) -> None:
    sam, kim = store.app("1", "Sam"), store.app("2", "Kim")
    visitor.page("c").write()
    sam.read("c")
    assert (unread(sam), unread(kim)) == (0, 1)


def test_one_agents_devices_have_read_together(visitor: Visitor, store: Store) -> None:
    phone, tablet = store.app("1", "Sam"), store.app("1", "Sam")
    visitor.page("c").write()
    phone.read("c")
    assert unread(tablet) == 0


def test_one_conversation_is_read_and_no_other(visitor: Visitor, app: App) -> None:
    visitor.page("c", "p1").write()
    visitor.page("d", "p2").write()
    app.read("c")
    assert (unread(app, "c"), unread(app, "d")) == (0, 1)


def test_reading_again_changes_nothing(visitor: Visitor, app: App) -> None:
    visitor.page("c").write()
    app.read("c")
    assert app.read("c").status_code == 204
    assert unread(app) == 0


def test_a_message_sent_twice_is_unread_once(visitor: Visitor, app: App) -> None:
    said = message("c", "Hello")
    visitor.results(said)
    visitor.results(said)
    assert unread(app) == 1


def test_what_was_read_stays_read_after_a_restart(
    visitor: Visitor, app: App, installation: Installation
) -> None:
    visitor.page("c").write()
    app.read("c")
    installation.restart()
    assert unread(app) == 0


def test_a_conversation_that_is_not_there(visitor: Visitor, app: App) -> None:
    visitor.page("c").write()
    for missing in ("d", "C", "x" * 129):
        refused(app.read(missing), 404, "not-found")


def test_a_body_is_not_needed_and_not_looked_at(visitor: Visitor, app: App) -> None:
    visitor.page("c").write()
    path = "/v1/conversations/c/read"
    for body in (b"", b"no JSON", b"{}"):
        answered = app.request(
            "POST", path, data=body, headers={"Content-Type": "application/json"}
        )
        assert answered.status_code == 204


def test_a_right_is_needed(visitor: Visitor, store: Store) -> None:
    visitor.page("c").write()
    refused(store.app(rights=("takeover",)).read("c"), 403, "right-missing")

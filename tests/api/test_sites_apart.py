"""Two sites never see each other, though all their ids are the same."""

from __future__ import annotations

import pytest

from tests.api.description import refused
from tests.api.device import App
from tests.api.installation import Clock, Installation
from tests.api.store import Store
from tests.api.visitor import event, message


@pytest.fixture
def shops(store: Store, other_store: Store) -> tuple[Store, Store]:
    """Two stores with the same conversation, message, visitor and page ids."""
    for shop, name in ((store, "one"), (other_store, "two")):
        visitor = shop.visitor("v")
        visitor.page("c", "p").view(url=f"{shop.origin}/{name}", title=name)
        visitor.results(message("c", f"text {name}", message="m", name=name, page="p", seq=5))
        shop.results(event("customer", visitor="v", customer={"id": "1", "name": name}))
    return store, other_store


@pytest.fixture
def apps(shops: tuple[Store, Store]) -> tuple[App, App]:
    """The same agent's app in each of them."""
    one, two = shops
    return one.app("1", "Sam"), two.app("1", "Kim")


def test_each_sees_its_own(apps: tuple[App, App]) -> None:
    for app, name in zip(apps, ("one", "two"), strict=True):
        [listed] = app.listing()["conversations"]
        assert listed["visitor"]["name"] == name
        assert listed["customer"]["name"] == name
        assert listed["presence"]["page"]["title"] == name
        assert listed["last_message"]["text"] == f"text {name}"
        in_full = app.conversation("c")
        assert {**in_full["customer"], **listed["customer"]} == in_full["customer"]
        assert {**in_full, "customer": listed["customer"]} == listed
        assert app.texts("c") == [f"text {name}"]
        assert app.listed(q=name) == ["c"]
    one, two = apps
    assert one.listed(q="two") == two.listed(q="one") == []


def test_the_same_event_is_each_sites_own(
    shops: tuple[Store, Store], apps: tuple[App, App]
) -> None:
    happened = message("c", "both", message="m2", author="bot")
    for shop in shops:
        assert shop.results(happened)[0]["status"] == "accepted"
    assert [app.texts("c")[-1] for app in apps] == ["both", "both"]


def test_what_happens_in_one_does_not_happen_in_the_other(
    shops: tuple[Store, Store], apps: tuple[App, App], clock: Clock
) -> None:
    (one, _), (_, app) = shops, apps
    before = app.get("/v1/conversations")
    page = one.visitor("v").page("c", "p")
    clock.advance(seconds=1)
    one.results(event("page_unload", "c", visitor="v", page="p", seq=9))
    page.visitor.results(event("chat_cleared", "c"))
    one.app("1").read("c")
    one.results(event("conversation_deleted", "c"))
    after = app.get("/v1/conversations")
    assert after.data == before.data
    assert after.headers["ETag"] == before.headers["ETag"]
    assert app.conversation("c")["unread"] == 1


def test_a_heartbeat_is_heard_in_its_own_site_alone(
    shops: tuple[Store, Store], apps: tuple[App, App], clock: Clock
) -> None:
    one, _ = shops
    clock.advance(seconds=60)
    one.visitor("v").results(event("heartbeat", "c", page="p", seq=6))
    clock.advance(seconds=100)
    assert [app.presence("c")["online"] for app in apps] == [True, False]


def test_who_was_heard_elsewhere_was_not_heard_on_another_site(
    shops: tuple[Store, Store], apps: tuple[App, App], clock: Clock
) -> None:
    _, two = shops
    clock.advance(seconds=60)
    two.visitor("v").page("d", "p9").view()
    clock.advance(seconds=120)
    assert apps[0].presence("c")["reason"] == "timed_out"
    assert apps[1].presence("c")["reason"] == "moved_on"


def test_what_only_the_other_has_is_not_there(
    shops: tuple[Store, Store], apps: tuple[App, App]
) -> None:
    (_, two), (app, _) = shops, apps
    two.results(message("d", message="only", author="bot"), message("c", message="m9"))
    for path in (
        "/v1/conversations/d",
        "/v1/conversations/d/messages",
        "/v1/conversations/c/messages?before=m9",
        "/v1/conversations/c/messages?after=only",
    ):
        refused(app.get(path), 404, "not-found")
    refused(app.read("d"), 404, "not-found")
    refused(app.watch("d"), 404, "not-found")
    refused(app.leave("d"), 404, "not-found")
    refused(app.take_over("d", "timed_out"), 404, "not-found")
    refused(app.release("d", "?force=true"), 404, "not-found")
    refused(app.send("d", {"client_id": "1", "text": "x"}), 404, "not-found")


def test_a_takeover_in_one_is_none_in_the_other(
    shops: tuple[Store, Store], apps: tuple[App, App]
) -> None:
    one, two = apps
    pages = [shop.visitor("v").page("c", "p") for shop in shops]
    streams = [page.stream() for page in pages]
    told, untold = one.stream(), two.stream()
    one.watch("c")
    one.take_over("c")
    one.write("c", "from one", "1")
    refused(two.send("c", {"client_id": "1", "text": "from two"}), 409, "takeover-required")
    seen = two.conversation("c")
    assert (seen["takeover"], seen["watchers"]) == (None, [])
    assert two.texts("c") == ["text two"]
    assert two.listed(mine="true") == []
    assert one.listed(mine="true") == ["c"]
    assert pages[1].sync()["messages"] == []
    assert two.release("c", "?force=true").status_code == 204
    assert one.conversation("c")["takeover"] is not None
    assert len(told.read(3)) == 3
    assert len(streams[0].read(4)) == 4
    assert untold.until_now() == []
    assert streams[1].rest() == []


def test_a_delivery_in_one_is_none_in_the_other(
    shops: tuple[Store, Store], apps: tuple[App, App]
) -> None:
    one, _ = apps
    one.take_over("c")
    sent = one.write("c", "Hello")
    happened = event("message_delivered", "c", message={"id": sent["id"]})
    assert shops[1].visitor("v").outcome(happened)[0] == "rejected"
    assert shops[1].outcome(happened)[0] == "rejected"
    assert one.messages("c")["messages"][-1]["delivery"] == "queued"


def test_signing_out_in_one_ends_nothing_in_the_other(
    shops: tuple[Store, Store], apps: tuple[App, App]
) -> None:
    for app in apps:
        app.take_over("c")
        app.watch("c")
    shops[0].request("DELETE", "/v1/store/agents/1")
    seen = apps[1].conversation("c")
    assert seen["takeover"]["agent"]["id"] == "1"
    assert [each["id"] for each in seen["watchers"]] == ["1"]


def test_a_cursor_of_the_other_shows_nothing_of_it(
    shops: tuple[Store, Store], apps: tuple[App, App], clock: Clock
) -> None:
    one, two = shops
    for shop, names in ((one, "abc"), (two, "xyz")):
        for name in names:
            clock.advance(seconds=1)
            shop.results(message(name, author="bot"))
    cursor = apps[1].listing(limit=2)["next_cursor"]
    found = apps[0].listed(cursor=cursor)
    assert set(found) <= {"a", "b", "c"}


def test_a_device_of_the_other_cannot_be_signed_out(
    shops: tuple[Store, Store], apps: tuple[App, App]
) -> None:
    one, _ = shops
    _, app = apps
    refused(one.request("DELETE", f"/v1/store/devices/{app.device}"), 404, "not-found")
    one.request("DELETE", "/v1/store/agents/1")
    assert app.get("/v1/me").get_json()["agent"]["name"] == "Kim"


def test_signing_in_on_one_ends_no_token_of_the_other(
    shops: tuple[Store, Store], clock: Clock, installation: Installation
) -> None:
    one, two = shops
    token = two.visitor("v").token()
    clock.advance(seconds=5)
    one.results(event("customer", visitor="v", customer=None))
    assert two.visitor("v").send(message("c"), token=token).status_code == 200
    installation.restart()
    assert two.visitor("v").send(message("c"), token=token).status_code == 200


def test_revisions_are_each_sites_own(shops: tuple[Store, Store], apps: tuple[App, App]) -> None:
    one, _ = shops
    before = apps[1].listing()["rev"]
    one.results(message("c"), message("c"), message("d"))
    assert apps[1].listing()["rev"] == before


def test_sites_ids_are_case_sensitive(shops: tuple[Store, Store]) -> None:
    one, _ = shops
    one.site = one.site.upper()
    refused(one.get("/v1/store/status"), 401, "signature-invalid")

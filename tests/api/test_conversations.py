"""``GET /v1/conversations``: the list, its orders, its pages and what can be asked of it."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

import pytest

from tests.api.description import refused
from tests.api.device import App
from tests.api.installation import Clock
from tests.api.store import Store
from tests.api.visitor import Visitor, event, message

LIST = "/v1/conversations"


def begin(store: Store, clock: Clock, *conversations: str, author: str = "bot") -> None:
    """Conversations that nobody is in, each a second younger than the one before."""
    for conversation in conversations:
        clock.advance(seconds=1)
        visitor = f"v_{conversation}"
        store.results(message(conversation, visitor=visitor, author=author))


def pages(app: App, **query: str | int) -> list[list[str]]:
    """All pages of a list."""
    found, cursor = [], ""
    while True:
        page = app.listing(**query, **({"cursor": cursor} if cursor else {}))
        found.append([each["id"] for each in page["conversations"]])
        if page["next_cursor"] is None:
            return found
        cursor = page["next_cursor"]


def test_an_empty_list(app: App) -> None:
    assert app.listing() == {"conversations": [], "next_cursor": None, "rev": 0}


def test_a_listed_conversation_has_every_field(visitor: Visitor, app: App, clock: Clock) -> None:
    visitor.page("c").view(url="https://shop.example/fern", title="Fern")
    said = message("c", "Hello", page="p_1", seq=9, name="Jane")
    visitor.send(said, headers={"User-Agent": ""})
    [listed] = app.listing()["conversations"]
    at = "2026-03-02T09:30:00.123Z"
    rev = listed.pop("rev")
    device = listed["visitor"].pop("device")
    assert isinstance(rev, int)
    assert device is None or isinstance(device, str)
    assert listed == {
        "id": "c",
        "started_at": at,
        "last_activity_at": at,
        "visitor": {"id": "v_jane", "name": "Jane"},
        "presence": {
            "online": True,
            "state": "online",
            "reason": None,
            "since": at,
            "last_seen_at": at,
            "heard_at": at,
            "label": "Online now",
            "note": None,
            "hidden": False,
            "page": {"url": "https://shop.example/fern", "title": "Fern"},
            "continued_in": None,
            "pages": 1,
        },
        "customer": None,
        "takeover": None,
        "watchers": [],
        "last_message": {
            "id": said["message"]["id"],
            "author": "visitor",
            "text": "Hello",
            "at": at,
        },
        "unread": 1,
    }


def test_what_is_not_known_is_null(store: Store, app: App) -> None:
    store.results(event("chat_cleared", "c"))
    [listed] = app.listing()["conversations"]
    assert listed["visitor"] == {"id": None, "name": None, "device": None}
    assert (listed["customer"], listed["takeover"], listed["last_message"]) == (None, None, None)
    assert (listed["presence"]["page"], listed["presence"]["heard_at"]) == (None, None)
    assert listed["unread"] == 0


def test_those_with_somebody_there_come_first_then_the_latest(
    store: Store, app: App, clock: Clock
) -> None:
    begin(store, clock, "old", "older_visit", "switching", "online_1", "online_2", "cleared")
    for name in ("switching", "online_1", "online_2", "older_visit"):
        clock.advance(seconds=1)
        store.visitor(f"v_{name}").page(name).view()
    store.visitor("v_older_visit").results(event("page_unload", "older_visit", page="p_1", seq=2))
    clock.advance(seconds=16)
    store.visitor("v_switching").results(event("page_unload", "switching", page="p_1", seq=2))
    store.results(event("chat_cleared", "cleared"))
    expected = ["online_2", "online_1", "switching", "cleared", "older_visit", "old"]
    assert app.listed() == expected
    assert app.listed(sort="presence") == expected
    found = {each["id"]: each["presence"]["state"] for each in app.listing()["conversations"]}
    assert found == {
        "online_2": "online",
        "online_1": "online",
        "switching": "switching_pages",
        "cleared": "chat_cleared",
        "older_visit": "offline",
        "old": "offline",
    }


def test_the_latest_first(store: Store, app: App, clock: Clock) -> None:
    begin(store, clock, "a", "b", "c")
    clock.advance(seconds=1)
    store.visitor("v_a").page("a").view()
    begin(store, clock, "d")
    assert app.listed(sort="recent") == ["d", "a", "c", "b"]


def test_of_the_same_moment_the_order_is_one_way_only(store: Store, app: App) -> None:
    store.results(*[message(name, author="bot") for name in ("b", "a", "c")])
    assert app.listed() == app.listed(sort="recent") == ["c", "b", "a"]
    assert pages(app, limit=1, sort="recent") == [["c"], ["b"], ["a"]]


@pytest.mark.parametrize("sort", ["presence", "recent"])
def test_pages_hold_everything_once(store: Store, app: App, clock: Clock, sort: str) -> None:
    begin(store, clock, *(f"c{number}" for number in range(9)))
    store.visitor("v_c3").page("c3").view()
    store.visitor("v_c7").page("c7").view()
    whole = app.listed(sort=sort, limit=100)
    assert len(whole) == 9
    for limit in (1, 2, 3, 4, 8, 9, 10):
        found = pages(app, sort=sort, limit=limit)
        assert [name for page in found for name in page] == whole
        assert all(len(page) == limit for page in found[:-1])
        assert found[-1]


def test_a_full_last_page_has_no_cursor(store: Store, app: App, clock: Clock) -> None:
    begin(store, clock, "a", "b")
    assert app.listing(limit=2)["next_cursor"] is None
    assert app.listing(limit=1)["next_cursor"]


@pytest.mark.parametrize("sort", ["presence", "recent"])
def test_what_moves_up_meanwhile_is_not_listed_twice_and_displaces_nothing(
    store: Store, app: App, clock: Clock, sort: str
) -> None:
    begin(store, clock, *(f"c{number}" for number in range(8)))
    first = app.listing(sort=sort, limit=3)
    assert [each["id"] for each in first["conversations"]] == ["c7", "c6", "c5"]
    clock.advance(seconds=1)
    store.visitor("v_c1").page("c1").view()
    store.visitor("v_c6").page("c6").view()
    begin(store, clock, "new_1", "new_2")
    second = app.listing(sort=sort, limit=3, cursor=first["next_cursor"])
    assert [each["id"] for each in second["conversations"]] == ["c4", "c3", "c2"]
    third = app.listing(sort=sort, limit=3, cursor=second["next_cursor"])
    assert [each["id"] for each in third["conversations"]] == ["c0"]
    assert third["next_cursor"] is None


def test_the_conversation_at_the_cursor_may_be_gone(store: Store, app: App, clock: Clock) -> None:
    begin(store, clock, "a", "b", "c")
    first = app.listing(limit=2)
    store.results(event("conversation_deleted", "b"), event("conversation_deleted", "c"))
    assert app.listed(limit=2, cursor=first["next_cursor"]) == ["a"]


def test_ids_of_any_characters_go_through_a_cursor(store: Store, app: App, clock: Clock) -> None:
    names = ["ä/ö", 'q"uote', "per%cent", "under_score", "😀" * 126, "a b"]
    begin(store, clock, *names)
    assert sorted(name for page in pages(app, limit=1) for name in page) == sorted(names)


@pytest.mark.parametrize("limit", [1, 50, 100])
def test_limits_that_are_taken(app: App, limit: int) -> None:
    assert app.listing(limit=limit)["conversations"] == []


@pytest.mark.parametrize(
    "limit", ["0", "101", "-1", "1.5", "", "x", "٣", "1e1", "9" * 5_000, "0x10", "+5", " 5"]
)
def test_limits_that_are_not(app: App, limit: str) -> None:
    problem = refused(app.get(LIST, query_string={"limit": limit}), 422, "invalid")
    assert problem["errors"][0]["pointer"] == "/limit"


def test_fifty_are_listed_unless_more_are_asked_for(store: Store, app: App, clock: Clock) -> None:
    store.results(*[message(f"c{number}", author="bot") for number in range(60)])
    assert len(app.listed()) == 50
    assert len(app.listed(limit=100)) == 60


@pytest.mark.parametrize("sort", ["", "Presence", "id", "presence,recent"])
def test_no_other_order(app: App, sort: str) -> None:
    refused(app.get(LIST, query_string={"sort": sort}), 422, "invalid")


def cursor_of(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "not base64!",
        "ü",
        "AAAA",
        "=" * 4,
        cursor_of(),
        cursor_of("presence"),
        cursor_of("recent", 0, "2026-03-02T09:30:00Z", "c"),
        cursor_of("presence", 2**70, "2026-03-02T09:30:00Z", "c"),
        cursor_of("presence", -(2**70), "2026-03-02T09:30:00Z", "c"),
        cursor_of("presence", 3, "2026-03-02T09:30:00Z", "c"),
        cursor_of("presence", 0.5, "2026-03-02T09:30:00Z", "c"),
        cursor_of("presence", 0, "2026-03-02T09:30:00", "c"),
        cursor_of("presence", 0, "yesterday", "c"),
        cursor_of("presence", 0, "2026-03-02T09:30:00Z", "c\0"),
        cursor_of("presence", 0, "2026-03-02T09:30:00Z", "\ud800"),
        cursor_of("presence", 0, "2026-03-02T09:30:00Z", "c" * 129),
        cursor_of("presence", 0, "2026-03-02T09:30:00Z", None),
        cursor_of("presence", 0, "2026-03-02T09:30:00Z"),
        "A" * 10_000,
    ],
)
def test_what_is_no_cursor_of_this_list(app: App, cursor: str) -> None:
    problem = refused(app.get(LIST, query_string={"cursor": cursor}), 422, "cursor-invalid")
    assert problem["errors"][0]["pointer"] == "/cursor"


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_cursor_of_the_ends_of_time_harms_nothing(app: App, at: str) -> None:
    answered = app.get(LIST, query_string={"cursor": cursor_of("presence", 0, at, "c")})
    assert answered.status_code in (200, 422)


def test_a_cursor_is_of_its_order(store: Store, app: App, clock: Clock) -> None:
    begin(store, clock, "a", "b")
    cursor = app.listing(limit=1, sort="recent")["next_cursor"]
    answered = app.get(LIST, query_string={"cursor": cursor, "sort": "presence"})
    refused(answered, 422, "cursor-invalid")


@pytest.fixture
def all_states(store: Store, clock: Clock) -> None:
    """A conversation in each state."""
    for name in ("online", "switching_pages", "offline", "chat_cleared"):
        store.visitor(f"v_{name}").page(name).view()
    store.visitor("v_offline").results(event("page_unload", "offline", page="p_1", seq=2))
    clock.advance(seconds=16)
    store.visitor("v_switching_pages").results(
        event("page_unload", "switching_pages", page="p_1", seq=2)
    )
    store.visitor("v_chat_cleared").results(event("chat_cleared", "chat_cleared"))


@pytest.mark.parametrize("state", ["online", "switching_pages", "offline", "chat_cleared"])
@pytest.mark.parametrize("sort", ["presence", "recent"])
def test_only_those_in_one_state(all_states: None, app: App, state: str, sort: str) -> None:
    assert app.listed(presence=state, sort=sort) == [state]


@pytest.mark.parametrize("state", ["", "Online", "gone", "online,offline"])
def test_no_other_state(app: App, state: str) -> None:
    problem = refused(app.get(LIST, query_string={"presence": state}), 422, "invalid")
    assert problem["errors"][0]["pointer"] == "/presence"


@pytest.mark.usefixtures("all_states")
def test_a_deadline_that_passed_is_settled_before_it_is_read(app: App, clock: Clock) -> None:
    clock.advance(seconds=14.999)
    assert app.listed(presence="switching_pages") == ["switching_pages"]
    clock.advance(seconds=0.001)
    assert app.listed(presence="switching_pages") == []
    assert sorted(app.listed(presence="offline")) == ["offline", "switching_pages"]


@pytest.fixture
def people(store: Store, clock: Clock) -> None:
    """Conversations whose visitors have said who they are."""
    names = {
        "c1": ("Jane Doe", "jane@example.com"),
        "c2": ("100% Jean_Luc", "jl@example.com"),
        "c3": ('O\'Brien "Bob"', "bob\\@example.com"),
        "c_4": ("Zoë", "zoe@example.com"),
    }
    for conversation, (name, email) in names.items():
        clock.advance(seconds=1)
        said = message(conversation, visitor=f"v_{conversation}", name=name, email=email)
        store.results(said)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("jane", ["c1"]),
        ("JANE", ["c1"]),
        ("Jane Doe", ["c1"]),
        ("  jane  ", ["c1"]),
        ("ane d", ["c1"]),
        ("%", ["c2"]),
        ("100% J", ["c2"]),
        ("_", ["c2", "c_4"]),
        ("n_l", ["c2"]),
        ("nxl", []),
        ("'", ["c3"]),
        ("O'Brien", ["c3"]),
        ('"', ["c3"]),
        ("\\", ["c3"]),
        ("Zoë", ["c_4"]),
        ("zoe@", ["c_4"]),
        ("example.com", ["c1", "c2", "c3", "c_4"]),
        ("c1", ["c1"]),
        ("", ["c1", "c2", "c3", "c_4"]),
        ("   ", ["c1", "c2", "c3", "c_4"]),
        ("nobody", []),
        ("'; DROP TABLE conversations; --", []),
        ("x" * 200, []),
    ],
)
@pytest.mark.usefixtures("people")
def test_a_part_of_a_name_an_email_or_an_id(app: App, text: str, found: list[str]) -> None:
    assert sorted(app.listed(q=text)) == found


@pytest.mark.usefixtures("people")
def test_the_name_and_email_that_are_shown_are_found(store: Store, app: App) -> None:
    """Of one who signed in, it is the customer's name that is shown."""
    customer = {"id": "17", "name": "Dr. Who", "email": "who@example.org"}
    store.results(event("customer", visitor="v_c1", customer=customer))
    assert app.conversation("c1")["visitor"]["name"] == "Dr. Who"
    assert app.listed(q="dr. w") == ["c1"]
    assert app.listed(q="who@example.org") == ["c1"]


@pytest.mark.parametrize("text", ["x" * 201, "nul\0"])
def test_a_search_that_is_not_taken(app: App, text: str) -> None:
    refused(app.get(LIST, query_string={"q": text}), 422, "invalid")


def test_bytes_that_are_no_utf_8_find_nothing(app: App) -> None:
    assert app.get(f"{LIST}?q=%ff%fe").status_code == 200


@pytest.mark.usefixtures("people")
def test_a_search_goes_on_over_pages(app: App) -> None:
    found = pages(app, q="example.com", limit=2, sort="recent")
    assert found == [["c_4", "c3"], ["c2", "c1"]]


@pytest.mark.usefixtures("people")
def test_searching_and_choosing_a_state(app: App, clock: Clock) -> None:
    clock.advance(hours=1)
    assert app.listed(q="jane", presence="offline") == ["c1"]
    assert app.listed(q="jane", presence="online") == []


@pytest.mark.usefixtures("people")
def test_what_was_read_before_is_not_sent_again(app: App, store: Store) -> None:
    first = app.get(LIST)
    etag = first.headers["ETag"]
    same = app.get(LIST, headers={"If-None-Match": etag})
    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", etag)
    for several in (f'"other", {etag}', f"W/{etag}", "*"):
        assert app.get(LIST, headers={"If-None-Match": several}).status_code == 304
    for other in ('"other"', '"', ""):
        assert app.get(LIST, headers={"If-None-Match": other}).status_code == 200
    store.results(message("c1", "News", author="bot"))
    changed = app.get(LIST, headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag


@pytest.mark.usefixtures("people")
def test_the_etag_is_of_what_was_asked(app: App) -> None:
    tags = [
        app.get(LIST, query_string=query).headers["ETag"]
        for query in ({}, {"limit": 1}, {"sort": "recent", "limit": 2}, {"q": "jane"})
    ]
    assert len(set(tags)) == len(tags)


def test_a_label_that_grows_older_changes_the_etag(
    visitor: Visitor, app: App, clock: Clock
) -> None:
    page = visitor.page("c")
    page.view()
    page.unload()
    clock.advance(seconds=20)
    first = app.get(LIST)
    clock.advance(minutes=5)
    second = app.get(LIST, headers={"If-None-Match": first.headers["ETag"]})
    assert second.status_code == 200
    [listed] = second.get_json()["conversations"]
    assert listed["presence"]["label"] == "Last seen 5 minutes ago"


@pytest.mark.parametrize("header", ["If-Match", "If-Unmodified-Since", "If-Range", "Range"])
def test_no_other_condition_is_known(app: App, header: str) -> None:
    assert app.get(LIST, headers={header: '"x"'}).status_code == 200


def test_nobody_else_may_keep_the_answer(app: App) -> None:
    control = app.get(LIST).headers["Cache-Control"]
    assert "private" in control
    assert "max-age" not in control


def test_rev_rises_with_what_changed(store: Store, app: App) -> None:
    revisions = [app.listing()["rev"]]
    for _ in range(3):
        store.results(message("c", author="bot"))
        found = app.listing()
        revisions.append(found["rev"])
        assert found["conversations"][0]["rev"] <= found["rev"]
    assert revisions == sorted(set(revisions))
    assert app.listing()["rev"] == revisions[-1]


@pytest.mark.parametrize("author", ["visitor", "bot"])
def test_the_last_message_begins_it(store: Store, app: App, author: str) -> None:
    store.results(message("c", "x" * 5_000, author=author))
    [listed] = app.listing()["conversations"]
    assert listed["last_message"]["author"] == author
    assert listed["last_message"]["text"] == "x" * 200
    assert len(app.texts("c")[0]) == 5_000


def test_times_are_rfc_3339_in_utc_with_milliseconds(visitor: Visitor, app: App) -> None:
    visitor.page("c").write("Hello")
    listed: dict[str, Any] = app.listing()["conversations"][0]
    times = [
        listed["started_at"],
        listed["last_activity_at"],
        listed["last_message"]["at"],
        *(listed["presence"][name] for name in ("since", "last_seen_at", "heard_at")),
    ]
    for time in times:
        assert datetime.fromisoformat(time).isoformat(timespec="milliseconds")[:-6] + "Z" == time


def test_a_right_is_needed(store: Store) -> None:
    app = store.app(rights=("push",))
    refused(app.get(LIST), 403, "right-missing")
    assert store.app(rights=("conversations:read",)).get(LIST).status_code == 200

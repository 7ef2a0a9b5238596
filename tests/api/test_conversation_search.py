"""``GET /v1/conversations``: ``presence=`` and ``q=``."""

from __future__ import annotations

import pytest

from tests.api.description import refused
from tests.api.device import App
from tests.api.installation import Clock
from tests.api.store import Store
from tests.api.visitor import event, message

LIST = "/v1/conversations"


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
        "c3": ('O\'Brien "Bob"', "bob@example.com"),
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
        ("doe ja", ["c1"]),
        ("ane d", []),
        ("jane zoë", []),
        ("%", []),
        ("100% J", ["c2"]),
        ("_", []),
        ("n_l", []),
        ("jean_l", ["c2"]),
        ("jeanxl", []),
        ("'", []),
        ("O'Brien", ["c3"]),
        ("brien", ["c3"]),
        ('"', ["c3"]),
        ("\\", []),
        ("bob@", ["c3"]),
        ("Zoë", ["c_4"]),
        ("zoe@", ["c_4"]),
        ("example.com", ["c1", "c2", "c3", "c_4"]),
        ("@example", ["c1", "c2", "c3", "c_4"]),
        ("@", []),
        ("c1", ["c1"]),
        ("C1", []),
        ("c_", []),
        ("", ["c1", "c2", "c3", "c_4"]),
        ("   ", ["c1", "c2", "c3", "c_4"]),
        ("nobody", []),
        ("'; DROP TABLE conversations; --", []),
        ("x" * 200, []),
    ],
)
@pytest.mark.usefixtures("people")
def test_words_that_begin_as_those_of_a_name_or_an_email_or_a_whole_id(
    app: App, text: str, found: list[str]
) -> None:
    assert sorted(app.listed(q=text)) == found


@pytest.mark.usefixtures("people")
def test_the_name_and_email_that_are_shown_are_found(store: Store, app: App) -> None:
    """Of one who signed in, it is the customer's name that is shown."""
    customer = {"id": "17", "name": "Dr. Who", "email": "who@example.org"}
    store.results(event("customer", visitor="v_c1", customer=customer))
    assert app.conversation("c1")["visitor"]["name"] == "Dr. Who"
    assert app.listed(q="dr. w") == ["c1"]
    assert app.listed(q="who@example.org") == ["c1"]


@pytest.mark.usefixtures("people")
def test_the_number_of_an_order_is_found(store: Store, app: App) -> None:
    order = {"id": "7", "number": "INV-1042", "total": "1.00", "currency": "EUR"}
    store.results(event("order_placed", visitor="v_c_4", order={**order, "customer_id": "17"}))
    for text in ("inv-1042", "1042", "#1042", "zoë 1042"):
        assert app.listed(q=text) == ["c_4"], text
    assert app.listed(q="042") == []


@pytest.mark.parametrize("text", ["x" * 201, "nul\0"])
def test_a_search_that_is_not_taken(app: App, text: str) -> None:
    refused(app.get(LIST, query_string={"q": text}), 422, "invalid")


def test_bytes_that_are_no_utf_8_find_nothing(app: App) -> None:
    assert app.get(f"{LIST}?q=%ff%fe").status_code == 200


@pytest.mark.usefixtures("people")
def test_a_search_goes_on_over_pages(app: App) -> None:
    found = app.pages(q="example.com", limit=2, sort="recent")
    assert found == [["c_4", "c3"], ["c2", "c1"]]


@pytest.mark.usefixtures("people")
def test_searching_and_choosing_a_state(app: App, clock: Clock) -> None:
    clock.advance(hours=1)
    assert app.listed(q="jane", presence="offline") == ["c1"]
    assert app.listed(q="jane", presence="online") == []

"""Records to write and read back, and any that there can be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from bridge.domain.customer import Links, PlacedOrder, SignedIn, Subject, SubjectKind, Typed
from bridge.domain.demand import Demand, Watch
from bridge.domain.events import HeardElsewhere, Mark
from bridge.domain.page import Hearing, Page, Restored, StorePage, Stream, Told
from bridge.domain.presence import End, Presence, PresenceState, Reason, State
from bridge.domain.takeover import Person, Takeover
from bridge.ports import (
    Agent,
    ClaimedLookUp,
    ConversationRecord,
    Device,
    LookUpProblem,
    MessageRecord,
    Order,
    Pairing,
    Profile,
    Site,
    SiteSecret,
    StoreConnection,
    VisitorRecord,
)

SITE = "st_1"
OTHER_SITE = "st_2"
START = datetime(2030, 1, 1, tzinfo=UTC)
JANE = Subject(SubjectKind.CUSTOMER, "1")
JOHN = Subject(SubjectKind.GUEST, "john@shop.example")
ONLINE = PresenceState(State.ONLINE, since=START, last_seen_at=START, pages=1)
SWITCHING = PresenceState(State.SWITCHING_PAGES, since=START, last_seen_at=START)
OFFLINE = PresenceState(State.OFFLINE, since=START, reason=Reason.LEFT, last_seen_at=START)

AWKWARD = (
    "'\"`;--\\%_ \t\n {} $1 ? :name <b>&amp; e\u0301 \U0010ffff 🛒 \N{WOMAN}\u200d\N{GIRL} "
    "\u202e\u0645\u0631\u062d\u0628\u0627\u200f \u05e9\u05dc\u05d5\u05dd"
)
"""Emoji, right-to-left, quotes, wildcards, placeholders and what else ends up in a chat."""


def moment(seconds: float) -> datetime:
    """The time that lies ``seconds`` after the start."""
    return START + timedelta(seconds=seconds)


def site(id: str = SITE, name: str = "Shop") -> Site:
    """A site as it is added."""
    url = f"https://{id.replace('_', '-')}.example"
    return Site(id, name, url, frozenset({url}), (SiteSecret(f"key of {id}".encode()),))


def conversation(id: str = "c", **different: Any) -> ConversationRecord:
    """A conversation of the visitor ``v`` who is offline."""
    plain = ConversationRecord(id, "v", START, START, Presence(), OFFLINE, START, rev=1)
    return replace(plain, **different)


def demanded(
    *watchers: str, owner: str | None = None, until: float = 45
) -> tuple[Demand, datetime]:
    """Who watches, until when in seconds, and who has taken over; and when that is due."""
    watches = tuple(Watch(person(each), f"device of {each}", moment(until)) for each in watchers)
    takeover = None if owner is None else Takeover(person(owner), START, 1, START)
    return Demand(watches, takeover), moment(until)


def in_demand(
    id: str, *watchers: str, owner: str | None = None, **different: Any
) -> ConversationRecord:
    """A conversation that those agents watch, and that ``owner`` has taken over."""
    demand, due = demanded(*watchers, owner=owner)
    return conversation(id, demand=demand, demand_due=due, **different)


def person(id: str) -> Person:
    """An agent, as other agents see them."""
    return Person(id, f"Agent {id}")


def message(
    id: str = "m", conversation: str = "c", at: float = 0, **different: Any
) -> MessageRecord:
    """A visitor's message."""
    plain = MessageRecord(id, conversation, "visitor", "Hello?", moment(at), rev=1, place=1)
    return replace(plain, **different)


def pairing(site: str = SITE, expires: float = 600) -> Pairing:
    """What a pairing code stands for."""
    agent = Agent("7", "Sam", "sam@shop.example", "https://shop.example/sam.png")
    return Pairing(site, agent, frozenset({"takeover", "push"}), moment(expires))


def device(id: str = "dev_1", site: str = SITE, agent: str = "7", seen: float = 0) -> Device:
    """A device of the agent ``agent``."""
    person = Agent(agent, f"Agent {agent}", "sam@shop.example", "https://shop.example/sam.png")
    rights = frozenset({"conversations:read", "push"})
    return Device(id, site, person, rights, "Sam's phone", "android", START, moment(seen))


def claimed_look_up(site: str = SITE, subject: Subject = JANE) -> ClaimedLookUp:
    """A claim that nobody ever made."""
    missing = LookUpProblem.NOT_CONNECTED
    return ClaimedLookUp(site, subject, missing, 0, 0, START, None, moment(60))


def profile(name: str | None = "Jane Doe", number: str = "1042") -> Profile:
    """What a store knows of a customer whose last order has that number."""
    order = Order("77", number, "processing", "61.00", "EUR", "2029-12-31T00:00:00.000Z")
    return Profile(
        known=True,
        name=name,
        email="jane@shop.example",
        orders_count=3,
        total_spent="184.50",
        currency="EUR",
        last_order=order,
    )


def store_connection(**different: Any) -> StoreConnection:
    """What a store says of itself."""
    plain = StoreConnection(
        store_url="https://shop.example/de/",
        rest_url="https://shop.example/de/wp-json/",
        name="Käse & Söhne",
        origins=("https://shop.example", "https://www.shop.example"),
        plugin_version="0.1.0",
        wordpress_version="6.7.1",
        woocommerce_version="9.5.1",
        timezone="Europe/Berlin",
        woocommerce={"consumer_key": "ck_1", "consumer_secret": "cs_1", "webhook_secret": "w"},
    )
    return replace(plain, **different)


# ------------------------------------------------------------------ any that there can be

# What the edge lets through: no NUL, no lone surrogates.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
moments = st.timedeltas(timedelta(days=-20_000), timedelta(days=60_000)).map(START.__add__)
_maybe_texts = st.none() | texts
_maybe_moments = st.none() | moments
_seconds = st.floats(0, 1e6)
_documents = st.none() | st.dictionaries(
    texts,
    st.none() | texts | st.integers(-(2**53), 2**53) | st.lists(texts, max_size=2),
    max_size=3,
)
_marks = st.none() | st.builds(Mark, st.integers(0, 2**53), moments, texts)
_hearings = st.none() | st.builds(Hearing, moments, texts)
page_fields = {
    "view": _marks,
    "url": _maybe_texts,
    "title": _maybe_texts,
    "hidden_at": _marks,
    "unload": _marks,
    "signal": _marks,
    "hearing": _hearings,
    "told": st.none() | st.builds(Told, moments, _seconds, st.booleans()),
    "stream": st.none() | st.builds(Stream, moments, texts, _maybe_moments, _marks),
    "restored": st.none() | st.builds(Restored, moments, moments),
    "clear": _marks,
    "written": _marks,
    "written_at": _hearings,
}
presences = st.builds(
    Presence,
    pages=st.dictionaries(texts, st.builds(Page, **page_fields), max_size=2),
    store=st.builds(StorePage, **page_fields),
    elsewhere=st.none() | st.builds(HeardElsewhere, texts, moments),
    forgotten=st.none() | st.builds(End, moments, st.booleans()),
    forgotten_from=_maybe_moments,
)
states = st.builds(
    PresenceState,
    state=st.sampled_from(State),
    since=_maybe_moments,
    reason=st.none() | st.sampled_from(Reason),
    last_seen_at=_maybe_moments,
    continued_in=_maybe_texts,
    hidden=st.booleans(),
    url=_maybe_texts,
    title=_maybe_texts,
    pages=st.integers(0, 64),
)
_people = st.builds(Person, texts, texts, _maybe_texts)
demands = st.builds(
    Demand,
    watches=st.lists(st.builds(Watch, _people, texts, moments), max_size=2).map(tuple),
    takeover=st.none() | st.builds(Takeover, _people, moments, st.integers(0, 2**53), moments),
)
conversation_fields = {
    "id": texts,
    "visitor": _maybe_texts,
    "started_at": moments,
    "last_activity_at": moments,
    "presence": presences,
    "state": states,
    "recorded_at": moments,
    "entered_at": _maybe_moments,
    "heard_at": _maybe_moments,
    "demand": demands,
    "demand_due": _maybe_moments,
    "last_message": _documents,
    "message_count": st.integers(0, 2**31 - 1),
    "awaits_reply": st.booleans(),
    "followed_up": _documents,
    "deleted": st.just(value=False),
    "rev": st.integers(1, 2**53),
}
conversations = st.builds(ConversationRecord, **conversation_fields)
message_fields = {
    "id": texts,
    "conversation": texts,
    "author": st.sampled_from(["visitor", "bot", "agent", "system"]),
    "text": texts,
    "at": moments,
    "name": _maybe_texts,
    "agent": st.none() | st.fixed_dictionaries({"id": texts, "name": texts}),
    "delivery": st.sampled_from([None, "queued", "delivered"]),
    "delivered_at": _maybe_moments,
    "rev": st.integers(1, 2**53),
    "place": st.integers(1, 2**53),
    "client_key": _maybe_texts,
}
messages = st.builds(MessageRecord, **message_fields).map(
    # A key is of one message alone.
    lambda each: each if each.client_key is None else replace(each, client_key=f"of {each.id}")
)
_proofs: dict[str, st.SearchStrategy[Any]] = {"at": moments, "event": texts}
_typed = st.none() | st.builds(Typed, texts, **_proofs)
links = st.builds(
    Links,
    signed_in=st.none() | st.builds(SignedIn, texts, _maybe_texts, _maybe_texts, **_proofs),
    order=st.none()
    | st.builds(
        PlacedOrder,
        id=texts,
        number=texts,
        total=texts,
        currency=texts,
        email=_maybe_texts,
        customer_id=_maybe_texts,
        **_proofs,
    ),
    email=_typed,
    name=_typed,
)
_amounts = st.none() | st.decimals(0, 10**9, places=2).map(str)
orders = st.builds(Order, texts, texts, _maybe_texts, texts, texts, _maybe_texts)
profiles = st.builds(
    Profile,
    known=st.booleans(),
    name=_maybe_texts,
    email=_maybe_texts,
    orders_count=st.none() | st.integers(0, 2**53),
    total_spent=_amounts,
    currency=_maybe_texts,
    last_order=st.none() | orders,
)
visitors = st.builds(
    VisitorRecord,
    id=texts,
    name=_maybe_texts,
    email=_maybe_texts,
    device=_maybe_texts,
    links=links,
    cart=_documents,
    tokens_from=_maybe_moments,
)

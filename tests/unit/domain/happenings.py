"""What hypothesis may let happen, and how the domain is told of it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st

from tests.unit.domain.model import Happening
from tests.unit.domain.story import Story

steady = settings(deadline=None, derandomize=True, max_examples=max(200, settings().max_examples))
"""The same examples in every run, however slow the machine; a profile may ask for more."""

PAGES = ("a", "a", "a", "b", "b", "c")
"""Few, and one more often than the others: what happens to one page is where the rules meet."""

# Around every number of the rules, so that boundaries are met and not merely approached.
DURATIONS = st.sampled_from(
    [0, 0.25, 1, 5, 9.75, 10, 14.75, 15, 30, 89.75, 90, 149.75, 150, 155, 155.25, 329.75, 330]
)
INTERVALS = st.sampled_from([None, 0.0, 10.0, 60.0])

_pages = st.sampled_from(PAGES)
_seqs = st.integers(0, 6)
_browser_events = st.builds(
    Happening,
    kind=st.sampled_from(["view", "view", "heartbeat", "hidden", "unload", "unload"]),
    at=st.just(0.0),
    page=_pages,
    seq=_seqs,
    told=INTERVALS,
)
_words = st.builds(
    Happening,
    kind=st.sampled_from(["message", "message", "clear"]),
    at=st.just(0.0),
    page=_pages,
    seq=st.none() | _seqs,
)
_store_events = st.builds(
    Happening,
    kind=st.sampled_from(["message", "heartbeat", "unload", "clear"]),
    at=st.just(0.0),
)
_elsewhere = st.builds(
    Happening,
    kind=st.just("elsewhere"),
    at=st.just(0.0),
    conversation=st.sampled_from(["A", "B"]),
)
EVENTS = st.one_of(_browser_events, _browser_events, _words, _store_events, _elsewhere)
"""An event without its time and id; see :func:`dated`."""


def dated(event: Happening, at: float, number: int, tie: str) -> Happening:
    """``event`` at its own time; ``tie`` makes ids sort otherwise than they are numbered."""
    page = event.page
    told = None if event.kind in ("unload", "clear") or page is None else event.told
    url = f"https://shop.example/{number}" if event.kind == "view" else None
    return replace(event, at=at, id=f"{tie}{number:04}", told=told, url=url)


@st.composite
def event_lists(draw: st.DrawFn, most: int = 14) -> list[Happening]:
    """Events of one conversation, each with its own time and id."""
    size = draw(st.integers(0, most))
    dates = st.tuples(EVENTS, DURATIONS, st.sampled_from("xyz"))
    events = draw(st.lists(dates, min_size=size, max_size=size))
    clock = 0.0
    happened = []
    for number, (event, passed, tie) in enumerate(events):
        clock += passed
        happened.append(dated(event, clock, number, tie))
    return happened


def tell(story: Story, it: Happening) -> bool:
    """Tell the domain of ``it``; whether the domain took it in."""
    page, seq = it.page or "", it.seq or 0
    match it.kind:
        case "view":
            return story.view(page, seq, it.at, it.told, it.id, url=it.url)
        case "heartbeat" if it.page is None:
            return story.store_heartbeat(it.at, it.id)
        case "heartbeat":
            return story.heartbeat(page, seq, it.at, it.told, it.id)
        case "hidden":
            return story.hide(page, seq, it.at, it.told, it.id)
        case "unload":
            return story.unload(page, seq, it.at, it.id)
        case "message":
            return story.message(it.at, it.page, it.seq, it.told, it.id)
        case "clear":
            return story.clear(it.at, it.page, it.seq, it.id)
        case "elsewhere":
            return story.elsewhere(it.conversation, it.at)
        case "sync":
            return story.sync(page, it.at, it.told)
        case "stream":
            return story.open_stream(it.id, page, it.at, it.told)
        case "drop":
            return story.drop_stream(it.id, it.at)
        case "push":
            return story.push(page, it.at, it.told or 0)
    raise ValueError(it.kind)

"""P15, and P9's forgetting, on the domain alone: no order and no repetition may matter."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.domain.happenings import DURATIONS, INTERVALS, PAGES, event_lists, steady, tell
from tests.unit.domain.model import FACTS, Happening
from tests.unit.domain.story import DAY, Seen, Story

Shown = tuple[Seen, frozenset[str], float | None]


def told(happenings: list[Happening]) -> Story:
    """A story in which all of ``happenings`` happened, in this order."""
    story = Story()
    for it in happenings:
        tell(story, it)
    return story


def shown(story: Story, now: float) -> Shown:
    """All that can be seen at ``now``; since when one is online depends on what was recorded."""
    seen = story.at(now)
    if seen.state == "online":
        seen = replace(seen, since=None)
    return seen, frozenset(story.live_pages(now)), story.next_deadline(now)


def turning_points(story: Story, now: float) -> list[float]:
    """``now``, every later moment at which something may change, and one between each two."""
    points = [now]
    while (deadline := story.next_deadline(points[-1])) is not None:
        points += [(points[-1] + deadline) / 2, deadline]
    return [*points, points[-1] + DAY]


def last_moment(happenings: list[Happening]) -> float:
    return max((it.at for it in happenings), default=0.0)


@steady
@given(data=st.data(), events=event_lists(), later=DURATIONS)
def test_p15_neither_order_nor_repetition_changes_any_later_state(
    data: st.DataObject, events: list[Happening], later: float
) -> None:
    again = data.draw(st.lists(st.sampled_from(events), max_size=8)) if events else []
    shuffled = data.draw(st.permutations([*events, *again]))
    straight, tangled = told(events), told(shuffled)
    for now in turning_points(straight, last_moment(events) + later):
        assert shown(straight, now) == shown(tangled, now)


@st.composite
def facts_between(draw: st.DrawFn, clock: float, number: int) -> list[Happening]:
    """What the bridge sees and does at ``clock``: a stream told of, a sync, perhaps a drop."""
    page = draw(st.sampled_from(PAGES))
    stream = Happening("stream", clock, id=f"s{number}", page=page, told=draw(INTERVALS))
    drop = Happening("drop", clock + draw(DURATIONS), id=stream.id, page=page)
    push = Happening("push", clock, page=page, told=draw(st.sampled_from([0.0, 10.0])))
    sync = Happening("sync", clock, page=draw(st.sampled_from(PAGES)), told=draw(INTERVALS))
    return draw(st.sampled_from([[], [stream], [stream, push], [stream, drop], [sync]]))


@steady
@given(data=st.data(), later=DURATIONS)
def test_p15_holds_with_streams_and_syncs_between_the_events(
    data: st.DataObject, later: float
) -> None:
    straight: list[Happening] = []
    tangled: list[Happening] = []
    clock = 0.0
    for number in range(3):
        events = [
            replace(event, at=event.at + clock, id=f"{event.id}-{number}")
            for event in data.draw(event_lists(most=6))
        ]
        # All that was ever told may be told again, but new things only once they have happened.
        again = [it for it in tangled if it.kind not in FACTS]
        straight += events
        tangled += data.draw(st.permutations([*events, *again]))
        clock = last_moment(straight)
        facts = data.draw(facts_between(clock, number))
        straight += facts
        tangled += facts
        clock = max(clock, last_moment(facts))
    one, other = told(straight), told(tangled)
    for now in turning_points(one, clock + later):
        assert shown(one, now) == shown(other, now)


@steady
@given(events=event_lists(), waited=st.sampled_from([0.0, 0.5, 1.0, 1.5]), later=DURATIONS)
def test_p9_forgetting_old_pages_changes_no_later_state(
    events: list[Happening], waited: float, later: float
) -> None:
    remembering, forgetful = told(events), told(events)
    now = last_moment(events) + waited * DAY + later
    forgetful.forget(now)
    for moment in turning_points(remembering, now):
        assert _without_url(shown(remembering, moment)) == _without_url(shown(forgetful, moment))


@steady
@given(early=event_lists(most=8), late=event_lists(most=6), later=DURATIONS)
def test_p9_forgetting_leaves_recent_pages_alone(
    early: list[Happening], late: list[Happening], later: float
) -> None:
    start = last_moment(early) + DAY + 400
    late = [replace(it, at=it.at + start, id=f"{it.id}-late", page=_fresh(it.page)) for it in late]
    remembering, forgetful = told([*early, *late]), told([*early, *late])
    now = last_moment(late) + later if late else start
    forgetful.forget(now)
    for moment in turning_points(remembering, now):
        assert _without_url(shown(remembering, moment)) == _without_url(shown(forgetful, moment))


def _fresh(page: str | None) -> str | None:
    return None if page is None else f"{page}-fresh"


def _without_url(what: Shown) -> Shown:
    seen, live, deadline = what
    return replace(seen, url=None), live, deadline

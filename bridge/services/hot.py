"""What liveness needs to know of a recorded conversation, what it knows better, and what pages are
told: one idea, since a heartbeat is answered from liveness alone."""

from __future__ import annotations

from datetime import datetime

from bridge.domain.demand import heartbeat_seconds
from bridge.domain.events import STORE_PAGE, Mark, PageEvent, PageEventKind
from bridge.domain.page import Page, Timing
from bridge.domain.presence import Presence, State
from bridge.ports import ConversationRecord, HotConversation, HotPage

UNSEQUENCED = -1
"""The ``seq`` of a hot page that was heard by messages alone: less than any of a page's own."""

PRESENT = (State.ONLINE, State.SWITCHING_PAGES)


def interval(
    record: ConversationRecord,
    page: Page | None,
    now: datetime,
    timing: Timing,
    *,
    streams: bool = True,
) -> float:
    """The heartbeat interval to tell a page, or with ``None`` the store (D2); not ``streams``: the
    page holds no stream, whatever is recorded."""
    if record.deleted or record.state.state is State.CHAT_CLEARED:
        return 0.0
    if page is None:
        return interval_if_open(record, now, timing)
    return interval_if_open(
        record, now, timing, streams=streams and page.streams, hidden=page.hidden
    )


def interval_if_open(
    record: ConversationRecord,
    now: datetime,
    timing: Timing,
    *,
    streams: bool = False,
    hidden: bool = False,
) -> float:
    """The same for such a page in a chat that is not cleared, or no longer."""
    return heartbeat_seconds(
        cleared=False,
        in_demand=record.demand.present(now),
        streams=streams,
        visible=not hidden,
        timing=timing,
    )


def hot_conversation(
    record: ConversationRecord, now: datetime, timing: Timing
) -> HotConversation | None:
    """What liveness needs to know of a conversation; ``None``: nothing."""
    present = record.state.state in PRESENT
    if record.deleted or not (present or record.demand_due):
        return None
    live = record.presence.live_pages(now, timing)
    # Never before what was recorded last: a clock set back would make it due for ever.
    ends = [max(record.demand_due, record.recorded_at)] if record.demand_due else []
    if present and not live:
        # The end of a grace time: at once, if in doubt.
        ends.append(record.presence.next_deadline(record.recorded_at, timing) or now)
    return HotConversation(
        visitor=record.visitor,
        heard_at=record.heard_at,
        pages={key: _hot_page(record, page, now, timing) for key, page in live.items()},
        due=min(ends, default=None),
        quiet=record.state.state is State.ONLINE,
        watched=bool(record.demand.watches),
        takeover_until=record.demand.takeover_ends_at(timing),
    )


def _hot_page(record: ConversationRecord, page: Page, now: datetime, timing: Timing) -> HotPage:
    """A live page: it was heard, and has a deadline."""
    heard, told = page.heard_at or now, interval(record, page, now, timing)
    heard_apart = page.hearing.at if page.hearing is not None else None
    return HotPage(
        mark=page.signal or Mark(UNSEQUENCED, heard_apart or heard, ""),
        heard_at=heard,
        allowance=page.allowance(timing),
        deadline=page.deadline(timing) or now,
        interval=told,
        informed=page.told is not None and page.told.interval == told,
        kept_at=heard_apart,
        restored=page.restored,
    )


def overlay(presence: Presence, hot: HotConversation, timing: Timing) -> None:
    """Bring ``presence`` up to what liveness heard since it was written."""
    for key, known in hot.pages.items():
        page = presence.store if key == STORE_PAGE else presence.pages.get(key)
        if page is None:
            continue
        if key != STORE_PAGE and known.mark.seq != UNSEQUENCED:
            presence.apply(PageEvent(PageEventKind.HEARTBEAT, key, known.mark), timing)
        if known.kept_at is not None:
            page.hear(known.kept_at, "")
        if known.restored is not None:
            page.outlive(known.restored)

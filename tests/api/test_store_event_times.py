"""P11: when an event happened that the store sends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.api.device import App
from tests.api.installation import Clock
from tests.api.store import Store
from tests.api.visitor import event, message


def heard_at(app: App, conversation: str = "c") -> datetime:
    found = app.presence(conversation)["heard_at"]
    return datetime.fromisoformat(found)


def view(**fields: Any) -> dict[str, Any]:
    return event("page_view", "c", visitor="v", page="p", seq=1, **fields)


def test_without_a_time_an_event_happened_when_it_came(
    store: Store, app: App, clock: Clock
) -> None:
    store.skew = timedelta(minutes=4)
    store.outcome(view())
    assert heard_at(app) == clock.now.replace(microsecond=123_000)


@pytest.mark.parametrize("skew", [-299, -60, 0, 60, 299])
def test_a_stores_clock_cannot_skew_when_an_event_happened(
    store: Store, app: App, clock: Clock, skew: int
) -> None:
    clock.now = clock.now.replace(microsecond=0)
    store.skew = timedelta(seconds=skew)
    store.outcome(view(occurred_at=(store.now - timedelta(seconds=40)).isoformat()))
    assert heard_at(app) == clock.now - timedelta(seconds=40)


def test_a_view_of_ten_minutes_ago_makes_nobody_online_now(
    store: Store, app: App, clock: Clock
) -> None:
    clock.now = clock.now.replace(microsecond=0)
    ago = clock.now - timedelta(minutes=10)
    store.outcome(view(occurred_at=ago.isoformat()))
    presence = app.presence("c")
    assert (presence["state"], presence["reason"]) == ("offline", "timed_out")
    assert datetime.fromisoformat(presence["last_seen_at"]) == ago
    assert presence["label"] == "Last seen 10 minutes ago"


def test_a_message_has_the_time_at_which_it_was_written(
    store: Store, app: App, clock: Clock
) -> None:
    clock.now = clock.now.replace(microsecond=0)
    old = clock.now - timedelta(hours=2)
    store.outcome(message("c", "new", author="bot"))
    store.outcome(message("c", "old", author="bot", occurred_at=old.isoformat()))
    assert app.texts("c") == ["old", "new"]
    assert app.conversation("c")["last_message"]["text"] == "new"


@pytest.mark.parametrize("ahead", [1, 59, 60])
def test_up_to_60_s_in_the_future_counts_as_now(
    store: Store, app: App, clock: Clock, ahead: int
) -> None:
    clock.now = clock.now.replace(microsecond=0)
    later = clock.now + timedelta(seconds=ahead)
    assert store.outcome(view(occurred_at=later.isoformat())) == ("accepted", "")
    assert heard_at(app) == clock.now


@pytest.mark.parametrize("ahead", [61, 3600, 86_400 * 365])
def test_further_in_the_future_is_refused(store: Store, app: App, clock: Clock, ahead: int) -> None:
    clock.now = clock.now.replace(microsecond=0)
    later = clock.now + timedelta(seconds=ahead)
    assert store.outcome(view(occurred_at=later.isoformat())) == ("rejected", "in-the-future")
    assert app.listed() == []


def test_the_future_is_measured_from_the_stores_own_clock(store: Store, clock: Clock) -> None:
    clock.now = clock.now.replace(microsecond=0)
    store.skew = timedelta(minutes=4)
    ahead = (store.now + timedelta(seconds=60)).isoformat()
    assert store.outcome(view(occurred_at=ahead)) == ("accepted", "")
    ahead = (store.now + timedelta(seconds=61)).isoformat()
    assert store.outcome(view(occurred_at=ahead)) == ("rejected", "in-the-future")


@pytest.mark.parametrize(
    "zone", [UTC, timezone(timedelta(hours=5, minutes=45)), timezone(-timedelta(hours=9))]
)
def test_a_time_may_be_of_any_zone(store: Store, app: App, clock: Clock, zone: timezone) -> None:
    clock.now = clock.now.replace(microsecond=0)
    then = (clock.now - timedelta(seconds=30)).astimezone(zone)
    store.outcome(view(occurred_at=then.isoformat()))
    assert heard_at(app) == clock.now - timedelta(seconds=30)


@pytest.mark.parametrize(
    "text", ["2026-03-02T09:29:30Z", "2026-03-02T09:29:30.000Z", "2026-03-02t09:29:30.000000z"]
)
def test_a_time_as_rfc_3339_has_it(store: Store, app: App, clock: Clock, text: str) -> None:
    clock.now = clock.now.replace(microsecond=0)
    assert store.outcome(view(occurred_at=text)) == ("accepted", "")
    assert heard_at(app) == datetime(2026, 3, 2, 9, 29, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1772443770",
        "2026-03-02T09:29:30",
        "2026-03-02",
        "2026-02-30T00:00:00Z",
        "2026-03-02T25:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "2026-03-02T09:29:30+99:99",
        "x" * 65,
        1_772_443_771,
        True,
        {},
    ],
)
def test_what_is_no_time_is_refused(store: Store, app: App, text: object) -> None:
    assert store.outcome(view(occurred_at=text)) == ("rejected", "invalid")
    assert app.listed() == []


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z"])
def test_an_absurdly_early_time_harms_nothing(store: Store, app: App, text: str) -> None:
    assert store.outcome(view(occurred_at=text)) == ("accepted", "")
    assert app.presence("c")["online"] is False
    assert app.listed() == ["c"]


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999-23:59"])
def test_an_absurdly_late_time_is_refused(store: Store, app: App, text: str) -> None:
    assert store.outcome(view(occurred_at=text))[0] == "rejected"
    assert app.listed() == []

"""Days on which clocks, strangers and storage do what they should not."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import pytest
import sqlalchemy as sa

from bridge.errors import UnauthorizedError, UnavailableError
from bridge.ports import ConversationKey, Site, SiteSecret
from bridge.records.tables import conversations, store_calls
from bridge.services.sync import SiteChanges, Sync
from tests.services.live import LiveScene
from tests.services.scene import SITE, moment, seconds, sender
from tests.services.streams import names, texts

HALF_AN_HOUR = 1_800


def test_a_clock_that_is_set_back_does_not_make_the_sweep_spin(live: LiveScene) -> None:
    live.view(1, 1_000)
    live.watch("sam-1", 900)
    live.sweep(950)
    assert live.watchers(944) == ["sam"]
    live.restart(951)
    live.sweep(952)
    live.watch("sam-1", 990)
    live.sweep(1_001)
    assert live.watchers(1_001) == ["sam"]
    live.sweep(1_036)
    assert live.watchers(1_036) == []


def test_p2_demand_does_not_end_a_page_that_was_hidden_for_long(live: LiveScene) -> None:
    live.view(1, 0)
    live.join_page(1)
    live.hide(2, 2)
    live.watch("sam-1", 200)
    live.sweep(210.5)
    assert live.shown(at=210.5).state == "online"
    assert [what for what, _ in live.changes()] == ["online"]


def test_p2_a_page_that_fell_back_to_sync_is_not_told_through_a_stream(live: LiveScene) -> None:
    live.view(1, 0)
    live.join_page(1)
    assert live.sync(250).told.heartbeat_seconds == 60
    live.watch("sam-1", 260)
    live.sweep(271)
    assert live.shown(at=271).state == "online"
    assert live.sync(300).told.heartbeat_seconds == 10


def test_p2_a_sync_beside_a_stream_leaves_it_alone(live: LiveScene) -> None:
    live.view(1, 0)
    live.join_page(1)
    visits, key = live.bridge.services.visits, live.key("A")
    assert visits.sync(key, "v", "p", None, moment(100), streams=True).told.heartbeat_seconds == 0
    live.sweep(300)
    assert live.shown(at=300).state == "online"


def test_d2_a_page_in_the_background_is_told_to_beat_once_a_minute(live: LiveScene) -> None:
    live.view(1, 0)
    page = live.join_page(1)
    live.hide(2, 2)
    live.watch("sam-1", 3)
    live.feed()
    assert page.read() == [("demand", {"heartbeat_seconds": 60.0})]
    assert live.beat(3, 3.1) == 60
    live.view(4, 4)
    assert live.beat(5, 5) == 10


def test_p2_a_stream_of_a_page_that_is_held_for_gone_says_so(live: LiveScene) -> None:
    live.view(1, 0)
    live.sweep(200)
    ready = live.join_page(200).opening[0]
    assert ready[1]["live"] is False
    live.view(2, 201)
    assert "live" not in live.join_page(202).opening[0][1]


def test_a_conversation_that_is_given_to_another_visitor_is_followed_no_more(
    live: LiveScene,
) -> None:
    live.view(1, 0)
    page = live.join_page(1)
    live.take_over("sam-1", 2)
    live.feed()
    page.read_all()
    live.store("message", 4, visitor="w", author="bot")
    live.write("sam-1", 5, "For w alone")
    live.feed()
    assert texts(page.read_all()) == []
    assert page.read() is None


def test_c3_a_visitor_whose_tokens_end_follows_no_more(live: LiveScene) -> None:
    live.view(1, 0)
    page = live.join_page(1)
    live.fan_out.superseded(SITE, "v")
    assert page.read() is None


def test_t4_an_end_is_told_once_though_events_are_rejected(live: LiveScene) -> None:
    live.view(1, 0)
    live.take_over("sam-1", 1)
    late = 2 + HALF_AN_HOUR
    foreign = [live.event("heartbeat", late, "q", number, visitor="w") for number in range(5)]
    assert live.tell_together(*foreign) == ["conversation-not-found"] * 5
    assert live.tell_together(*foreign) == ["conversation-not-found"] * 5
    live.sweep(late + 1)
    assert live.kinds_told() == ["takeover.started", "takeover.released"]
    assert len(live.said_by_system()) == 2


def test_t3_a_device_that_was_signed_out_meanwhile_does_nothing_more(live: LiveScene) -> None:
    live.view(1, 0)
    live.sign_out("sam-1", 1)
    for act in (live.watch, live.take_over, live.write):
        with pytest.raises(UnauthorizedError, match="signed out"):
            act("sam-1", 2)
    assert live.owner(3) is None


def test_t3_an_end_that_is_noticed_a_day_late_is_told_from_then(live: LiveScene) -> None:
    live.view(1, 0)
    live.take_over("sam-1", 1)
    live.restart(25 * 3_600)
    live.sweep()
    with live.bridge.database.reading() as connection:
        rows = connection.execute(sa.select(store_calls.c.at).order_by(store_calls.c.place))
        waiting_since = [seconds(row.at) for row in rows]
    assert waiting_since == [1, 25 * 3_600]
    assert live.told_to_store()[1]["at"] == live.told_to_store()[0]["expires_at"]


def test_p7_what_is_written_after_a_clear_waits_though_it_is_read_together(
    live: LiveScene,
) -> None:
    live.view(1, 0)
    page = live.join_page(1)
    live.clear(2, seq=2)
    live.take_over("sam-1", 3, "chat_cleared")
    live.write("sam-1", 4, "Are you there?")
    live.feed()
    assert names(page.read_all()) == ["cleared"]


def test_one_sites_trouble_does_not_keep_streams_waiting(live: LiveScene) -> None:
    failures: list[Exception] = [RuntimeError("a row that cannot be read"), UnavailableError()]

    class InTrouble(Sync):
        """Whose first readings fail."""

        def read(
            self,
            site: str,
            agents: Collection[str],
            after: int,
            limit: int,
            derived_at: datetime | None = None,
        ) -> SiteChanges:
            if failures:
                raise failures.pop()
            return super().read(site, agents, after, limit, derived_at)

    app = live.bridge.services
    fan_out = live.another_fan_out(sync=InTrouble(app.records, app.conversations))
    live.view(1, 0)
    page = live.join_page(1)
    live.watch("sam-1", 2)
    fan_out.changed(SITE)
    assert not fan_out.feed()
    assert not fan_out.feed()
    assert page.read() == []
    assert fan_out.feed()
    assert names(page.read()) == ["demand"]


def test_p2_a_conversation_that_cannot_be_read_costs_no_other_its_drop(live: LiveScene) -> None:
    visits = live.bridge.services.visits
    live.view(1, 0)
    stream = live.open_stream(1)
    other = Site("other", "Other", "https://other.example", frozenset(), (SiteSecret(b"o"),))
    live.bridge.records.add_site(other, moment(1))
    viewed = live.event("page_view", 1, "p", 1)
    live.bridge.services.ingest.from_visitor("other", [viewed], moment(1), sender(viewed))
    beside = visits.open_stream(ConversationKey("other", "A"), "v", "p", None, moment(1))
    with live.bridge.database.writing() as connection:
        broken = sa.update(conversations).where(conversations.c.site == "other")
        connection.execute(broken.values(presence="{"))
    visits.dropped(beside, moment(10))
    visits.dropped(stream, moment(10))
    assert visits.settle_drops(moment(10)) == 1
    live.sweep(26)
    assert live.shown(at=26).reason == "timed_out"

"""Messages: M1 to M3."""

from __future__ import annotations

import pytest

from bridge.domain.messages import Delivery, confirmed, may_speak_as, sent_once


def test_m1_what_is_sent_again_has_the_same_name() -> None:
    assert sent_once("1", "a") == sent_once("1", "a")


def test_m1_another_agents_and_another_message_have_other_names() -> None:
    assert len({sent_once("1", "a"), sent_once("2", "a"), sent_once("1", "b")}) == 3


def test_m2_a_message_is_delivered_once() -> None:
    assert confirmed("queued") is Delivery.DELIVERED
    assert confirmed("delivered") is None


@pytest.mark.parametrize("author", ["visitor", "bot", "system"])
def test_m3_only_the_store_speaks_for_bot_and_system(author: str) -> None:
    assert may_speak_as(author, store=True)
    assert may_speak_as(author, store=False) == (author == "visitor")

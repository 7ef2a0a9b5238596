"""Takeover as it is recorded, and what the store is told of it: T1 to T6, P7."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bridge.errors import ConflictError, ForbiddenError, NotFoundError
from tests.services.live import LiveScene, wire
from tests.services.scene import told

JOINED = "Sam has joined the chat."
RELEASED = "Sam has left the chat. The assistant answers again."
IDLE = "Sam has been away for a while. The assistant answers again."
CLEARED = "The chat was cleared; Sam has left it."
SIGNED_OUT = "Sam has signed out. The assistant answers again."
FORCED = "Kim has released the chat from Sam. The assistant answers again."


@pytest.fixture
def owned(live: LiveScene) -> LiveScene:
    """A visitor who came at 0, and whom Sam took over at 10."""
    live.view(1, at=0)
    live.take_over("sam-1", at=10)
    return live


# ------------------------------------------------------------------------------------ T1, T2


def test_t1_the_second_gets_a_conflict_that_names_the_owner(owned: LiveScene) -> None:
    with pytest.raises(ConflictError) as conflict:
        owned.take_over("kim-1", at=11)
    assert conflict.value.code == "takeover-owned"
    assert conflict.value.extra == {"owner": {"id": "sam", "name": "Sam"}}
    assert owned.owner() == "sam"
    assert owned.kinds_told() == ["takeover.started"]


def test_t1_the_owner_keeps_it_on_any_device(owned: LiveScene) -> None:
    before = owned.recorded()
    owned.take_over("sam-2", at=20)
    owned.take_over("sam-1", at=21)
    after = owned.recorded()
    assert before is not None
    assert after is not None
    assert (after.demand, after.rev) == (before.demand, before.rev)
    assert owned.said_by_system() == [(JOINED, 10)]
    assert owned.kinds_told() == ["takeover.started"]


def test_t1_of_many_at_once_one_wins(live: LiveScene) -> None:
    live.view(1, at=0)

    def attempt(device: str) -> str:
        try:
            live.take_over(device)
        except ConflictError as conflict:
            return str(conflict.extra["owner"]["id"])  # type: ignore[index]  # as the wire has it
        return device.partition("-")[0]

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, ["sam-1", "kim-1", "sam-2", "kim-2"] * 4))
    assert set(outcomes) == {live.owner()}
    assert len(live.said_by_system()) == 1
    assert live.kinds_told() == ["takeover.started"]


def test_t2_only_the_owner_may_write(live: LiveScene) -> None:
    live.view(1, at=0)
    with pytest.raises(ConflictError) as nobody:
        live.write("sam-1", at=1)
    assert nobody.value.code == "takeover-required"
    live.take_over("sam-1", at=2)
    with pytest.raises(ConflictError) as other:
        live.write("kim-1", at=3)
    assert (other.value.code, other.value.extra["owner"]) == (
        "takeover-owned",
        {"id": "sam", "name": "Sam"},
    )
    live.write("sam-2", at=4)
    live.release("sam-1", at=5)
    with pytest.raises(ConflictError):
        live.write("sam-1", at=6)
    assert [each.author for each in live.transcript()] == ["system", "agent", "system"]


def test_t2_the_store_is_told_by_each_answer_that_the_ai_is_silent(owned: LiveScene) -> None:
    answer = owned.answer(owned.event("message", 20, "p", 2))
    until = told(answer).takeover_until
    assert until is not None
    assert wire(1_810) == owned.told_to_store()[0]["expires_at"]
    assert until.isoformat() == "2030-01-01T00:30:10+00:00"
    beat = owned.answer(owned.event("heartbeat", 21, "p", 3))
    again = owned.answer(owned.event("heartbeat", 22, "p", 4))
    assert told(beat).takeover_until == told(again).takeover_until == until
    owned.release("sam-1", at=23)
    for seq in (5, 6):
        after = owned.answer(owned.event("heartbeat", 20 + seq, "p", seq))
        assert told(after).takeover_until is None


# --------------------------------------------------------------------------------------- T3


def test_t3_the_owner_releases_it_once(owned: LiveScene) -> None:
    owned.release("sam-2", at=20)
    owned.release("sam-1", at=21)
    owned.release("kim-1", at=22, force=True)
    assert owned.owner() is None
    assert owned.said_by_system() == [(JOINED, 10), (RELEASED, 20)]
    assert owned.kinds_told() == ["takeover.started", "takeover.released"]
    assert owned.told_to_store()[1]["expires_at"] is None


def test_t3_another_needs_force_and_the_right_or_an_owner_who_is_away(owned: LiveScene) -> None:
    owned.devices["kim-2"] = owned.pair("lee", 1, at=11)
    owned.heard_of("sam-2", at=100)
    with pytest.raises(ConflictError):
        owned.release("kim-1", at=101)
    with pytest.raises(ForbiddenError) as forbidden:
        owned.release("lee-1", at=999.999, force=True)
    assert forbidden.value.code == "right-missing"
    assert owned.owner() == "sam"
    owned.release("lee-1", at=1_000, force=True)
    assert owned.owner() is None


def test_t3_t4_one_with_the_right_forces_it_at_any_time(owned: LiveScene) -> None:
    owned.heard_of("sam-1", at=11)
    owned.release("kim-1", at=12, force=True)
    assert owned.said_by_system() == [(JOINED, 10), (FORCED, 12)]
    (_, released) = owned.told_to_store()
    assert released["agent"]["id"] == "sam"
    owned.take_over("kim-1", at=13)
    assert owned.owner() == "kim"


@pytest.mark.parametrize("swept", [1_810, 1_815, 90_000])
def test_t3_it_ends_by_itself_at_the_computed_time(owned: LiveScene, swept: float) -> None:
    owned.sweep(at=1_809.999)
    assert owned.owner() == "sam"
    owned.sweep(at=swept)
    assert owned.owner() is None
    assert owned.said_by_system() == [(JOINED, 10), (IDLE, 1_810)]
    assert [(each["type"], each["at"]) for each in owned.told_to_store()] == [
        ("takeover.started", wire(10)),
        ("takeover.released", wire(1_810)),
    ]


def test_t3_a_reader_settles_what_no_sweep_did(owned: LiveScene) -> None:
    assert owned.owner(at=1_809.999) == "sam"
    assert owned.owner(at=1_810) is None
    assert owned.said_by_system()[-1] == (IDLE, 1_810)


def test_t3_what_the_owner_writes_keeps_it_and_moves_the_end_that_the_store_knows(
    owned: LiveScene,
) -> None:
    owned.write("sam-1", at=1_000)
    owned.write("sam-2", at=2_500)
    assert [each["expires_at"] for each in owned.told_to_store()] == [
        wire(1_810),
        wire(2_800),
        wire(4_300),
    ]
    assert owned.owner(at=4_299.999) == "sam"
    assert owned.owner(at=4_300) is None


def test_t3_what_the_owner_watches_keeps_it(owned: LiveScene) -> None:
    owned.watch("sam-2", at=1_800)
    assert owned.owner(at=1_845 + 1_799.999) == "sam"
    assert owned.owner(at=1_845 + 1_800) is None


def test_t3_one_who_leaves_was_active_until_then(owned: LiveScene) -> None:
    owned.watch("sam-1", at=100)
    owned.leave("sam-1", at=110)
    assert owned.owner(at=110 + 1_799.999) == "sam"
    assert owned.owner(at=110 + 1_800) is None


def test_t3_nobody_elses_watch_keeps_it(owned: LiveScene) -> None:
    for at in range(20, 1_800, 40):
        owned.watch("kim-1", at=at)
    assert owned.owner(at=1_810) is None


def test_t3_it_outlives_a_restart_and_still_ends_on_time(owned: LiveScene) -> None:
    owned.restart(at=100)
    assert owned.owner() == "sam"
    owned.write("sam-1", at=110)
    owned.restart(at=200)
    owned.sweep(at=1_910)
    assert owned.said_by_system() == [(JOINED, 10), (IDLE, 1_910)]


def test_t3_one_that_ended_while_the_bridge_was_down_ended_on_time(owned: LiveScene) -> None:
    owned.restart(at=50_000)
    owned.sweep(at=50_001)
    assert owned.owner() is None
    assert owned.said_by_system() == [(JOINED, 10), (IDLE, 1_810)]
    assert owned.kinds_told() == ["takeover.started", "takeover.released"]


def test_t3_it_ends_when_the_owners_last_device_is_signed_out(owned: LiveScene) -> None:
    owned.sign_out("sam-1", at=20)
    assert owned.owner() == "sam"
    owned.sign_out("kim-1", at=21)
    assert owned.owner() == "sam"
    owned.sign_out("sam-2", at=22)
    assert owned.owner() is None
    assert owned.said_by_system() == [(JOINED, 10), (SIGNED_OUT, 22)]
    assert owned.kinds_told() == ["takeover.started", "takeover.released"]
    with pytest.raises(NotFoundError):
        owned.sign_out("sam-2", at=23)


def test_t3_d4_signing_a_person_out_ends_all_that_they_held(owned: LiveScene) -> None:
    owned.view(1, at=11, page="q", conversation="B")
    owned.take_over("sam-2", at=12, conversation="B")
    owned.watch("sam-1", at=13)
    owned.watch("kim-1", at=14)
    assert owned.sign_out_agent("sam", at=20) == 2
    assert owned.sign_out_agent("sam", at=21) == 0
    assert (owned.owner(), owned.owner(conversation="B")) == (None, None)
    assert owned.watchers() == ["kim"]
    for conversation in ("A", "B"):
        assert owned.said_by_system(conversation)[-1] == (SIGNED_OUT, 20)


def test_d4_a_signed_out_device_watches_no_more(live: LiveScene) -> None:
    live.view(1, at=0)
    live.watch("sam-1", at=1)
    live.watch("sam-2", at=2)
    live.sign_out("sam-1", at=3)
    assert live.watchers() == ["sam"]
    live.sign_out("sam-2", at=4)
    assert live.watchers() == []


# ------------------------------------------------------------------------------------ T5, T6


@pytest.mark.parametrize("state", ["left", "timed_out", "chat_cleared"])
def test_t5_one_who_is_gone_is_taken_over_with_the_present_note(
    live: LiveScene, state: str
) -> None:
    live.view(1, at=0)
    if state == "left":
        live.unload(2, at=1)
    if state == "chat_cleared":
        live.clear(at=1, seq=2)
    for acknowledge in (None, "moved_on"):
        with pytest.raises(ConflictError) as conflict:
            live.take_over("sam-1", at=200, acknowledge=acknowledge)
        assert conflict.value.code == "presence-note"
        assert conflict.value.extra["note"]["code"] == state  # type: ignore[index]  # as the wire has it
    assert live.owner() is None
    live.take_over("sam-1", at=201, acknowledge=state)
    assert live.owner() == "sam"


def test_t5_the_note_is_the_present_one(live: LiveScene) -> None:
    live.view(1, at=0)
    live.unload(2, at=10)
    live.take_over("sam-1", at=24.999)
    live.release("sam-1")
    with pytest.raises(ConflictError) as conflict:
        live.take_over("sam-1", at=25)
    assert conflict.value.extra["note"]["code"] == "left"  # type: ignore[index]  # as the wire has it


def test_t6_the_note_quotes_what_was_said_meanwhile(live: LiveScene) -> None:
    live.view(1, at=0)
    live.say("before", at=1)
    live.take_over("sam-1", at=2)
    live.say("Do you have it in blue?", at=3)
    live.write("sam-1", at=4, text="We do.")
    live.release("sam-1", at=5)
    live.say("after", at=6)
    note = live.told_to_store()[-1]["handoff_note"]
    assert [line for line in note.splitlines() if "“" in line] == [
        "Visitor: “Do you have it in blue?”",
        "Sam: “We do.”",
    ]
    live.take_over("kim-1", at=7)
    live.release("kim-1", at=8)
    assert live.told_to_store()[-1]["handoff_note"] is None


def test_t6_the_store_is_told_in_the_order_in_which_it_came_about(owned: LiveScene) -> None:
    sent = owned.write("sam-1", at=20, text="<i>Hello</i>")
    owned.release("sam-1", at=30)
    owned.take_over("kim-1", at=40)
    started, message, released, again = owned.told_to_store()
    assert [each["type"] for each in (started, message, released, again)] == [
        "takeover.started",
        "message.created",
        "takeover.released",
        "takeover.started",
    ]
    assert (message["message"]["id"], message["message"]["text"]) == (sent.id, "<i>Hello</i>")
    assert message["agent"] == started["agent"] == {"id": "sam", "name": "Sam", "avatar_url": None}
    assert {each["conversation"] for each in (started, message, released, again)} == {"A"}


# --------------------------------------------------------------------------------------- P7


def test_p7_a_clear_ends_it_with_one_line_and_no_note(owned: LiveScene) -> None:
    owned.write("sam-1", at=15)
    owned.clear(at=20, seq=2, id="clear")
    owned.clear(at=21, seq=2, id="clear")
    assert owned.owner() is None
    assert owned.said_by_system() == [(JOINED, 10), (CLEARED, 20)]
    released = owned.told_to_store()[-1]
    assert (released["type"], released["handoff_note"]) == ("takeover.released", None)


def test_p7_another_clear_ends_what_began_after_the_first(live: LiveScene) -> None:
    live.view(1, at=0)
    live.clear(at=1, seq=2)
    live.take_over("sam-1", at=2, acknowledge="chat_cleared")
    live.clear(at=3, seq=3)
    assert live.owner() is None
    assert live.said_by_system() == [(JOINED, 2), (CLEARED, 3)]


def test_p7_a_message_and_a_clear_in_one_request_end_it(live: LiveScene) -> None:
    live.view(1, at=0)
    live.clear(at=1, seq=2)
    live.take_over("sam-1", at=2, acknowledge="chat_cleared")
    live.tell_together(live.event("message", 3, "p", 3), live.event("chat_cleared", 3, "p", 4))
    assert live.owner() is None
    assert live.said_by_system()[-1] == (CLEARED, 3)


def test_p7_a_clear_and_a_message_in_one_request_end_it(owned: LiveScene) -> None:
    owned.tell_together(owned.event("chat_cleared", 20, "p", 2), owned.event("message", 20, "p", 3))
    assert owned.owner() is None
    assert [each.author for each in owned.transcript()] == ["system", "system", "visitor"]
    assert owned.shown().state == "online"


def test_p7_a_clear_that_was_answered_before_it_arrived_ends_nothing(owned: LiveScene) -> None:
    owned.message(at=20, seq=5)
    owned.clear(at=21, seq=4)
    assert owned.shown().state == "online"
    assert owned.owner() == "sam"

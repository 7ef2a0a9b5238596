"""N and N1: the words that an agent reads."""

from __future__ import annotations

import pytest

from bridge.domain.notes import ago, label, note
from bridge.domain.presence import PresenceState, Reason, State
from tests.unit.domain.story import DAY, Story, moment

NOTES = {
    "switching_pages": "The visitor is changing pages. If they do not come back to this chat, "
    "live replies may not appear in it.",
    "left": "The visitor left the page. Live replies may not appear in the same thread.",
    "timed_out": "Contact with the visitor was lost. A live reply may not reach them.",
    "moved_on": "The visitor went on in another chat. Replies here will not appear in it.",
    "chat_cleared": "The visitor cleared this chat. It can still be read, but replies here will "
    "not reach them.",
}


def situation(name: str) -> PresenceState:
    """The presence in the row ``name`` of the rules' table, at 100."""
    story = Story()
    story.view("a", 1, at=0, told=60 if name in ("online", "switching_pages") else 10)
    if name in ("left", "moved_on"):
        story.unload("a", 2, at=20)
    if name == "switching_pages":
        story.unload("a", 2, at=90)
    if name == "moved_on":
        story.elsewhere("B", 50)
    if name == "chat_cleared":
        story.clear(60)
    return story.state_at(100)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("online", "Online now"),
        ("switching_pages", "Switching pages"),
        ("left", "Last seen 1 minute ago"),
        ("timed_out", "Last seen 1 minute ago"),
        ("moved_on", "Last seen 1 minute ago"),
        ("chat_cleared", "Chat cleared"),
    ],
)
def test_n_every_presence_has_a_label(name: str, words: str) -> None:
    assert label(situation(name), moment(100)) == words


@pytest.mark.parametrize("code", NOTES)
def test_n_who_is_not_plainly_online_has_a_note_with_the_code_of_the_table(code: str) -> None:
    told = note(situation(code))
    assert told is not None
    assert (told.code, told.text) == (code, NOTES[code])


def test_n_who_is_online_has_none() -> None:
    assert note(situation("online")) is None
    hidden = Story()
    hidden.hide("a", 1, at=0)
    assert note(hidden.state_at(1)) is None


def test_n_every_state_and_reason_has_its_words() -> None:
    for state in State:
        for reason in Reason if state is State.OFFLINE else [None]:
            presence = PresenceState(state, moment(0), reason, moment(0))
            assert label(presence, moment(1))
            assert (note(presence) is None) is (state is State.ONLINE)


def test_n_who_was_never_heard_is_not_seen_yet() -> None:
    presence = Story().state_at(0)
    assert label(presence, moment(0)) == "Not seen yet"
    told = note(presence)
    assert told is not None
    assert told.code == "timed_out"


def test_n_the_label_speaks_of_the_time_last_seen_and_not_of_the_grace_time() -> None:
    story = Story()
    story.view("a", 1, at=0)
    story.unload("a", 2, at=60)
    assert label(story.state_at(125), moment(125)) == "Last seen 1 minute ago"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"),
        (0, "just now"),
        (59.999, "just now"),
        (60, "1 minute ago"),
        (119.999, "1 minute ago"),
        (120, "2 minutes ago"),
        (3_599.999, "59 minutes ago"),
        (3_600, "1 hour ago"),
        (7_200, "2 hours ago"),
        (DAY - 0.001, "23 hours ago"),
        (DAY, "1 day ago"),
        (2 * DAY, "2 days ago"),
        (7 * DAY - 0.001, "6 days ago"),
        (7 * DAY, "1 January 2030"),
        (400 * DAY, "1 January 2030"),
    ],
)
def test_n1_how_long_ago(seconds: float, words: str) -> None:
    assert ago(moment(0), moment(seconds)) == words

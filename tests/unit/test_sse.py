"""Events are framed so that whoever reads by the HTML standard gets what was meant."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.live.sse import COMMENT, frame


class Event(NamedTuple):
    event: str
    data: str
    id: str | None


def read(stream: bytes) -> list[Event]:
    """What a reader is told; HTML standard, 9.2.6 "Interpreting an event stream"."""
    events, fields = list[Event](), dict[str, list[str]]()
    for line in re.split(r"\r\n|\r|\n", stream.decode()):
        name, _, value = line.partition(":")
        if line and name:
            fields.setdefault(name, []).append(value.removeprefix(" "))
        elif not line:
            if "data" in fields:
                id = fields["id"][-1] if "id" in fields else None
                events.append(Event(fields["event"][-1], "\n".join(fields["data"]), id))
            fields = {}
    return events


def test_an_event_as_bytes() -> None:
    assert frame("message", b'{"a":1}', 7) == b'id: 7\nevent: message\ndata: {"a":1}\n\n'
    assert frame("heard", b"{}") == b"event: heard\ndata: {}\n\n"


def test_the_first_revision_is_one_to_resume_from() -> None:
    assert frame("ready", b"{}", 0).startswith(b"id: 0\n")


def test_a_comment_is_no_event() -> None:
    assert read(COMMENT) == []
    assert read(frame("a", b"1") + COMMENT + frame("b", b"2")) == [
        Event("a", "1", None),
        Event("b", "2", None),
    ]


JSON = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(JSON, st.sampled_from([None, 1]), st.booleans(), st.sampled_from(["\n", "\r", "\r\n"]))
def test_any_json_arrives_as_it_was(
    value: object, indent: int | None, escaped: bool, line_break: str
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=escaped).replace("\n", line_break)
    (event,) = read(frame("message", text.encode(), 5))
    assert (event.event, event.id) == ("message", "5")
    assert json.loads(event.data) == value

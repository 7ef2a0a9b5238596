"""What every engine promises of nudges: who listens gets them, and who gives them never waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from bridge.live.memory import MemoryNudges
from bridge.ports import ConversationKey, Nudges
from tests.contract.liveness_engines import key, moment
from tests.servers.waiting import wait_until

Nudge = tuple[str, object]


@dataclass(frozen=True)
class Ends:
    """Two processes' nudges: with a single process they are one."""

    near: Nudges
    far: Nudges


@contextmanager
def one_process() -> Iterator[Ends]:
    nudges = MemoryNudges()
    yield Ends(nudges, nudges)


ENGINES: Mapping[str, Callable[[], AbstractContextManager[Ends]]] = {"memory": one_process}
"""By name, what starts one: an engine passes this suite by a line here."""


@pytest.fixture(params=ENGINES)
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    name: str = request.param
    with ENGINES[name]() as ends:
        yield ends


@dataclass
class Listener:
    """Keeps what it is told, in order."""

    told: list[Nudge] = field(default_factory=list)

    def changed(self, site: str) -> None:
        self.told.append(("changed", site))

    def heard(self, key: ConversationKey, at: datetime) -> None:
        self.told.append(("heard", (key, at)))

    def signed_out(self, device: str) -> None:
        self.told.append(("signed out", device))

    def listen_to(self, nudges: Nudges) -> Listener:
        nudges.listen(self.changed, self.heard, self.signed_out)
        return self

    def wait_for(self, nudge: Nudge) -> None:
        wait_until(lambda: nudge in self.told, f"{nudge} is told")


def test_each_nudge_comes_as_it_was_given_and_in_order(ends: Ends) -> None:
    listener = Listener().listen_to(ends.far)
    at, visitor = moment(7.000001), key("resp_aB 🛒", "st_Ü")
    ends.near.changed("st_Ü")
    ends.near.heard(visitor, at)
    ends.near.signed_out("dev_ 1")
    ends.near.changed("last")
    listener.wait_for(("changed", "last"))
    assert listener.told == [
        ("changed", "st_Ü"),
        ("heard", (visitor, at)),
        ("signed out", "dev_ 1"),
        ("changed", "last"),
    ]
    ((_, heard),) = [each for each in listener.told if each[0] == "heard"]
    assert isinstance(heard, tuple)
    assert isinstance(heard[0], ConversationKey)
    assert heard[1].utcoffset() is not None


def test_all_who_listen_get_it_and_he_who_gave_it_too(ends: Ends) -> None:
    listeners = [Listener().listen_to(end) for end in (ends.near, ends.far, ends.far)]
    for giver, site in ((ends.near, "of near"), (ends.far, "of far")):
        giver.changed(site)
        for listener in listeners:
            listener.wait_for(("changed", site))


def test_nobody_need_listen(ends: Ends) -> None:
    ends.near.changed("st_1")
    ends.near.heard(key(), moment(0))
    ends.near.signed_out("dev_1")
    listener = Listener().listen_to(ends.far)
    ends.near.changed("first")
    listener.wait_for(("changed", "first"))
    # What came before is not made up for: who begins to listen reads first.
    assert listener.told == [("changed", "first")]


@pytest.mark.parametrize("kind", ["changed", "heard", "signed out"])
def test_a_listener_that_fails_harms_neither_giver_nor_others(ends: Ends, kind: str) -> None:
    failed = threading.Event()

    def fail(*_: object) -> None:
        failed.set()
        raise ZeroDivisionError

    ends.far.listen(fail, fail, fail)
    listener = Listener().listen_to(ends.far)
    for number in range(2):
        failed.clear()
        nudge = give(ends.near, kind, number)
        listener.wait_for(nudge)
        assert failed.is_set()


def give(nudges: Nudges, kind: str, number: int) -> Nudge:
    if kind == "changed":
        nudges.changed(f"st_{number}")
        return kind, f"st_{number}"
    if kind == "heard":
        nudges.heard(key(), moment(number))
        return kind, (key(), moment(number))
    nudges.signed_out(f"dev_{number}")
    return kind, f"dev_{number}"


def test_many_may_give_at_one_time(ends: Ends) -> None:
    givers, each = 8, 50
    listener = Listener().listen_to(ends.far)
    together = threading.Barrier(givers)

    def many(giver: int) -> None:
        together.wait()
        for number in range(each):
            ends.near.changed(f"{giver}.{number}")

    with ThreadPoolExecutor(givers) as pool:
        list(pool.map(many, range(givers)))
    wait_until(lambda: len(listener.told) >= givers * each, "all nudges are told")
    for giver in range(givers):
        own = [site for _, site in listener.told if str(site).startswith(f"{giver}.")]
        assert own == [f"{giver}.{number}" for number in range(each)]

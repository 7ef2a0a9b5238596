"""S1, S2: readers that sync while many write miss nothing, and in the end all see the same."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from threading import Barrier, Event

from bridge.errors import UnavailableError
from bridge.ports import Records, Work
from bridge.records.database import Database
from tests.contract.replica import Replica, whole
from tests.contract.samples import ONLINE, OTHER_SITE, SITE, conversation, message

WRITERS = 4
TRANSACTIONS = 30
LIMITS = (1, 3, 7, 1_000)
PATIENCE = 60
ATTEMPTS = 20


class OwnError(Exception):
    """What makes a transaction fail."""


def speak(work: Work, chat: str, name: str) -> None:
    """A message, and the conversation that changes with it; the first begins it."""
    known = work.conversation(chat)
    if known is not None and known.deleted:
        return
    place = work.next_rev()
    said = message(name, chat, text=work.site, author="agent", delivery="queued")
    work.save_message(replace(said, rev=place, place=place))
    now = known or conversation(chat, visitor=work.site)
    spoken = replace(now, rev=work.next_rev(), state=ONLINE, message_count=now.message_count + 1)
    assert work.save_conversation(spoken, known_rev=known.rev if known else 0)


def deliver(work: Work, chat: str) -> None:
    """All messages that are queued, each with a revision of its own."""
    for said in work.messages_since(chat, 0, 100):
        if said.delivery == "queued":
            work.save_message(replace(said, delivery="delivered", rev=work.next_rev()))


def delete(work: Work, chat: str) -> None:
    known = work.conversation(chat)
    if known is None or known.deleted:
        return
    work.empty_conversation(chat)
    gone = conversation(chat, visitor=None, deleted=True, rev=work.next_rev())
    assert work.save_conversation(gone, known_rev=known.rev)


def fail(_: Work) -> None:
    raise OwnError


def write(records: Records, writer: int, start: Barrier, seen: Sequence[Event]) -> None:
    """Transactions on conversations that all writers share; each sixth fails as a whole."""
    chance = random.Random(writer)  # noqa: S311 - a test's choice, not a secret
    start.wait(PATIENCE)
    for number in range(TRANSACTIONS):
        if number == TRANSACTIONS // 2:
            # So that it is certain that they read while others write.
            assert all(reader.wait(PATIENCE) for reader in seen)
        chats = [f"{number // 6}.{chance.randrange(3)}" for _ in range(1 + number % 3)]
        site = OTHER_SITE if chance.random() < 0.2 else SITE
        acts: list[Callable[[Work], None]] = [
            partial(speak, chat=chat, name=f"{writer}.{number}.{place}")
            for place, chat in enumerate(chats)
        ]
        if chance.random() < 0.3:
            acts.append(partial(deliver, chat=chats[0]))
        if chance.random() < 0.1:
            acts.append(partial(delete, chat=chats[-1]))
        if number % 6 == 5:
            acts.append(fail)
        with suppress(OwnError):
            commit(records, site, acts)


def commit(records: Records, site: str, acts: Sequence[Callable[[Work], None]]) -> None:
    """One transaction; on a slow machine a writer may be told to try again."""
    for _ in range(ATTEMPTS):
        with suppress(UnavailableError), records.begin(site) as work:
            for act in acts:
                act(work)
            return
    raise TimeoutError("storage stayed away")


def follow(
    records: Records,
    database: Database,
    limit: int,
    writing: Sequence[Future[None]],
    seen: Event,
) -> Replica:
    """Sync until everything is written and read; nothing is missing at any time."""
    replica = Replica(SITE)
    while True:
        done = all(each.done() for each in writing)
        told = records.revision(SITE)
        answer = records.sync(SITE, replica.rev, limit)
        replica.take(answer, limit)
        assert answer.more or answer.rev >= told
        assert replica.missing(database) == []
        if replica.rev > 0:
            seen.set()
        if done and replica.rev == told:
            return replica


def test_s1_readers_miss_nothing_while_many_write(records: Records, database: Database) -> None:
    start, seen = Barrier(WRITERS), [Event() for _ in LIMITS]
    with ThreadPoolExecutor(WRITERS + len(LIMITS)) as pool:
        writing = [pool.submit(write, records, each, start, seen) for each in range(WRITERS)]
        reading = [
            pool.submit(follow, records, database, limit, writing, event)
            for limit, event in zip(LIMITS, seen, strict=True)
        ]
        for each in writing:
            each.result()
        replicas = [each.result() for each in reading]
    expected = whole(records, database, SITE)
    assert any(record.deleted for record in expected.conversations.values())
    assert {said.delivery for said in expected.messages.values()} == {"queued", "delivered"}
    assert {said.text for said in expected.messages.values()} == {SITE}
    assert {record.visitor for record in expected.conversations.values()} == {SITE, None}
    assert whole(records, database, OTHER_SITE).messages
    for replica in replicas:
        assert replica == expected

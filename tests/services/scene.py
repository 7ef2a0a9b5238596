"""A bridge under a clock that the test moves: real services over SQLite, without HTTP.

Times are in seconds from an arbitrary ``START``. Unless a test names others, events are of the
visitor ``v``, of the conversation ``A`` and of the page ``p``.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TypedDict, Unpack

import sqlalchemy as sa

from bridge import bootstrap
from bridge.ports import ConversationRecord, ConversationSummary, Site, SiteSecret
from bridge.services.incoming import Answer, ConversationAnswer, Incoming, IncomingMessage, Sender
from bridge.settings import Settings

START = datetime(2030, 1, 1, tzinfo=UTC)
SITE = "st_1"
READER = "agent"


def moment(seconds: float) -> datetime:
    """The time that lies ``seconds`` after the start."""
    return START + timedelta(seconds=seconds)


def sender(event: Incoming) -> Sender:
    """The browser that an event comes from, by a token of its visitor."""
    return Sender(event.visitor or "v", "Browser")


def seconds(at: datetime | None) -> float | None:
    """How many seconds after the start ``at`` is."""
    return None if at is None else (at - START).total_seconds()


def settings_for(database: Path) -> Settings:
    """The usual settings over a SQLite file."""
    return Settings(
        secret_key="a-key-for-tests-only-0123456789abcdef", database_url=f"sqlite:///{database}"
    )


def prepare(database: Path) -> None:
    """Make a migrated database with one site."""
    bootstrap.migrate(settings_for(database))
    bridge = bootstrap.build(settings_for(database))
    bridge.records.add_site(
        Site(SITE, "Shop", "https://shop.example", frozenset(), (SiteSecret(b"k"),)), START
    )
    bridge.database.dispose()


@dataclass(frozen=True)
class Shown:
    """What a reader sees of a conversation, times in seconds."""

    state: str
    reason: str | None
    since: float | None
    last_seen_at: float | None
    continued_in: str | None
    hidden: bool
    pages: int
    url: str | None
    title: str | None
    heard_at: float | None
    rev: int


class Details(TypedDict, total=False):
    """What an event may say besides."""

    conversation: str
    visitor: str | None
    id: str
    author: str
    url: str | None
    title: str | None
    details: dict[str, str] | None


class Scene:
    """One bridge, one site; ``prepared`` is a database made by :func:`prepare`, left as it is."""

    def __init__(self, folder: Path, prepared: Path) -> None:
        self.now = 0.0
        self._database = folder / "bridge.db"
        self.settings = settings_for(self._database)
        shutil.copy(prepared, self._database)
        self._ids = count()
        self.start()

    def start(self) -> None:
        """Start a process over what is recorded, as :mod:`bridge.background` does."""
        self.bridge = bootstrap.build(self.settings, lambda: moment(self.now))
        for engine in (self.bridge.database.reader, self.bridge.database.writer):
            sa.event.listen(engine, "connect", _without_waiting_for_the_disk)
        self.bridge.sites.load_superseded(moment(self.now))
        self.bridge.sweep.restore(moment(self.now))
        self.bridge.sweep.keep_house(moment(self.now))

    def stop(self) -> None:
        """End the process without a word, as a kill does: what is not recorded is lost."""
        self.bridge.database.dispose()

    def restart(self, at: float | None = None) -> None:
        """Stop, and start again ``at`` that time, or at once."""
        self.stop()
        self.now = self.now if at is None else at
        self.start()

    def sweep(self, at: float | None = None) -> None:
        """Settle what is due ``at`` that time, or now."""
        self.now = self.now if at is None else at
        self.bridge.sweep.settle(moment(self.now))

    def record_alive(self, at: float | None = None) -> None:
        """Record that the bridge is alive, as every 10 s."""
        self.now = self.now if at is None else at
        self.bridge.sweep.keep_house(moment(self.now))

    # ----------------------------------------------------------------- from the browser

    def view(self, seq: int, at: float, page: str = "p", **other: Unpack[Details]) -> str:
        return self.tell(self.event("page_view", at, page, seq, **other))

    def heartbeat(self, seq: int, at: float, page: str = "p", **other: Unpack[Details]) -> str:
        return self.tell(self.event("heartbeat", at, page, seq, **other))

    def hide(self, seq: int, at: float, page: str = "p", **other: Unpack[Details]) -> str:
        return self.tell(self.event("page_hidden", at, page, seq, **other))

    def unload(self, seq: int, at: float, page: str = "p", **other: Unpack[Details]) -> str:
        return self.tell(self.event("page_unload", at, page, seq, **other))

    def message(
        self, at: float, page: str = "p", seq: int | None = None, **other: Unpack[Details]
    ) -> str:
        return self.tell(self.event("message", at, page, seq, **other))

    def clear(
        self, at: float, page: str = "p", seq: int | None = None, **other: Unpack[Details]
    ) -> str:
        return self.tell(self.event("chat_cleared", at, page, seq, **other))

    def tell(self, event: Incoming) -> str:
        """Take an event in as ``POST /v1/visitor/events`` does; what became of it."""
        return self._status(self.answer(event), event)

    def answer(self, event: Incoming) -> Answer:
        """The whole answer to an event from a page."""
        self.now = seconds(event.at) or 0.0
        ingest = self.bridge.services.ingest
        beat = ingest.beat(SITE, event)
        return beat or ingest.from_visitor(SITE, [event], event.at, sender(event))

    # ------------------------------------------------------------------- from the store

    def store(
        self,
        kind: str,
        at: float,
        occurred: float | None = None,
        **other: Unpack[Details],
    ) -> str:
        """An event that the store tells of ``at`` that time, and that ``occurred`` before."""
        event = self.event(kind, at if occurred is None else occurred, **other)
        return self.tell_from_store(event, at)

    def tell_from_store(self, event: Incoming, at: float) -> str:
        """Take an event in as ``POST /v1/store/events`` does; what became of it."""
        self.now = at
        with self.bridge.records.begin(SITE) as work:
            answer = self.bridge.services.ingest.from_store(work, [event], moment(at))
        return self._status(answer, event)

    # ------------------------------------------------------------------------ what is seen

    def shown(self, conversation: str = "A", at: float | None = None) -> Shown:
        """What a reader sees ``at`` that time, or now."""
        self.now = self.now if at is None else at
        reading = self.bridge.services.conversations
        view = reading.one(SITE, READER, conversation, moment(self.now))
        record = view.summary.record
        state = record.state
        return Shown(
            state=state.state.value,
            reason=state.reason.value if state.reason else None,
            since=seconds(state.since),
            last_seen_at=seconds(state.last_seen_at),
            continued_in=state.continued_in,
            hidden=state.hidden,
            pages=state.pages,
            url=state.url,
            title=state.title,
            heard_at=seconds(view.heard_at),
            rev=record.rev,
        )

    def changes(self, conversation: str = "A") -> list[tuple[str, float | None]]:
        """The recorded changes: the reason, or else the state, and the computed time."""
        recorded = self.bridge.records.changes(SITE, conversation)
        return [(reason or state, seconds(at)) for state, reason, at in recorded]

    def recorded(self, conversation: str = "A") -> ConversationRecord | None:
        """The conversation as it is recorded, whatever passed since."""
        found = self.summary(conversation)
        return None if found is None else found.record

    def summary(self, conversation: str = "A") -> ConversationSummary | None:
        """What a query finds, whatever passed since."""
        return self.bridge.records.read_conversation(SITE, READER, conversation)

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """The SQL statements made within, transactions' beginnings among them."""
        made: list[str] = []

        def execute(*arguments: object) -> None:
            made.append(str(arguments[2]))

        def begin(_connection: sa.Connection) -> None:
            made.append("BEGIN")

        engines = (self.bridge.database.reader, self.bridge.database.writer)
        for engine in engines:
            sa.event.listen(engine, "before_cursor_execute", execute)
            sa.event.listen(engine, "begin", begin)
        try:
            yield made
        finally:
            for engine in engines:
                sa.event.remove(engine, "before_cursor_execute", execute)
                sa.event.remove(engine, "begin", begin)

    def event(
        self,
        kind: str,
        at: float,
        page: str | None = None,
        seq: int | None = None,
        **other: Unpack[Details],
    ) -> Incoming:
        """An event; unless given, its id, and that of its message, are its own."""
        id = other.get("id") or f"e{next(self._ids):06}"
        message = IncomingMessage(f"m-{id}", other.get("author", "visitor"), "Hello?")
        return Incoming(
            id=id,
            type=kind,
            at=moment(at),
            conversation=other.get("conversation", "A"),
            visitor=other.get("visitor", "v"),
            page=page,
            seq=seq,
            url=other.get("url"),
            title=other.get("title"),
            message=message if kind == "message" else None,
            details=other.get("details"),
        )

    def _status(self, answer: Answer, event: Incoming) -> str:
        (result,) = answer.results
        assert result.id == event.id
        return result.status if result.code is None else result.code


def _without_waiting_for_the_disk(connection: sqlite3.Connection, _record: object) -> None:
    # What outlives a power cut is tried with real processes; waiting for it is most of the time.
    connection.execute("PRAGMA synchronous=OFF")


def told(answer: Answer, conversation: str = "A") -> ConversationAnswer:
    """What an answer tells of a conversation."""
    return answer.conversations[conversation]

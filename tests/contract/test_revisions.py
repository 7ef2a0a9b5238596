"""S1: revisions are unique, dense, and visible in order, however many write at one time."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier

import sqlalchemy as sa

from bridge.encryption import Encryption
from bridge.errors import UnavailableError
from bridge.ports import Records
from bridge.records import schema
from bridge.records.database import Database
from bridge.records.engine import SqlRecords
from bridge.records.tables import messages, presence_changes, revisions
from tests.contract.conftest import with_driver
from tests.contract.samples import ONLINE, OTHER_SITE, SITE, START, message, site
from tests.servers.postgresql import PostgreSQL

WRITERS = 8
TRANSACTIONS = 25


class OwnError(Exception):
    """What makes a transaction fail."""


def write(records: Records, writer: int, together: Barrier) -> set[int]:
    """Transactions of one to three revisions, each fifth of which fails; the revisions that last.

    Each revision is carried by a row of its own, so that whoever reads them all sees each.
    """
    together.wait()
    lasting: set[int] = set()
    for number in range(TRANSACTIONS):
        try:
            with records.begin(SITE) as work:
                revs = [work.next_rev() for _ in range(1 + (writer + number) % 3)]
                for rev in revs:
                    work.keep_change(f"c{writer}", rev, ONLINE, START)
                work.save_message(message(f"{writer}.{number}", rev=work.next_rev()))
                if number % 5 == 4:
                    raise OwnError
                revs.append(revs[-1] + 1)
        except (OwnError, UnavailableError):
            # On a slow machine a writer may be told to try again; then nothing was changed either.
            continue
        lasting.update(revs)
    return lasting


def changed_since(database: Database, rev: int) -> list[int]:
    """The revisions of everything that changed since ``rev``, as a reader asks for them."""
    statement = sa.union_all(
        *(
            sa.select(table.c.rev).where(table.c.site == SITE, table.c.rev > rev)
            for table in (presence_changes, messages)
        )
    )
    with database.reading() as connection:
        return sorted(connection.scalars(statement))


def site_rev(database: Database) -> int:
    """The revision that readers are told that the site has."""
    with database.reading() as connection:
        return int(
            connection.execute(
                sa.select(revisions.c.rev).where(revisions.c.site == SITE)
            ).scalar_one()
        )


def read(records: Records, database: Database, writing: list[Future[set[int]]]) -> int:
    """Poll what changed since the last revision seen until all is written; how often."""
    seen = polls = 0
    done = False
    while not done or site_rev(database) > seen:
        done = all(each.done() for each in writing)
        told = site_rev(database)
        changed = changed_since(database, seen)
        # Dense from the last one seen on: what is missing here would appear behind the reader.
        assert changed == list(range(seen + 1, seen + 1 + len(changed)))
        seen += len(changed)
        assert seen >= told
        polls += bool(changed)
    return polls


def test_s1_a_reader_misses_nothing_while_many_write(records: Records, database: Database) -> None:
    together = Barrier(WRITERS)
    with ThreadPoolExecutor(WRITERS) as pool:
        writing = [pool.submit(write, records, each, together) for each in range(WRITERS)]
        polls = read(records, database, writing)
    lasting = [each.result() for each in writing]
    assert polls > 1, "the reader saw none of it happen"
    every = set().union(*lasting)
    assert len(every) == sum(map(len, lasting)), "a revision was given twice"
    assert every == set(range(1, len(every) + 1))
    assert changed_since(database, 0) == sorted(every)


def test_s1_sites_do_not_wait_for_each_other(postgresql_server: PostgreSQL) -> None:
    # On SQLite they do: there is one writer for the whole file.
    database = Database(with_driver(postgresql_server.new_database()))
    schema.migrate(database)
    records = SqlRecords(database, Encryption("a-key-for-tests-only-0123456789abcdef"))
    for id in (SITE, OTHER_SITE):
        records.add_site(site(id), START)
    with records.begin(SITE) as work:
        assert work.next_rev() == 1
        with records.begin(OTHER_SITE) as other:
            assert other.next_rev() == 1
    for id in (SITE, OTHER_SITE):
        with records.begin(id) as work:
            assert work.next_rev() == 2
    database.dispose()

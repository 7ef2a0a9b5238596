"""Replacing the secret key: all that is encrypted is encrypted anew, whatever happens meanwhile."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from bridge.encryption import Encryption
from bridge.ports import ClaimedCall, RecordedAnswer
from bridge.records import encrypted
from bridge.records import sites as sites_module
from bridge.records.database import Database
from bridge.records.encrypted import ENCRYPTED, Progress, reencrypt
from bridge.records.engine import SqlRecords
from bridge.records.outbox import SqlOutbox
from bridge.records.tables import answered_requests, metadata, old_secrets, sites, store_calls
from bridge.settings import SettingsError
from tests.contract.samples import OTHER_SITE, SITE, START, moment, site, store_connection
from tests.servers.waiting import wait_until

OLD_KEY = "the key before, of the right length"
NEW_KEY = "the key that takes its place, as long"
OLD, NEW, BOTH = Encryption(OLD_KEY), Encryption(NEW_KEY), Encryption(NEW_KEY, OLD_KEY)


@pytest.fixture
def filled(database: Database) -> Database:
    """Two sites with something in each encrypted column, all of it by the old key."""
    fill(database, 3)
    return database


def fill(database: Database, count: int) -> None:
    """Two sites, each with ``count`` calls and answers."""
    records = SqlRecords(database, OLD)
    for id in (SITE, OTHER_SITE):
        records.add_site(site(id), START)
        assert records.rotate_secret(id, f"second key of {id}".encode(), moment(86_400))
        with records.begin(id) as work:
            work.connect_site(store_connection(), START)
            for number in range(count):
                work.tell_store({"number": number}, START)
                answer = RecordedAnswer(200, f"answer {number}".encode())
                work.keep_answer(f"request {number}", answer, START)


def binary_columns() -> list[sa.Column[Any]]:
    """Every column that holds bytes: nothing but what is encrypted does."""
    return [
        column
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, sa.LargeBinary)
    ]


def values(database: Database) -> dict[tuple[str, ...], bytes]:
    """All that is encrypted, by its column and its row's key."""
    found = {}
    with database.reading() as connection:
        for column in binary_columns():
            query = sa.select(*column.table.primary_key, column).where(column.is_not(None))
            for *key, value in connection.execute(query):
                found[str(column), *map(str, key)] = value
    return found


def readable(database: Database, encryption: Encryption) -> dict[tuple[str, ...], bytes]:
    """What can be read of it, decrypted."""
    found = {}
    for key, value in values(database).items():
        try:
            found[key] = encryption.decrypt(value)
        except SettingsError:
            continue
    return found


def run(database: Database, encryption: Encryption = BOTH) -> dict[str, Progress]:
    """Encrypt anew; how it ended for each column."""
    return {each.column: each for each in reencrypt(database, encryption) if each.complete}


class Meanwhile(Encryption):
    """Both keys; it lets something happen, once, between the reading of a value and its
    replacement."""

    def __init__(self, plain: bytes, happen: Callable[[], object]) -> None:
        super().__init__(NEW_KEY, OLD_KEY)
        self._plain = plain
        self._happen = happen
        self.happened = False

    def renew(self, encrypted: bytes) -> bytes:
        if not self.happened and self.decrypt(encrypted) == self._plain:
            self.happened = True
            self._happen()
        return super().renew(encrypted)


# -------------------------------------------------------------------------------- everything


def test_every_column_that_holds_bytes_is_encrypted_anew(filled: Database) -> None:
    assert sorted(map(str, ENCRYPTED)) == sorted(map(str, binary_columns()))
    assert {column for column, *_ in values(filled)} == set(map(str, ENCRYPTED))


def test_before_the_new_key_reads_nothing_and_after_it_everything(filled: Database) -> None:
    plain = readable(filled, OLD)
    assert plain.keys() == values(filled).keys()
    assert readable(filled, NEW) == {}
    ended = run(filled)
    assert readable(filled, NEW) == plain
    assert readable(filled, OLD) == {}
    counts = Counter(column for column, *_ in plain)
    assert {name: (each.read, each.renewed) for name, each in ended.items()} == {
        name: (count, count) for name, count in counts.items()
    }


def test_again_it_changes_nothing(filled: Database) -> None:
    run(filled)
    before = values(filled)
    for encryption in (BOTH, NEW):
        assert sum(each.renewed for each in run(filled, encryption).values()) == 0
        assert values(filled) == before


def test_a_database_without_a_row(database: Database) -> None:
    assert {(each.read, each.unreadable) for each in run(database).values()} == {(0, 0)}
    encrypted.check(database, NEW)


def test_what_neither_key_reads_is_counted_and_stays(filled: Database) -> None:
    with filled.writing() as connection:
        of_one = answered_requests.c.id == "request 1"
        connection.execute(sa.update(answered_requests).where(of_one).values(body=b"garbage"))
        third = Encryption("a third key that nobody has any more").encrypt(b"lost")
        connection.execute(sa.update(sites).where(sites.c.id == SITE).values(secret=third))
    before = values(filled)
    ended = run(filled)
    unreadable = {name: each.unreadable for name, each in ended.items() if each.unreadable}
    assert unreadable == {"answered_requests.body": 2, "sites.secret": 1}
    after, read = values(filled), readable(filled, NEW)
    assert {after[key] for key in after.keys() - read.keys()} == {b"garbage", third}
    assert len(read) == len(before) - 3


@pytest.mark.parametrize(
    "column", [sites.c.secret, sites.c.woocommerce, old_secrets.c.secret], ids=str
)
def test_the_check_minds_every_site(filled: Database, column: sa.Column[bytes]) -> None:
    encrypted.check(filled, OLD)
    encrypted.check(filled, BOTH)
    run(filled)
    encrypted.check(filled, NEW)
    of_site = sites.c.id if column.table is sites else old_secrets.c.site
    with filled.writing() as connection:
        left = sa.update(column.table).where(of_site == OTHER_SITE)
        connection.execute(left.values({column: OLD.encrypt(b"left behind")}))
    with pytest.raises(SettingsError, match="BRIDGE_OLD_SECRET_KEY"):
        encrypted.check(filled, NEW)


# ------------------------------------------------------------------------------ broken off


def test_wherever_it_is_broken_off_all_stays_readable_and_the_next_goes_on(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encrypted, "BATCH", 1)
    plain = readable(filled, OLD)
    done = 0
    for batches in range(len(plain) + len(ENCRYPTED)):
        going = reencrypt(filled, BOTH)
        for _ in range(batches + 1):
            next(going)
        going.close()
        assert readable(filled, BOTH) == plain
        read = len(readable(filled, NEW))
        assert done <= read
        done = read
        # Whoever removes the old key now is told, if it is needed still.
        if done < len(plain):
            with pytest.raises(SettingsError, match="BRIDGE_OLD_SECRET_KEY"):
                encrypted.check(filled, NEW)
    assert readable(filled, NEW) == plain


def test_it_goes_in_small_transactions(database: Database) -> None:
    fill(database, 130)
    updates: list[int] = [0]

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        updates[-1] += statement.startswith("UPDATE")

    def commit(_connection: object) -> None:
        updates.append(0)

    sa.event.listen(database.writer, "before_cursor_execute", note)
    sa.event.listen(database.writer, "commit", commit)
    try:
        run(database)
    finally:
        sa.event.remove(database.writer, "before_cursor_execute", note)
        sa.event.remove(database.writer, "commit", commit)
    assert readable(database, NEW).keys() == values(database).keys()
    assert sum(updates) == len(values(database))
    assert max(updates) == encrypted.BATCH == 100


# ------------------------------------------------------------------------------- meanwhile


def test_a_store_that_connects_meanwhile_keeps_its_new_keys(filled: Database) -> None:
    records = SqlRecords(filled, BOTH)
    keys = {"consumer_key": "ck_2", "consumer_secret": "cs_2", "webhook_secret": "w2"}

    def connect() -> None:
        with records.begin(SITE) as work:
            work.connect_site(store_connection(woocommerce=keys), moment(1))

    of_site = ("sites.woocommerce", SITE)
    meanwhile = Meanwhile(readable(filled, OLD)[of_site], connect)
    run(filled, meanwhile)
    assert meanwhile.happened
    read = readable(filled, NEW)
    assert read.keys() == values(filled).keys()
    assert b"ck_2" in read[of_site]


def test_a_secret_that_is_rotated_meanwhile_stays_rotated(filled: Database) -> None:
    records = SqlRecords(filled, BOTH)
    meanwhile = Meanwhile(
        f"second key of {SITE}".encode(),
        lambda: records.rotate_secret(SITE, b"third", moment(90_000)),
    )
    run(filled, meanwhile)
    assert meanwhile.happened
    assert readable(filled, NEW).keys() == values(filled).keys()
    rotated = SqlRecords(filled, NEW).site(SITE)
    assert rotated is not None
    assert [each.key for each in rotated.secrets] == [
        b"third",
        f"second key of {SITE}".encode(),
        f"key of {SITE}".encode(),
    ]


def test_what_is_removed_meanwhile_stays_removed(filled: Database) -> None:
    records = SqlRecords(filled, BOTH)
    meanwhile = Meanwhile(b"answer 0", lambda: records.forget_replays(moment(1)))
    run(filled, meanwhile)
    assert meanwhile.happened
    assert "answered_requests.body" not in {column for column, *_ in values(filled)}
    assert readable(filled, NEW).keys() == values(filled).keys()


def test_it_waits_for_a_row_that_somebody_holds_and_meanwhile_holds_no_other(
    filled: Database,
) -> None:
    if filled.reader.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer, and no locks of rows")
    going = threading.Thread(target=run, args=(filled,))
    mine = (store_calls.c.site == SITE, store_calls.c.place == 2)
    with filled.writing() as connection:
        connection.execute(sa.update(store_calls).where(*mine).values(at=moment(1)))
        going.start()
        wait_until(lambda: somebody_waits(filled), "it waits for the row")
        of_calls = [key for key in readable(filled, NEW) if key[0] == "store_calls.body"]
        assert len(of_calls) == 5
    going.join(30)
    assert readable(filled, NEW).keys() == values(filled).keys()


def somebody_waits(database: Database) -> bool:
    """Whether a transaction waits for another."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with database.reading() as connection:
        return bool(connection.exec_driver_sql(waiting).scalar_one())


def test_beside_it_the_bridge_goes_on(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process with both keys writes, and tells stores, while everything is encrypted anew."""
    monkeypatch.setattr(encrypted, "BATCH", 1)
    other = Database(filled.writer.url.render_as_string(hide_password=False))
    writer = Writer(other)
    going = reencrypt(filled, BOTH)
    with ThreadPoolExecutor(1) as beside:
        written = beside.submit(writer.write)
        for _ in going:
            written.result(60)
            # Not for ever: with batches of one it would never come to the end of what is added.
            if writer.rounds < 20:
                written = beside.submit(writer.write)
        written.result(60)
    writer.tell_all()
    other.dispose()
    assert writer.rounds == 20
    rounds = range(writer.rounds)
    assert sorted(writer.told) == sorted(
        2 * [b'{"number":0}', b'{"number":1}', b'{"number":2}']
        + [f'{{"round":{number}}}'.encode() for number in rounds]
    )
    read = readable(filled, NEW)
    assert read.keys() == values(filled).keys()
    of_answers = [value for key, value in read.items() if key[0] == "answered_requests.body"]
    assert sorted(of_answers) == sorted(
        2 * [b"answer 0", b"answer 1", b"answer 2"]
        + [f"answer of {number}".encode() for number in rounds]
    )


class Writer:
    """Another process of the bridge: in each round it reads, writes, and tells a store."""

    def __init__(self, database: Database) -> None:
        self._records = SqlRecords(database, BOTH)
        self._outbox = SqlOutbox(database, BOTH)
        self._claimed: ClaimedCall | None = None
        self.rounds = 0
        self.told: list[bytes] = []

    def write(self) -> None:
        """A round."""
        with self._records.begin(SITE) as work:
            assert work.answer_of("request 0") == RecordedAnswer(200, b"answer 0")
            answer = RecordedAnswer(200, f"answer of {self.rounds}".encode())
            work.keep_answer(f"of {self.rounds}", answer, START)
            work.tell_store({"round": self.rounds}, START)
            work.connect_site(store_connection(), START)
        self.rounds += 1
        self._tell()

    def tell_all(self) -> None:
        """Tell stores what there is."""
        while self._tell():
            pass

    def _tell(self) -> bool:
        claimed = self._claimed or self._outbox.claim(moment(1), moment(60), failing=False)
        if claimed is None:
            return False
        assert claimed.secrets[0].key == f"second key of {claimed.call.site}".encode()
        self.told.append(claimed.call.body)
        self._claimed = self._outbox.told(claimed, moment(60))
        return True


def test_a_secret_that_is_being_rotated_leaves_nothing_of_the_old_key(filled: Database) -> None:
    """It copies the present ciphertext, which must not be replaced between the two."""
    going = threading.Thread(target=run, args=(filled,))

    def encrypt(plain: bytes) -> bytes:
        going.start()
        if filled.reader.dialect.name == "postgresql":
            wait_until(
                lambda: somebody_waits(filled) or not going.is_alive(), "it waits for the site"
            )
        return BOTH.encrypt(plain)

    with filled.writing() as connection:
        assert sites_module.rotate(connection, SITE, b"third", moment(90_000), encrypt)
    going.join(30)
    assert readable(filled, NEW).keys() == values(filled).keys()

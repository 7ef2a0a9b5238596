"""A PostgreSQL server of the tests' own, from Debian's package, in a temporary folder."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

import psycopg

from tests.servers.ports import free_port
from tests.servers.waiting import wait_until

_STARTS: Final = 3


@dataclass(frozen=True)
class PostgreSQL:
    """A running server: its port, its process, and names for new databases."""

    port: int
    process: subprocess.Popen[bytes]
    _numbers: Iterator[int]

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases, as ``DATABASE_URL`` takes it."""
        return f"postgresql://bridge@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """Make an empty database and return its address."""
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)


@contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """Start a server that trusts whoever is on this machine and never waits for the disk.

    Raises:
        FileNotFoundError: Debian's package ``postgresql`` is not installed.
        RuntimeError: the server did not start; the message ends with its log.
    """
    programs = _programs()
    # Not pytest's own temporary folder: another user could not enter it.
    folder = Path(tempfile.mkdtemp(prefix="bridge-postgresql-"))
    user = _unprivileged_user()
    try:
        if user is not None:
            shutil.chown(folder, user)
        _make_cluster(programs, folder, user)
        server = _start(programs, folder, user)
        try:
            yield server
        finally:
            _stop(server.process)
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda f: int(f.parent.name))
    if not folders:
        raise FileNotFoundError("PostgreSQL's programs: install Debian's package postgresql")
    return folders[-1]


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root: whom to run it as instead, or None if we are not root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _make_cluster(programs: Path, folder: Path, user: str | None) -> None:
    options = "--username=bridge --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync"
    subprocess.run(
        [f"{programs}/initdb", f"--pgdata={folder}/data", *options.split()],
        user=user,
        cwd=folder,
        check=True,
        capture_output=True,
    )


def _start(programs: Path, folder: Path, user: str | None) -> PostgreSQL:
    # Another program can take the port between our asking for a free one and the server's start.
    for _ in range(_STARTS):
        server = _launch(programs, folder, user)
        try:
            wait_until(partial(_ended_or_answers, server), "PostgreSQL answers")
        except TimeoutError:
            _stop(server.process)
            raise
        if server.process.poll() is None:
            return server
    raise RuntimeError(f"PostgreSQL did not start: {_log(folder).read_text()[-2000:]}")


def _launch(programs: Path, folder: Path, user: str | None) -> PostgreSQL:
    port = free_port()
    options = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": folder,
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
    }
    with _log(folder).open("ab") as output:
        process = subprocess.Popen(
            [f"{programs}/postgres", "-D", f"{folder}/data"]
            + [f"--{name}={value}" for name, value in options.items()],
            user=user,
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return PostgreSQL(port, process, count())


def _log(folder: Path) -> Path:
    return folder / "postgresql.log"


def _ended_or_answers(server: PostgreSQL) -> bool:
    if server.process.poll() is not None:
        return True
    try:
        psycopg.connect(server.url(), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    # "Fast" shutdown: ends sessions that a test left open.
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

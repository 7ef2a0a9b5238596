"""A MariaDB server of the tests' own, reached by a Unix socket alone."""

import os
import subprocess
from pathlib import Path
from typing import Final

from tests.servers.child_process import ChildProcess

# It refuses to run as root unless told so; the data is worthless and its folder private.
_AS_ROOT: Final = ["--user=root"] if os.geteuid() == 0 else []


class MariaDB:
    """A server that never waits for the disk.

    Args:
        folder: where data, socket and log go. Its path must be short: a socket's has 107 bytes.
    """

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "mariadb.sock"
        self._data = folder / "mariadb"
        self._server = ChildProcess(
            [
                "mariadbd",
                "--no-defaults",
                *_AS_ROOT,
                f"--datadir={self._data}",
                f"--socket={self.socket}",
                f"--pid-file={folder / 'mariadb.pid'}",
                "--skip-networking",
                "--innodb-flush-log-at-trx-commit=0",
                "--innodb-flush-method=nosync",
                "--innodb-buffer-pool-size=32M",
            ],
            folder / "mariadb.log",
            self._is_ready,
        )

    def install(self) -> None:
        """Make the data folder; done once, before the first start."""
        subprocess.run(
            [
                "mariadb-install-db",
                "--no-defaults",
                *_AS_ROOT,
                f"--datadir={self._data}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve",
                "--innodb-flush-method=nosync",
            ],
            check=True,
            capture_output=True,
        )

    def start(self) -> None:
        """Start the server and return once it answers."""
        self._server.start()

    def stop(self) -> None:
        """Stop the server; its data stays."""
        self._server.stop()

    def execute(self, statements: str) -> str:
        """Run SQL as the server's root and return the rows, tab-separated.

        Raises:
            subprocess.CalledProcessError: the server refused.
        """
        return self._client("--batch", "--skip-column-names", f"--execute={statements}").stdout

    def _is_ready(self) -> bool:
        try:
            self.execute("SELECT 1")
        except subprocess.CalledProcessError:
            return False
        return True

    def _client(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root", *arguments],
            check=True,
            capture_output=True,
            text=True,
        )

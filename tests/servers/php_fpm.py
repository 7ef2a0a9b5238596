"""PHP's FastCGI process manager with a configuration of its own."""

import os
import re
import shutil
import socket
from pathlib import Path
from typing import Final

from tests.servers.child_process import ChildProcess

_CONFIGURATION: Final = """\
[global]
error_log = {folder}/php-fpm.log
daemonize = no

[www]
{user}
listen = {socket}
pm = static
pm.max_children = 8
catch_workers_output = yes
php_admin_value[sendmail_path] = /bin/true
"""


class PhpFpm:
    """A pool of eight PHP processes behind a Unix socket.

    Args:
        folder: where configuration, socket and log go.

    Raises:
        FileNotFoundError: Debian's package ``php-fpm`` is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "php-fpm.sock"
        is_root = os.geteuid() == 0
        configuration = folder / "php-fpm.conf"
        configuration.write_text(
            _CONFIGURATION.format(
                folder=folder,
                socket=self.socket,
                # As somebody else it could not enter the tests' private folder.
                user="user = root\ngroup = root" if is_root else "",
            )
        )
        arguments = [_program(), "--nodaemonize", f"--fpm-config={configuration}"]
        self._server = ChildProcess(
            arguments + (["--allow-to-run-as-root"] if is_root else []),
            folder / "php-fpm.out",
            self._is_ready,
        )

    def start(self) -> None:
        """Start the pool and return once it takes connections."""
        self._server.start()

    def stop(self) -> None:
        """Stop the pool; what it is doing is cut off."""
        self._server.stop()

    def _is_ready(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0


def _program() -> str:
    """Debian names the program after its version."""
    folders = [Path(folder) for folder in (*os.get_exec_path(), "/usr/sbin")]
    found = {p.name for f in folders if f.is_dir() for p in f.iterdir()}
    names = sorted(name for name in found if re.fullmatch(r"php-fpm\d+\.\d+", name))
    program = shutil.which(names[-1], path=":".join(map(str, folders))) if names else None
    if program is None:
        raise FileNotFoundError("php-fpm: install Debian's package php-fpm")
    return program

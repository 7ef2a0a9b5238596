"""An application under gunicorn, set up as the bridge is."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.bridge import CHECKOUT
from tests.servers.ports import free_port, is_listening
from tests.servers.waiting import wait_until


@dataclass(frozen=True, slots=True)
class Gunicorn:
    """A running gunicorn with one worker; what it writes is in ``log``."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def worker(self) -> int:
        """The process id of its worker, once there is one: the port is open before."""
        master = self.process.pid
        children = Path(f"/proc/{master}/task/{master}/children")
        wait_until(children.read_text, "the worker is there")
        return int(children.read_text().split()[0])

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end, wait, and return its exit code.

        Raises:
            subprocess.TimeoutExpired: it was still there after 10 s, when platforms kill.
        """
        self.process.send_signal(number)
        return self.process.wait(timeout=10)


@contextmanager
def gunicorn(folder: Path, app: str, *options: str) -> Iterator[Gunicorn]:
    """``app``, as in ``module:variable``, on a free loopback port; killed at the end of the block.

    Args:
        folder: where its log goes.
        options: gunicorn's own, in place of what its configuration says.

    Raises:
        RuntimeError: it ended instead of listening; the message is what it wrote.
    """
    port, log = free_port(), folder / "gunicorn.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "bridge/gunicorn.conf.py", *options, app],
            cwd=CHECKOUT,
            env={
                "PATH": os.environ["PATH"],
                "PORT": str(port),
                "BRIDGE_SECRET_KEY": "a-key-for-tests-only-0123456789abcdef",
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A process group, so that master and worker can be killed at one moment.
            start_new_session=True,
        )
    try:
        wait_until(lambda: process.poll() is not None or is_listening(port), f"{app} listens")
        if process.poll() is not None:
            raise RuntimeError(f"gunicorn ended as it started: {log.read_text()}")
        yield Gunicorn(port, process, log)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

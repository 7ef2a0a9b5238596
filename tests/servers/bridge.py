"""The bridge as a process of its own, as it is deployed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.servers.ports import free_port, is_listening
from tests.servers.waiting import wait_until

CHECKOUT: Final = Path(__file__).resolve().parents[2]


class BridgeProcess:
    """``python -m bridge serve`` on a free loopback port, with its database in ``folder``.

    Entering the context migrates the database and starts the process; leaving it kills the process.
    In between it may be ended and started again, on the same port and with the same data. What it
    wrote is in ``log``.

    Args:
        folder: where the database and the log go; it outlives the process.
        environment: variables in addition to, or in place of, those that make a working bridge.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "bridge.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = {
            # Nothing of the environment that the tests run in, or a variable set there would
            # decide their outcome.
            "PATH": os.environ["PATH"],
            "BRIDGE_SECRET_KEY": "a-key-for-tests-only-0123456789abcdef",
            "DATABASE_URL": f"sqlite:///{folder / 'bridge.db'}",
            "PORT": str(self.port),
            "ALLOW_PRIVATE_STORES": "1",
            **(environment or {}),
        }

    def __enter__(self) -> Self:
        self.run("migrate")
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self.kill()

    @property
    def pid(self) -> int:
        """The process id of gunicorn's master."""
        return self._running().pid

    def start(self) -> None:
        """Start the process and return once it is ready to serve.

        Raises:
            RuntimeError: it ended instead; the message ends with its log.
            TimeoutError: it did not become ready.
        """
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bridge", "serve"],
                cwd=CHECKOUT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A process group, so that `kill` can end master and workers at one moment.
                start_new_session=True,
            )
        process = self._process
        try:
            wait_until(
                lambda: process.poll() is not None or self._is_ready(), "the bridge is ready"
            )
        except TimeoutError:
            self.kill()
            raise
        if process.poll() is not None:
            self._process = None
            raise RuntimeError(f"the bridge ended as it started: {self._log_end()}")

    def kill(self) -> None:
        """End master and workers at once (SIGKILL), as a power cut would."""
        process = self._running()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._process = None
        # Killed workers are not our children: that their port is closed shows that they are gone.
        wait_until(lambda: not is_listening(self.port), "the killed bridge's port is closed")

    def terminate(self) -> float:
        """Ask the process to end (SIGTERM) and wait; return how many seconds it took.

        Raises:
            subprocess.TimeoutExpired: it was still there after a minute; it has been killed.
        """
        process = self._running()
        began = time.monotonic()
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self._process = None
        return time.monotonic() - began

    def restart(self) -> None:
        """Kill the process and start it again on the same port and data."""
        self.kill()
        self.start()

    def run(self, *arguments: str) -> str:
        """Run one of the bridge's commands on the same settings; return what it printed.

        Raises:
            RuntimeError: it failed; the message is what it wrote to stderr.
            subprocess.TimeoutExpired: it had not ended after two minutes; it has been killed.
        """
        done = subprocess.run(
            [sys.executable, "-m", "bridge", *arguments],
            cwd=CHECKOUT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode != 0:
            raise RuntimeError(f"bridge {arguments[0]} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def site_add(self, name: str, url: str) -> dict[str, Any]:
        """Add a site; return its ``site``, ``secret`` and ``connection_string``."""
        site: dict[str, Any] = json.loads(
            self.run("site", "add", "--name", name, "--url", url, "--json")
        )
        return site

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the bridge is not running")
        return self._process

    def _is_ready(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz", headers={"Connection": "close"})
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def _log_end(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]

"""A server as a child process: started, awaited, and stopped by its own process id."""

import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.servers.waiting import wait_until


class ChildProcess:
    """One server program that stays in the foreground.

    Args:
        arguments: the program and its arguments.
        log: file that takes what it writes.
        is_ready: tells whether it answers.
        quit_with: signal that makes it end in an orderly way.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        log: Path,
        is_ready: Callable[[], bool],
        quit_with: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.arguments = arguments
        self.log = log
        self._is_ready = is_ready
        self._quit_with = quit_with
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return once it answers.

        Raises:
            FileNotFoundError: the program is not installed.
            RuntimeError: it ended instead; the message ends with its log.
            TimeoutError: it did not answer in time.
        """
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                self.arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._process = process
        try:
            wait_until(
                lambda: process.poll() is not None or self._is_ready(),
                f"{self.arguments[0]} answers",
            )
        except TimeoutError:
            self.stop()
            raise
        if process.poll() is not None:
            self._process = None
            end = self.log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{self.arguments[0]} ended as it started: {end}")

    def stop(self) -> None:
        """Stop it, if it runs; by force when it does not end in time."""
        if self._process is None:
            return
        self._process.send_signal(self._quit_with)
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

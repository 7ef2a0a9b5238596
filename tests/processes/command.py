"""The bridge's commands as a shell runs them: exit code, stdout and stderr."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.bridge import CHECKOUT

SECRET_KEY = "a-key-for-tests-only-0123456789abcdef"
BRIDGE = [sys.executable, "-m", "bridge"]
GUNICORN = [sys.executable, "-m", "gunicorn", "-c", "bridge/gunicorn.conf.py", "bridge.wsgi:app"]


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """What it printed, which must be JSON and all there is."""
        assert (self.code, self.err) == (0, "")
        answer: dict[str, Any] = json.loads(self.out)
        return answer

    def failed(self, code: int) -> str:
        """The one line that it left on stderr as it ended with ``code``."""
        assert (self.code, self.out) == (code, "")
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        return self.err


def run(folder: Path, command: Sequence[str], **environment: str) -> Ended:
    """Run ``command`` with a database in ``folder`` and a working environment, but for what
    ``environment`` says otherwise.

    Raises:
        subprocess.TimeoutExpired: it had not ended after two minutes; it has been killed.
    """
    settings = {"BRIDGE_SECRET_KEY": SECRET_KEY, "DATABASE_URL": f"sqlite:///{folder}/bridge.db"}
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"], **settings, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def bridge(folder: Path, *arguments: str, **environment: str) -> Ended:
    """Run one of the bridge's commands."""
    return run(folder, [*BRIDGE, *arguments], **environment)

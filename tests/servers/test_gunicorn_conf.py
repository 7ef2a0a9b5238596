"""bridge/gunicorn.conf.py does what it says, seen from outside a real gunicorn."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from tests.servers.bridge import CHECKOUT
from tests.servers.ports import free_port, is_listening
from tests.servers.waiting import wait_until

COMMAND = [sys.executable, "-m", "gunicorn", "-c", "bridge/gunicorn.conf.py"]
SECRET_KEY = "a-key-for-tests-only-0123456789abcdef"


@dataclass(frozen=True)
class Server:
    port: int
    process: subprocess.Popen[bytes]
    output: Path

    @contextmanager
    def get(self, path: str, headers: dict[str, str] | None = None) -> Iterator[HTTPResponse]:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("GET", path, headers=headers or {})
            with connection.getresponse() as response:
                yield response

    def facts(self, headers: dict[str, str] | None = None) -> dict[str, object]:
        with self.get("/", headers) as response:
            facts: dict[str, object] = json.load(response)
            return facts

    def status(self, path: str, headers: dict[str, str] | None = None) -> int:
        with self.get(path, headers) as response:
            return response.status

    def end(self) -> None:
        self.process.terminate()
        # Platforms kill 10 s after SIGTERM.
        assert self.process.wait(timeout=10) == 0

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.output.read_text().splitlines()]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    port = free_port()
    output = tmp_path / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [*COMMAND, "tests.servers.probe_app:app"],
            cwd=CHECKOUT,
            env={"PATH": os.environ["PATH"], "PORT": str(port), "BRIDGE_SECRET_KEY": SECRET_KEY},
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until(lambda: process.poll() is not None or is_listening(port), "gunicorn listens")
        yield Server(port, process, output)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_the_worker_is_patched_before_psycopg_is_imported(server: Server) -> None:
    facts = server.facts()
    assert facts["patched"] == ["socket", "ssl", "threading"]
    # In an unpatched process it waits in C, which would hold up every greenlet.
    assert facts["psycopg_waits_cooperatively"]


def test_it_may_open_files_for_its_connections(server: Server) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = 20_200 if hard == resource.RLIM_INFINITY else min(20_200, hard)
    assert server.facts()["open_files"] == max(soft, allowed)


def test_gunicorn_itself_believes_no_forwarding_header(server: Server) -> None:
    assert server.facts({"X-Forwarded-Proto": "https"})["scheme"] == "http"


def test_sigterm_answers_what_is_in_flight_and_cuts_off_streams(server: Server) -> None:
    with server.get("/stream") as stream, server.get("/slow") as slow:
        assert stream.readline()
        server.end()
        assert slow.read() == b"{}"


def test_every_line_is_json_and_names_nobody(server: Server) -> None:
    assert server.status("/") == 200
    assert server.status("/fails?q=jane@example.com") == 500
    assert server.status("/", {"Bad header name": "any"}) == 400
    server.end()
    lines = server.lines()
    failure = next(line for line in lines if line["level"] == "error")
    assert "RuntimeError" in str(failure["exception"])
    assert "probe_app" in str(failure["exception"])
    text = server.output.read_text()
    assert "jane@example.com" not in text
    assert "127.0.0.1" not in text
    # No line for a request that went well.
    assert "GET" not in text


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "BRIDGE_SECRET_KEY is not set"),
        ({"WEB_CONCURRENCY": "2"}, "set WEB_CONCURRENCY=1, or add Redis"),
        ({"BRIDGE_SECRET_KEY": SECRET_KEY, "PORT": "http"}, "PORT is 'http'"),
    ],
)
def test_a_wrong_setting_ends_it_in_one_line(environment: dict[str, str], words: str) -> None:
    ended = subprocess.run(
        [*COMMAND, "tests.servers.probe_app:app"],
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert words in ended.stderr

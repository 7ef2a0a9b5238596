"""``make bench``: measures, prints a table (measured, budget, verdict), writes results.json."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import jwt

from bench.crowd import crowd
from bench.figure import Figure
from bench.idle_chat import idle_chat
from bench.live import live
from bench.load import Load, post
from bench.statements import heartbeat_statements, list_statements
from tests.servers.bridge import BridgeProcess
from tests.servers.ports import free_port, is_listening
from tests.servers.waiting import wait_until

ROOT = Path(__file__).resolve().parents[1]
VISITORS = 500
SECONDS = 4.0
ROUNDS = 3
PATH = "/v1/visitor/events"


def main() -> None:
    """Measure everything, print it, write it."""
    figures: list[Figure] = []
    for measure in (_throughput, live, crowd, _statements, _script_size, idle_chat):
        print(f"measuring: {measure.__doc__}", file=sys.stderr)
        figures += measure()
    _print(figures)
    results = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "figures": [asdict(figure) for figure in figures],
    }
    (ROOT / "bench" / "results.json").write_text(json.dumps(results, indent=2) + "\n")


def _throughput() -> list[Figure]:
    """heartbeats a second against a route that only reads the body (B4)"""
    with tempfile.TemporaryDirectory() as folder, BridgeProcess(Path(folder)) as bridge:
        site = bridge.site_add("Bench", "http://shop.test")
        bodies = _heartbeats(bridge.port, site)
        with _ceiling(Path(folder)) as ceiling_port:
            rounds = [
                (_load(ceiling_port, bodies), _load(bridge.port, bodies)) for _ in range(ROUNDS)
            ]
    share = statistics.median(ours.rate / ceiling.rate for ceiling, ours in rounds)
    ours = statistics.median(each.rate for _, each in rounds)
    ceiling = statistics.median(each.rate for each, _ in rounds)
    return [
        Figure("B4", "share of the bare route's rate", round(share, 3), ">= 0.60", share >= 0.60),
        Figure("-", "heartbeats a second, one worker", round(ours), "", True),
        Figure("-", "the bare route's, same worker", round(ceiling), "", True),
    ]


def _load(port: int, bodies: Callable[[], bytes]) -> Load:
    load = post(port, PATH, bodies, SECONDS)
    if load.failed:
        raise SystemExit(f"{load.failed} requests failed on port {port}: no figure is worth that.")
    return load


def _heartbeats(port: int, site: dict[str, str]) -> Callable[[], bytes]:
    """Open a page for each visitor, and return what makes the next heartbeat of the next one."""
    key = base64.urlsafe_b64decode(site["secret"] + "=" * (-len(site["secret"]) % 4))
    now = int(time.time())
    tokens = [
        jwt.encode(
            {"sub": f"v_{number}", "aud": "visitor", "iat": now, "exp": now + 3600},
            key,
            algorithm="HS256",
            headers={"kid": site["site"]},
        )
        for number in range(VISITORS)
    ]
    counter = itertools.count()

    def event(kind: str) -> bytes:
        seq = next(counter)
        number = seq % VISITORS
        return (
            f'{{"token":"{tokens[number]}","events":[{{"id":"e{seq}","type":"{kind}",'
            f'"conversation":"c_{number}","page":"p_{number}","seq":{seq}}}]}}'
        ).encode()

    while next(counter) < VISITORS * 2:
        if post(port, PATH, lambda: event("page_view"), 0.5).failed:
            raise SystemExit("opening the pages failed")
    return lambda: event("heartbeat")


@contextmanager
def _ceiling(folder: Path) -> Iterator[int]:
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PORT": str(port),
        "BRIDGE_SECRET_KEY": "a-key-for-the-bench-only-0123456789abcdef",
        "DATABASE_URL": f"sqlite:///{folder / 'unused.db'}",
    }
    configuration = ROOT / "bridge" / "gunicorn.conf.py"
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", str(configuration), "bench.ceiling:app"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: is_listening(port), "the ceiling's server listens")
        yield port
    finally:
        process.terminate()
        process.wait()


def _statements() -> list[Figure]:
    """SQL statements of an unchanged heartbeat and of a list of 50 (B10, B9)"""
    heartbeat, listing = heartbeat_statements(), list_statements()
    return [
        Figure("B10", "statements of an unchanged heartbeat", heartbeat, "0", heartbeat == 0),
        Figure("B9", "queries of a list of 50", listing, "<= 3", listing <= 3),
    ]


def _script_size() -> list[Figure]:
    """gzipped size of the scripts in the visitor's page (B11)"""
    page, live = (
        len(gzip.compress(b"".join(map(_asset, names)), 9, mtime=0))
        for names in (("stub.js", "presence.js"), ("live.js",))
    )
    what = "bytes of stub.js and presence.js, gzipped together"
    return [
        Figure("B11", what, page, "<= 4096", page <= 4096),
        Figure("-", "bytes of live.js, fetched once a chat begins", live, "", True),
    ]


def _asset(name: str) -> bytes:
    return (ROOT / "wp-plugin" / "assets" / name).read_bytes()


def _print(figures: list[Figure]) -> None:
    print(f"{'':5}{'what':58}{'measured':>10}  {'budget':10}verdict")
    for each in figures:
        verdict = ("met" if each.met else "MISSED") if each.budget else ""
        print(f"{each.budget_id:5}{each.what:58}{each.measured:>10}  {each.budget:10}{verdict}")


if __name__ == "__main__":
    main()

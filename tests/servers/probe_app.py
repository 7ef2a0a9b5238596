"""A WSGI application that tells how the server around it was set up; for test_gunicorn_conf.py."""

import json
import resource
import time
from collections.abc import Iterable, Iterator
from wsgiref.types import StartResponse, WSGIEnvironment

from gevent.monkey import is_module_patched
from psycopg import waiting


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with facts about this worker, or with a stream, or not before a while."""
    path = environ["PATH_INFO"]
    if path == "/fails":
        raise RuntimeError("jane@example.com")
    start_response("200 OK", [("Content-Type", "application/json")])
    if path == "/stream":
        return _endless()
    if path == "/slow":
        return _after_a_second()
    return [json.dumps(_facts(environ)).encode()]


def _facts(environ: WSGIEnvironment) -> dict[str, object]:
    return {
        "patched": [name for name in ("socket", "ssl", "threading") if is_module_patched(name)],
        "psycopg_waits_cooperatively": waiting.wait is waiting.wait_poll,
        "open_files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "scheme": environ["wsgi.url_scheme"],
    }


def _endless() -> Iterator[bytes]:
    while True:
        yield b": still here\n\n"
        time.sleep(0.1)


def _after_a_second() -> Iterator[bytes]:
    yield b"{"
    time.sleep(1)
    yield b"}"

"""How gunicorn runs the bridge. Every setting that is not gunicorn's own default says why.

Gunicorn reads this in its master process, before it forks and before gevent patches anything:
nothing may be imported here that opens sockets or imports psycopg.
"""

import logging
import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker

from bridge.capacity import most_connections, raise_open_files
from bridge.logs import configure_logging
from bridge.settings import Settings, SettingsError

try:
    _settings = Settings.load()
except SettingsError as error:
    # Gunicorn would print a traceback for any other exception, and a worker that fails is started
    # again and again: end here, in one line.
    raise SystemExit(f"bridge: {error}") from None


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Keep visitors' addresses and paths out of gunicorn's own lines, and drop what is no fault of
    ours."""
    message = str(record.msg)
    if message.startswith("Error handling request"):
        record.msg, record.args = "Error handling request", ()
    if message.startswith("Socket error processing request") and record.exc_info:
        # A peer that reads nothing is cut off: see bridge.live.connection.
        return not isinstance(record.exc_info[1], TimeoutError)
    # Scanners' garbage is answered 400; the line about it names who sent it.
    return not message.startswith("Invalid request from ip=")


class _GunicornLogger(Logger):
    """Gunicorn's lines in the same form and place as all others.

    Not ``logconfig_dict``: setting that switches the access log on.
    """

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        configure_logging()
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.error_log.addFilter(_is_worth_a_line)


# The default of 1000 would turn visitors away: each open stream is a connection.
raise_open_files()
worker_connections = most_connections()

# All interfaces: the platform's router reaches the process from outside of it. The demo is for this
# machine alone: it hands an agent's token to whoever opens its page.
bind = f"{'127.0.0.1' if _settings.demo else '0.0.0.0'}:{_settings.port}"  # noqa: S104 - see above

# Greenlets: one worker holds thousands of open streams.
worker_class = "gevent"
workers = _settings.web_concurrency

# The gevent worker patches the standard library when it starts. An application loaded earlier, in
# the master, would have imported psycopg and ssl unpatched.
preload_app = False

# How long an idle connection is kept, and how long a request's head may take. Longer than a page's
# burst of requests; short, since idle connections hold up the end of the process.
keepalive = 3

# Platforms kill 10 s after SIGTERM. The worker notices within 1 s, streams are closed at once (see
# `post_worker_init`), idle connections end within `keepalive`, and what is still open after this is
# cut off.
graceful_timeout = 6

# A worker whose event loop has stood still for so long is stuck, and is replaced.
timeout = 30

# The worker proves to the master that it lives by touching a file; on a slow disk that can block.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - gunicorn makes an unlinked file there

# Believing a forwarding header is decided in one place, TRUSTED_PROXY_HOPS. Gunicorn believes those
# of its own neighbours unless told otherwise.
forwarded_allow_ips = ""

# Nothing of ours has long addresses or many headers; the largest header is a visitor's token.
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190

# The control socket would let whoever can open it manage this server; nothing here uses it.
control_socket_disable = True

# One line for each heartbeat would cost more than the heartbeat. The application logs what fails
# or is slow (bridge.logs).
accesslog = None
logger_class = _GunicornLogger


def post_worker_init(worker: Worker) -> None:
    """Close the application's streams as soon as the worker is told to end.

    By itself it would wait for them until `graceful_timeout`, and then cut them off. What closes
    them is ``app.extensions["drain"]``.
    """
    drain = getattr(worker.wsgi, "extensions", {}).get("drain")
    if drain is not None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            _drain_first(number, drain)
        # As gunicorn has it; setting a handler undid it.
        signal.siginterrupt(signal.SIGTERM, False)


def _drain_first(number: signal.Signals, drain: Callable[[], None]) -> None:
    # The worker has patched the standard library by now.
    import gevent

    ends_worker = signal.getsignal(number)

    def handle(received: int, frame: FrameType | None) -> None:
        # In a greenlet, since a handler interrupts others anywhere, even where they hold a lock.
        gevent.spawn(drain)
        if callable(ends_worker):
            ends_worker(received, frame)

    signal.signal(number, handle)

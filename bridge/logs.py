"""Logging: one JSON object a line on stdout, or a readable form on a terminal.

What is logged is the life of the process, and requests that failed or were slow: a line for each
request would cost more than a heartbeat does. Nothing personal is written: no address, query, body
or name, and no exception's text that may quote one.
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

SLOW_SECONDS: Final = 1.0

# Set by the application for each request, to the id that its problem answers carry.
REQUEST_ID: Final[ContextVar[str | None]] = ContextVar("request_id", default=None)

# Set where a failure is turned into an answer, for the line about that request.
FAILURE: Final[ContextVar[BaseException | None]] = ContextVar("failure", default=None)

# The messages of these speak of the machine (a full disk, a refused connection). Those of other
# exceptions may quote a visitor: a violated constraint names the row that violates it.
_IMPERSONAL: Final = frozenset(
    {
        "sqlite3.OperationalError",
        "psycopg.OperationalError",
        "psycopg.errors.ReadOnlySqlTransaction",
        "sqlalchemy.exc.TimeoutError",
    }
)
# Of these, the classes derived from them are not meant: they are the ones that quote rows.
_IMPERSONAL_ITSELF: Final = frozenset({"sqlite3.DatabaseError"})

_requests: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.requests")


def configure_logging() -> None:
    """Send every log line of this process, other libraries' included, to stdout in one form.

    Calling it again, as a forked worker may, replaces what the first call set up.
    """
    shared: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _add_request_id,
        _describe_exception,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = _StdoutHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(terminal=sys.stdout.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    for old in [h for h in root.handlers if isinstance(h, _StdoutHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    # Its warnings hold the addresses called, and those may hold a customer's email.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    # It tells of each plugin that it loads, in every process.
    logging.getLogger("alembic").setLevel(logging.WARNING)


def reason_of(exception: BaseException) -> str:
    """Why it came to ``exception``, on one line: what the machine said, or the type of what was
    raised first. Nothing in it is personal."""
    chain = list(_chain(exception))
    said = next(filter(None, map(_impersonal_message, chain)), None)
    return " ".join((said or _qualified_name(type(chain[-1]))).split())


def log_if_notable(method: str, route: str, status: int, seconds: float) -> None:
    """Write a line about a request that failed on our side (5xx) or was slow; else do nothing.

    The line of one that failed says why, if ``FAILURE`` was set for it.

    Args:
        method: the HTTP method.
        route: the rule that matched, such as ``/v1/conversations/<id>``; not the path, which holds
            ids.
        status: the HTTP status answered.
        seconds: from the request's arrival to the start of its answer.
    """
    if status >= 500:
        failure = FAILURE.get()
        # A kept connection's next request runs in the same context.
        FAILURE.set(None)
        why = {} if failure is None else {"reason": reason_of(failure)}
        _requests.error(
            "request failed",
            method=method,
            route=route,
            status=status,
            seconds=round(seconds, 3),
            **why,
        )
    elif seconds >= SLOW_SECONDS:
        _requests.warning(
            "request was slow", method=method, route=route, status=status, seconds=round(seconds, 3)
        )


class _StdoutHandler(logging.Handler):
    """Writes to what ``sys.stdout`` is at that time: it may be redirected after this was set up."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stdout.write(f"{self.format(record)}\n")
            sys.stdout.flush()
        except Exception:  # noqa: BLE001 - what logging asks of handlers: they never raise
            self.handleError(record)


def _renderers(*, terminal: bool) -> list[Processor]:
    # JSON escapes whatever is not printable ASCII by itself.
    if terminal:
        return [_escape, structlog.dev.ConsoleRenderer(timestamp_key="time")]
    return [structlog.processors.JSONRenderer()]


def _add_request_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    request_id = REQUEST_ID.get()
    if request_id is not None:
        event["request_id"] = request_id
    return event


def _describe_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace ``exc_info`` by what may be kept of it: types, places, and impersonal messages."""
    info = event.pop("exc_info", None)
    exception = info if isinstance(info, BaseException) else None
    if isinstance(info, tuple):
        exception = info[1]
    elif info and exception is None:
        exception = sys.exc_info()[1]
    if exception is not None:
        event["exception"] = [_description(each) for each in _chain(exception)]
    return event


def _chain(exception: BaseException) -> Iterator[BaseException]:
    """The exception and those that led to it, latest first, as a traceback would show them."""
    seen: set[int] = set()
    current: BaseException | None = exception
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        hidden = current.__suppress_context__
        current = current.__cause__ or (None if hidden else current.__context__)


def _description(exception: BaseException) -> dict[str, object]:
    description: dict[str, object] = {"type": _qualified_name(type(exception))}
    message = _impersonal_message(exception)
    if message is not None:
        description["message"] = message
    description["at"] = [
        f"{frame.f_globals.get('__name__')}:{line} {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(exception.__traceback__)
    ]
    return description


def _impersonal_message(exception: BaseException) -> str | None:
    """The exception's message, if it cannot quote a visitor."""
    if isinstance(exception, OSError):
        return exception.strerror
    kinds = [_qualified_name(kind) for kind in type(exception).__mro__]
    if kinds[0] in _IMPERSONAL_ITSELF or not _IMPERSONAL.isdisjoint(kinds):
        return str(exception)
    return None


def _qualified_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _escape(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: _printable(value) for key, value in event.items()}


def _printable(value: object) -> object:
    if isinstance(value, str) and not value.isprintable():
        return value.encode("unicode_escape").decode("ascii")
    return value

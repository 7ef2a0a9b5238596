"""Logs: one JSON object a line, nothing personal, nothing unescaped, nothing for what went well."""

import errno
import json
import logging
import re
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import structlog

from bridge.logs import (
    FAILURE,
    REQUEST_ID,
    SLOW_SECONDS,
    configure_logging,
    log_if_notable,
    reason_of,
)


@dataclass(frozen=True)
class Stdout:
    """What has been written to stdout since the last time it was asked."""

    capture: pytest.CaptureFixture[str]

    def text(self) -> str:
        return self.capture.readouterr().out

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]


@pytest.fixture
def stdout(capsys: pytest.CaptureFixture[str]) -> Iterator[Stdout]:
    """Logging set up on a stdout that can be read."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    # A test before may have answered requests in this very context.
    request, failure = REQUEST_ID.set(None), FAILURE.set(None)
    configure_logging()
    yield Stdout(capsys)
    REQUEST_ID.reset(request)
    FAILURE.reset(failure)
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def test_a_line_is_json_with_time_level_and_logger(stdout: Stdout) -> None:
    structlog.get_logger("bridge.test").info("started", port=8000)
    (line,) = stdout.lines()
    assert line.pop("time").endswith("Z")
    assert line == {"event": "started", "level": "info", "logger": "bridge.test", "port": 8000}


def test_other_libraries_lines_have_the_same_form(stdout: Stdout) -> None:
    logging.getLogger("library").warning("%s failed", "it")
    (line,) = stdout.lines()
    assert (line["event"], line["level"], line["logger"]) == ("it failed", "warning", "library")


def test_debugging_and_http_clients_stay_silent(stdout: Stdout) -> None:
    structlog.get_logger("bridge.test").debug("detail")
    logging.getLogger("library").debug("detail")
    logging.getLogger("urllib3.connectionpool").warning("retrying /?email=jane@example.com")
    assert stdout.lines() == []


def test_setting_up_twice_does_not_double_the_lines(stdout: Stdout) -> None:
    configure_logging()
    structlog.get_logger("bridge.test").info("once")
    assert len(stdout.lines()) == 1


def test_the_request_id_is_on_every_line_of_its_request(stdout: Stdout) -> None:
    token = REQUEST_ID.set("req_1")
    structlog.get_logger("bridge.test").info("ours")
    logging.getLogger("library").info("theirs")
    REQUEST_ID.reset(token)
    structlog.get_logger("bridge.test").info("outside")
    assert [line.get("request_id") for line in stdout.lines()] == ["req_1", "req_1", None]


@pytest.mark.parametrize("terminal", [False, True])
def test_what_comes_from_outside_is_escaped(
    stdout: Stdout, monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    configure_logging()
    forged = '\x1b]0;title\x07\x1b[2J\n{"event": "forged"}\u2028'
    structlog.get_logger("bridge.test").info(forged, value=forged)
    written = stdout.text()
    assert written.count("\n") == 1
    # The colours are our own.
    plain = re.sub(r"\x1b\[[0-9;]*m", "", written.rstrip("\n"))
    assert plain.count("forged") == 2
    assert plain.isprintable()


class TestExceptions:
    def test_are_given_by_type_and_place_without_their_text(self, stdout: Stdout) -> None:
        try:
            try:
                raise KeyError("jane@example.com")
            except KeyError as error:
                raise ValueError("jane@example.com") from error
        except ValueError:
            structlog.get_logger("bridge.test").exception("failed")
        (line,) = stdout.lines()
        assert [each["type"] for each in line["exception"]] == [
            "builtins.ValueError",
            "builtins.KeyError",
        ]
        (place,) = line["exception"][0]["at"]
        assert __name__ in place
        assert place.endswith("test_are_given_by_type_and_place_without_their_text")
        assert "jane" not in json.dumps(line)

    def test_what_the_machine_says_is_kept(self, stdout: Stdout) -> None:
        log = logging.getLogger("library")
        log.error("failed", exc_info=OSError(errno.ENOSPC, "No space left on device", "/secret"))
        log.error("failed", exc_info=sqlite3.OperationalError("database is locked"))
        messages = [line["exception"][0].get("message") for line in stdout.lines()]
        assert messages == ["No space left on device", "database is locked"]

    def test_what_a_row_may_be_quoted_in_is_not_kept(self, stdout: Stdout) -> None:
        log = logging.getLogger("library")
        log.error("failed", exc_info=sqlite3.IntegrityError("jane@example.com"))
        log.error("failed", exc_info=sqlite3.DatabaseError("file is not a database"))
        messages = [line["exception"][0].get("message") for line in stdout.lines()]
        assert messages == [None, "file is not a database"]

    def test_a_context_that_was_hidden_stays_hidden(self, stdout: Stdout) -> None:
        try:
            try:
                raise KeyError
            except KeyError:
                raise ValueError from None
        except ValueError:
            structlog.get_logger("bridge.test").exception("failed")
        (line,) = stdout.lines()
        assert len(line["exception"]) == 1


class TestReasons:
    def test_the_machines_own_words_on_one_line(self) -> None:
        error = ValueError("jane@example.com")
        error.__cause__ = sqlite3.OperationalError("database or\n disk is full")
        error.__cause__.__cause__ = KeyError("jane@example.com")
        assert reason_of(error) == "database or disk is full"

    def test_else_the_type_of_what_came_first(self) -> None:
        error = ValueError("jane@example.com")
        error.__cause__ = sqlite3.IntegrityError("jane@example.com")
        assert reason_of(error) == "sqlite3.IntegrityError"


class TestRequests:
    def test_one_that_failed_says_why_and_the_next_does_not(self, stdout: Stdout) -> None:
        FAILURE.set(sqlite3.OperationalError("database is locked"))
        log_if_notable("GET", "/readyz", 503, 0.1)
        log_if_notable("GET", "/readyz", 500, 0.1)
        first, second = stdout.lines()
        assert first["reason"] == "database is locked"
        assert "reason" not in second

    def test_one_that_went_well_leaves_no_line(self, stdout: Stdout) -> None:
        log_if_notable("POST", "/v1/visitor/events", 200, 0.001)
        log_if_notable("POST", "/v1/visitor/events", 429, 0.001)
        assert stdout.lines() == []

    def test_one_that_failed_or_was_slow_leaves_one(self, stdout: Stdout) -> None:
        log_if_notable("GET", "/v1/conversations/<id>", 503, 0.0123456)
        log_if_notable("GET", "/v1/conversations/<id>", 200, SLOW_SECONDS)
        failed, slow = stdout.lines()
        assert (failed["event"], failed["level"]) == ("request failed", "error")
        assert (failed["status"], failed["seconds"]) == (503, 0.012)
        assert failed["route"] == "/v1/conversations/<id>"
        assert (slow["event"], slow["level"]) == ("request was slow", "warning")

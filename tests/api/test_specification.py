"""schemathesis over the whole of ``openapi.json``: whatever is sent, the answer is a described one.

Requests get their credential when their body is final, in a WSGI application around the bridge's:
the store's are signed there. Nothing is limited: what is counted by the minute would otherwise
answer for most of them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bridge.api.limits import Limit, Limits
from tests.api.description import DESCRIBED
from tests.api.installation import Clock, Installation, copy_of
from tests.api.test_store_connect import CONNECTION
from tests.api.visitor import event, message

EXAMPLES = 25
Case = schemathesis.Case[Any]
EVERY_ANSWER = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# A wrong event rejects itself, not its batch, which is answered 200.
BATCHES = ("/v1/store/events", "/v1/visitor/events")
# Where what is right cannot be said in a schema: a public address, printable characters, a cursor
# of this list, a person who is named in one way at least, the site whose secret it is.
MEANT = (
    "/v1/store/connect",
    "/v1/store/pairings",
    "/v1/store/privacy/export",
    "/v1/store/privacy/erase",
    "/v1/woocommerce/webhooks/{site}",
    "/v1/conversations",
    "/v1/conversations/{conversation}/messages",
)

SPECIFICATION = schemathesis.openapi.from_dict(
    DESCRIBED,
    config=schemathesis.Config.from_dict(
        {
            "generation": {
                "deterministic": True,
                "with-security-parameters": False,
                "database": "none",
            },
            "phases": {"coverage": {"unexpected-methods": []}},
        }
    ),
)
PATIENTLY = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class Unlimited(Limits):
    """Counts nothing."""

    def count(self, limit: Limit, key: str, now: datetime, amount: int = 1) -> None:
        """Let it through."""

    def check(self, limit: Limit, key: str, now: datetime) -> None:
        """Let it through."""


class WithCredentials:
    """The bridge as one sees it who may do everything."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._store = installation.add_store()
        self.site = self._store.site
        connected = self._store.request("POST", "/v1/store/connect", CONNECTION)
        assert connected.status_code == 200, connected.get_data(as_text=True)
        self._visitor = self._store.visitor()
        self._visitor.page("c").write("Hello", message="m")
        self._store.results(message("d", author="bot"), event("chat_cleared", "d"))
        self._app = self._store.app("reader")

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        path = environ["PATH_INFO"]
        if path.startswith("/v1/store/"):
            self._sign(environ)
        elif path.startswith("/v1/woocommerce/"):
            self._sign_as_woocommerce(environ)
        elif path.startswith("/v1/visitor/"):
            environ["HTTP_AUTHORIZATION"] = f"Bearer {self._visitor.token()}"
        elif path.startswith("/v1/"):
            # Signing out ends what would be used after it.
            app = self._store.app("guest") if environ["REQUEST_METHOD"] == "DELETE" else self._app
            environ["HTTP_AUTHORIZATION"] = f"Bearer {app.token}"
        return self._installation.app.wsgi_app(environ, start_response)

    def _sign_as_woocommerce(self, environ: dict[str, Any]) -> None:
        secret = CONNECTION["woocommerce"]["webhook_secret"].encode()
        mac = hmac.digest(secret, _content(environ), hashlib.sha256)
        environ["HTTP_X_WC_WEBHOOK_SIGNATURE"] = base64.b64encode(mac).decode()
        environ["HTTP_X_WC_WEBHOOK_TOPIC"] = "order.updated"

    def _sign(self, environ: dict[str, Any]) -> None:
        content = _content(environ)
        target = f"{environ['REQUEST_METHOD']} {environ['REQUEST_URI']}".encode("latin-1")
        webhook_id = f"msg_{next(_requests)}"
        for name, value in self._store.signed(content or target, webhook_id).items():
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value


_requests = iter(range(10**9))


def _content(environ: dict[str, Any]) -> bytes:
    """The request's body, which can still be read."""
    content: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(content)
    return content


@pytest.fixture(scope="module")
def unlimited(
    migrated_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """A bridge that does not count requests."""
    database = copy_of(migrated_database, tmp_path_factory.mktemp("specification"))
    made = Installation(database, Clock(), limits=Unlimited())
    made.bridge.drain()
    yield made
    made.close()


@pytest.fixture(scope="module")
def may(unlimited: Installation) -> WithCredentials:
    """The bridge, for somebody who may do everything."""
    return WithCredentials(unlimited)


@pytest.fixture(scope="module")
def may_not(unlimited: Installation) -> Flask:
    """The bridge, for somebody who may do nothing."""
    return unlimited.app


# A stream never ends by itself: what is read of it is in test_agent_stream.py and
# test_visitor_stream.py. Here, the bridge is as it is at SIGTERM, and refuses them; whatever is
# wrong with their requests it says before.
STREAMS = ("/v1/stream", "/v1/visitor/stream")


@SPECIFICATION.parametrize()
@PATIENTLY
def test_whoever_may_is_answered_as_described(case: Case, may: WithCredentials) -> None:
    checks = [*EVERY_ANSWER]
    if case.path not in BATCHES:
        checks.append(negative_data_rejection)
    if case.path not in (*MEANT, *STREAMS):
        checks.append(positive_data_acceptance)
    case.validate_response(case.call(app=may), checks=checks)


@SPECIFICATION.include(path_regex=r"\{").parametrize()
@PATIENTLY
def test_so_is_what_is_there(case: Case, may: WithCredentials) -> None:
    """Ids made by chance lead nowhere: here they lead to a conversation, a message, a person."""
    there = {"conversation": "c", "agent": "guest", "device": "dev_1", "site": may.site}
    case.path_parameters = {name: there[name] for name in case.path_parameters}
    for name in ("before", "after"):
        if name in case.query:
            case.query[name] = "m"
    case.validate_response(case.call(app=may), checks=EVERY_ANSWER)


@SPECIFICATION.parametrize()
@PATIENTLY
def test_whoever_may_not_is_told_so_as_described(case: Case, may_not: Flask) -> None:
    response = case.call(app=may_not)
    case.validate_response(response, checks=EVERY_ANSWER)
    if case.operation.definition.raw["security"]:
        # What cannot be read, or is no address, is refused before anybody asks who it was.
        assert response.status_code in (400, 401, 404, 413, 415, 422)

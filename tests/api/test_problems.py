"""What the framework itself refuses is a problem too, with a status that is true."""

from __future__ import annotations

import pytest
from flask import Response
from werkzeug.exceptions import (
    BadRequest,
    ExpectationFailed,
    HTTPException,
    NotAcceptable,
    RequestedRangeNotSatisfiable,
    ServiceUnavailable,
)

from tests.api.description import check_problem
from tests.api.installation import Installation


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (BadRequest, 400, "malformed-request"),
        (NotAcceptable, 406, "malformed-request"),
        (RequestedRangeNotSatisfiable, 416, "malformed-request"),
        (ExpectationFailed, 417, "malformed-request"),
        (ServiceUnavailable, 500, "internal-error"),
    ],
)
def test_a_refusal_of_the_framework_keeps_its_status(
    installation: Installation, error: type[HTTPException], status: int, code: str
) -> None:
    def refuse() -> Response:
        raise error

    installation.app.add_url_rule("/refused", view_func=refuse)
    answered = installation.app.test_client().get("/refused")
    check_problem(answered)
    assert (answered.status_code, answered.get_json()["code"]) == (status, code)


def test_a_redirect_is_no_problem(installation: Installation) -> None:
    installation.app.add_url_rule("/moved", redirect_to="/docs", endpoint="moved")
    answered = installation.app.test_client().get("/moved")
    assert (answered.status_code, answered.mimetype) == (308, "text/html")

"""A web without a network."""

from collections.abc import Iterator

import pytest
import responses


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
        yield web

"""``GET`` and ``DELETE /v1/me``: the device that asks, and signing it out."""

from tests.api.device import App
from tests.api.store import Store


def test_a_device_learns_who_it_is(app: App, store: Store) -> None:
    me = app.get("/v1/me").json
    assert me is not None
    assert set(me) == {"device", "agent", "site"}

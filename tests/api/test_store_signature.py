"""The store's credential: a Standard Webhooks signature over the raw request."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.api.description import refused
from tests.api.installation import Clock, Installation
from tests.api.store import Store, encode, signature
from tests.api.visitor import event

STATUS = "/v1/store/status"
EVENTS = "/v1/store/events"


def test_a_signed_request_is_let_in(store: Store) -> None:
    assert store.get(STATUS).status_code == 200


@pytest.mark.parametrize(
    "missing", ["Bridge-Site", "webhook-id", "webhook-timestamp", "webhook-signature"]
)
def test_each_header_is_needed(installation: Installation, store: Store, missing: str) -> None:
    headers = store.signed(f"GET {STATUS}".encode(), "msg_1")
    del headers[missing]
    problem = refused(installation.open(STATUS, headers=headers), 401, "signature-missing")
    assert "webhook-signature" in problem["detail"]


def test_another_secret_is_refused(store: Store, other_store: Store) -> None:
    store.secret = other_store.secret
    refused(store.get(STATUS), 401, "signature-invalid")


def test_an_unknown_site_is_refused_as_a_wrong_signature_is(store: Store) -> None:
    store.site = "st_0000000000000000"
    refused(store.get(STATUS), 401, "signature-invalid")


def test_an_altered_body_is_refused(store: Store, installation: Installation) -> None:
    content = encode({"events": [event("page_view", "c", page="p", seq=1)]})
    headers = store.signed(content, "msg_1")
    altered = content.replace(b'"c"', b'"d"')
    refused(
        installation.open(EVENTS, "POST", data=altered, headers=headers), 401, "signature-invalid"
    )


def test_the_signature_is_over_the_bytes_and_not_over_what_they_mean(
    store: Store, installation: Installation
) -> None:
    content = encode({"events": [event("page_view", "c", page="p", seq=1)]})
    headers = store.signed(content, "msg_1")
    spaced = content.replace(b": ", b":  ")
    refused(
        installation.open(EVENTS, "POST", data=spaced, headers=headers), 401, "signature-invalid"
    )
    assert installation.open(EVENTS, "POST", data=content, headers=headers).status_code == 200


def test_a_body_in_utf_8_is_signed_as_it_is_sent(store: Store) -> None:
    happened = event(
        "message", "c_Zoë", message={"id": "m", "author": "bot", "text": "Grüße 東京 👋"}
    )
    content = str({"events": [happened]}).replace("'", '"').encode()
    assert store.request("POST", EVENTS, content).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", STATUS),
        ("GET", "/v1/store/devices"),
        ("GET", f"{STATUS}?a=1"),
        ("GET", f"{STATUS}?"),
    ],
)
def test_without_a_body_method_path_and_query_are_signed(
    store: Store, installation: Installation, method: str, path: str
) -> None:
    headers = store.signed(f"{method} {path}".encode(), "msg_1")
    refused(installation.open(f"{STATUS}?b=1", headers=headers), 401, "signature-invalid")


def test_a_query_is_signed_as_it_is_sent(store: Store) -> None:
    assert store.get(f"{STATUS}?a=%C3%BC&b=x%2Fy+z").status_code == 200


def test_an_empty_body_is_not_signed_as_empty(store: Store, installation: Installation) -> None:
    refused(installation.open(STATUS, headers=store.signed(b"", "m")), 401, "signature-invalid")


def test_a_delete_without_a_body_may_name_a_content_type(store: Store) -> None:
    answered = store.request(
        "DELETE", "/v1/store/agents/1", headers={"Content-Type": "application/json"}
    )
    assert answered.json == {"devices": 0}


@pytest.mark.parametrize("skew", [-300, 300])
def test_a_clock_may_be_five_minutes_off(store: Store, clock: Clock, skew: int) -> None:
    clock.now = clock.now.replace(microsecond=0)
    store.skew = timedelta(seconds=skew)
    assert store.get(STATUS).status_code == 200


@pytest.mark.parametrize("skew", [-301, 301, -86_400, 86_400])
def test_a_clock_that_is_further_off_is_told_so(store: Store, clock: Clock, skew: int) -> None:
    clock.now = clock.now.replace(microsecond=0)
    store.skew = timedelta(seconds=skew)
    problem = refused(store.get(STATUS), 401, "timestamp-out-of-range")
    assert "clock" in problem["detail"]


@pytest.mark.parametrize("stamp", [0, 253_402_300_799, 253_402_300_800, 999_999_999_999, 10**15])
def test_an_absurd_timestamp_is_refused_though_it_was_signed(
    store: Store, installation: Installation, stamp: int
) -> None:
    headers = store.signed(f"GET {STATUS}".encode(), "msg_1", stamp)
    refused(installation.open(STATUS, headers=headers), 401, "timestamp-out-of-range")


@pytest.mark.parametrize("stamp", ["", "x", "1.5", "-1", "+1", "1e9", "١٢٣", "0x10", " 12"])
def test_a_timestamp_is_a_whole_number(store: Store, stamp: str) -> None:
    answered = store.get(STATUS, headers={"webhook-timestamp": stamp.encode().decode("latin-1")})
    assert answered.status_code == 401


def test_one_good_signature_of_several_is_enough(store: Store, installation: Installation) -> None:
    headers = store.signed(f"GET {STATUS}".encode(), "msg_1")
    good = headers["webhook-signature"]
    for several in (f"v1,AAAA {good}", f"{good} v1,AAAA", f"v2,zzz v1a,xyz {good}"):
        headers["webhook-signature"] = several
        assert installation.open(STATUS, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "bad", ["v1,", "v1", "AAAA", "v2,{}", "v1a,{}", "{}", "V1,{}", "v1,{}=", ","]
)
def test_nothing_but_v1_counts(store: Store, installation: Installation, bad: str) -> None:
    headers = store.signed(f"GET {STATUS}".encode(), "msg_1")
    digest = headers["webhook-signature"].removeprefix("v1,")
    headers["webhook-signature"] = bad.format(digest)
    refused(installation.open(STATUS, headers=headers), 401, "signature-invalid")


def test_signatures_that_are_no_ascii_are_refused(store: Store) -> None:
    refused(
        store.get(STATUS, headers={"webhook-signature": "v1,\xe9\xff"}), 401, "signature-invalid"
    )


def test_ids_of_the_bridges_own_are_refused(store: Store) -> None:
    refused(store.get(STATUS, webhook_id="b_1"), 401, "webhook-id-reserved")
    assert store.get(STATUS, webhook_id="B_1").status_code == 200


def test_an_id_has_at_most_128_characters(store: Store) -> None:
    assert store.get(STATUS, webhook_id="m" * 128).status_code == 200
    refused(store.get(STATUS, webhook_id="m" * 129), 401, "signature-invalid")


def test_after_a_rotation_both_secrets_verify_and_the_old_one_for_24_hours(
    store: Store, installation: Installation, clock: Clock
) -> None:
    old = store.secret
    new = installation.bridge.sites.rotate(store.site, clock.now)
    assert new is not None
    for secret in (old, new):
        store.secret = secret
        assert store.get(STATUS).status_code == 200
    clock.advance(hours=24, microseconds=-1)
    store.secret = old
    assert store.get(STATUS).status_code == 200
    clock.advance(microseconds=1)
    refused(store.get(STATUS), 401, "signature-invalid")
    store.secret = new
    assert store.get(STATUS).status_code == 200


def test_a_rotation_on_the_command_line_is_noticed_by_the_running_process(
    store: Store, installation: Installation, clock: Clock
) -> None:
    assert store.get(STATUS).status_code == 200
    other_process = installation.another_process()
    new = other_process.bridge.sites.rotate(store.site, clock.now)
    other_process.close()
    assert new is not None
    clock.advance(seconds=1)
    store.secret = new
    assert store.get(STATUS).status_code == 200


def test_while_a_secret_is_rotated_a_request_may_carry_both_signatures(
    store: Store, installation: Installation
) -> None:
    headers = store.signed(f"GET {STATUS}".encode(), "msg_1")
    stamp = int(headers["webhook-timestamp"])
    unknown = signature("A" * 43, "msg_1", stamp, f"GET {STATUS}".encode())
    headers["webhook-signature"] = f"{unknown} {headers['webhook-signature']}"
    assert installation.open(STATUS, headers=headers).status_code == 200


def test_a_signature_of_another_site_does_not_open_this_one(
    store: Store, other_store: Store
) -> None:
    other_store.site = store.site
    refused(other_store.get(STATUS), 401, "signature-invalid")


def test_a_request_may_be_as_large_as_2_mib(store: Store) -> None:
    padded = encode({"events": [event("page_view", "c", page="p", seq=1)]})
    limit = 2 * 1024 * 1024
    fits = padded + b" " * (limit - len(padded))
    assert store.request("POST", EVENTS, fits).status_code == 200
    refused(store.request("POST", EVENTS, fits + b" "), 413, "body-too-large")

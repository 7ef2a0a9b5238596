"""The visitor's credential: a token that the store signed, in a header or in the body."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest

from tests.api.description import refused
from tests.api.installation import Clock, Installation
from tests.api.store import Store
from tests.api.visitor import Visitor, event

DAY = 24 * 3600


def view() -> dict[str, Any]:
    return event("page_view", "c", page="p", seq=1)


def now(clock: Clock) -> int:
    return int(clock.now.timestamp())


def part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def test_a_token_in_the_header(visitor: Visitor) -> None:
    assert visitor.results(view())[0]["status"] == "accepted"


def test_a_token_in_the_body_for_a_beacon_that_sets_no_headers(visitor: Visitor) -> None:
    body = {"events": [view()], "token": visitor.token()}
    beacon = visitor.post(body, token="", headers={"Content-Type": "text/plain;charset=UTF-8"})
    assert beacon.json["results"][0]["status"] == "accepted"  # type: ignore[index]  # held to the description


def test_the_header_goes_before_the_body(visitor: Visitor) -> None:
    body = {"events": [view()], "token": "not.a.token"}
    assert visitor.post(body).status_code == 200
    refused(visitor.post({**body, "token": visitor.token()}, token="a.b.c"), 401, "token-invalid")


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_scheme_is_not_case_sensitive(visitor: Visitor, scheme: str) -> None:
    header = {"Authorization": f"{scheme} {visitor.token()}"}
    assert visitor.send(view(), headers=header).status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic dTpw", "token"])
def test_no_token(visitor: Visitor, header: str) -> None:
    answered = visitor.send(view(), token="", headers={"Authorization": header})
    refused(answered, 401, "token-missing")
    assert answered.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_in_the_address_is_no_token(visitor: Visitor, installation: Installation) -> None:
    path = f"/v1/visitor/events?token={visitor.token()}"
    refused(installation.open(path, "POST", json={"events": [view()]}), 401, "token-missing")


@pytest.mark.parametrize("token", ["x", "a.b", "a.b.c", "a.b.c.d", "..", "é.ü.ö", "x" * 8000])
def test_what_is_no_token(visitor: Visitor, token: str) -> None:
    latin = token.encode().decode("latin-1")
    refused(visitor.send(view(), token=latin), 401, "token-invalid")
    refused(visitor.post({"events": [view()], "token": token}, token=""), 401, "token-invalid")


def test_a_token_lasts_until_it_expires(visitor: Visitor, clock: Clock) -> None:
    clock.now = clock.now.replace(microsecond=0)
    token = visitor.token(exp=now(clock) + 60)
    clock.advance(seconds=60, microseconds=-1)
    assert visitor.send(view(), token=token).status_code == 200
    clock.advance(microseconds=1)
    refused(visitor.send(view(), token=token), 401, "token-expired")


def test_a_token_that_had_expired_when_it_first_came(visitor: Visitor, clock: Clock) -> None:
    token = visitor.token(iat=now(clock) - 120, exp=now(clock) - 60)
    refused(visitor.send(view(), token=token), 401, "token-expired")


def test_a_token_lives_24_hours_at_most(visitor: Visitor, clock: Clock) -> None:
    assert visitor.send(view(), token=visitor.token(exp=now(clock) + DAY)).status_code == 200
    longer = visitor.token(exp=now(clock) + DAY + 1)
    refused(visitor.send(view(), token=longer), 401, "token-invalid")


def test_a_token_may_be_from_a_clock_five_minutes_ahead(visitor: Visitor, clock: Clock) -> None:
    clock.now = clock.now.replace(microsecond=0)
    for ahead in (0, 299, 300):
        assert visitor.send(view(), token=visitor.token(iat=now(clock) + ahead)).status_code == 200
    future = visitor.token(iat=now(clock) + 301)
    refused(visitor.send(view(), token=future), 401, "token-invalid")


@pytest.mark.parametrize("aud", [None, "", "device", "Visitor", ["device"], 1])
def test_the_audience_is_the_visitor(visitor: Visitor, aud: object) -> None:
    refused(visitor.send(view(), token=visitor.token(aud=aud)), 401, "token-invalid")


@pytest.mark.parametrize("sub", [None, "", "v" * 129, "v\0", "v\n", "v\ud800", 7, ["v"], {}])
def test_a_token_names_its_visitor(visitor: Visitor, sub: object) -> None:
    refused(visitor.send(view(), token=visitor.token(sub=sub)), 401, "token-invalid")


@pytest.mark.parametrize("claim", ["iat", "exp"])
@pytest.mark.parametrize(
    "value", [None, "soon", True, 1e400, -1e400, 1e300, 10**30, -(10**30), [], {}]
)
def test_a_tokens_times_are_times(visitor: Visitor, claim: str, value: Any) -> None:
    token = visitor.token(**{claim: value})
    assert visitor.send(view(), token=token).status_code == 401


@pytest.mark.parametrize(
    "kid", [None, "", "st_unknown", "x" * 10_000, "\ud800", "\0", "st_\n", 7, ["st"], {}]
)
def test_a_token_names_its_site(visitor: Visitor, kid: object) -> None:
    header = {"alg": "HS256", "typ": "JWT", **({} if kid is None else {"kid": kid})}
    _, claims, signature = visitor.token().split(".")
    token = f"{part(header)}.{claims}.{signature}"
    refused(visitor.send(view(), token=token), 401, "token-invalid")


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "HS512", "RS256", "", "hs256"])
def test_no_other_algorithm(visitor: Visitor, alg: str) -> None:
    header = part({"alg": alg, "typ": "JWT", "kid": visitor.site})
    claims = part(visitor.claims())
    signed = visitor.token().rpartition(".")[2]
    for signature in ("", signed):
        token = f"{header}.{claims}.{signature}"
        refused(visitor.send(view(), token=token), 401, "token-invalid")


def test_another_algorithm_with_the_right_secret(visitor: Visitor) -> None:
    key = base64.urlsafe_b64decode(visitor.secret + "=")
    token = jwt.encode(visitor.claims(), key * 2, "HS512", headers={"kid": visitor.site})
    refused(visitor.send(view(), token=token), 401, "token-invalid")


def test_altered_claims(visitor: Visitor) -> None:
    header, _, signature = visitor.token().split(".")
    token = f"{header}.{part(visitor.claims(sub='v_somebody_else'))}.{signature}"
    refused(visitor.send(view(), token=token), 401, "token-invalid")


def test_a_token_of_another_site(visitor: Visitor, other_store: Store) -> None:
    """Signed by another site in this one's name; and another site's own token, from here."""
    forged = other_store.visitor(visitor.id).token(headers={"kid": visitor.site})
    refused(visitor.send(view(), token=forged), 401, "token-invalid")
    foreign = other_store.visitor(visitor.id).token()
    refused(visitor.send(view(), token=foreign), 403, "origin-not-allowed")


def test_a_token_of_the_old_secret_after_a_rotation(
    visitor: Visitor, store: Store, installation: Installation, clock: Clock
) -> None:
    """Also one that was seen while the old secret still verified."""
    old = store.secret
    store.secret = installation.bridge.sites.rotate(store.site, clock.now) or ""
    assert store.visitor().send(view()).status_code == 200
    clock.advance(hours=23)
    visitor.secret = old
    seen, unseen = visitor.token(), visitor.token(sub="v_other")
    assert visitor.send(view(), token=seen).status_code == 200
    clock.advance(hours=1)
    refused(visitor.send(view(), token=unseen), 401, "token-invalid")
    refused(visitor.send(view(), token=seen), 401, "token-invalid")
    assert store.visitor().send(view()).status_code == 200


@pytest.mark.parametrize(
    "customer", [{"id": "17", "email": "jane@example.com", "name": "Jane"}, None]
)
def test_earlier_tokens_end_when_the_visitor_signs_in_or_out(
    visitor: Visitor, store: Store, clock: Clock, customer: object
) -> None:
    before = visitor.token()
    assert visitor.send(view(), token=before).status_code == 200
    clock.advance(seconds=5)
    assert store.results(event("customer", visitor=visitor.id, customer=customer))
    refused(visitor.send(view(), token=before), 401, "token-superseded")
    assert visitor.send(view(), token=visitor.token()).status_code == 200
    assert store.visitor("v_other").send(view() | {"conversation": "d"}).status_code == 200


def test_superseded_tokens_stay_so_after_a_restart(
    visitor: Visitor, store: Store, installation: Installation, clock: Clock
) -> None:
    before = visitor.token()
    clock.advance(seconds=5)
    store.results(event("customer", visitor=visitor.id, customer=None))
    installation.restart()
    refused(visitor.send(view(), token=before), 401, "token-superseded")
    assert visitor.send(view()).status_code == 200


def test_tokens_end_by_the_clock_of_the_store_that_made_them(
    visitor: Visitor, store: Store, clock: Clock
) -> None:
    """The store's clock is two minutes behind: so are its tokens."""
    clock.advance(minutes=5)
    behind = now(clock) - 120
    old = visitor.token(iat=behind - 10, exp=behind + DAY - 10)
    store.skew = -(clock.now - clock.now.fromtimestamp(behind, clock.now.tzinfo))
    store.results(event("customer", visitor=visitor.id, customer=None))
    fresh = visitor.token(iat=behind + 1, exp=behind + DAY)
    refused(visitor.send(view(), token=old), 401, "token-superseded")
    assert visitor.send(view(), token=fresh).status_code == 200


def test_a_sign_in_that_was_reported_late_ends_only_what_was_before_it(
    visitor: Visitor, store: Store, clock: Clock
) -> None:
    old = visitor.token()
    clock.advance(seconds=60)
    signed_in_at = clock.now
    clock.advance(seconds=60)
    fresh = visitor.token()
    clock.advance(seconds=60)
    late = event(
        "customer", visitor=visitor.id, customer={"id": "1"}, occurred_at=signed_in_at.isoformat()
    )
    assert store.results(late)[0]["status"] == "accepted"
    refused(visitor.send(view(), token=old), 401, "token-superseded")
    assert visitor.send(view(), token=fresh).status_code == 200

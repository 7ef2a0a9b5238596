"""``POST session``: who gets a token, and for whom."""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
import requests

from tests.servers.wordpress import WordPress, php_text
from tests.wordpress.recording_bridge import KEY, SITE, RecordingBridge

pytestmark = pytest.mark.usefixtures("connected")

COOKIE = "cpb_visitor"
CORS = "access-control-"


def route(wordpress: WordPress, name: str = "session") -> str:
    return f"{wordpress.url}/wp-json/chat-presence-bridge/v1/{name}"


def ask(
    wordpress: WordPress,
    headers: Mapping[str, str] | None = None,
    browser: requests.Session | None = None,
) -> requests.Response:
    own = {"Origin": wordpress.url} if headers is None else dict(headers)
    return (browser or requests.Session()).post(route(wordpress), headers=own, timeout=30)


def claims(token: str) -> dict[str, Any]:
    """The verified claims of a token (verified anew here, with nothing of ours)."""
    signed, _, mac = token.rpartition(".")
    expected = base64.urlsafe_b64encode(hmac.new(KEY, signed.encode(), hashlib.sha256).digest())
    assert mac == expected.decode().rstrip("=")
    header, body = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in signed.split("."))
    assert header == {"alg": "HS256", "typ": "JWT", "kid": SITE}
    read: dict[str, Any] = body
    return read


def sign_in(wordpress: WordPress, browser: requests.Session, login: str, password: str) -> None:
    answer = browser.post(
        f"{wordpress.url}/wp-login.php",
        data={"log": login, "pwd": password},
        cookies={"wordpress_test_cookie": "WP Cookie check"},
        allow_redirects=False,
        timeout=30,
    )
    assert answer.status_code == 302


@pytest.fixture
def customers(wordpress: WordPress) -> Any:
    """Two customers; each one's password is the login."""
    names = {"jane": "Jane / Zoë 東京", "max": "Max"}
    for login, name in names.items():
        wordpress.php(
            f"wp_insert_user( array( 'user_login' => {php_text(login)}, 'role' => 'subscriber',"
            f"'user_pass' => {php_text(login)}, 'user_email' => {php_text(login + '@example.com')},"
            f"'display_name' => {php_text(name)} ) );"
        )
    yield names
    for login in names:
        wordpress.php(
            "require_once ABSPATH . 'wp-admin/includes/user.php';"
            f"wp_delete_user( get_user_by( 'login', {php_text(login)} )->ID );"
        )


def test_a_visitor_gets_a_token(wordpress: WordPress) -> None:
    before = int(time.time())
    answer = ask(wordpress)
    after = int(time.time())
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"token", "expires_at", "visitor"}
    assert re.fullmatch(r"v_[A-Za-z0-9_-]{22}", body["visitor"])
    said = claims(body["token"])
    assert set(said) == {"sub", "aud", "iat", "exp"}
    assert said["sub"] == body["visitor"]
    assert said["aud"] == "visitor"
    assert before <= said["iat"] <= after
    assert 0 < said["exp"] - said["iat"] <= 24 * 3600
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["expires_at"])
    assert datetime.fromisoformat(body["expires_at"]).timestamp() == said["exp"]


def test_the_cookie(wordpress: WordPress) -> None:
    answer = ask(wordpress)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}={answer.json()['visitor']}.")
    attributes = {part.strip().split("=")[0].lower() for part in cookie.split(";")[1:]}
    assert attributes == {"expires", "max-age", "path", "httponly", "samesite"}
    assert "path=/;" in cookie
    assert "SameSite=Lax" in cookie
    assert f"Max-Age={365 * 24 * 3600}" in cookie


def test_no_answer_is_cached(wordpress: WordPress) -> None:
    for answer in (ask(wordpress), ask(wordpress, {}), requests.get(route(wordpress), timeout=30)):
        assert "no-store" in answer.headers["Cache-Control"]
        assert "private" in answer.headers["Cache-Control"]


def test_a_visitor_comes_back(wordpress: WordPress) -> None:
    browser = requests.Session()
    first, second = ask(wordpress, browser=browser), ask(wordpress, browser=browser)
    assert second.json()["visitor"] == first.json()["visitor"]
    assert "Set-Cookie" not in second.headers


def test_nobody_chooses_a_visitor_id(wordpress: WordPress) -> None:
    victim = ask(wordpress).json()["visitor"]
    for forged in (victim, f"{victim}.0.{'A' * 43}", f"{victim}.0."):
        thief = requests.Session()
        thief.cookies.set(COOKIE, forged, path="/")
        assert ask(wordpress, browser=thief).json()["visitor"] != victim


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        # As behind a proxy under another name: the browser itself says that it is one origin.
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://www.example.com"},
    ],
)
def test_our_own_pages_may_ask(wordpress: WordPress, headers: dict[str, str]) -> None:
    assert ask(wordpress, headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example.com", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "OWN:1"},
        {"Origin": "OWN.example.com"},
        {"Origin": "OWN/"},
        {"Referer": "OWN/first/"},
    ],
)
def test_foreign_pages_may_not_ask(wordpress: WordPress, headers: dict[str, str]) -> None:
    answer = ask(wordpress, {k: v.replace("OWN", wordpress.url) for k, v in headers.items()})
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers
    assert "token" not in answer.text
    assert answer.json()["code"] == "cpb_foreign_page"


def test_a_script_element_of_another_site_gets_nothing(wordpress: WordPress) -> None:
    """REST takes any method from a GET, and wraps its answer in a script."""
    answer = requests.get(
        route(wordpress),
        params={"_method": "POST", "_jsonp": "steal"},
        headers={"Sec-Fetch-Site": "cross-site", "Referer": "https://evil.example.com/"},
        timeout=30,
    )
    assert answer.status_code == 403
    assert "token" not in answer.text


@pytest.mark.parametrize("name", ["session", "events", "sync?conversation=a&page=b"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_no_route_allows_other_origins(wordpress: WordPress, name: str, method: str) -> None:
    foreign = {
        "Origin": "https://evil.example.com",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    address = route(wordpress, name)
    # WordPress takes routes in capitals, too.
    for path in (address, address.replace("chat-presence-bridge/v1", "CHAT-Presence-Bridge/V1")):
        answer = requests.request(method, path, headers=foreign, timeout=30)
        assert answer.status_code in {200, 403, 404}
        assert [name for name in answer.headers if name.lower().startswith(CORS)] == []


def test_routes_of_others_keep_their_headers(wordpress: WordPress) -> None:
    answer = requests.get(
        f"{wordpress.url}/wp-json/wp/v2/types",
        headers={"Origin": "https://elsewhere.example.com"},
        timeout=30,
    )
    assert answer.headers["Access-Control-Allow-Origin"] == "https://elsewhere.example.com"
    assert "no-store" not in answer.headers.get("Cache-Control", "")


def test_the_signed_in_customer_is_named(wordpress: WordPress, customers: dict[str, str]) -> None:
    browser = requests.Session()
    sign_in(wordpress, browser, "jane", "jane")
    said = claims(ask(wordpress, browser=browser).json()["token"])
    assert said["customer"] == {
        "id": wordpress.php("echo get_user_by( 'login', 'jane' )->ID;"),
        "email": "jane@example.com",
        "name": customers["jane"],
    }


def test_a_forged_sign_in_names_nobody(wordpress: WordPress, customers: dict[str, str]) -> None:
    browser = requests.Session()
    sign_in(wordpress, browser, "jane", "jane")
    for cookie in browser.cookies:
        if cookie.name.startswith("wordpress_logged_in_"):
            cookie.value = str(cookie.value).replace("jane", "owner", 1)
    assert "customer" not in claims(ask(wordpress, browser=browser).json()["token"])


def test_c3_another_customer_is_a_new_visitor(
    wordpress: WordPress, customers: dict[str, str]
) -> None:
    browser = requests.Session()

    def visitor_as(login: str | None) -> str:
        of_sign_in = [c for c in browser.cookies if c.name.startswith("wordpress_")]
        for cookie in of_sign_in:
            browser.cookies.clear(cookie.domain, cookie.path, cookie.name)
        if login is not None:
            sign_in(wordpress, browser, login, login)
        visitor: str = ask(wordpress, browser=browser).json()["visitor"]
        return visitor

    anonymous, jane, signed_out, max_ = map(visitor_as, (None, "jane", None, "max"))
    assert anonymous == jane == signed_out
    assert max_ != jane
    assert visitor_as(None) == max_


def test_sessions_are_limited_by_address(wordpress: WordPress) -> None:
    statuses = [ask(wordpress).status_code for _ in range(31)]
    assert statuses == [200] * 30 + [429]
    refused = ask(wordpress, {"Origin": wordpress.url, "X-Forwarded-For": "192.0.2.1"})
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.json()["code"] == "too-many-requests"
    assert "Set-Cookie" not in refused.headers
    assert "127.0.0.1" not in wordpress.mariadb.execute(
        "SELECT option_name, option_value FROM wordpress.wp_options"
        " WHERE option_name LIKE '%cpb\\_sessions%'"
    )


def test_the_bridge_is_not_asked(wordpress: WordPress, connected: RecordingBridge) -> None:
    connected.close()
    assert ask(wordpress).status_code == 200
    assert connected.requests == []

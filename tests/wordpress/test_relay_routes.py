"""``POST events`` and ``GET sync``: a visitor's own requests, handed on as they are."""

import json

import pytest
import requests

from tests.servers.wordpress import WordPress
from tests.wordpress.recording_bridge import Answer, RecordingBridge, json_answer
from tests.wordpress.test_session_route import route

# As presence.js sends it: not in the form that PHP or WordPress would write.
BODY = '{"token": "a.b.c" ,\n "events": [{"text":"Grüße / \\"\\\\ ok 東京 \\u0000"}]}'.encode()


def send_events(
    wordpress: WordPress, body: bytes = BODY, headers: dict[str, str] | None = None
) -> requests.Response:
    return requests.post(
        route(wordpress, "events"),
        data=body,
        headers={
            "Origin": wordpress.url,
            "Content-Type": "text/plain;charset=UTF-8",
            **(headers or {}),
        },
        timeout=30,
    )


def sync(
    wordpress: WordPress, query: dict[str, str], headers: dict[str, str] | None = None
) -> requests.Response:
    return requests.get(
        route(wordpress, "sync"),
        params=query,
        headers={"Sec-Fetch-Site": "same-origin", **(headers or {})},
        timeout=30,
    )


PAGE = {"conversation": "demo_1", "page": "p_1"}


def test_events_arrive_byte_by_byte(wordpress: WordPress, connected: RecordingBridge) -> None:
    answer = send_events(wordpress)
    assert answer.status_code == 200
    request = connected.requests[0]
    assert (request.method, request.target) == ("POST", "/v1/visitor/events")
    assert request.body == BODY
    assert request.headers["Content-Type"] == "text/plain;charset=UTF-8"


def test_the_store_vouches_for_nothing(wordpress: WordPress, connected: RecordingBridge) -> None:
    forged = {"Bridge-Site": "st_recording", "webhook-signature": "v1,AAAA", "webhook-id": "x"}
    send_events(wordpress, headers=forged)
    sync(wordpress, PAGE, headers=forged)
    for request in connected.requests:
        assert not request.is_signed()
        for name in ("Bridge-Site", "webhook-id", "webhook-timestamp", "webhook-signature"):
            assert request.headers[name] is None
        assert request.headers["Cookie"] is None


def test_the_visitors_token_is_passed(wordpress: WordPress, connected: RecordingBridge) -> None:
    token = {"Authorization": "Bearer a.b.c"}
    send_events(wordpress, headers=token)
    sync(wordpress, PAGE, headers=token)
    assert [r.headers["Authorization"] for r in connected.requests] == ["Bearer a.b.c"] * 2


def test_the_stores_own_password_is_not(wordpress: WordPress, connected: RecordingBridge) -> None:
    """A shop behind HTTP authentication: the browser adds it to each request."""
    send_events(wordpress, headers={"Authorization": "Basic c3RhZ2luZzpzZWNyZXQ="})
    assert connected.requests[0].headers["Authorization"] is None


def test_an_authorization_that_the_server_renamed(
    wordpress: WordPress, connected: RecordingBridge
) -> None:
    """As Apache does when PHP runs behind a rewrite."""
    code = f"""
        $_SERVER['REDIRECT_HTTP_AUTHORIZATION'] = 'Bearer a.b.c';
        $_SERVER['HTTP_ORIGIN']                 = '{wordpress.url}';
        $_SERVER['REQUEST_METHOD']              = 'POST';
        rest_get_server()->serve_request( '/chat-presence-bridge/v1/events' );
    """
    wordpress.php(code)
    assert connected.requests[0].headers["Authorization"] == "Bearer a.b.c"


@pytest.mark.parametrize(
    "said",
    [
        json_answer(200, {"results": [], "conversations": {}, "text": "ü/</script>", "n": 2**53}),
        json_answer(401, {"code": "token-superseded", "errors": [{"pointer": "/token"}]}),
        json_answer(429, {"code": "too-many-requests"}),
        json_answer(422, []),
        json_answer(500, {"code": "internal"}),
    ],
)
def test_the_bridges_answer_is_passed_back(
    wordpress: WordPress, connected: RecordingBridge, said: Answer
) -> None:
    connected.answer = Answer(
        said.status, said.body, "application/problem+json", (("Retry-After", "7"), ("X-Own", "1"))
    )
    answer = send_events(wordpress)
    assert answer.status_code == said.status
    assert answer.json() == json.loads(said.body)
    # An empty object must not come back as an empty list.
    if said.status == 200:
        assert answer.json()["conversations"] == {}
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Retry-After"] == "7"
    assert "X-Own" not in answer.headers
    assert "no-store" in answer.headers["Cache-Control"]


def test_64_kib_and_no_more(wordpress: WordPress, connected: RecordingBridge) -> None:
    assert send_events(wordpress, b"x" * 65536).status_code == 200
    assert len(connected.requests[0].body) == 65536
    refused = send_events(wordpress, b"x" * 65537)
    assert refused.status_code == 413
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["code"] == "body-too-large"
    assert len(connected.requests) == 1


@pytest.mark.parametrize(
    "said",
    [
        Answer(200, b"<h1>A parked domain</h1>", "text/html"),
        Answer(502, b"<h1>Bad gateway</h1>", "text/html"),
        Answer(302, b"{}", headers=(("Location", "http://127.0.0.1:1/"),)),
        Answer(200, b""),
    ],
)
def test_what_no_bridge_would_say_is_not_passed_back(
    wordpress: WordPress, connected: RecordingBridge, said: Answer
) -> None:
    connected.answer = said
    answer = send_events(wordpress)
    assert answer.status_code == 502
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "bridge-unreachable"


def test_a_failure_opens_the_circuit(wordpress: WordPress, connected: RecordingBridge) -> None:
    connected.close()
    first, second = send_events(wordpress), sync(wordpress, PAGE)
    assert (first.status_code, second.status_code) == (502, 503)
    assert first.json()["code"] == second.json()["code"] == "bridge-unreachable"
    assert 1 <= int(second.headers["Retry-After"]) <= 30


def test_nothing_is_asked_while_the_circuit_is_open(
    wordpress: WordPress, connected: RecordingBridge
) -> None:
    connected.answer = json_answer(503, {"code": "storage-unavailable"})
    assert send_events(wordpress).status_code == 503
    connected.answer = json_answer(200, {})
    assert send_events(wordpress).status_code == 503
    assert len(connected.requests) == 1
    # Half a minute later.
    wordpress.php("set_transient( 'cpb_circuit', time() - 1, 30 );")
    assert send_events(wordpress).status_code == 200


def test_sync_passes_the_query(wordpress: WordPress, connected: RecordingBridge) -> None:
    connected.answer = json_answer(200, {"rev": 5, "messages": [], "takeover": {}})
    conversation = "Resp_ä/+ %&?#=.x"
    answer = sync(wordpress, {"conversation": conversation, "page": "p_1", "after": "4", "x": "y"})
    assert answer.json() == {"rev": 5, "messages": [], "takeover": {}}
    assert connected.requests[0].target == (
        "/v1/visitor/sync?conversation=Resp_%C3%A4%2F%2B%20%25%26%3F%23%3D.x&page=p_1&after=4"
    )


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"page": "p_1"},
        {"conversation": "", "page": "p_1"},
        {"conversation": "a" * 129, "page": "p_1"},
        {"conversation[]": "a", "page": "p_1"},
        {"conversation": "demo_1"},
        {**PAGE, "after": "-1"},
        {**PAGE, "after": "1.5"},
        {**PAGE, "after": "latest"},
    ],
)
def test_sync_refuses_a_wrong_query(
    wordpress: WordPress, connected: RecordingBridge, query: dict[str, str]
) -> None:
    answer = sync(wordpress, query)
    assert answer.status_code == 400
    assert connected.requests == []


FOREIGN: list[dict[str, str]] = [
    {},
    {"Origin": "https://evil.example.com"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "cross-site", "Referer": "OWN/first/"},
    {"Referer": "https://evil.example.com/"},
    {"Referer": "https://evil.example.com/OWN/"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("name", ["events", "sync?conversation=a&page=b"])
def test_foreign_pages_may_not_ask(
    wordpress: WordPress, connected: RecordingBridge, name: str, headers: dict[str, str]
) -> None:
    method = "GET" if name.startswith("sync") else "POST"
    answer = requests.request(
        method,
        route(wordpress, name),
        headers={k: v.replace("OWN", wordpress.url) for k, v in headers.items()},
        timeout=30,
    )
    assert answer.status_code == 403
    assert connected.requests == []


def test_a_browser_that_names_no_origin_may_sync(
    wordpress: WordPress, connected: RecordingBridge
) -> None:
    """Browsers name no origin in a GET, and none but its referrer without HTTPS."""
    headers = {"Referer": f"{wordpress.url}/first/?a=b"}
    answer = requests.get(route(wordpress, "sync"), params=PAGE, headers=headers, timeout=30)
    assert answer.status_code == 200

"""The settings page's forms, as a browser sends them."""

import html
import json
import re
from collections.abc import Iterator

import pytest
import requests

from tests.servers.wordpress import WordPress, php_text
from tests.wordpress.recording_bridge import (
    SECRET,
    SITE,
    Answer,
    RecordingBridge,
    json_answer,
)
from tests.wordpress.test_session_route import sign_in

PAGE = "/wp-admin/options-general.php?page=chat-presence-bridge"


class Admin:
    """Somebody signed in to wp-admin."""

    def __init__(self, wordpress: WordPress, login: str, password: str) -> None:
        self.wordpress = wordpress
        self.browser = requests.Session()
        sign_in(wordpress, self.browser, login, password)

    def page(self) -> requests.Response:
        return self.browser.get(self.wordpress.url + PAGE, timeout=30)

    def nonce(self, action: str) -> str:
        form = re.search(
            rf'name="action" value="{action}">.*?name="_wpnonce" value="(\w+)"',
            self.page().text,
            re.DOTALL,
        )
        assert form is not None
        return form[1]

    def post(self, action: str, **fields: str) -> requests.Response:
        return self.browser.post(
            f"{self.wordpress.url}/wp-admin/admin-post.php",
            data={"action": action, **fields},
            allow_redirects=False,
            timeout=30,
        )

    def connect(self, text: str | None) -> str:
        """Send the form; return what the page then says."""
        fields = {} if text is None else {"cpb_connection": text}
        answer = self.post("cpb_connect", _wpnonce=self.nonce("cpb_connect"), **fields)
        assert answer.status_code == 302
        assert answer.headers["Location"] == self.wordpress.url + PAGE
        return notice(self.page().text)


def notice(page: str) -> str:
    found = re.search(r'<div class="notice notice-(\w+)"><p>(.*?)</p>', page, re.DOTALL)
    return f"{found[1]}: {html.unescape(found[2])}" if found else ""


@pytest.fixture
def owner(wordpress: WordPress) -> Iterator[Admin]:
    yield Admin(wordpress, "owner", wordpress.password)
    wordpress.disconnect()


@pytest.fixture
def editor(wordpress: WordPress) -> Iterator[Admin]:
    wordpress.php(
        "wp_insert_user( array( 'user_login' => 'editor', 'user_pass' => 'editor',"
        "'user_email' => 'editor@example.com', 'role' => 'editor' ) );"
    )
    yield Admin(wordpress, "editor", "editor")
    wordpress.php(
        "require_once ABSPATH . 'wp-admin/includes/user.php';"
        "wp_delete_user( get_user_by( 'login', 'editor' )->ID );"
    )


def test_connecting(owner: Admin, recording_bridge: RecordingBridge) -> None:
    # As pasted, with space around it.
    said = owner.connect(f"  {recording_bridge.connection_string}\n")
    assert said == "success: Connected."
    request = recording_bridge.requests[0]
    assert (request.method, request.target) == ("POST", "/v1/store/connect")
    assert request.is_signed()
    assert owner.wordpress.option("cpb_connection") == recording_bridge.connection_string
    page = owner.page().text
    assert SITE in page
    assert recording_bridge.url in page
    assert "9.9.9" in page
    assert SECRET not in page
    # Shown once.
    assert notice(page) == ""


def test_what_the_bridge_is_told(owner: Admin, recording_bridge: RecordingBridge) -> None:
    wordpress = owner.wordpress
    wordpress.php("update_option( 'blogname', 'Jane & Söhne' );")
    try:
        owner.connect(recording_bridge.connection_string)
    finally:
        wordpress.php("update_option( 'blogname', 'Plain Store' );")
    assert json.loads(recording_bridge.requests[0].body) == {
        "store_url": f"{wordpress.url}/",
        "rest_url": f"{wordpress.url}/wp-json/",
        "admin_url": f"{wordpress.url}/wp-admin/",
        "name": "Jane & Söhne",
        "origins": [wordpress.url],
        "plugin_version": wordpress.php("echo CPB_VERSION;"),
        "wordpress_version": wordpress.php("echo get_bloginfo( 'version' );"),
        "woocommerce_version": None,
        "timezone": "+00:00",
        "woocommerce": None,
    }


def test_origins_of_a_wordpress_that_lives_elsewhere(wordpress: WordPress) -> None:
    origins = wordpress.php(
        "add_filter( 'pre_option_home', fn() => 'https://Shop.example.com:443/de' );"
        "add_filter( 'pre_option_siteurl', fn() => 'https://cms.example.com:8443/wp' );"
        "echo wp_json_encode( ChatPresenceBridge\\Origin::own() );"
    )
    assert json.loads(origins) == ["https://shop.example.com", "https://cms.example.com:8443"]


@pytest.mark.parametrize(
    ("pasted", "said"),
    [
        ("", "The connection string is empty."),
        ("hello", 'The connection string must begin with "https://".'),
        ("https://bridge.example.com", "The connection string has no site id."),
        ("https://st_a@bridge.example.com", "The connection string has no secret."),
        (f"https://st_a:{SECRET}@", "The connection string has no address of a bridge."),
        (f"https://st_a:{SECRET}@b.example.com/x", "goes on after the address"),
        (f"https://st_a'b:{SECRET}@b.example.com", "The site id in the connection string is not"),
        (f"https://st_a\\b:{SECRET}@b.example.com", "The site id in the connection string is not"),
        (f"https://st_a:{SECRET}@<script>alert(1)</script>", "has no address of a bridge"),
        ('"><script>alert(1)</script>', 'The connection string must begin with "https://".'),
    ],
)
def test_a_wrong_string_is_explained_and_not_kept(owner: Admin, pasted: str, said: str) -> None:
    answer = owner.connect(pasted)
    assert answer.startswith("error: ")
    assert said in answer
    assert "alert" not in answer
    assert owner.wordpress.option("cpb_connection") == ""


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            json_answer(401, {"code": "signature-invalid", "detail": "The signature is <b>wrong."}),
            "The bridge refused this store: The signature is wrong. (signature-invalid)",
        ),
        (
            json_answer(403, {"title": "Forbidden"}),
            "The bridge refused this store: Forbidden (403)",
        ),
        (json_answer(500, {}), "The bridge refused this store: it gave no reason (500)"),
        (json_answer(422, [1]), "The bridge refused this store: it gave no reason (422)"),
        (Answer(200, b"<h1>Parked</h1>"), "(HTTP status 200), but not as a bridge does."),
        (json_answer(200, {"site": "st_another"}), "is not a bridge that knows this site."),
        (json_answer(200, "hello"), "is not a bridge that knows this site."),
    ],
)
def test_a_refusal_is_explained_and_changes_nothing(
    owner: Admin, recording_bridge: RecordingBridge, answer: Answer, said: str
) -> None:
    recording_bridge.answer = answer
    shown = owner.connect(recording_bridge.connection_string)
    assert shown.startswith("error: ")
    assert said in shown
    assert shown.endswith("Nothing was changed.")
    assert owner.wordpress.option("cpb_connection") == ""


def test_a_bridge_that_is_away_is_said_so(owner: Admin, recording_bridge: RecordingBridge) -> None:
    recording_bridge.close()
    shown = owner.connect(recording_bridge.connection_string)
    assert f"The bridge at {recording_bridge.url} cannot be reached from this store." in shown
    assert "cURL error 7" in shown
    assert SECRET not in shown


def test_a_mistake_disconnects_nobody(owner: Admin, recording_bridge: RecordingBridge) -> None:
    owner.connect(recording_bridge.connection_string)
    recording_bridge.answer = json_answer(401, {})
    owner.connect(recording_bridge.connection_string.replace(SITE, "st_mistaken"))
    owner.connect("https://st_a@bridge.example.com")
    assert owner.wordpress.option("cpb_connection") == recording_bridge.connection_string


def test_connecting_again_asks_in_spite_of_the_circuit(
    owner: Admin, recording_bridge: RecordingBridge
) -> None:
    owner.connect(recording_bridge.connection_string)
    owner.wordpress.php("set_transient( 'cpb_circuit', time() + 30, 30 );")
    assert owner.connect(None) == "success: Connected."
    assert len(recording_bridge.requests) == 2


def test_connecting_with_nothing_configured(owner: Admin) -> None:
    assert owner.connect(None) == "error: There is no connection string yet."


def test_disconnecting(owner: Admin, recording_bridge: RecordingBridge) -> None:
    owner.connect(recording_bridge.connection_string)
    answer = owner.post("cpb_disconnect", _wpnonce=owner.nonce("cpb_disconnect"))
    assert answer.status_code == 302
    assert owner.wordpress.option("cpb_connection") == ""
    assert owner.wordpress.option("cpb_store") == []
    assert notice(owner.page().text).startswith("success: Disconnected.")


@pytest.mark.parametrize("action", ["cpb_connect", "cpb_disconnect"])
def test_forms_need_their_own_nonce(
    owner: Admin, recording_bridge: RecordingBridge, action: str
) -> None:
    owner.connect(recording_bridge.connection_string)
    recording_bridge.requests.clear()
    other = {"cpb_connect": "cpb_disconnect", "cpb_disconnect": "cpb_connect"}[action]
    for nonce in ("", "0123456789", owner.nonce(other)):
        answer = owner.post(action, _wpnonce=nonce, cpb_connection="https://st_a:b@c")
        assert answer.status_code == 403
    assert owner.wordpress.option("cpb_connection") == recording_bridge.connection_string
    assert recording_bridge.requests == []


@pytest.mark.parametrize("action", ["cpb_connect", "cpb_disconnect"])
def test_those_without_the_right_change_nothing(
    owner: Admin, editor: Admin, recording_bridge: RecordingBridge, action: str
) -> None:
    owner.connect(recording_bridge.connection_string)
    recording_bridge.requests.clear()
    # A nonce alone does not do: this one is good, and the editor's own.
    user = editor.wordpress.php("echo get_user_by( 'login', 'editor' )->ID;")
    nonce = nonce_of(editor, int(user), action)
    assert editor.page().status_code == 403
    answer = editor.post(action, _wpnonce=nonce, cpb_connection="https://st_a:b@c")
    assert answer.status_code == 403
    assert "You may not change these settings." in answer.text
    assert owner.wordpress.option("cpb_connection") == recording_bridge.connection_string
    assert recording_bridge.requests == []


@pytest.mark.parametrize("action", ["cpb_connect", "cpb_disconnect"])
def test_strangers_are_not_listened_to(wordpress: WordPress, action: str) -> None:
    answer = requests.post(
        f"{wordpress.url}/wp-admin/admin-post.php",
        data={"action": action, "cpb_connection": "https://st_a:b@c"},
        allow_redirects=False,
        timeout=30,
    )
    # WordPress knows no such action for those who are not signed in.
    assert answer.status_code == 400
    assert wordpress.option("cpb_connection") == ""


def test_an_array_in_the_field(owner: Admin) -> None:
    nonce = owner.nonce("cpb_connect")
    owner.post("cpb_connect", _wpnonce=nonce, **{"cpb_connection[]": "x"})
    assert notice(owner.page().text) == "error: There is no connection string yet."


def nonce_of(admin: Admin, user: int, action: str) -> str:
    """The nonce that WordPress would print for a signed-in user."""
    cookies = {
        cookie.name: cookie.value or ""
        for cookie in admin.browser.cookies
        if cookie.name.startswith("wordpress_logged_in_")
    }
    name, value = next(iter(cookies.items()))
    return admin.wordpress.php(
        f"$_COOKIE[ {php_text(name)} ] = urldecode( {php_text(value)} );"
        f"wp_set_current_user( {user} ); echo wp_create_nonce( {php_text(action)} );"
    )

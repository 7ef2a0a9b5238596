"""Each command of ``python -m bridge``: what it prints, its ``--json``, its ``--help``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bridge import bootstrap
from bridge.domain.presence import Presence, PresenceState, State
from bridge.ports import ConversationRecord
from bridge.settings import Settings
from bridge.webhooks import decode_key
from tests.processes.command import SECRET_KEY, bridge

COMMANDS = [
    "serve",
    "demo",
    "migrate",
    "site",
    "site add",
    "site list",
    "site rotate",
    "pair",
    "devices",
    "openapi",
    "purge",
    "reencrypt",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a migrated database."""
    assert bridge(tmp_path, "migrate").code == 0
    return tmp_path


@pytest.fixture
def built(folder: Path) -> Iterator[bootstrap.Bridge]:
    """The bridge over that database, as the commands build it."""
    url = f"sqlite:///{folder}/bridge.db"
    built = bootstrap.build(Settings(secret_key=SECRET_KEY, database_url=url))
    yield built
    built.database.dispose()


def add_site(folder: Path) -> dict[str, str]:
    return bridge(
        folder,
        "site",
        "add",
        "--name",
        "Käse & Söhne",
        "--url",
        "https://shop.example/de",
        "--json",
    ).json()


# --------------------------------------------------------------------------------- use


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_each_command_explains_itself(tmp_path: Path, command: str) -> None:
    ended = bridge(tmp_path, *command.split(), "--help")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("usage: python -m bridge")
    if not command:
        assert all(each.split()[0] in ended.out for each in COMMANDS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "unknown",
        "serve now",
        "migrate --unknown",
        "site",
        "site unknown",
        "site add",
        "site add --name N",
        "site rotate",
        "pair",
        "pair st_1",
        "devices",
    ],
)
def test_wrong_use_ends_with_2_in_one_line(tmp_path: Path, arguments: str) -> None:
    assert bridge(tmp_path, *arguments.split()).failed(2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    ["site rotate st_none", "pair st_none --name Sam", "devices st_none"],
)
def test_failure_ends_with_1_in_one_line(folder: Path, arguments: str) -> None:
    assert "st_none" in bridge(folder, *arguments.split()).failed(1)


def test_a_database_that_cannot_be_opened_is_said_in_one_line(tmp_path: Path) -> None:
    for arguments in ("migrate", "site list", "purge", "reencrypt", "serve"):
        assert bridge(tmp_path / "none", *arguments.split()).failed(1)


# ------------------------------------------------------------------------------- sites


def test_a_site_is_added_listed_and_rotated(folder: Path, built: bootstrap.Bridge) -> None:
    added = add_site(folder)
    parts = urlsplit(added["connection_string"])
    assert (parts.username, parts.password) == (added["site"], added["secret"])
    site = built.records.site(added["site"])
    assert site is not None
    assert site.origins == {"https://shop.example"}
    assert [secret.key for secret in site.secrets] == [decode_key(added["secret"])]

    listed = bridge(folder, "site", "list", "--json").json()
    assert listed == {
        "sites": [
            {"site": site.id, "name": "Käse & Söhne", "url": "https://shop.example/de"},
        ]
    }

    rotated = bridge(folder, "site", "rotate", site.id, "--json").json()
    assert rotated["site"] == site.id
    assert rotated["secret"] in rotated["connection_string"]
    again = built.records.site(site.id)
    assert again is not None
    assert again.keys(datetime.now(UTC)) == [
        decode_key(rotated["secret"]),
        decode_key(added["secret"]),
    ]
    assert again.keys(datetime.now(UTC) + timedelta(hours=25)) == [decode_key(rotated["secret"])]


def test_without_json_it_says_the_same_to_people(folder: Path) -> None:
    assert bridge(folder, "site", "list").out.strip()
    added = bridge(folder, "site", "add", "--name", "Shop", "--url", "https://shop.example")
    assert (added.code, added.err) == (0, "")
    line = next(word for word in added.out.split() if word.startswith("http://st_"))
    id = urlsplit(line).username or ""
    assert id in bridge(folder, "site", "list").out
    assert f"http://{id}:" in bridge(folder, "site", "rotate", id).out
    paired = bridge(folder, "pair", id, "--name", "Sam")
    assert "/app/#pair=" in paired.out
    assert bridge(folder, "devices", id).out.strip()


def test_the_public_address_is_in_the_connection_string(folder: Path) -> None:
    arguments = ("site", "add", "--name", "Shop", "--url", "https://shop.example", "--json")
    added = bridge(folder, *arguments, PUBLIC_URL="https://bridge.example.com").json()
    secret = f"{added['site']}:{added['secret']}"
    assert added["connection_string"] == f"https://{secret}@bridge.example.com"


def test_a_site_needs_an_address_of_the_web(folder: Path) -> None:
    for url in ("ftp://shop.example", "shop.example", "javascript:alert(1)", "https://"):
        ended = bridge(folder, "site", "add", "--name", "Shop", "--url", url)
        assert ended.failed(ended.code)
        assert ended.code in (1, 2)
    assert bridge(folder, "site", "list", "--json").json() == {"sites": []}


# ------------------------------------------------------------------------------ devices


def test_a_code_pairs_a_device_that_is_listed(folder: Path, built: bootstrap.Bridge) -> None:
    site = add_site(folder)["site"]
    offered = bridge(folder, "pair", site, "--name", "Sam", "--json").json()
    assert offered["url"].endswith(f"/app/#pair={offered['code']}")
    assert bridge(folder, "devices", site, "--json").json() == {"devices": []}
    now = datetime.now(UTC)
    assert now < datetime.fromisoformat(offered["expires_at"]) <= now + timedelta(minutes=10)
    paired = built.services.devices.pair(offered["code"], "Sam's phone", "android", now)
    assert paired is not None
    (device,) = bridge(folder, "devices", site, "--json").json()["devices"]
    assert (device["id"], device["agent"], device["label"]) == (
        paired.device.id,
        "Sam",
        "Sam's phone",
    )
    assert paired.device.id in bridge(folder, "devices", site).out


# --------------------------------------------------------------------------- maintenance


def test_migrating_again_is_harmless(folder: Path) -> None:
    site = add_site(folder)["site"]
    assert bridge(folder, "migrate").code == 0
    assert site in bridge(folder, "site", "list").out


def test_the_description_is_printed_without_any_setting(tmp_path: Path) -> None:
    ended = bridge(tmp_path, "openapi", BRIDGE_SECRET_KEY="", DATABASE_URL="")
    assert ended.json()["openapi"].startswith("3.")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("days", "left"), [("365", {"new"}), ("400", {"new", "old"}), ("0", {"new", "old"})]
)
def test_purge_removes_what_is_older_than_it_may_be(
    folder: Path, built: bootstrap.Bridge, days: str, left: set[str]
) -> None:
    site, now = add_site(folder)["site"], datetime.now(UTC)
    for id, age in (("new", 364), ("old", 366)):
        at = now - timedelta(days=age)
        state = PresenceState(State.OFFLINE)
        record = ConversationRecord(id, "v", at, at, Presence(), state, at)
        with built.records.begin(site) as work:
            record.rev = work.next_rev()
            assert work.save_conversation(record, known_rev=0)
    ended = bridge(folder, "purge", RETENTION_DAYS=days)
    assert (ended.code, ended.err) == (0, "")
    found = {
        id
        for id in ("new", "old")
        if built.records.read_conversation(site, "agent", id) is not None
    }
    assert found == left
    assert str(2 - len(left)) in ended.out

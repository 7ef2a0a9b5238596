"""The command line: one line and the right exit code for wrong use and for failure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge import cli

KEY = "the key that the database was made with"
OTHER_KEY = "a key of the right length, but another one"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A database of its own, and nothing of the environment that the tests run in."""
    for name in (
        "BRIDGE_DEMO",
        "BRIDGE_OLD_SECRET_KEY",
        "DYNO",
        "PORT",
        "PUBLIC_URL",
        "REDIS_URL",
        "WEB_CONCURRENCY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BRIDGE_SECRET_KEY", KEY)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'bridge.db'}")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def site(capsys: pytest.CaptureFixture[str]) -> str:
    """The id of a site that is in the database."""
    assert cli.main(["site", "add", "--name", "Shop", "--url", "https://shop.example"]) == 0
    capsys.readouterr()
    return str(_listed(capsys)[0]["site"])


def _listed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    assert cli.main(["site", "list", "--json"]) == 0
    sites: list[dict[str, str]] = json.loads(capsys.readouterr().out)["sites"]
    return sites


def _one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr, beside nothing on stdout."""
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.startswith("bridge: ")
    assert written.err.endswith("\n")
    assert written.err.count("\n") == 1
    return written.err


# ------------------------------------------------------------------------------ wrong use

ADD = ["site", "add", "--name", "Shop", "--url"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["site"],
        ["site", "add"],
        ["serve", "extra\nline"],
        [*ADD, "notaurl"],
        [*ADD, ""],
        [*ADD, "ftp://shop.example"],
        [*ADD, "https://"],
        [*ADD, "https://shop.example:port"],
        [*ADD, "https://two words.example"],
        [*ADD, f"https://shop.example/{'a' * 2048}"],
        [*ADD, "https://jane:hunter2@shop.example/p"],
        [*ADD, "https://jane@shop.example"],
        ["site", "add", "--url", "https://shop.example", "--name", ""],
        ["site", "add", "--url", "https://shop.example", "--name", "  \t"],
        ["site", "add", "--url", "https://shop.example", "--name", "n" * 201],
        ["site", "add", "--url", "https://shop.example", "--name", "a\x1b[2Jb"],
        ["site", "add", "--url", "https://shop.example", "--name", "bytes \udcff"],
        ["pair", "st_1", "--name", " "],
        ["pair", "", "--name", "Sam"],
        ["devices", "\udcff"],
        ["site", "rotate", "x" * 129],
    ],
)
def test_wrong_use_is_told_in_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    line = _one_line(capsys)
    assert "--help" in line
    assert "hunter2" not in line
    assert not (tmp_path / "bridge.db").exists()


def test_names_and_addresses_are_stripped(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["site", "add", "--name", "  Zoë's shop ", "--url", " https://shop.example/a "]
    assert cli.main(arguments) == 0
    capsys.readouterr()
    (site,) = _listed(capsys)
    assert (site["name"], site["url"]) == ("Zoë's shop", "https://shop.example/a")


def test_a_name_may_have_200_characters(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["site", "add", "--name", "n" * 200, "--url", "https://shop.example"]) == 0
    capsys.readouterr()
    assert _listed(capsys)[0]["name"] == "n" * 200


@pytest.mark.parametrize(
    "arguments", [["devices"], ["site", "rotate"], ["pair", "--name", "Sam"]], ids=" ".join
)
def test_a_site_that_is_not_there_is_a_failure(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*arguments, "st_nobody"]) == 1
    assert "There is no site st_nobody." in _one_line(capsys)


# ------------------------------------------------------------------------------ another key


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve"],
        ["migrate"],
        ["purge"],
        ["site", "add", "--name", "Second", "--url", "https://second.example"],
        ["site", "list"],
        ["site", "rotate", "SITE"],
        ["pair", "SITE", "--name", "Sam"],
        ["devices", "SITE"],
    ],
    ids=" ".join,
)
def test_another_secret_key_is_told_and_changes_nothing(
    arguments: list[str],
    site: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("os.execv", lambda *_: pytest.fail("gunicorn was started"))
    monkeypatch.setenv("BRIDGE_SECRET_KEY", OTHER_KEY)
    assert cli.main([site if each == "SITE" else each for each in arguments]) == 1
    line = _one_line(capsys)
    assert "BRIDGE_SECRET_KEY is not the one" in line
    assert "BRIDGE_OLD_SECRET_KEY" in line
    assert OTHER_KEY not in line
    monkeypatch.setenv("BRIDGE_SECRET_KEY", KEY)
    assert [each["site"] for each in _listed(capsys)] == [site]
    assert cli.main(["pair", site, "--name", "Sam"]) == 0


# -------------------------------------------------------------------- replacing the key


def _replace_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_SECRET_KEY", OTHER_KEY)
    monkeypatch.setenv("BRIDGE_OLD_SECRET_KEY", KEY)


def test_with_both_keys_everything_works_and_after_it_the_new_one_is_enough(
    site: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _replace_key(monkeypatch)
    assert cli.main(["site", "rotate", site]) == 0
    capsys.readouterr()
    assert cli.main(["reencrypt"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    # The site's new secret was encrypted with the new key, its former one with the old.
    *columns, end = said.out.splitlines()
    assert columns == [
        "store_calls.body: 0 of 0 encrypted anew",
        "answered_requests.body: 0 of 0 encrypted anew",
        "sites.woocommerce: 0 of 0 encrypted anew",
        "sites.secret: 0 of 1 encrypted anew",
        "old_secrets.secret: 1 of 1 encrypted anew",
    ]
    assert end.startswith("1 encrypted anew: ")
    assert end.endswith("BRIDGE_OLD_SECRET_KEY can be removed now.")
    monkeypatch.delenv("BRIDGE_OLD_SECRET_KEY")
    assert [each["site"] for each in _listed(capsys)] == [site]
    monkeypatch.setenv("BRIDGE_SECRET_KEY", KEY)
    assert cli.main(["site", "list"]) == 1
    assert "BRIDGE_SECRET_KEY is not the one" in _one_line(capsys)


def test_who_removes_the_old_key_too_early_is_told_though_the_first_site_could_be_read(
    site: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["site", "add", "--name", "Second", "--url", "https://second.example"]) == 0
    _replace_key(monkeypatch)
    assert cli.main(["site", "rotate", site]) == 0
    capsys.readouterr()
    monkeypatch.delenv("BRIDGE_OLD_SECRET_KEY")
    assert cli.main(["site", "list"]) == 1
    assert "BRIDGE_OLD_SECRET_KEY" in _one_line(capsys)


def test_again_and_without_the_old_key_it_finds_nothing_to_do(
    site: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _replace_key(monkeypatch)
    assert cli.main(["reencrypt"]) == 0
    assert "sites.secret: 1 of 1 encrypted anew" in capsys.readouterr().out
    for _ in range(2):
        assert cli.main(["reencrypt"]) == 0
        assert "sites.secret: 0 of 1 encrypted anew" in capsys.readouterr().out
        monkeypatch.delenv("BRIDGE_OLD_SECRET_KEY", raising=False)


def test_the_same_key_twice_is_no_replacement(
    site: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BRIDGE_OLD_SECRET_KEY", KEY)
    assert [each["site"] for each in _listed(capsys)] == [site]
    assert cli.main(["reencrypt"]) == 1
    assert "BRIDGE_OLD_SECRET_KEY is the same as BRIDGE_SECRET_KEY" in _one_line(capsys)


@pytest.mark.parametrize("old_key", ["", "a third key, of the right length too"])
def test_what_neither_key_reads_is_told_by_table_and_number(
    old_key: str,
    site: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["site", "rotate", site]) == 0
    capsys.readouterr()
    monkeypatch.setenv("BRIDGE_SECRET_KEY", OTHER_KEY)
    monkeypatch.setenv("BRIDGE_OLD_SECRET_KEY", old_key)
    assert cli.main(["reencrypt"]) == 1
    said = capsys.readouterr()
    assert "removed" not in said.out
    assert said.err.startswith("bridge: ")
    assert said.err.count("\n") == 1
    assert "(sites.secret: 1, old_secrets.secret: 1)" in said.err
    monkeypatch.setenv("BRIDGE_SECRET_KEY", KEY)
    monkeypatch.delenv("BRIDGE_OLD_SECRET_KEY")
    assert [each["site"] for each in _listed(capsys)] == [site]


# ------------------------------------------------------------------------------ the database


@pytest.mark.parametrize(
    "url",
    [
        "postgres://u:hunter2@127.0.0.1:abc/x",
        "postgres://u:hunter2@[::/x",
        "postgres://u:hunter2@127.0.0.1:1/x?nonsense=1",
        "postgres://u:hunter2@127.0.0.1:1/x?port=abc",
        "sqlite:///bridge.db?timeout=abc",
    ],
)
@pytest.mark.parametrize("command", ["migrate", "serve", "purge"])
def test_an_address_that_is_none_is_a_wrong_setting(
    command: str,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("os.execv", lambda *_: pytest.fail("gunicorn was started"))
    monkeypatch.setenv("DATABASE_URL", url)
    assert cli.main([command]) == 1
    line = _one_line(capsys)
    assert "DATABASE_URL" in line
    assert "hunter2" not in line
    assert not (tmp_path / "bridge.db").exists()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite:////no/such/folder/bridge.db", "unable to open database file"),
        ("postgres://u:hunter2@127.0.0.1:1/x", "refused"),
        ("postgres://u:hunter2@127.0.0.1:1/x?sslmode=bogus", "sslmode"),
    ],
)
def test_why_storage_is_away_is_told(
    url: str, reason: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert cli.main(["migrate"]) == 1
    line = _one_line(capsys)
    assert reason in line
    assert "hunter2" not in line


def test_a_file_that_is_no_database_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bridge.db").write_bytes(b"This is not a database. " * 1_000)
    assert cli.main(["migrate"]) == 1
    assert "file is not a database" in _one_line(capsys)

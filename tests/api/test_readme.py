"""``README.md`` names each command with its arguments. (Settings: ``unit/test_settings.py``.)"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge import cli

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\| `python -m bridge (.+?)` \|", README, re.MULTILINE)


def test_each_command_is_in_the_table_and_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    documented = [_words(usage) for usage in COMMANDS]
    assert sorted(documented) == sorted(" ".join(words) for words in _commands(capsys))


def test_the_table_has_each_commands_arguments_and_no_others(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    usages = [_help(capsys, words).partition("\n")[0] for words in _commands(capsys)]
    asked = [
        usage.removeprefix("usage: python -m bridge ").replace(" [-h]", "") for usage in usages
    ]
    assert sorted(map(_arguments, COMMANDS)) == sorted(map(_arguments, asked))


def _arguments(usage: str) -> tuple[str, list[str]]:
    """A command and what it takes: the order of that is a matter of taste."""
    words = _words(usage)
    return words, sorted(re.findall(r"\[.+?\]|--\w+ [A-Z]+|[A-Z]+", usage.removeprefix(words)))


def _words(usage: str) -> str:
    """The command in a usage line: the lower-case words that it begins with."""
    found = re.match(r"[a-z]+(?: [a-z]+)*", usage)
    assert found is not None
    return found[0]


def _commands(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Every command, by asking each for its help."""
    below = re.findall(
        r"^ {4}(\w+)(?: |$)", _help(capsys, words).partition("commands:")[2], re.MULTILINE
    )
    if not below:
        yield words
    for name in below:
        yield from _commands(capsys, (*words, name))


def _help(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> str:
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out

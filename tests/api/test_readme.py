"""``README.md`` names each command, and no other. (Settings: ``tests/unit/test_settings.py``.)"""

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


def test_each_option_that_a_command_needs_is_in_the_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    documented = {_words(usage): usage for usage in COMMANDS}
    for words in _commands(capsys):
        usage = _help(capsys, words).partition("\n\n")[0]
        needed = re.findall(
            r"--\w+|(?<= )[A-Z]+(?=$| )", re.sub(r"\[.*?\]|--\w+ \w+", _option, usage)
        )
        for each in needed:
            assert each in documented[" ".join(words)]


def _option(found: re.Match[str]) -> str:
    """An option that may be left out is dropped, of another the name stays."""
    return "" if found[0].startswith("[") else found[0].split(" ")[0]


def _words(usage: str) -> str:
    """The command in a usage line: the lower-case words that it begins with."""
    found = re.match(r"[a-z]+(?: [a-z]+)*", usage)
    assert found is not None
    return found[0]


def _commands(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Every command, by asking each for its help."""
    below = re.findall(r"^ {4}(\w+) ", _help(capsys, words).partition("commands:")[2], re.MULTILINE)
    if not below:
        yield words
    for name in below:
        yield from _commands(capsys, (*words, name))


def _help(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> str:
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out

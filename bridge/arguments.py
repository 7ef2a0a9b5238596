"""What the command line takes: argument types, and wrong use told in one line."""

from __future__ import annotations

import argparse
import unicodedata
from typing import NoReturn
from urllib.parse import urlsplit

_LONGEST_ID = 128
_LONGEST_NAME = 200
_LONGEST_URL = 2048


class OneLineParser(argparse.ArgumentParser):
    """A parser that tells of wrong use in one line on stderr, and exits with 2."""

    def error(self, message: str) -> NoReturn:
        """End the process: ``message`` says what is wrong, and the line where to find help."""
        said = " ".join(message.split())
        self.exit(2, f"bridge: {said} (see `{self.prog} --help`)\n")


def name(given: str) -> str:
    """A store's or a person's name: 1 to 200 characters, blanks around it stripped.

    Raises :class:`argparse.ArgumentTypeError` for any other.
    """
    stripped = given.strip()
    # Bytes that are no UTF-8 arrive as lone surrogates, which no database takes.
    odd = any(unicodedata.category(character) in {"Cc", "Cs"} for character in stripped)
    if odd or not 1 <= len(stripped) <= _LONGEST_NAME:
        raise argparse.ArgumentTypeError(f"give 1 to {_LONGEST_NAME} printable characters")
    return stripped


def site_id(given: str) -> str:
    """What can be a site's id. Raises :class:`argparse.ArgumentTypeError` for anything else."""
    if not given.isprintable() or not 1 <= len(given) <= _LONGEST_ID:
        raise argparse.ArgumentTypeError("not a site's id: see `python -m bridge site list`")
    return given


def store_url(given: str) -> str:
    """A store's http or https address, blanks around it stripped.

    Raises :class:`argparse.ArgumentTypeError` for any other, without quoting it: it may hold a
    password.
    """
    from bridge.services.addresses import origin_of

    url = given.strip()
    readable = url.isprintable() and " " not in url and len(url) <= _LONGEST_URL
    if not readable or origin_of(url) is None:
        raise argparse.ArgumentTypeError(
            "not an http or https address: give one like https://shop.example"
        )
    if "@" in urlsplit(url).netloc:
        raise argparse.ArgumentTypeError("the address holds a user or a password: leave them out")
    return url

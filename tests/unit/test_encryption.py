"""Encryption: what which key can read, and what is encrypted anew."""

from __future__ import annotations

import pytest

from bridge.encryption import Encryption
from bridge.settings import SettingsError

OLD_KEY = "the key before, of the right length"
NEW_KEY = "the key that takes its place, as long"
OLD, NEW, BOTH = Encryption(OLD_KEY), Encryption(NEW_KEY), Encryption(NEW_KEY, OLD_KEY)


def reads(encryption: Encryption, encrypted: bytes) -> bool:
    try:
        return encryption.decrypt(encrypted) == b"plain"
    except SettingsError:
        return False


def test_while_a_key_is_replaced_the_new_one_encrypts_and_both_decrypt() -> None:
    before, after = OLD.encrypt(b"plain"), BOTH.encrypt(b"plain")
    assert [reads(each, before) for each in (OLD, BOTH, NEW)] == [True, True, False]
    assert [reads(each, after) for each in (OLD, BOTH, NEW)] == [False, True, True]


def test_what_the_old_key_encrypted_is_encrypted_anew() -> None:
    renewed = BOTH.renew(OLD.encrypt(b"plain"))
    assert [reads(each, renewed) for each in (OLD, BOTH, NEW)] == [False, True, True]


def test_what_the_present_key_encrypted_stays_as_it_is() -> None:
    encrypted = NEW.encrypt(b"plain")
    assert BOTH.renew(encrypted) == NEW.renew(encrypted) == encrypted


@pytest.mark.parametrize(
    "encrypted",
    [Encryption("a third key that nobody has any more").encrypt(b"plain"), b"", b"garbage"],
    ids=["another key", "nothing", "garbage"],
)
def test_what_neither_key_reads_is_told_in_one_line_that_says_the_way_out(encrypted: bytes) -> None:
    for read in (BOTH.decrypt, BOTH.renew):
        with pytest.raises(SettingsError) as caught:
            read(encrypted)
        message = str(caught.value)
        assert "\n" not in message
        assert "BRIDGE_SECRET_KEY is not the one" in message
        assert "set BRIDGE_OLD_SECRET_KEY to it" in message
        assert OLD_KEY not in message
        assert NEW_KEY not in message


def test_the_representation_tells_no_key() -> None:
    assert OLD_KEY not in repr(BOTH)
    assert NEW_KEY not in repr(BOTH)

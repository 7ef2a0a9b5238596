"""C1 and C2: which of the things that people type are an email, and which of them are the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.customer import email_address
from tests.unit.domain.happenings import steady

HOST = "@shop.example"
LONGEST = "j" * (254 - len(HOST)) + HOST

# The characters that an address ends or a header begins at, and those that cannot be seen.
UNUSABLE = list(' \t\r\n\x00\x07\x7f\x85<>,;"()[]\\\xa0\xad\u200b\u200e\u2028\u202e\u3000\ufeff')
UNUSABLE += ["\ud800", "\ue000", "\U000e0041"]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("jane@shop.example", "jane@shop.example"),
        ("Jane@Shop.EXAMPLE", "jane@shop.example"),
        ("  jane@shop.example ", "jane@shop.example"),
        ("\tjane@shop.example\r\n", "jane@shop.example"),
        ("\u3000jane@shop.example\xa0", "jane@shop.example"),
        ("jane+plants@shop.example", "jane+plants@shop.example"),
        ("j.o'neill_1-2@a.b.shop.example", "j.o'neill_1-2@a.b.shop.example"),
        ("j:d@shop.example", "j:d@shop.example"),
        ("JÜRGEN@MÜNCHEN.example", "jürgen@münchen.example"),
        ("jane@xn--mnchen-3ya.example", "jane@xn--mnchen-3ya.example"),
        ("用户@例子.测试", "用户@例子.测试"),
        ("משתמש@דוגמה.example", "משתמש@דוגמה.example"),
        ("🌵@shop.example", "🌵@shop.example"),
        (LONGEST, LONGEST),
        (f"  {LONGEST}  ", LONGEST),
    ],
)
def test_c1_an_email_is_known_again_however_it_is_typed(text: str, address: str) -> None:
    assert email_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\r\n",
        "jane",
        "shop.example",
        "@",
        " @ ",
        "jane@",
        HOST,
        "jane@@shop.example",
        "jane@doe@shop.example",
        "@jane@shop.example",
        "jane\uff20shop.example",
        "jane doe@shop.example",
        "jane@shop.example\r\nSubject: won",
        "jane@shop.example\nBcc: mark@shop.example",
        "jane@shop.example, mark",
        "Jane <jane@shop.example>",
        '"jane doe"@shop.example',
        "jane@[127.0.0.1]",
        f"j{LONGEST}",
        # Longer once it is in lower case.
        "İ" * 127 + HOST,
        "j" * 100_000 + HOST,
    ],
)
def test_c1_what_is_no_email_is_none(text: str) -> None:
    assert email_address(text) is None


@pytest.mark.parametrize("place", ["ja{}ne@shop.example", "jane@sh{}op.example"])
@pytest.mark.parametrize("character", UNUSABLE, ids=[f"U+{ord(it):04X}" for it in UNUSABLE])
def test_c1_an_email_holds_nothing_that_ends_it_or_hides_in_it(place: str, character: str) -> None:
    assert email_address(place.format("")) is not None
    assert email_address(place.format(character)) is None


def test_c1_two_people_of_similar_emails_are_not_one() -> None:
    similar = ["strasse@x.example", "straße@x.example", "j.doe@x.example", "jdoe@x.example"]
    similar += ["jdoe+a@x.example", "jdoe@x.example.com", "jdoé@x.example", "jdo\u0435@x.example"]
    assert len({email_address(it) for it in similar}) == len(similar)


_PARTS = st.text(st.characters() | st.sampled_from(["a", "Z", "@", "İ", "Σ", *UNUSABLE]))


@steady
@given(text=_PARTS | st.builds("{}@{}".format, _PARTS, _PARTS))
def test_c1_an_email_is_one_line_with_one_at_and_its_own_address(text: str) -> None:
    address = email_address(text)
    if address is None:
        return
    name, host = address.split("@")
    assert name
    assert host
    assert len(address) <= 254
    assert address.isprintable()
    assert not set(address) & set(UNUSABLE)
    assert email_address(address) == address


_LETTERS = st.text("abcxyzäöñжя0189.+-_", min_size=1, max_size=20)
_SPACES = st.text(" \t\r\n\xa0\u3000", max_size=3)


@steady
@given(name=_LETTERS, host=_LETTERS, before=_SPACES, after=_SPACES, data=st.data())
def test_c1_neither_case_nor_surrounding_space_makes_another_email(
    name: str, host: str, before: str, after: str, data: st.DataObject
) -> None:
    plain = f"{name}@{host}"
    shouted = "".join(data.draw(st.sampled_from([it, it.upper()])) for it in plain)
    assert email_address(f"{before}{shouted}{after}") == plain

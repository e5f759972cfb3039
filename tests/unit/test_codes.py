"""Codes that survive being read aloud and typed on a phone, and nothing else."""

from __future__ import annotations

import random
import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from inbox.codes import ALPHABET, check_character, code_of, digest_of, spelled, written_in

SECRET = b"a secret of this installation"
codes = some.binary(min_size=1, max_size=16).map(lambda about: code_of(SECRET, about))


@given(codes)
def test_a_code_is_found_as_it_was_given(code: str) -> None:
    assert written_in(f"Hello, my code is {spelled(code)}. Thanks") == [code]


@given(codes, some.sampled_from(["", " ", "-", "\u2013"]))
def test_a_code_is_found_however_it_is_typed(code: str, between: str) -> None:
    typed = between.join([code[:3], code[3:7], code[7:]]).lower().replace("0", "o").replace("1", "l")
    assert written_in(typed) == [code]


@given(codes, some.integers(0, 9), some.sampled_from(ALPHABET))
def test_one_wrong_character_is_no_code(code: str, place: int, wrong: str) -> None:
    typed = code[:place] + wrong + code[place + 1 :]
    assert written_in(typed) == ([code] if typed == code else [])


@given(codes, some.lists(some.sampled_from(["", " ", "-", "\u2013"]), min_size=2, max_size=2), some.randoms())
def test_a_code_is_read_in_all_its_spellings(code: str, between: list[str], chance: random.Random) -> None:
    looks_like = {"0": "0oO", "1": "1iIlL"}
    typed = "".join(chance.choice(looks_like.get(each, each + each.lower())) for each in code)
    spelt = f"{typed[:3]}{between[0]}{typed[3:7]}{between[1]}{typed[7:]}"
    assert written_in(f"My code: {spelt}") == [code]


@given(codes)
def test_two_characters_of_a_code_are_digits_that_no_letter_looks_like(code: str) -> None:
    assert sum(each in "23456789" for each in code[:9]) >= 2


@given(some.text(some.characters(categories=["L", "Zs", "Pd"]), max_size=60))
@example("Where is the missing one?")
@example("The invoice box can morning and lampfor")
def test_words_are_never_a_code(text: str) -> None:
    assert written_in(text) == []


def test_no_letter_becomes_a_digit() -> None:
    letters = "".join(map(chr, range(sys.maxunicode + 1)))
    assert not [
        each for each in letters if each.isalpha() and set(unicodedata.normalize("NFKC", each)) & set("0123456789")
    ]


@pytest.mark.parametrize("around", ["{} {} {}", "{}-{} {}"])
def test_words_and_a_number_between_them_are_no_code(around: str) -> None:
    words = ["box", "2024", "was"]
    ends = [f"{chr(a)}{chr(b)}" for a in range(97, 123) for b in range(97, 123)]
    assert not [end for end in ends if written_in(around.format(*words[:2], f"w{end}"))]
    assert not [end for end in ends if written_in(around.format("250", "gram", f"f{end}"))]


@given(codes)
def test_a_code_inside_a_longer_word_is_none(code: str) -> None:
    assert written_in(f"X{code}") == written_in(f"{code}9") == []


@given(some.integers(10**9, 10**10 - 1))
def test_a_telephone_number_is_no_code(number: int) -> None:
    assert written_in(f"{number}") == []
    assert written_in(f"{str(number)[:3]}-{str(number)[3:7]}-{str(number)[7:]}") == []


@given(some.text())
def test_any_text_can_be_looked_through(text: str) -> None:
    for code in written_in(text):
        assert check_character(code[:9]) == code[9]


def test_codes_have_forty_bits_at_least_and_differ() -> None:
    several = {code_of(SECRET, str(number).encode()) for number in range(20_000)}
    assert len(several) == 20_000
    assert all(len(code) == 10 for code in several)


def test_another_installation_gives_other_codes_and_other_digests() -> None:
    code = code_of(SECRET, b"1")
    assert code != code_of(b"another", b"1")
    assert digest_of(SECRET, code) != digest_of(b"another", code)


def test_at_most_three_codes_of_a_text_are_looked_at() -> None:
    many = " ".join(spelled(code_of(SECRET, bytes([number]))) for number in range(20))
    assert len(written_in(many)) == 3

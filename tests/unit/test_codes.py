"""Codes that survive being read aloud and typed on a phone, and nothing else."""

from __future__ import annotations

from hypothesis import given
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

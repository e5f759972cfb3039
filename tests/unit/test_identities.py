"""Two addresses are one identity when their normalised values are equal, and in no other case."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.identities import NotAnAddress, can_be_answered, found_in, normalise, normalise_ours, shown


@pytest.mark.parametrize(
    ("kind", "given_as", "stored"),
    [
        ("email", " Maya@Ortiz.Example ", "maya@ortiz.example"),
        ("email", "maya@ortiz.example.", "maya@ortiz.example"),
        ("email", "maya@bücher.example", "maya@xn--bcher-kva.example"),
        ("email", "maria@straße.example", "maria@xn--strae-oqa.example"),
        ("email", "maria@STRASSE.example", "maria@strasse.example"),
        ("email", "maria@ＳＴＲＡＳＳＥ。example", "maria@strasse.example"),
        ("email", "maya@mail_1.ortiz.example", "maya@mail_1.ortiz.example"),
        ("email", "maya+shop@ortiz.example", "maya+shop@ortiz.example"),
        ("phone", "+1 (415) 555-2671", "+14155552671"),
        ("phone", "+４４ 20 7946 0958", "+442079460958"),
        ("phone", "+541123456789", "+5491123456789"),
        ("phone", "+5491123456789", "+5491123456789"),
        ("phone", "+54 11 15-2345-6789", "+5491123456789"),
        ("phone", "+5215512345678", "+525512345678"),
        ("phone", "+525512345678", "+525512345678"),
        ("phone", "+551187654321", "+5511987654321"),
        ("phone", "+5511987654321", "+5511987654321"),
        ("phone", "+551123456789", "+551123456789"),  # a landline
        ("phone", "+555178123456", "+555178123456"),  # trunk radio kept its eight digits
        ("whatsapp", "+5215512345678", "+525512345678"),
        ("whatsapp", "+553188887777", "+5531988887777"),
        ("phone", "72345", "72345"),
        ("phone", "AMAZON", "AMAZON"),
        ("instagram", "1002003004005006", "1002003004005006"),
    ],
)
def test_addresses_are_stored_in_one_form(kind: str, given_as: str, stored: str) -> None:
    assert normalise(kind, given_as) == stored


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("email", ""),
        ("email", "maya"),
        ("email", "a@b@c.example"),
        ("email", "maya@"),
        ("email", "maya@-ü.example"),
        ("email", "maya@a..example"),
        ("email", "a b@c.example"),
        ("email", "maya@ortiz.example\x00"),
        ("phone", ""),
        ("phone", "+1"),
        ("phone", "+99999999999999999999"),
        ("instagram", ""),
        ("instagram", "10 02"),
        ("instagram", "x" * 65),
        ("fax", "+14155552671"),
    ],
)
def test_what_is_no_address_is_refused(kind: str, value: str) -> None:
    with pytest.raises(NotAnAddress):
        normalise(kind, value)


def test_a_number_of_our_own_stays_as_its_provider_writes_it() -> None:
    assert normalise_ours("phone", "+54 11 2345-6789") == "+541123456789"
    assert normalise_ours("email", " Support@Northwind.Test ") == "support@northwind.test"


def test_numbers_typed_in_a_country_have_the_same_form() -> None:
    assert normalise("phone", "011 15-2345-6789", "AR") == normalise("phone", "11 2345-6789", "AR") == "+5491123456789"
    assert normalise("phone", "(31) 8888-7777", "BR") == "+5531988887777"
    assert found_in("llámame al +54 11 2345-6789") == {("phone", "+5491123456789")}


def test_a_number_typed_without_a_country_is_read_in_the_region() -> None:
    assert normalise("phone", "(415) 555-2671", "US") == "+14155552671"


@given(st.sampled_from(["email", "phone", "instagram"]), st.text(max_size=80))
def test_normalising_twice_changes_nothing_more(kind: str, value: str) -> None:
    try:
        once = normalise(kind, value)
    except NotAnAddress:
        return
    assert normalise(kind, once) == once
    assert "\x00" not in once


@given(st.emails())
def test_case_never_makes_two_people_of_one_address(address: str) -> None:
    try:
        lower = normalise("email", address.lower())
    except NotAnAddress:
        return
    assert normalise("email", address.upper()) == lower


@given(st.text(max_size=400))
def test_looking_for_addresses_in_any_text_never_breaks(text: str) -> None:
    assert all(kind in ("email", "phone") and value for kind, value in found_in(text, "US"))


def test_addresses_written_in_a_text_are_found_and_order_numbers_are_not() -> None:
    text = "I am maya@ortiz.example, call +1 415 555 2671 about order #48213."
    assert found_in(text, "US") == {("email", "maya@ortiz.example"), ("phone", "+14155552671")}


def test_numbers_are_shortened_in_the_middle_and_nothing_else_is() -> None:
    assert shown("phone", "+14155552671") == "+1 415 ··· 2671"
    assert shown("email", "maya@ortiz.example") == "maya@ortiz.example"
    assert shown("instagram", "1002003004005006", "maya.ortz") == "@maya.ortz"
    assert shown("instagram", "1002003004005006") == "Instagram ··· 5006"


def test_short_codes_and_names_cannot_be_answered() -> None:
    assert not can_be_answered("phone", "AMAZON")
    assert not can_be_answered("phone", "72345")
    assert can_be_answered("phone", "+14155552671")


def test_a_whatsapp_address_is_a_number_or_the_id_of_who_hides_it() -> None:
    assert normalise("whatsapp", "+1 415 555 2671") == "+14155552671"
    assert normalise("whatsapp", "ES.13491208655302741918") == "ES.13491208655302741918"
    assert shown("whatsapp", "ES.13491208655302741918") == "hidden number ··· 1918"
    assert shown("whatsapp", "+14155552671") == "+1 415 ··· 2671"
    for wrong in ("72345", "AMAZON", "es.1349", "ES.", "ES.13 49"):
        with pytest.raises(NotAnAddress):
            normalise("whatsapp", wrong)

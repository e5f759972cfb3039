"""What makes two addresses the same address. Pure: no database, no provider.

`normalise` gives the value under which an identity is stored and looked up; two addresses are the same identity when
kind, scope and normalised value are equal, and in no other case.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import idna
import phonenumbers

from customers.numbers import e164, in_one_form

EMAIL, PHONE, INSTAGRAM, WHATSAPP = "email", "phone", "instagram", "whatsapp"
ERASED = "erased:"  # begins the value of an address that was erased: nobody can write from there
UNPROVEN = "unproven"  # the scope of addresses that a check says are forged: never matched with the real ones

_EMAIL = re.compile(r"[^@\s<>\"(),;:\\\[\]]{1,64}@[^@\s<>\"(),;:\\\[\]]{1,255}")
_SHORT_CODE = re.compile(r"\d{3,8}")
_HIDDEN_NUMBER = re.compile(r"[A-Z]{2}\.[A-Za-z0-9]{1,128}")  # WhatsApp's id of a person, to one business
_ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 &._-]{1,11}")


class NotAnAddress(ValueError):
    """This cannot be an address of that kind. `value` is what was given."""

    def __init__(self, kind: str, value: str) -> None:
        super().__init__(f"{value[:80]!r} is not a valid {kind} address")
        self.kind, self.value = kind, value


def normalise(kind: str, value: str, region: str | None = None) -> str:
    """The stored form of an address.

    `region` (ISO 3166) reads numbers typed without a country code; numbers from a provider come with one. Raises
    NotAnAddress.
    """
    return _normalise(kind, value, region, is_ours=False)


def normalise_ours(kind: str, value: str) -> str:
    """The form of an address of our own: a number stays as the provider writes it, who compares nothing else.

    Raises NotAnAddress.
    """
    return _normalise(kind, value, None, is_ours=True)


def _normalise(kind: str, value: str, region: str | None, *, is_ours: bool) -> str:
    cleaned = unicodedata.normalize("NFKC", value).strip()
    match kind:
        case "email":
            return _email(cleaned)
        case "phone":
            return _phone(cleaned, region, is_ours)
        case "whatsapp":
            return cleaned if _HIDDEN_NUMBER.fullmatch(cleaned) else _whatsapp(cleaned, region, is_ours)
        case "instagram" if cleaned and len(cleaned) <= 64 and cleaned.isascii() and cleaned.isalnum():
            return cleaned
    raise NotAnAddress(kind, value)


def _email(value: str) -> str:
    """Lower case throughout: the local part may legally differ by case, and in practice never does."""
    value = value.rstrip(".").lower()
    if not _EMAIL.fullmatch(value) or not value.isprintable():
        raise NotAnAddress(EMAIL, value)
    local, domain = value.rsplit("@", 1)
    try:
        domain = _ascii(domain)
    except UnicodeError:
        raise NotAnAddress(EMAIL, value) from None
    if "." not in domain and domain != "localhost":
        raise NotAnAddress(EMAIL, value)
    return f"{local}@{domain}"


def _ascii(domain: str) -> str:
    """By IDNA 2008: the codec of that name knows the old rules, by which straße.de is strasse.de, somebody else's."""
    return (domain.encode("idna") if domain.isascii() else idna.encode(domain, uts46=True)).decode("ascii")


def _phone(value: str, region: str | None, is_ours: bool) -> str:
    """E.164 where it is a number; a short code or an alphanumeric sender stays as it is (nobody can answer those)."""
    if _SHORT_CODE.fullmatch(value) and region is None:
        return value
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        if _ALPHANUMERIC.fullmatch(value) and not any(mark in value for mark in "+()"):
            return value.upper()
        raise NotAnAddress(PHONE, value) from None
    number = number if is_ours else in_one_form(number)
    if not phonenumbers.is_possible_number(number):
        raise NotAnAddress(PHONE, value)
    return e164(number)


def _whatsapp(value: str, region: str | None, is_ours: bool) -> str:
    """A number, or WhatsApp's own id of somebody who hides it."""
    number = _phone(value, region, is_ours)
    if not number.startswith("+"):
        raise NotAnAddress(WHATSAPP, value)
    return number


def can_be_answered(kind: str, value: str) -> bool:
    """Short codes and names instead of numbers are one-way; what was erased is no way at all."""
    return not value.startswith(ERASED) and (kind != PHONE or value.startswith("+"))


@lru_cache(10_000)
def shown(kind: str, value: str, handle: str = "") -> str:
    """How an address reads on screen: '+1 415 ··· 2671', '@maya.ortz', 'maya@ortiz.example'."""
    if value.startswith(ERASED):
        return "erased address"
    if kind == INSTAGRAM:
        return f"@{handle}" if handle else f"Instagram ··· {value[-4:]}"
    if kind == WHATSAPP and not value.startswith("+"):
        return f"hidden number ··· {value[-4:]}"
    if kind in (PHONE, WHATSAPP) and value.startswith("+") and len(value) > 9:
        try:
            number = phonenumbers.parse(value)
        except phonenumbers.NumberParseException:
            return value
        national = str(number.national_number)
        return f"+{number.country_code} {national[:3]} ··· {national[-4:]}"
    return value


_ADDRESSES_IN_TEXT = {
    EMAIL: re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}"),
    PHONE: re.compile(r"(?<![\w+])\+?\d(?:[ ().-]{0,2}\d){7,14}(?!\w)"),
}


def found_in(text: str, region: str | None = None) -> set[tuple[str, str]]:
    """(kind, normalised value) of every address written in a text; what does not parse is not an address."""
    found: set[tuple[str, str]] = set()
    for kind, pattern in _ADDRESSES_IN_TEXT.items():
        for match in pattern.findall(text[:20_000]):
            try:
                found.add((kind, normalise(kind, match, region if kind == PHONE else None)))
            except NotAnAddress:
                continue
    return found

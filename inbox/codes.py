"""Codes a customer copies from one channel into another: "K7Q-4QM9-XTR". Pure: no database.

Nine random characters of Crockford's base 32 (45 bits) and a check character (Luhn mod 32), which finds every single
wrong character and nearly every swap. Letters that look like digits are read as those digits, so that a code survives
being read aloud and typed on a phone; nothing else is forgiven, which would give room to guess. Digits that no letter
looks like tell a code from words.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import re
import unicodedata

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DATA, LENGTH = 9, 10
LOOKS_LIKE = str.maketrans("OIL", "011")
SURE_DIGITS = set("23456789")
MOST_PER_TEXT = 3

_WRITTEN = re.compile(r"(?<![0-9A-Z])[0-9A-Z]{3}[- ]?[0-9A-Z]{4}[- ]?[0-9A-Z]{3}(?![0-9A-Z])")
MARKS = re.compile(r"<(code|link)-([0-9A-Z]{5})>")  # what stands for a code, or a link with it, until it leaves
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))


def code_of(secret: bytes, about: bytes) -> str:
    """The code of one invitation: the same whenever it is asked for, so that it need not be stored.

    Always with letters and digits, two of them together in one group: a telephone number or a word is never taken for
    one.
    """
    for attempt in itertools.count():
        digest = hmac.digest(secret, b"%s:%d" % (about, attempt), "sha256")
        number = int.from_bytes(digest[:6], "big")
        data = "".join(ALPHABET[number >> (5 * place) & 31] for place in range(DATA))
        code = data + check_character(data)
        if _is_mixed(data) and _is_unlike_words(code):
            return code
    raise AssertionError("unreachable")


def check_character(data: str) -> str:
    total = 0
    for place, character in enumerate(reversed(data)):
        value = ALPHABET.index(character) * (2 if place % 2 == 0 else 1)
        total += value // 32 + value % 32
    return ALPHABET[-total % 32]


def spelled(code: str) -> str:
    return f"{code[:3]}-{code[3:7]}-{code[7:]}"


def digest_of(secret: bytes, code: str) -> str:
    """What is stored: useless to whoever reads the database, and on any other installation."""
    return hmac.new(secret, b"digest:" + code.encode(), hashlib.sha256).hexdigest()


def written_in(text: str) -> list[str]:
    """Every code in a text whose check character is right, in order, at most three."""
    plain = unicodedata.normalize("NFKC", text[:20_000]).upper().translate(_DASHES)
    found = []
    for match in _WRITTEN.finditer(plain):
        code = re.sub("[- ]", "", match[0]).translate(LOOKS_LIKE)
        if _is_prose(match[0]) or not set(code) <= set(ALPHABET) or not _is_mixed(code[:DATA]):
            continue
        if check_character(code[:DATA]) == code[DATA:]:
            found.append(code)
    return list(dict.fromkeys(found))[:MOST_PER_TEXT]


def marks_in(text: str) -> set[str]:
    return {mark for _, mark in MARKS.findall(text)}


def veiled(text: str) -> str:
    """A text of ours as colleagues see it: that it tells a code, not which."""
    return MARKS.sub(lambda match: f"[{match[1]}]", text)


def _is_mixed(data: str) -> bool:
    digits = sum(character.isdigit() for character in data)
    return 2 <= digits <= DATA - 2


def _is_unlike_words(code: str) -> bool:
    """However it is typed: `_is_prose` is never true of it."""
    sure = sum(character in SURE_DIGITS for character in code[:DATA])
    groups = spelled(code).split("-")
    return sure >= 2 and any(set(group) & SURE_DIGITS and not group.isdigit() for group in groups)


def _is_prose(written: str) -> bool:
    """ "The missing" holds no digit; "for 2024 the" is words and a number of their own."""
    groups = re.split("[- ]", written)
    is_apart = " " in written and all(group.isalpha() or group.isdigit() for group in groups)
    return is_apart or not any(character.isdigit() for character in written)

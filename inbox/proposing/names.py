"""Whether two names may be one person's, and how much that says. Pure."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

from inbox.proposing.known import COMMON_SURNAMES, GIVEN_NAMES, STANDS_FOR

VOWELS = frozenset("aeiou")
SOUNDS = (("ph", "f"), ("ck", "k"), ("c", "k"), ("z", "s"), ("v", "w"))
SHORT_WORD, LONG_WORD = 3, 8
PARTICLES = frozenset(
    {"de", "del", "la", "van", "von", "der", "den", "da", "dos", "di", "el", "al", "bin", "mr", "mrs", "ms", "dr"}
)
MANY = 4  # people on record with one name: it tells little


class Likeness(StrEnum):
    SAME = "same"
    ALIKE = "alike"  # a short form, a typing error, an initial, one surname of two
    GIVEN = "given"  # one of them gives no surname
    FAMILY = "family"  # one surname, another given name
    OTHER = "other"
    UNKNOWN = "unknown"  # at least one has no name


def folded(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ø", "o").replace("ł", "l").replace("ı", "i"))
    return "".join(each for each in apart if not unicodedata.combining(each)).casefold()


def words_of(name: str) -> list[str]:
    """Given name first. "Ortiz, Maya" is turned around; an address or a handle is no name."""
    if "@" in name or any(each.isdigit() for each in name):
        return []
    last, comma, first = name.partition(",")
    found = re.findall(r"[^\W\d_]+", folded(f"{first} {last}" if comma else name).replace("'", "").replace("’", ""))
    kept = [each for each in found if each not in PARTICLES]
    return kept if len(kept) <= 5 else []


def is_full(name: str) -> bool:
    words = words_of(name)
    return len(words) > 1 and len(words[-1]) > 1


def keys(name: str) -> set[str]:
    """Under which a full name is found: given name in its long form, and each surname."""
    words = words_of(name)
    if len(words) < 2:
        return set()
    givens = STANDS_FOR.get(words[0], {words[0]})
    return {f"{given} {surname}" for given in givens for surname in words[1:] if len(surname) > 1}


def joined(name: str) -> set[str]:
    """As people make an address or a handle of their name: mayaortiz, mortiz, ortizmaya."""
    words = words_of(name)
    if len(words) < 2 or len(words[-1]) < 3:
        return set()
    given, surname = words[0], words[-1]
    return {given + surname, given[0] + surname, surname + given}


def plain(handle: str) -> str:
    """Without dots and lines."""
    return re.sub(r"[^a-z0-9]", "", folded(handle))


def handle_key(handle: str) -> str:
    """And without the year of birth."""
    letters = plain(handle).rstrip("0123456789")
    return letters if len(letters) >= 4 else plain(handle)


def of_handle(handle: str) -> str:
    """The name in maya.ortiz, ortiz_maya and mayaortiz92, if there is one; empty otherwise."""
    parts = [each for each in re.split(r"[._\-\d]+", folded(handle)) if len(each) > 1 and each != "the"]
    if len(parts) == 1:
        word = parts[0]
        given = max((each for each in GIVEN_NAMES if word.startswith(each) and len(each) > 3), key=len, default="")
        return f"{given} {word[len(given) :]}".strip() if given and len(word) - len(given) != 1 else given
    if len(parts) == 2 and parts[1] in GIVEN_NAMES and parts[0] not in GIVEN_NAMES:
        parts.reverse()
    return " ".join(parts) if len(parts) == 2 and parts[0] in GIVEN_NAMES else ""


def sound(word: str) -> str:
    """Without vowels and doubled letters: maya ortz and Maya Ortiz are one."""
    letters = re.sub(r"[^a-z]", "", folded(word))
    for written, heard in SOUNDS:
        letters = letters.replace(written, heard)
    kept = letters[:1] + "".join(each for each in letters[1:] if each not in VOWELS)
    return re.sub(r"(.)\1+", r"\1", kept)


def compare(one: str, other: str) -> Likeness:
    first, second = words_of(one), words_of(other)
    if not first or not second:
        return Likeness.UNKNOWN
    if first == second and len(first) > 1 and is_full(one):
        return Likeness.SAME
    given = may_be_one_given_name(first[0], second[0])
    if len(first) == 1 or len(second) == 1:
        return _against_one_word(first, second, given=given)
    surname = _share_a_surname(first[1:], second[1:])
    if given and surname:
        is_same = first[0] == second[0] and first[-1] == second[-1] and len(first[-1]) > 1
        return Likeness.SAME if is_same else Likeness.ALIKE
    if _turned_around(first, second):
        return Likeness.ALIKE
    return Likeness.FAMILY if surname else Likeness.OTHER


def _against_one_word(first: list[str], second: list[str], *, given: bool) -> Likeness:
    """ "Maya" and "Maya Ortiz" may be one; "Ortiz" says nothing of who of them it is."""
    if given:
        return Likeness.GIVEN
    alone, full = (first, second) if len(first) == 1 else (second, first)
    if len(full) > 1 and any(_nearly(alone[0], each) for each in full[1:]):
        return Likeness.UNKNOWN
    if len(full) > 1 and handle_key(alone[0]) in joined(" ".join(full)):
        return Likeness.GIVEN
    return Likeness.OTHER if alone[0] in GIVEN_NAMES or full[0] in GIVEN_NAMES else Likeness.UNKNOWN


def _turned_around(first: list[str], second: list[str]) -> bool:
    return len(first) == len(second) == 2 and first == second[::-1]


def may_be_one_given_name(one: str, other: str) -> bool:
    if one == other or STANDS_FOR.get(one, frozenset({one})) & STANDS_FOR.get(other, frozenset({other})):
        return True
    if len(one) == 1 or len(other) == 1:
        return one[0] == other[0]
    if one in GIVEN_NAMES and other in GIVEN_NAMES:
        return False  # Maria is not Mario
    if one[:-1] == other[:-1] or one == other[:-1] or other == one[:-1]:
        return one[-1] not in VOWELS and other[-1] not in VOWELS  # Daniel is not Daniela
    return _nearly(one, other)


def _share_a_surname(some: list[str], others: list[str]) -> bool:
    """An initial stands for any name that begins so."""
    return any(
        each == every or _nearly(each, every) or (min(len(each), len(every)) == 1 and each[0] == every[0])
        for each in some
        for every in others
    )


def _nearly(one: str, other: str) -> bool:
    most = 0 if min(len(one), len(other)) < SHORT_WORD else 1 if min(len(one), len(other)) < LONG_WORD else 2
    return one == other or (abs(len(one) - len(other)) <= most and distance(one, other) <= most)


def distance(one: str, other: str) -> int:
    """Letters put in, left out, changed, or two that changed places."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        before, above, row = row, before, [place]
        for column, each in enumerate(other, 1):
            cost = min(before[column] + 1, row[-1] + 1, before[column - 1] + (letter != each))
            if place > 1 and column > 1 and letter == other[column - 2] and one[place - 2] == each:
                cost = min(cost, above[column - 2] + 1)
            row.append(cost)
    return row[-1]


def is_made_of_a_common_name(word: str) -> bool:
    return any(word.startswith(each) or word.endswith(each) for each in COMMON_SURNAMES)


def is_common(name: str, on_record: int) -> bool:
    """`on_record`: how many people we know by this name."""
    words = words_of(name)
    return on_record >= MANY or (bool(words) and words[-1] in COMMON_SURNAMES)

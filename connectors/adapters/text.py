"""Text as providers cut it: what a reader sees as one character is never torn, and nothing is lost."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator

ZERO_WIDTH_JOINER = "\u200d"
ZERO_WIDTH_NON_JOINER = "\u200c"


def storable(text: str) -> str:
    """The text without what PostgreSQL refuses: NUL goes, a surrogate without its other half becomes U+FFFD."""
    return text.replace("\0", "").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def utf16_units(text: str) -> int:
    """How long the text is where an emoji counts as two, as it does in SMS and in JavaScript."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf8_bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def split(text: str, room: int, size: Callable[[str], int]) -> list[str]:
    """Parts of at most `room` by `size`, cut after a space where there is one; joined they are the text again.

    `size` must add up: size(a + b) == size(a) + size(b). A single grapheme larger than `room` is cut by code points.
    """
    pieces = [
        piece for grapheme in graphemes(text) for piece in ((grapheme,) if size(grapheme) <= room else tuple(grapheme))
    ]
    parts: list[str] = []
    start = 0
    while start < len(pieces):
        end, used = start, 0
        while end < len(pieces) and (used := used + size(pieces[end])) <= room:
            end += 1
        if end < len(pieces):
            end = _word_end(pieces, start, end)
        parts.append("".join(pieces[start:end]))
        start = end
    return parts or [""]


def _word_end(pieces: list[str], start: int, end: int) -> int:
    """The last place to cut between `start` and `end` that leaves words whole, or `end` when there is none."""
    for cut in range(end, start, -1):
        if pieces[cut - 1].isspace():
            # A part of nothing but spaces would be refused as empty.
            return cut if any(not piece.isspace() for piece in pieces[start:cut]) else end
    return end


def graphemes(text: str) -> Iterator[str]:
    """The text in what a reader takes for characters: the rules of Unicode's annex 29 that occur in messages.

    Accents stay on their letter, an emoji keeps its skin tone and its family, a flag its two letters, a Korean
    syllable its parts, CRLF its two halves.
    """
    cluster = ""
    for character in text:
        if cluster and _continues(cluster, character):
            cluster += character
        else:
            if cluster:
                yield cluster
            cluster = character
    if cluster:
        yield cluster


def _continues(cluster: str, character: str) -> bool:
    previous = cluster[-1]
    if previous in "\r\n" or character in "\r\n":
        return previous == "\r" and character == "\n"
    if character.isascii():
        return False
    return (
        unicodedata.category(character) in {"Mn", "Me", "Mc"}  # accents, variation selectors
        or character in (ZERO_WIDTH_JOINER, ZERO_WIDTH_NON_JOINER)
        or previous == ZERO_WIDTH_JOINER
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # tags: the flags of England, Scotland, Wales
        or (len(cluster) == 1 and _is_flag_letter(previous) and _is_flag_letter(character))
        or _is_hangul_continued(previous, character)
    )


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _is_hangul_continued(previous: str, character: str) -> bool:
    if "\u1160" <= character <= "\u11ff":
        return "\u1100" <= previous <= "\u11ff" or "\uac00" <= previous <= "\ud7a3"
    return "\u1100" <= previous <= "\u115f" and ("\u1100" <= character <= "\u115f" or "\uac00" <= character <= "\ud7a3")

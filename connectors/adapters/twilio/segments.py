"""How many segments a carrier makes of a text, counted as it is billed (twilio.md §7; GSM 03.38, 03.40)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connectors.adapters.text import utf16_units

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = frozenset("^{}\\[]~|€\f")  # an escape and a character: two septets
GSM_SINGLE, GSM_PART = 160, 153
UCS2_SINGLE, UCS2_PART = 70, 67


@dataclass(frozen=True, slots=True)
class Segments:
    """`used` of `room` units in `count` segments; one character outside GSM-7 makes the whole text UCS-2."""

    is_gsm: bool
    used: int
    room: int
    count: int


def segments(text: str) -> Segments:
    is_gsm = GSM_BASIC.union(GSM_EXTENDED).issuperset(text)
    single, part = (GSM_SINGLE, GSM_PART) if is_gsm else (UCS2_SINGLE, UCS2_PART)
    costs = [_septets(character) if is_gsm else utf16_units(character) for character in text]
    used = sum(costs)
    if used <= single:
        return Segments(is_gsm, used, single, 1)
    count = _packed(costs, part)
    return Segments(is_gsm, used, count * part, count)


def _septets(character: str) -> int:
    return 2 if character in GSM_EXTENDED else 1


def _packed(costs: Iterable[int], part: int) -> int:
    """Parts filled in order; a character of two units is not torn over the edge of one."""
    count, filled = 1, 0
    for cost in costs:
        if filled + cost > part:
            count, filled = count + 1, 0
        filled += cost
    return count

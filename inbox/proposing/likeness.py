"""Who two people are, by name and by handle, and how much that tells."""

from __future__ import annotations

from collections.abc import Iterator

from customers.identities import EMAIL, INSTAGRAM
from inbox.models.trace import TraceKind
from inbox.proposing import names
from inbox.proposing.known import GIVEN_NAMES
from inbox.proposing.names import Likeness
from inbox.proposing.sides import Side
from inbox.proposing.verdict import SEVERAL, WEIGHTS, Line, Owners, line

LONG_HANDLE, SHORT_HANDLE = 8, 6


def likenesses(one: Side, other: Side, owners: Owners) -> Iterator[Line]:
    likeness, first, second = _likest(one, other)
    entries = {
        side.pk: side.of(TraceKind.SELF)[name].entry
        for side, name in ((one, first), (other, second))
        if name in side.of(TraceKind.SELF)
    }
    on_record = max((owners.get((TraceKind.NAME, key), 0) for key in names.keys(first) | names.keys(second)), default=0)
    is_common = names.is_common(first, on_record) or names.is_common(second, on_record)
    many = f" ({on_record} people on record)" if on_record > SEVERAL else ""
    both = f"“{_as_name(first)}” and “{_as_name(second)}”"
    match likeness:
        case Likeness.SAME:
            yield line(
                "common_name" if is_common else "name", f"The same name, {_as_name(first)}{many}", entries=entries
            )
        case Likeness.ALIKE:
            yield line("alike_common" if is_common else "alike_name", f"Names alike: {both}{many}", entries=entries)
        case Likeness.GIVEN:
            yield line("given_name", f"The same given name: {both}", entries=entries)
        case Likeness.FAMILY | Likeness.OTHER:
            is_real = _is_a_real_name(one, first) and _is_a_real_name(other, second)
            yield line("other_name" if is_real else "maybe_name", f"Different names: {both}", entries=entries)
    yield from _handles(one, other, likeness)


def _called(side: Side) -> list[str]:
    """What the provider shows, and what they call themselves; else the name that their address is made of."""
    called = [name for name in (side.name, *sorted(side.of(TraceKind.SELF))) if names.words_of(name)]
    return called or [name for each in sorted(_handles_of(side)) if (name := names.of_handle(each))]


CLOSEST = [Likeness.SAME, Likeness.ALIKE, Likeness.GIVEN, Likeness.FAMILY, Likeness.OTHER, Likeness.UNKNOWN]


def _likest(one: Side, other: Side) -> tuple[Likeness, str, str]:
    """The two names that are most alike. One that fits outweighs the others: a phone may be in somebody else's name."""
    found = [(names.compare(first, second), first, second) for first in _called(one) for second in _called(other)]
    return min(found, key=lambda each: CLOSEST.index(each[0]), default=(Likeness.UNKNOWN, "", ""))


def _as_name(name: str) -> str:
    return name.title() if name.replace(" ", "").isalpha() and name.islower() else name


def _is_a_real_name(side: Side, name: str) -> bool:
    """On Instagram people call themselves what they like."""
    words = names.words_of(name)
    if name != side.name or any(each.kind != INSTAGRAM for each in side.addresses):
        return True
    return words[0] in GIVEN_NAMES


def _handles(one: Side, other: Side, likeness: Likeness) -> Iterator[Line]:
    """Handle, first part of a mail address, or name written as one word. What both made of one name tells nothing."""
    made: set[str] = set()
    if likeness in (Likeness.SAME, Likeness.ALIKE):
        made = {key for name in (*_called(one), *_called(other)) for key in names.joined(name)}
    here, there = ({each for each in _spelled(side) if names.handle_key(each) not in made} for side in (one, other))
    found = [_alike(first, second) for first in here for second in there]
    points, word = max([*found, *(_reused(each) for each in _handles_of(one) & _handles_of(other))], default=(0, ""))
    if points:
        kind = "handle" if points == WEIGHTS["handle"] else "alike_handle"
        yield line(kind, f"Both are “{word}” in an address, a handle or a name", word)


def _reused(handle: str) -> tuple[int, str]:
    """Letter for letter the same: people take their name along, dots, year and all."""
    word = names.handle_key(handle)
    if len(word) < SHORT_HANDLE or word in GIVEN_NAMES:
        return 0, ""
    return WEIGHTS["handle" if names.plain(handle) != word else "alike_handle"], handle


def _handles_of(side: Side) -> set[str]:
    """Handles, and what stands before the @ of mail addresses."""
    locals_ = {each.value.partition("@")[0].partition("+")[0] for each in side.addresses if each.kind == EMAIL}
    return locals_ | {each.handle.casefold() for each in side.addresses if each.handle}


def _spelled(side: Side) -> set[str]:
    """All words for somebody: maya.ortiz, mayaortiz92, and the name written as one."""
    written = {key for name in _called(side) for key in names.joined(name)}
    return {names.plain(each) for each in _handles_of(side)} | written


def _alike(first: str, second: str) -> tuple[int, str]:
    """Points, and the word. A given name is nobody's; numbers that differ are two people's."""
    one, other = names.handle_key(first), names.handle_key(second)
    if len(one) < SHORT_HANDLE or one in GIVEN_NAMES or other in GIVEN_NAMES:
        return 0, ""
    numbers = first[len(one) :], second[len(other) :]
    if all(numbers) and numbers[0] != numbers[1]:
        return 0, ""
    if one == other:
        is_exact = numbers[0] == numbers[1] and len(one) >= LONG_HANDLE and not names.is_made_of_a_common_name(one)
        return WEIGHTS["handle" if is_exact else "alike_handle"], one
    is_near = (
        len(one) >= LONG_HANDLE
        and one[0] == other[0]
        and abs(len(one) - len(other)) <= 1
        and names.distance(one, other) == 1
    )
    return (WEIGHTS["alike_handle"], one) if is_near else (0, "")

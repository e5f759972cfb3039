"""How much speaks for two customers being one person, and how much against. Pure and deterministic: one table.

Nothing here links anybody: a verdict is shown to agents, each line with the message it rests on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from customers.identities import EMAIL, INSTAGRAM, PHONE, WHATSAPP
from inbox.models.proposal import Strength
from inbox.models.trace import TraceKind
from inbox.proposing import names
from inbox.proposing.known import GIVEN_NAMES
from inbox.proposing.names import Likeness
from inbox.proposing.signals import OTHERS, OWN, SAME, SIGNED, todays_form

WEIGHTS = {
    # for
    "same_number": 30,  # one number in two forms: whatever speaks against it, somebody has to look
    "their_address": 10,  # one gives the other's address as their own, or signs with it
    "address": 6,  # one writes the other's address
    "their_handle": 9,
    "same_address": 7,  # both give the same third address as their own
    "also_address": 3,
    "mailbox": 9,  # one mailbox behind two spellings
    "order": 5,
    "file": 5,
    "words": 5,  # the same long text
    "name": 3,
    "common_name": 2,
    "alike_name": 3,
    "alike_common": 1,
    "given_name": 1,
    "handle": 4,
    "alike_handle": 2,
    "elsewhere": 2,  # says they wrote by mail, and the other did
    "timing": 1,
    # against
    "other_name": -10,
    "maybe_name": -3,  # what stands for a name may be made up
    "of_others": -5,  # speaks of the address or the order as somebody else's
    "external": -12,  # another system knows them as two
    "related": -12,
    "shared": -4,
    "two_accounts": -3,
    "at_once": -2,
    "language": -1,
}
STRONG, POSSIBLE, WEAK = 10, 7, 5
ONLY_WITH_OTHERS = {"given_name", "alike_handle", "elsewhere", "timing"}  # these alone point at nobody
SEVERAL = 2  # more people than these two: what many have tells little
LONG_HANDLE, SHORT_HANDLE = 8, 6
LATELY, SOON, AT_ONCE = timedelta(days=10), timedelta(minutes=30), timedelta(minutes=3)
ADDRESS_KINDS = {TraceKind.EMAIL: (EMAIL,), TraceKind.PHONE: (PHONE, WHATSAPP)}


@dataclass(frozen=True, slots=True)
class Address:
    kind: str
    scope: str
    value: str
    handle: str = ""
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A trace, with the entry it was seen in."""

    kind: str
    value: str
    manner: str = ""
    entry: int | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Written:
    channel: str
    at: datetime
    entry: int


@dataclass(slots=True)
class Side:
    """One customer, as far as they can be known again."""

    pk: int
    name: str = ""
    language: str = ""
    is_line: bool = False  # an office, a family: not one person
    addresses: list[Address] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    external: dict[str, set[str]] = field(default_factory=dict)
    related: set[int] = field(default_factory=set)

    @property
    def called(self) -> str:
        if self.name:
            return self.name
        first = self.addresses[0] if self.addresses else None
        return (f"@{first.handle}" if first.handle else first.value) if first else "the other"

    def of(self, kind: str) -> dict[str, Seen]:
        return {each.value: each for each in self.seen if each.kind == kind}


@dataclass(frozen=True, slots=True)
class Line:
    """One reason. `entries`: by customer, the message it stands in; `value` is what to look for there."""

    kind: str
    points: int
    words: str
    value: str = ""
    entries: Mapping[int, int | None] = field(default_factory=dict)

    @property
    def is_for(self) -> bool:
        return self.points > 0


@dataclass(frozen=True, slots=True)
class Verdict:
    points: int
    lines: Sequence[Line]

    @property
    def strength(self) -> Strength | None:
        """None: not worth anybody's time."""
        if all(line.kind in ONLY_WITH_OTHERS for line in self.lines if line.is_for):
            return None
        if self.points >= STRONG:
            return Strength.STRONG
        return Strength.POSSIBLE if self.points >= POSSIBLE else Strength.WEAK if self.points >= WEAK else None


Owners = Mapping[tuple[str, str], int]  # how many people have a trace, by kind and value


def weigh(one: Side, other: Side, owners: Owners) -> Verdict:
    lines = [
        *_addresses(one, other, owners),
        *_addresses(other, one, owners),
        *_same_addresses(one, other, owners),
        *_things(one, other, owners),
        *_names(one, other, owners),
        *_said_elsewhere(one, other),
        *_said_elsewhere(other, one),
        *_timing(one, other),
        *_against(one, other),
    ]
    best: dict[tuple[str, str], Line] = {}
    for line in lines:
        best.setdefault((line.kind, line.value), line)
    return Verdict(sum(line.points for line in best.values()), list(best.values()))


def _line(
    kind: str,
    words: str,
    value: str = "",
    *,
    entries: Mapping[int, int | None] | None = None,
    points: int | None = None,
) -> Line:
    return Line(kind, WEIGHTS[kind] if points is None else points, words[:400], value[:320], entries or {})


# What was told


def _addresses(teller: Side, owner: Side, owners: Owners) -> Iterator[Line]:
    """One writes an address or a handle that is the other's."""
    own = {(each.kind, each.value) for each in teller.addresses}
    theirs = {(each.kind, each.value): each for each in owner.addresses}
    for told in teller.seen:
        for kind in ADDRESS_KINDS.get(told.kind, ()):  # type: ignore[call-overload]
            address = theirs.get((kind, told.value))
            if address is None or (kind, told.value) in own:
                continue
            yield from _told(teller, owner, told, address, owners)
    handles = {names.plain(each.handle): each.handle for each in owner.addresses if each.handle}
    for told in teller.seen:
        if told.kind == TraceKind.HANDLE and told.manner in (OWN, SIGNED) and told.value in handles:
            words = f"{teller.called} gives @{handles[told.value]} as theirs, which is {owner.called}’s"
            yield _line("their_handle", words, handles[told.value], entries={teller.pk: told.entry})


def _told(teller: Side, owner: Side, told: Seen, address: Address, owners: Owners) -> Iterator[Line]:
    entries = {teller.pk: told.entry}
    if told.manner == SAME:
        forms = (each.value for each in teller.addresses if todays_form(each.kind, each.value) == told.value)
        words = f"{next(forms, 'A number')} and {told.value} are the same number, written two ways"
        yield _line("same_number", words, told.value)
    elif told.manner == OTHERS:
        words = f"{teller.called} speaks of {told.value} as somebody else’s"
        yield _line("of_others", words, told.value, entries=entries)
    elif address.is_shared or owners.get((told.kind, told.value), 0) > SEVERAL:
        words = f"{told.value} is used by several people"
        yield _line("address", words, told.value, entries=entries, points=1)
    elif told.manner in (OWN, SIGNED):
        how = f"signs with {told.value}" if told.manner == SIGNED else f"gives {told.value} as theirs"
        words = f"{teller.called} {how}, and it is on record for {owner.called}"
        yield _line("their_address", words, told.value, entries=entries)
    else:
        words = f"{teller.called} mentions {told.value}, which is on record for {owner.called}"
        yield _line("address", words, told.value, entries=entries)


def _same_addresses(one: Side, other: Side, owners: Owners) -> Iterator[Line]:
    """Both give an address that neither writes from."""
    own = {each.value for side in (one, other) for each in side.addresses}
    for kind in ADDRESS_KINDS:
        here, there = one.of(kind), other.of(kind)
        for value in sorted({*here} & {*there} - own):
            first, second = here[value], there[value]
            if OTHERS in (first.manner, second.manner) or owners.get((kind, value), 0) > SEVERAL:
                continue
            both = {first.manner, second.manner} <= {OWN, SIGNED}
            words = f"Both give {value} as theirs" if both else f"Both mention {value}"
            entries = {one.pk: first.entry, other.pk: second.entry}
            yield _line("same_address" if both else "also_address", words, value, entries=entries)


THINGS = {
    TraceKind.ORDER: ("order", "Both ask about order #{value}"),
    TraceKind.FILE: ("file", "Both sent the same file"),
    TraceKind.WORDS: ("words", "Both sent the same text"),
    TraceKind.MAILBOX: ("mailbox", "{value} is one mailbox behind both addresses"),
}


def _things(one: Side, other: Side, owners: Owners) -> Iterator[Line]:
    """Orders, files, texts, mailboxes that both have. The first of a kind counts in full, further ones little."""
    for kind, (name, words) in THINGS.items():
        here, there = one.of(kind), other.of(kind)
        counted = 0
        for value in sorted({*here} & {*there}):
            entries = {one.pk: here[value].entry, other.pk: there[value].entry}
            shown = value if kind in (TraceKind.ORDER, TraceKind.MAILBOX) else ""
            if OTHERS in (here[value].manner, there[value].manner):
                whose = one if here[value].manner == OTHERS else other
                said = f"{whose.called} speaks of order #{value} as somebody else’s"
                yield _line("of_others", said, shown, entries=entries)
                continue
            points = WEIGHTS[name] if not counted else 1
            if owners.get((kind, value), 0) > SEVERAL:
                points = 1
            counted += 1
            yield _line(name, words.format(value=value), shown, entries=entries, points=points)


# Who they are


def _names(one: Side, other: Side, owners: Owners) -> Iterator[Line]:
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
            yield _line(
                "common_name" if is_common else "name", f"The same name, {_as_name(first)}{many}", entries=entries
            )
        case Likeness.ALIKE:
            yield _line("alike_common" if is_common else "alike_name", f"Names alike: {both}{many}", entries=entries)
        case Likeness.GIVEN:
            yield _line("given_name", f"The same given name: {both}", entries=entries)
        case Likeness.FAMILY | Likeness.OTHER:
            is_real = _is_a_real_name(one, first) and _is_a_real_name(other, second)
            yield _line("other_name" if is_real else "maybe_name", f"Different names: {both}", entries=entries)
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
        yield _line(kind, f"Both are “{word}” in an address, a handle or a name", word)


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


# When


def _said_elsewhere(teller: Side, writer: Side) -> Iterator[Line]:
    """ "I mailed you yesterday", and the other did."""
    for channel, said in teller.of(TraceKind.ELSEWHERE).items():
        wrote = [each for each in writer.written if each.channel == channel]
        near = [each for each in wrote if said.at is None or timedelta() <= said.at - each.at <= LATELY]
        if near and not any(each.channel == channel for each in teller.written):
            how = {"email": "by email", "sms": "a text"}.get(channel, "on Instagram")
            words = f"{teller.called} says they wrote {how}; {writer.called} did"
            yield _line("elsewhere", words, entries={teller.pk: said.entry, writer.pk: near[-1].entry})


def _timing(one: Side, other: Side) -> Iterator[Line]:
    gaps = [
        (abs(first.at - second.at), first, second)
        for first in one.written
        for second in other.written
        if first.channel != second.channel
    ]
    if gaps:
        gap, first, second = min(gaps, key=lambda each: each[0])
        if gap <= SOON:
            words = f"Both wrote within {max(2, round(gap.total_seconds() / 60))} minutes"
            yield _line("timing", words, entries={one.pk: first.entry, other.pk: second.entry})


# Against


def _against(one: Side, other: Side) -> Iterator[Line]:
    for source in sorted({*one.external} & {*other.external}):
        if not one.external[source] & other.external[source]:
            yield _line("external", f"{source} knows them as two people", source)
    if other.pk in one.related or one.pk in other.related:
        yield _line("related", f"{one.called} and {other.called} are noted as two people who know each other")
    if one.is_line or other.is_line or any(each.is_shared for each in (*one.addresses, *other.addresses)):
        yield _line("shared", "More than one person writes from one of these addresses")
    accounts = [
        {(each.scope, each.value) for each in side.addresses if each.kind == INSTAGRAM} for side in (one, other)
    ]
    if {scope for scope, _ in accounts[0]} & {scope for scope, _ in accounts[1]}:
        yield _line("two_accounts", "Two different Instagram accounts")
    if one.language and other.language and one.language.split("-")[0] != other.language.split("-")[0]:
        yield _line("language", f"Different languages: {one.language} and {other.language}")
    if _took_turns(one, other):
        yield _line("at_once", "Both wrote at once, turn by turn")


def _took_turns(one: Side, other: Side) -> bool:
    """Nobody types on two channels within the same minutes, over and over."""
    said = sorted([(each.at, one.pk) for each in one.written] + [(each.at, other.pk) for each in other.written])
    turns = sum(1 for (at, who), (later, by) in pairwise(said) if who != by and later - at <= AT_ONCE)
    return turns >= 3

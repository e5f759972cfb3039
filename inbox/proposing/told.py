"""What two people told of themselves: each other's addresses, the same orders, files and texts."""

from __future__ import annotations

from collections.abc import Iterator

from customers.identities import EMAIL, PHONE, WHATSAPP
from inbox.models.trace import TraceKind
from inbox.proposing import names
from inbox.proposing.sides import Address, Seen, Side
from inbox.proposing.signals import OTHERS, OWN, SAME, SIGNED, todays_form
from inbox.proposing.verdict import SEVERAL, WEIGHTS, Line, Owners, line

ADDRESS_KINDS = {TraceKind.EMAIL: (EMAIL,), TraceKind.PHONE: (PHONE, WHATSAPP)}


def addresses(teller: Side, owner: Side, owners: Owners) -> Iterator[Line]:
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
            yield line("their_handle", words, handles[told.value], entries={teller.pk: told.entry})


def _told(teller: Side, owner: Side, told: Seen, address: Address, owners: Owners) -> Iterator[Line]:
    entries = {teller.pk: told.entry}
    if told.manner == SAME:
        forms = (each.value for each in teller.addresses if todays_form(each.kind, each.value) == told.value)
        words = f"{next(forms, 'A number')} and {told.value} are the same number, written two ways"
        yield line("same_number", words, told.value)
    elif told.manner == OTHERS:
        words = f"{teller.called} speaks of {told.value} as somebody else’s"
        yield line("of_others", words, told.value, entries=entries)
    elif address.is_shared or owners.get((told.kind, told.value), 0) > SEVERAL:
        words = f"{told.value} is used by several people"
        yield line("address", words, told.value, entries=entries, points=1)
    elif told.manner in (OWN, SIGNED):
        how = f"signs with {told.value}" if told.manner == SIGNED else f"gives {told.value} as theirs"
        words = f"{teller.called} {how}, and it is on record for {owner.called}"
        yield line("their_address", words, told.value, entries=entries)
    else:
        words = f"{teller.called} mentions {told.value}, which is on record for {owner.called}"
        yield line("address", words, told.value, entries=entries)


def same_addresses(one: Side, other: Side, owners: Owners) -> Iterator[Line]:
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
            yield line("same_address" if both else "also_address", words, value, entries=entries)


THINGS = {
    TraceKind.ORDER: ("order", "Both ask about order #{value}"),
    TraceKind.FILE: ("file", "Both sent the same file"),
    TraceKind.WORDS: ("words", "Both sent the same text"),
    TraceKind.MAILBOX: ("mailbox", "{value} is one mailbox behind both addresses"),
}


def things(one: Side, other: Side, owners: Owners) -> Iterator[Line]:
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
                yield line("of_others", said, shown, entries=entries)
                continue
            points = WEIGHTS[name] if not counted else 1
            if owners.get((kind, value), 0) > SEVERAL:
                points = 1
            counted += 1
            yield line(name, words.format(value=value), shown, entries=entries, points=points)

"""Entries go into another case with all that hangs on them: moves, codes, what was told, who is copied in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Q

from inbox.models import Case, Entry, EntryKind, Fact, FactKind, Invitation, Participant, Switch
from inbox.models.fact import order_numbers


def carry(homes: Mapping[int, int]) -> None:
    """`homes`: {entry id: id of the case it goes into}. Everybody concerned is locked by the caller."""
    moved = list(Entry.objects.filter(pk__in=homes).order_by("pk"))
    cases = {each.case_id for each in moved if each.case_id} | {*homes.values()}
    going: dict[int, list[int]] = defaultdict(list)
    for entry, home in homes.items():
        going[home].append(entry)
    for home, entries in going.items():
        Entry.objects.filter(pk__in=entries).update(case=home)
        Switch.objects.filter(entry__in=entries).update(case=home)
        Invitation.objects.filter(told_in__in=entries).update(case=home)
        _carry_pins(entries, home)
    _tell_orders_again(moved, cases)
    _name_participants_again(moved, cases)


def _carry_pins(entries: Sequence[int], home: int) -> None:
    for fact in Fact.objects.filter(entry__in=entries, kind=FactKind.PINNED):
        if not Fact.objects.filter(case=home, kind=fact.kind, value=fact.value).exists():
            Fact.objects.filter(pk=fact.pk).update(case=home, customer=Case.objects.get(pk=home).customer_id)


def _tell_orders_again(moved: Iterable[Entry], cases: Iterable[int]) -> None:
    """An order number belongs to every case in which it was written, with the first entry that says it."""
    values = {value for each in moved for value in order_numbers(f"{each.subject}\n{each.text}")}
    for case in Case.objects.filter(pk__in=cases) if values else []:
        for value in values:
            _tell_order(case, value)


def _tell_order(case: Case, value: str) -> None:
    said = case.entries.filter(Q(text__contains=value) | Q(subject__contains=value), kind=EntryKind.MESSAGE)
    first = next((each for each in said.order_by("pk") if value in order_numbers(f"{each.subject}\n{each.text}")), None)
    known = Fact.objects.filter(case=case, kind=FactKind.ORDER, value=value)
    if first is None:
        known.delete()
    elif not known.update(entry=first, at=first.created_at):
        about = {"customer": case.customer.current(), "entry": first, "at": first.created_at}
        Fact.objects.create(case=case, kind=FactKind.ORDER, value=value, **about)


def _name_participants_again(moved: Iterable[Entry], cases: Iterable[int]) -> None:
    """Who was copied in stays where a mail names them: nobody gets a copy of the other matter."""
    of_mail = [each for each in moved if each.headers or each.kind == EntryKind.PARTICIPANT]
    everybody = {row.identity_id: row for row in _rows(cases)} if of_mail else {}
    for identity, row in everybody.items():
        named = [each for each in _mails(row, cases) if each.case_id]
        firsts: dict[int, Entry] = {}
        for mail in named:
            firsts.setdefault(mail.case_id or 0, mail)
        here = {each.case_id: each for each in _rows(cases) if each.identity_id == identity}
        _place(row, here, firsts)


def _rows(cases: Iterable[int]) -> list[Participant]:
    return list(Participant.objects.filter(case__in=cases).select_related("identity", "entry").order_by("pk"))


def _mails(row: Participant, cases: Iterable[int]) -> list[Entry]:
    """Those that name them, and those they wrote."""
    value = row.identity.value
    named = Q(headers__to__contains=value) | Q(headers__cc__contains=value) | Q(pk=row.entry_id)
    wrote = Q(kind=EntryKind.PARTICIPANT, identity=row.identity_id)
    return list(Entry.objects.filter(named | wrote, case__in=cases).order_by("pk"))


def _place(row: Participant, here: dict[int, Participant], firsts: dict[int, Entry]) -> None:
    """One row in each case that names them: those that are there, then those to spare, then new ones."""
    spare = [each for case, each in here.items() if case not in firsts]
    for case, entry in firsts.items():
        known = here.get(case) or (spare.pop() if spare else None)
        if known:
            Participant.objects.filter(pk=known.pk).update(case=case, entry=entry)
        else:
            about = {"role": row.role, "name": row.name, "added_at": row.added_at}
            Participant.objects.create(case_id=case, identity_id=row.identity_id, entry=entry, **about)
    if firsts:
        Participant.objects.filter(pk__in=[each.pk for each in spare]).delete()

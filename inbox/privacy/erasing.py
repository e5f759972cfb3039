"""An address, or a whole person, is forgotten. What belongs to others stays as it was, byte for byte.

Rows keep their ids, so that figures, joins and their undoing go on to hold; what they said is gone. An erased address
leaves a tombstone: what it wrote before does not come back, and whoever writes from it anew is somebody new.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from customers.identities import ERASED
from customers.models import Consent, Customer, EarlierHandle, ExternalId, Identity, IdentityLink, Tombstone
from inbox.intake import files
from inbox.locking import ATTEMPTS, Moved, lock
from inbox.models import (
    Act,
    Agent,
    Alert,
    Attachment,
    Audit,
    Case,
    Draft,
    Entry,
    EntryKind,
    Invitation,
    Merge,
    Regrouping,
)
from inbox.models.cases import CaseQuerySet
from inbox.models.entry import EntryQuerySet
from inbox.privacy import imported, naming, originals, weighed
from inbox.privacy.asking import answered_by_erasing
from inbox.privacy.emptying import Emptied, correct, empty
from inbox.privacy.hanging import delete_hanging
from inbox.privacy.naming import knowing

HARMLESS = ("assigned", "moved_team", "resolved", "reopened", "snoozed", "woke")  # events that speak of us alone
SPOKEN_TO = (EntryKind.MESSAGE, EntryKind.PARTICIPANT, EntryKind.REPLY, EntryKind.FILED)


def erase_address(identity: Identity, *, by: Agent | None, why: str) -> Counter[str]:
    """What was said from it and to it. The other addresses of the same person, joined or not, are not touched.

    Who has no other address is erased as a person. Returns how many entries and files went; what they came in goes
    in a worker.
    """
    fresh = Identity.objects.get(pk=identity.pk)
    if fresh.erased_at:
        return Counter()
    if not fresh.customer.identities.filter(erased_at=None).exclude(pk=fresh.pk).exists():
        return erase_person(fresh.customer, by=by, why=why)
    return _locked(
        lambda: Identity.objects.get(pk=fresh.pk).customer_id,
        lambda owner: knowing(owner.family()),
        lambda owner: _address(fresh, owner, by, why),
    )


def erase_person(customer: Customer, *, by: Agent | None, why: str) -> Counter[str]:
    """Everybody who was found to be the same is this person."""
    return _locked(
        lambda: Customer.objects.get(pk=customer.pk).current().pk,
        lambda person: knowing(person.family()),
        lambda person: _person(person, by, why),
    )


def _locked(
    whose: Callable[[], int], concerned: Callable[[Customer], Q], act: Callable[[Customer], Counter[str]]
) -> Counter[str]:
    """Under the locks of whom it is about and of all others in whose cases something changes."""
    for _ in range(ATTEMPTS):
        owner = whose()
        locks = _owners(owner, concerned)
        with suppress(Moved), transaction.atomic():
            customers = {each.pk: each for each in lock(*locks)}
            if whose() != owner or not _owners(owner, concerned) <= locks:
                raise Moved
            return act(customers[owner])
    raise Moved


def _owners(owner: int, concerned: Callable[[Customer], Q]) -> set[int]:
    person = Customer.objects.get(pk=owner)
    others = Case.objects.filter(concerned(person)).exclude(customer__in=person.family())
    return {owner, *(case.current().customer.current().pk for case in others)}


def _address(identity: Identity, owner: Customer, by: Agent | None, why: str) -> Counter[str]:
    identity.refresh_from_db()
    if identity.erased_at:
        return Counter()
    said = Entry.objects.filter(identity=identity)
    found = _emptied(said, by)
    _forget_regroupings(found.entries)
    names = _names_of_address(identity)
    roots = _roots(found.entries)
    for case in roots:
        if not _others_speak_in(case, identity):
            _add(found, _emptied_case(case, by))
        _forget_names(Entry.objects.filter(case__in=case.family()), names)
        case.tie(by=by, entries=[each.pk for each in found.entries])
        Alert.objects.close_if_answered(case)
        correct(case, found)
    family = owner.family()
    naming.forget(names, Case.objects.filter(knowing(family) | Q(customer__in=family)))
    imported.forget(names)
    weighed.forget(names, family)
    originals.remove_later(owner, found.entries, [identity])
    _bury([identity], found.counted)
    Audit.objects.note(Act.ERASE_ADDRESS, by=by, why=why, customer=owner, found=found.counted)
    return found.counted


def _person(person: Customer, by: Agent | None, why: str) -> Counter[str]:
    family = person.family()
    identities = list(Identity.objects.filter(customer__in=family).order_by("pk"))
    if person.erased_at and not any(each.erased_at is None for each in identities):
        return Counter()
    names = _names_of(family, identities)
    naming.forget(names, Case.objects.filter(knowing(family)).exclude(customer__in=family))
    imported.forget(names | {*ExternalId.objects.filter(customer__in=family).values_list("value", flat=True)})
    nobody = _blank(Customer(), "merged_into", "created_at")
    Customer.objects.filter(pk__in=family).update(**nobody, erased_at=now())  # before anything is announced
    cases = Case.objects.filter(customer__in=family)
    found = _emptied(Entry.objects.filter(Q(identity__in=identities) | Q(case__in=cases)), by)
    _forget_cases(cases)
    for case in cases.unmerged().select_related("customer", "assignee", "team").order_by("pk"):
        case.resolve(by=by)
        correct(case, found)
    for case in _roots([each for each in found.entries if each.case_id]):  # where they were copied in
        if case.customer_id not in family:
            correct(case, found)
    _forget_joins(family)
    _forget_regroupings(found.entries)
    Tombstone.objects.set_for_external_ids_of(family)
    found.counted["rows"] += delete_hanging(Customer, family)
    living = [each for each in identities if each.erased_at is None]
    originals.remove_later(person, found.entries, living)
    _bury(living, found.counted)
    IdentityLink.objects.filter(customer__in=family).update(words="")
    answered_by_erasing(person, by=by)
    Audit.objects.note(Act.ERASE_PERSON, by=by, why=why, customer=person, found=found.counted)
    return found.counted


def _blank(row: Customer | Identity, *kept: str) -> dict[str, object]:
    """Every column that could tell who it was, as a new row has it; also those that somebody adds tomorrow."""
    fields = [each for each in row._meta.concrete_fields if each.name not in ("id", "erased_at", *kept)]
    return {each.name: getattr(row, each.attname) for each in fields}


def _emptied(entries: EntryQuerySet, by: Agent | None) -> Emptied:
    rows = entries.exclude(kind=EntryKind.EVENT, event__in=HARMLESS).order_by("pk")
    return empty(list(rows.defer("html", "quoted", "search")), by=by, knows_nobody=True)


def _roots(entries: Sequence[Entry]) -> list[Case]:
    """The cases that these are read in today."""
    ids = {each.case_id for each in entries if each.case_id}
    found = {root.pk: root for root in (case.current() for case in Case.objects.filter(pk__in=ids))}
    return [found[pk] for pk in sorted(found)]


def _others_speak_in(case: Case, identity: Identity) -> bool:
    spoken = case.timeline().filter(kind__in=SPOKEN_TO, erased_at=None, identity__isnull=False)
    return spoken.exclude(identity=identity).exists()


def _emptied_case(case: Case, by: Agent | None) -> Emptied:
    """Nobody else ever spoke in it: its notes and events are about them alone."""
    _forget_cases(Case.objects.filter(pk__in=case.family()))
    return _emptied(case.timeline(), by)


def _add(found: Emptied, more: Emptied) -> None:
    found.entries = [*found.entries, *more.entries]
    found.subjects |= more.subjects
    found.counted.update(more.counted)


def _forget_cases(cases: CaseQuerySet) -> None:
    """What a case was called, what was being written there; and no mail that knew it comes to it any more."""
    files.forget(Attachment.objects.filter(draft__case__in=cases))
    Draft.objects.filter(case__in=cases).delete()
    for case in cases:
        Case.objects.filter(pk=case.pk).update(subject="", reply_token=secrets.token_hex(16), last_author="")


def _forget_names(entries: EntryQuerySet, names: set[str]) -> None:
    """Events that name the address."""
    told = entries.filter(naming.naming("text", names), kind=EntryKind.EVENT)
    told.update(text="", data={}, erased_at=now(), touched_at=now())


def _names_of(family: Sequence[int], identities: Sequence[Identity]) -> set[str]:
    names = {*Customer.objects.filter(pk__in=family).values_list("name", flat=True)}
    return (names | {name for each in identities for name in _names_of_address(each)}) - {""}


def _names_of_address(identity: Identity) -> set[str]:
    earlier = EarlierHandle.objects.filter(identity=identity).values_list("handle", flat=True)
    names = {*earlier} | ({identity.shown, identity.value, identity.handle} if identity.erased_at is None else set())
    return names - {""}


def _forget_regroupings(entries: Sequence[Entry]) -> None:
    """By what name these were written before they were given to somebody else."""
    ids, cases = {str(each.pk) for each in entries}, {each.case_id for each in entries if each.case_id}
    for regrouping in Regrouping.objects.filter(Q(from_case__in=cases) | Q(to_case__in=cases)):
        authors = regrouping.before.get("authors", {})
        if ids & {*authors}:
            regrouping.before["authors"] = {pk: "" if pk in ids else name for pk, name in authors.items()}
            regrouping.save(update_fields=["before"])


def _forget_joins(family: Sequence[int]) -> None:
    for merge in Merge.objects.filter(Q(survivor__in=family) | Q(absorbed__in=family)):
        for side in {"person", "person_then"} & {*merge.before}:
            was = merge.before[side]
            merge.before[side] = {name: value if isinstance(value, bool) else "" for name, value in was.items()}
        merge.reason = ""
        merge.save(update_fields=["before", "reason"])


def _bury(identities: Sequence[Identity], counted: Counter[str]) -> None:
    """A value that no message can come from, and a tombstone of what it was."""
    ids = [each.pk for each in identities]
    for identity in identities:
        Tombstone.objects.set_for(identity.kind, identity.scope, identity.value)
    Consent.objects.filter(identity__in=ids).exclude(words="").update(words="")
    IdentityLink.objects.filter(identity__in=ids).update(words="", entry_uuid=None)
    Invitation.objects.filter(told_to__in=ids, used_at=None).update(expires_at=now())
    blank = _blank(Identity(), "kind", "scope", "value", "customer", "first_seen_at", "last_inbound_at")
    for pk in ids:
        Identity.objects.filter(pk=pk).update(**blank, value=f"{ERASED}{pk}", erased_at=now())
    counted["rows"] += delete_hanging(Identity, ids)  # last: whoever writes down more of them waits for the row

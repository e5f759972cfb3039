"""An erased name or address in the histories of others: who were taken for them, were told apart from them, or were
written to with them. Their links and the journals by which joins and moves are taken back forget it as well."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils.timezone import now

from customers.models import Customer, Identity, IdentityLink
from inbox.models import Case, Draft, Entry, EntryKind, Merge, Participant, Regrouping
from inbox.models.cases import CaseQuerySet
from inbox.models.entry import READERS, SOMEBODY, EntryQuerySet

ADDRESS = re.compile(r"[^\s<>\"',;]+@[^\s<>\"',;]+")


def knowing(family: Sequence[int]) -> Q:
    """Cases in which these spoke, were copied in or got a mail, and those of people who were taken for them or given
    their messages."""
    spoke = Entry.objects.filter(identity__customer__in=family).values("case")
    got = _got({*Identity.objects.filter(customer__in=family).values_list("value", flat=True)}).values("case")
    copied_in = Participant.objects.filter(identity__customer__in=family).values("case")
    merges = Merge.objects.filter(Q(survivor__in=family) | Q(absorbed__in=family)).values_list("survivor", "absorbed")
    told_apart = Regrouping.objects.filter(Q(from_case__customer__in=family) | Q(to_case__customer__in=family))
    sides = told_apart.values_list("from_case__customer", "to_case__customer")
    people = {pk for pair in [*merges, *sides] for pk in pair}
    everybody = {pk for each in Customer.objects.filter(pk__in=people) for pk in each.current().family()}
    return Q(pk__in=spoke) | Q(pk__in=copied_in) | Q(pk__in=got) | Q(customer__in=everybody)


def forget(names: set[str], cases: CaseQuerySet) -> None:
    """`cases`: in which they may be named. Expects the locks of whose they are today."""
    if not names:
        return
    found = list(cases)
    for case in found:
        _forget_in(case, names)
    _forget_drafts({name for name in names if "@" in name})
    people = {pk for case in found for pk in [case.customer_id, *case.current().customer.current().family()]}
    for link in IdentityLink.objects.filter(naming("words", names), customer__in=people):
        link.words = without(link.words, names)[:200]
        link.save(update_fields=["words"])
    for merge in Merge.objects.filter(Q(survivor__in=people) | Q(absorbed__in=people)).select_related("survivor"):
        _forget_join(merge, names)
    for moved in Regrouping.objects.filter(Q(from_case__customer__in=people) | Q(to_case__customer__in=people)):
        _forget_move(moved, names)


def _forget_in(case: Case, names: set[str]) -> None:
    rows = Entry.objects.filter(case=case, kind=EntryKind.EVENT).alias(told=Cast("data", TextField()))
    found = list(rows.filter(naming("text", names) | naming("told", names)).defer("search"))
    for event in found:
        event.text, event.data, event.touched_at = without(event.text, names), without(event.data, names), now()
    if found:
        Entry.objects.bulk_update(found, ["text", "data", "touched_at"], batch_size=100)
    if _forget_readers(case, names) or found:
        case.current().changed()


def _forget_readers(case: Case, names: set[str]) -> bool:
    """Our own mails forget to whom else they went. One that has not left yet does not go there."""
    found = list(_got(names).filter(case=case).defer("search"))
    for mail in found:
        for told, name in ((mail.headers, "cc"), (mail.data, "cc"), (mail.data, "bcc")):
            told[name] = [each for each in told.get(name, []) if each not in names]
        if mail.data.get("sent_to") in names:
            mail.data["sent_to"] = SOMEBODY  # and so it goes to nobody else
        if "copied_in" in mail.data:
            mail.data["copied_in"] = {each: was for each, was in mail.data["copied_in"].items() if each not in names}
        mail.touched_at = now()
    Entry.objects.bulk_update(found, ["headers", "data", "touched_at"], batch_size=100)
    return bool(found)


def _got(addresses: set[str]) -> EntryQuerySet:
    """Mails of ours that went to one of these beside the customer's own address."""
    there = reduce(or_, (Q(data__cc__contains=each) | Q(data__bcc__contains=each) for each in addresses), Q())
    mails = Entry.objects.filter(kind=EntryKind.REPLY, data__has_any_keys=READERS)
    return mails.filter(there | Q(data__sent_to__in=addresses))


def _forget_drafts(addresses: set[str]) -> None:
    """A mail that is being written names them no more, whosever it is."""
    named = (Q(cc__icontains=each) | Q(bcc__icontains=each) for each in addresses)
    for draft in Draft.objects.filter(reduce(or_, named, Q(sent_to__in=addresses))):
        draft.cc, draft.bcc = _left(draft.cc, addresses), _left(draft.bcc, addresses)
        draft.sent_to = "" if draft.sent_to in addresses else draft.sent_to
        draft.save(update_fields=["cc", "bcc", "sent_to"])


def _left(typed: str, addresses: set[str]) -> str:
    pieces = [each.strip() for each in re.split("[,;]", typed)]
    return ", ".join(each for each in pieces if each and addresses.isdisjoint(ADDRESS.findall(each.lower())))


def _forget_join(merge: Merge, names: set[str]) -> None:
    """What each was called when they were joined goes, unless that is how they are called themselves."""
    reason, before = without(merge.reason, names), dict(merge.before)
    for side in {"person", "person_then"} & {*before}:
        if before[side].get("name") in names - {merge.survivor.name, merge.absorbed.name}:
            before[side] = before[side] | {"name": ""}
    if (reason, before) != (merge.reason, merge.before):
        merge.reason, merge.before = reason, before
        merge.save(update_fields=["reason", "before"])


def _forget_move(moved: Regrouping, names: set[str]) -> None:
    """By what name messages were written before they were given to somebody else."""
    authors = moved.before.get("authors", {})
    if not names.isdisjoint(authors.values()):
        moved.before["authors"] = {pk: "" if name in names else name for pk, name in authors.items()}
        moved.save(update_fields=["before"])


def without(told: Any, names: set[str]) -> Any:
    """Words, or what holds words, with nobody's name in it."""
    if isinstance(told, dict):
        return {key: without(value, names) for key, value in told.items()}
    if isinstance(told, list):
        return [without(each, names) for each in told]
    if not isinstance(told, str):
        return told
    longest_first = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.sub(rf"(?<!\w)(?:{longest_first})(?!\w)", SOMEBODY, told)


def naming(field: str, names: set[str]) -> Q:
    return reduce(or_, (Q(**{f"{field}__contains": name}) for name in names))

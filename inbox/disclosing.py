"""What was learned on one address is not told on another that may be somebody else's.

Only where there is a doubt: two addresses are one person's on an agent's word alone, a number was never heard from, or
fell silent for long.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q

from customers.identities import EMAIL, PHONE, found_in
from customers.models import Customer, Identity, IdentityLink
from inbox.models import Attachment, Case, EntryKind, Fact, Merge

CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
MOST_READ = 300
INBOUND = (EntryKind.MESSAGE, EntryKind.PARTICIPANT)


@dataclass(frozen=True, slots=True)
class Disclosure:
    """`what` a reply would tell, and the address it was learned on, if any."""

    what: str
    learned_on: Identity | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """What a reply would tell an address of the customer that may be somebody else's, or others who are copied in."""

    people: Sequence[Identity]
    found: Sequence[Disclosure]
    is_copied: bool = False
    is_unknown: bool = False  # a mail wants its answer there, and nobody knows whose address it is

    @property
    def shown(self) -> str:
        *others, last = [each.shown for each in self.people]
        return f"{', '.join(others)} and {last}" if others else last

    @property
    def what(self) -> str:
        return ", ".join(each.what for each in self.found)


def held_for(
    case: Case,
    to: Identity,
    copied: Sequence[Identity],
    text: str,
    files: Sequence[Attachment] = (),
    *,
    new: Sequence[Identity] = (),
    since: Mapping[str, int] | None = None,
) -> list[Held]:
    """Everybody who would be told too much by a reply to `to`; empty when it may leave. `new`: copied in with this very
    reply, so they have read nothing yet. `since`: by address, the last entry before somebody began to read along. Who
    is nobody's yet need not be stored."""
    later = since or {}
    family = {*case.customer.current().family()}
    theirs = [each for each in (to, *copied, *new) if each.customer_id in family]
    others = [each for each in copied if each.customer_id not in family and each.value not in later]
    latecomers = [each for each in copied if each.customer_id not in family and each.value in later]
    newest = [each for each in new if each.customer_id not in family]
    held = [Held([each], would_disclose(case, each, text, files)) for each in theirs]
    if to not in theirs:
        held.append(Held([to], would_tell_a_stranger(case, to, text, files), is_unknown=True))
    if others:
        held.append(Held(others, would_tell_others(case, to, text, files), is_copied=True))
    for each in latecomers:
        told = would_tell_a_latecomer(case, to, each, later[each.value], text, files)
        held.append(Held([each], told, is_copied=True))
    if newest:
        held.append(Held(newest, _told(case, to, text, files, "", told_by=None), is_copied=True))
    return [each for each in held if each.found]


def link_of(identity: Identity) -> IdentityLink | None:
    return IdentityLink.objects.active().filter(identity=identity).select_related("identity").first()


def would_disclose(case: Case, to: Identity, text: str, files: Sequence[Attachment] = ()) -> list[Disclosure]:
    """Empty when nothing in the reply was learned on an address that may be another person's."""
    doubt = doubt_about(case.customer.current(), to)
    if doubt is None:
        return []
    found = _told(case, to, text, files, _said(case, Q(identity=to)), told_by=to)
    return [each for each in found if each.learned_on is None or doubt.is_about(each.learned_on)]


def would_tell_others(case: Case, to: Identity, text: str, files: Sequence[Attachment] = ()) -> list[Disclosure]:
    """For people copied into a reply to `to`. They read along on that channel; the rest was not said to them."""
    return _told(case, to, text, files, _said(case, Q(channel=to.kind)), told_by=to if to.pk else None)


def would_tell_a_latecomer(
    case: Case, to: Identity, reader: Identity, since: int, text: str, files: Sequence[Attachment] = ()
) -> list[Disclosure]:
    """They know what came on that channel since they read along, and the replies that they got."""
    came = Q(channel=to.kind, pk__gt=since, kind__in=INBOUND)
    got = Q(kind=EntryKind.REPLY, unsent_at=None, headers__cc__contains=reader.value)
    return _told(case, to, text, files, _words(case, came | got), told_by=None)


def would_tell_a_stranger(case: Case, to: Identity, text: str, files: Sequence[Attachment] = ()) -> list[Disclosure]:
    """Whoever reads the address where a mail wants its answer knows what such mails said, and nothing else."""
    wrote = Q(data__answer_at=to.value) | (Q(identity=to) if to.pk else Q())
    return _told(case, to, text, files, _said(case, wrote), told_by=None)


def _told(
    case: Case, to: Identity, text: str, files: Sequence[Attachment], said: str, *, told_by: Identity | None
) -> list[Disclosure]:
    """`told_by`: whose own words and files are no news to those who read it."""
    found = [*_facts(case, told_by, text, said), *_addresses(case.customer.current(), to, text, said)]
    found += [*_files(case, told_by, files)]
    found += [Disclosure("a card number") for card in _cards(text) if card not in _digits(said)]
    return list(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Doubt:
    """Who reads an address: perhaps anybody, perhaps only those on its side of a join that an agent made."""

    identity: Identity
    is_anybody: bool
    joins: Sequence[Merge]

    def is_about(self, other: Identity) -> bool:
        return self.is_anybody or any(join.is_between(self.identity.pk, other.pk) for join in self.joins)

    @property
    def words(self) -> str:
        link = link_of(self.identity)
        return link.why if link and self.is_anybody else "An agent said so; no code was returned yet."


def doubt_about(customer: Customer, identity: Identity) -> Doubt | None:
    """None where it is sure that whoever reads this address is the customer, all of them."""
    link = link_of(identity)
    is_anybody = link is not None and not link.is_sure_by_itself
    joins = list(Merge.objects.unproven_of(customer))
    return Doubt(identity, is_anybody, joins) if is_anybody or joins else None


def _said(case: Case, where: Q) -> str:
    """What they wrote from that very address is no news to whoever reads it."""
    return _words(case, where & Q(kind__in=INBOUND))


def _words(case: Case, where: Q) -> str:
    texts = case.timeline().filter(where).order_by("-pk").values_list("subject", "text")[:MOST_READ]
    return "\n".join(f"{subject}\n{text}" for subject, text in texts)


def _facts(case: Case, told_by: Identity | None, text: str, said: str) -> list[Disclosure]:
    rows = Fact.objects.filter(case__in=case.family()).select_related("entry__identity")
    rows = rows.exclude(entry__identity=told_by) if told_by else rows
    written = _plain(text)
    return [
        Disclosure(row.shown, row.entry.identity)
        for row in rows[:MOST_READ]
        if _plain(row.value) in written and _plain(row.value) not in _plain(said)
    ]


def _addresses(customer: Customer, to: Identity, text: str, said: str) -> list[Disclosure]:
    """Their other addresses; and any address they told us elsewhere is among these or in a fact."""
    theirs = {(each.kind, each.value): each for each in customer.identities.exclude(pk=to.pk)}
    written = found_in(text, settings.DEFAULT_REGION) - found_in(said, settings.DEFAULT_REGION)
    names = {EMAIL: "their email address", PHONE: "their phone number"}
    return [Disclosure(names[kind], theirs[kind, value]) for kind, value in sorted(written) if (kind, value) in theirs]


def _files(case: Case, told_by: Identity | None, files: Sequence[Attachment]) -> list[Disclosure]:
    """A file of theirs from another address, sent back."""
    sums = {each.sha256: each for each in files if each.sha256}
    if not sums:
        return []
    came = Attachment.objects.filter(entry__case__in=case.family(), sha256__in=sums, entry__kind=EntryKind.MESSAGE)
    rows = (came.exclude(entry__identity=told_by) if told_by else came).select_related("entry__identity")
    return [Disclosure(f"the file {row.name}", row.entry.identity) for row in rows if row.entry]


def _cards(text: str) -> list[str]:
    return [digits for digits in (_digits(match) for match in CARD.findall(text)) if _is_card(digits)]


def _is_card(digits: str) -> bool:
    """Luhn, as every card number satisfies it."""
    doubled = [int(each) * (2 if place % 2 else 1) for place, each in enumerate(reversed(digits))]
    return sum(each // 10 + each % 10 for each in doubled) % 10 == 0


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def surest(customer: Customer, *, about: Identity) -> Identity | None:
    """Where a code is sent to make sure of an address: on the other side of the doubt, where they wrote from last."""
    doubt = doubt_about(customer, about)
    links = IdentityLink.objects.active().filter(identity__customer=customer).exclude(identity=about)
    sure = [link.identity for link in links.select_related("identity") if link.is_sure_by_itself]
    other_side = [each for each in sure if doubt is None or doubt.is_about(each)]
    written = {each: each.last_inbound_at for each in other_side if each.last_inbound_at}
    return max(written, key=lambda each: written[each], default=None)


def overridden(held: Sequence[Held]) -> str:
    """For the timeline, where supervisors find it."""
    told = "; ".join(f"{each.what} to {each.shown}" for each in held)
    return f"sent {told} although we are not sure that this is the customer"

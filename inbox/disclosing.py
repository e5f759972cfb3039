"""What was learned on one address is not told on another that may be somebody else's.

Only where it is not sure whose the address is: an agent's word alone, a number never heard from, one that fell silent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from customers.identities import EMAIL, PHONE, found_in
from customers.models import Customer, Identity, IdentityLink
from inbox.models import Attachment, Case, EntryKind, Fact

CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
MOST_READ = 300


@dataclass(frozen=True, slots=True)
class Disclosure:
    """`what` a reply would tell, and the address it was learned on, if any."""

    what: str
    learned_on: Identity | None = None


def link_of(identity: Identity) -> IdentityLink | None:
    return IdentityLink.objects.active().filter(identity=identity).select_related("identity").first()


def would_disclose(case: Case, to: Identity, text: str, files: Sequence[Attachment] = ()) -> list[Disclosure]:
    """Empty when the address is sure, or when nothing in the reply was learned elsewhere."""
    link = link_of(to)
    if link is None or link.assurance.is_sure:
        return []
    told_here = _said_by(case, to)
    found = [*_facts(case, to, text, told_here), *_addresses(case.customer.current(), to, text, told_here)]
    found += [Disclosure("a card number") for card in _cards(text) if card not in _digits(told_here)]
    return list(dict.fromkeys([*found, *_files(case, to, files)]))


def _said_by(case: Case, identity: Identity) -> str:
    """What they wrote from that very address is no news to whoever reads it."""
    said = case.timeline().filter(identity=identity, kind__in=[EntryKind.MESSAGE, EntryKind.PARTICIPANT])
    texts = said.order_by("-pk").values_list("subject", "text")[:MOST_READ]
    return "\n".join(f"{subject}\n{text}" for subject, text in texts)


def _facts(case: Case, to: Identity, text: str, told_here: str) -> list[Disclosure]:
    rows = Fact.objects.filter(case__in=case.family()).exclude(entry__identity=to).select_related("entry__identity")
    written = _plain(text)
    return [
        Disclosure(row.shown, row.entry.identity)
        for row in rows[:MOST_READ]
        if _plain(row.value) in written and _plain(row.value) not in _plain(told_here)
    ]


def _addresses(customer: Customer, to: Identity, text: str, told_here: str) -> list[Disclosure]:
    """Their other addresses; and any address they told us elsewhere is among these or in a fact."""
    theirs = {(each.kind, each.value): each for each in customer.identities.exclude(pk=to.pk)}
    written = found_in(text, settings.DEFAULT_REGION) - found_in(told_here, settings.DEFAULT_REGION)
    names = {EMAIL: "their email address", PHONE: "their phone number"}
    return [Disclosure(names[kind], theirs[kind, value]) for kind, value in sorted(written) if (kind, value) in theirs]


def _files(case: Case, to: Identity, files: Sequence[Attachment]) -> list[Disclosure]:
    """A file of theirs from another address, sent back."""
    sums = {each.sha256: each for each in files if each.sha256}
    if not sums:
        return []
    came = Attachment.objects.filter(entry__case__in=case.family(), sha256__in=sums, entry__kind=EntryKind.MESSAGE)
    rows = came.exclude(entry__identity=to).select_related("entry__identity")
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


def surest(customer: Customer, *, but: Identity) -> Identity | None:
    """Where a code can be sent to, to make sure of another address: the one they wrote from last."""
    links = IdentityLink.objects.active().filter(identity__customer=customer).exclude(identity=but)
    sure = [link.identity for link in links.select_related("identity") if link.assurance.is_sure]
    return max(sure, key=lambda each: each.last_inbound_at.timestamp() if each.last_inbound_at else 0.0, default=None)


def overridden(to: Identity, found: Sequence[Disclosure]) -> str:
    """For the timeline, where supervisors find it."""
    what = ", ".join(each.what for each in found)
    return f"sent {what} to {to.shown} although it is not sure whose address that is"

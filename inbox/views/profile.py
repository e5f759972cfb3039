"""All that is known of one person, over all channels and joins. Whatever shows an entry asks who is looking."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet
from django.utils.timezone import localtime

from connectors.adapters import ADAPTERS
from connectors.models import Connector
from customers.clocks import local_time, zone_of
from customers.identities import PHONE, WHATSAPP
from customers.languages import called
from customers.models import (
    Attribute,
    Consent,
    Customer,
    EarlierHandle,
    Event,
    ExternalId,
    Identity,
    IdentityLink,
    Order,
    PinnedNote,
    Relationship,
)
from customers.models.consent import ConsentState, Purpose
from inbox.detaching import TAKEN_AWAY
from inbox.models import Agent, Case, Entry, EntryKind, Merge
from inbox.views.proposed import sees
from inbox.views.timeline import Row, last_page, page_before

MOST_CASES, MOST_NOTES, MOST_TOLD, MOST_LINKS = 50, 20, 20, 50
MOST_READ = 500  # cases whose words are read together
SPOKEN = (EntryKind.MESSAGE, EntryKind.REPLY, EntryKind.PARTICIPANT)
CHANNEL_OF = {adapter.identity_kind: channel.value for channel, adapter in ADAPTERS.items()}


@dataclass(frozen=True)
class Address:
    """One way to reach them, with what we know of it."""

    identity: Identity
    channel: str
    link: IdentityLink | None
    opted_out: Sequence[str]
    handles: Sequence[EarlierHandle]
    may_ask: bool  # not sure, and there is a sure one to send a code to


@dataclass(frozen=True)
class Related:
    """Somebody beside this person, and what they are to each other."""

    relationship: Relationship
    person: Customer
    is_theirs: bool  # said the other way round: this person is the other's `role`
    is_seen: bool  # the agent may open them


@dataclass(frozen=True)
class Profile:
    addresses: Sequence[Address]
    local_time: str
    writes_in: str  # a language's name: a guess, where nobody told us
    prefers: str
    prefers_because: str
    attributes: Sequence[Attribute]
    external_ids: Sequence[ExternalId]
    orders: Sequence[Order]
    events: Sequence[Event]
    related: Sequence[Related]
    pinned: Sequence[PinnedNote]
    consents: Sequence[tuple[Consent, str]]
    links: Sequence[IdentityLink]
    strangers: set[int]  # ids of those in the links whom the agent may not see
    undoable: set[int]  # ids of links that were taken from them, and can be theirs again


def profile_of(person: Customer, family: Sequence[int], agent: Agent) -> Profile:
    """`family`: ids of everybody who is this person today."""
    addresses = addresses_of(person)
    prefers, because = _preferred(person, addresses)
    links = _links(family)
    return Profile(
        addresses=addresses,
        local_time=clock_of(person, [each.identity for each in addresses]),
        writes_in=language_of(person, [each.identity for each in addresses]),
        prefers=prefers,
        prefers_because=because,
        attributes=_attributes(person, family),
        external_ids=list(ExternalId.objects.filter(customer__in=family).order_by("source", "value")),
        orders=list(Order.objects.filter(customer__in=family).order_by("-placed_at", "-pk")[:MOST_TOLD]),
        events=list(Event.objects.filter(customer__in=family).order_by("-at", "-pk")[:MOST_TOLD]),
        related=_related(person, family, agent),
        pinned=pinned_notes(family),
        consents=_consents(addresses),
        links=links,
        strangers={pk for pk, each in _others(links, family).items() if not sees(agent, each)},
        undoable=_undoable(links, family),
    )


def clock_of(person: Customer, identities: Sequence[Identity]) -> str:
    numbers = [each.value for each in identities if each.kind in (PHONE, WHATSAPP)]
    return "" if person.is_a_line else local_time(zone_of(person.time_zone, numbers), localtime())


def language_of(person: Customer, identities: Sequence[Identity]) -> str:
    """Its name, guessed from what they wrote last; empty when somebody told us, or several people write."""
    guessed = [each for each in identities if each.writes_in and each.last_inbound_at]
    if person.language or person.is_a_line or not guessed:
        return ""
    return called(max(guessed, key=lambda each: (each.last_inbound_at, each.pk)).writes_in)


def pinned_notes(family: Sequence[int]) -> list[PinnedNote]:
    up = PinnedNote.objects.filter(customer__in=family, taken_down_at=None)
    return list(up.select_related("made_by").order_by("-pk")[:MOST_NOTES])


def addresses_of(person: Customer) -> list[Address]:
    """The one they used last comes first."""
    rows = list(person.identities.in_use().order_by("kind", "pk").prefetch_related("earlier_handles"))
    links = {
        link.identity_id: link
        for link in IdentityLink.objects.active().filter(identity__in=rows).select_related("made_by", "identity")
    }
    opted_out, unsure = _opted_out(rows), unproven(links.values())
    found = [
        Address(
            identity=row,
            channel=CHANNEL_OF.get(row.kind, row.kind),
            link=links.get(row.pk),
            opted_out=opted_out.get(row.pk, []),
            handles=sorted(row.earlier_handles.all(), key=lambda each: -each.pk),
            may_ask=row.pk in unsure,
        )
        for row in rows
    ]
    return sorted(found, key=lambda each: -_moment(each.identity.last_inbound_at))


def unproven(links: Iterable[IdentityLink]) -> set[int]:
    """Ids of the addresses whose owner could be asked for a proof, on another address of theirs that is sure."""
    links = list(links)
    sure = {link.identity_id for link in links if link.is_sure_by_itself and link.identity.last_inbound_at}
    unsure = {link.identity_id for link in links if not link.assurance.is_sure and not link.identity.is_shared}
    return {pk for pk in unsure if sure - {pk}}


def _moment(at: datetime | None) -> float:
    return at.timestamp() if at else 0.0


def _opted_out(rows: list[Identity]) -> dict[int, list[str]]:
    """The last word per address, sender of ours and purpose holds."""
    latest: dict[tuple[int, str, str], Consent] = {}
    for consent in Consent.objects.filter(identity__in=rows).order_by("pk"):
        latest[consent.identity_id, consent.sender, consent.purpose] = consent
    senders = _senders() if latest else {}
    found: dict[int, list[str]] = {}
    for (identity, sender, purpose), consent in latest.items():
        if consent.state == ConsentState.OPTED_OUT:
            whose = senders.get(sender, "us")
            what = whose if purpose == Purpose.SERVICE else f"{consent.get_purpose_display().lower()} by {whose}"
            found.setdefault(identity, []).append(f"opted out of {what} {consent.at:%d %b %Y}")
    return found


def _senders() -> dict[str, str]:
    return {str(each.uuid): each.name for each in Connector.objects.defer("credentials")}


def _preferred(person: Customer, addresses: Sequence[Address]) -> tuple[str, str]:
    """What they told us; else where most of what they wrote lately came from, if that says anything."""
    if person.prefers:
        return person.prefers, "as they told us"
    ids = [each.identity.pk for each in addresses]
    latest = Entry.objects.filter(identity__in=ids, kind=EntryKind.MESSAGE).order_by("-pk").values("pk")[:20]
    used = Entry.objects.filter(pk__in=[row["pk"] for row in latest]).values("channel").annotate(times=Count("pk"))
    counts = {row["channel"]: row["times"] for row in used}
    total, most = sum(counts.values()), max(counts.values(), default=0)
    if total < 3 or most * 2 <= total:
        return "", ""
    return next(channel for channel, times in counts.items() if times == most), f"{most} of their last {total} messages"


def _attributes(person: Customer, family: Sequence[int]) -> list[Attribute]:
    """Of the same name, that of the person they are today holds."""
    found: dict[str, Attribute] = {}
    rows = Attribute.objects.filter(customer__in=family).select_related("made_by").order_by("name", "-at")
    for row in sorted(rows, key=lambda each: each.customer_id != person.pk):
        found.setdefault(row.name.casefold(), row)
    return sorted(found.values(), key=lambda each: each.name.casefold())


def _related(person: Customer, family: Sequence[int], agent: Agent) -> list[Related]:
    """Each person once, as who they are today."""
    either = Q(customer__in=family) | Q(other__in=family)
    rows = Relationship.objects.filter(either).select_related("customer", "other").order_by("pk")
    found: dict[int, Related] = {}
    for row in rows:
        is_theirs = row.other_id in family
        other = (row.customer if is_theirs else row.other).current()
        if other.pk != person.pk:
            found.setdefault(other.pk, Related(row, other, is_theirs, sees(agent, other)))
    return list(found.values())


def _consents(addresses: Sequence[Address]) -> list[tuple[Consent, str]]:
    rows = Consent.objects.filter(identity__in=[each.identity for each in addresses]).select_related("identity")
    found = list(rows.order_by("-pk")[:MOST_LINKS])
    senders = _senders() if found else {}
    return [(each, senders.get(each.sender, "us")) for each in found]


def _links(family: Sequence[int]) -> list[IdentityLink]:
    """Also of addresses that were theirs, and are not any more."""
    mine = IdentityLink.objects.filter(customer__in=family).values("identity")
    rows = IdentityLink.objects.filter(identity__in=mine)
    return list(rows.select_related("identity", "customer", "made_by", "revoked_by").order_by("-pk")[:MOST_LINKS])


def _others(links: Sequence[IdentityLink], family: Sequence[int]) -> dict[int, Customer]:
    """Whose the addresses were besides, as who they are today."""
    return {each.customer_id: each.customer.current() for each in links if each.customer_id not in family}


def _undoable(links: Sequence[IdentityLink], family: Sequence[int]) -> set[int]:
    """The last link of theirs that each address had, if its present owner was made when it was taken away."""
    taken = Merge.objects.filter(survivor__in=family, before__has_key=TAKEN_AWAY)
    owners = {merge.before[TAKEN_AWAY]: merge.absorbed_id for merge in taken}
    last: dict[int, int] = {}
    for link in links:
        if link.revoked_at and link.customer_id in family and link.identity.customer_id == owners.get(link.identity_id):
            last.setdefault(link.identity_id, link.pk)
    return set(last.values())


@dataclass(frozen=True)
class Lanes:
    """What was said, in all cases, as the line that never breaks. `earlier`: the oldest shown, if there are older."""

    rows: Sequence[Row]
    earlier: int
    loose: str


def lanes_of(family: Sequence[int], agent: Agent, before: int = 0) -> Lanes:
    said = Entry.objects.visible_to(agent).filter(case__in=_every_case(family), kind__in=SPOKEN, unsent_at=None)
    page = page_before(said, before) if before else last_page(said)
    rows = [row for row in page.rows if row.kind in ("day", "switch", "entry")]
    return Lanes(rows, page.earlier, page.loose)


def _every_case(family: Sequence[int]) -> list[int]:
    """Ids of their latest cases, merged ones too: named, they are found by the index; joined, all entries are read."""
    return list(Case.objects.filter(customer__in=family).order_by("-pk").values_list("pk", flat=True)[:MOST_READ])


def cases_of(family: Sequence[int], agent: Agent) -> QuerySet[Case]:
    return Case.objects.visible_to(agent).unmerged().filter(customer__in=family)


def case_notes(family: Sequence[int], agent: Agent) -> QuerySet[Entry]:
    notes = Entry.objects.visible_to(agent).filter(kind=EntryKind.NOTE, case__in=_every_case(family))
    return notes.select_related("agent").defer("html", "search").order_by("-pk")[:MOST_NOTES]


def joins_of(family: Sequence[int]) -> QuerySet[Merge]:
    """Not the journals of addresses that were taken away: nobody ever said that the two are one."""
    rows = Merge.objects.filter(Q(survivor__in=family) | Q(absorbed__in=family)).exclude(before__has_key=TAKEN_AWAY)
    related = rows.select_related("survivor", "absorbed", "by", "undone_by")
    return related.prefetch_related("survivor__identities", "absorbed__identities").order_by("-pk")

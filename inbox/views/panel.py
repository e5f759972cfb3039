"""Who the customer is: addresses and what is known of each, what they told us, earlier cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection

from connectors.messages import Refusal
from customers.languages import called
from customers.models import Customer, Identity, IdentityLink, PinnedNote
from inbox.models import Agent, Case, Entry, Fact, Mention, Merge
from inbox.outbox import Option
from inbox.views.has import Has
from inbox.views.profile import CHANNEL_OF, clock_of, language_of, pinned_notes, unproven
from inbox.views.proposed import ProposalCard, cards_for

MOST_MENTIONS = 20
MOST_EARLIER, MOST_CASES = 5, 200
WRITTEN = """SELECT i.id, last.created_at FROM unnest(%s::bigint[]) i(id) CROSS JOIN LATERAL (
    SELECT created_at FROM inbox_entry WHERE identity_id = i.id AND kind = 'message' ORDER BY id DESC LIMIT 1) last"""


@dataclass(frozen=True)
class Address:
    """One way to reach the customer."""

    identity: Identity
    channel: str
    is_current: bool
    unanswered: int
    last_written_at: datetime | None
    refusal: Refusal | None
    link: IdentityLink | None
    may_ask: bool  # not sure, and there is a sure one to send a code to


@dataclass(frozen=True)
class Panel:
    addresses: Sequence[Address]
    facts: Sequence[Fact]
    earlier: Sequence[Case]
    other_cases: int  # of teams this agent is not in
    case_count: int
    mentions: Sequence[Mention]
    merges: Sequence[Merge]
    since: datetime | None
    clock: str  # "14:14 in Lisbon"
    writes_in: str  # a language's name: a guess, where nobody told us, and it is not the agents' own
    pinned: Sequence[PinnedNote]
    proposals: Sequence[ProposalCard]


def identities_of(customer: Customer) -> list[Identity]:
    """All that are in use, with the links that `panel_of` shows."""
    return list(customer.identities.in_use().order_by("pk").prefetch_related("links__made_by"))


def panel_of(
    case: Case,
    agent: Agent,
    identities: Sequence[Identity],
    *,
    ways: Sequence[Option],
    waiting: Sequence[Entry],
    family: Sequence[int],
    has: Has,
) -> Panel:
    customer = case.customer.current()
    every = set(_other_cases(case, customer)) if has.cases else set()
    visible = list(Case.objects.visible_to(agent).filter(pk__in=every).order_by("-pk")) if every else []
    addresses = _addresses(identities, ways, waiting)
    proposals = cards_for(customer, agent) if has.proposals else []
    return Panel(
        addresses=addresses,
        facts=_facts(family) if has.facts else [],
        earlier=visible[:MOST_EARLIER],
        other_cases=len(every) - len(visible),
        case_count=len(every) + 1,
        mentions=_not_proposed(_mentions(case, family, agent), proposals) if has.mentions else [],
        merges=_merges(customer) if has.merges else [],
        since=customer.created_at,
        clock=clock_of(customer, identities),
        writes_in=_unlike_ours(language_of(customer, identities)),
        pinned=pinned_notes(customer.family()) if has.pinned else [],
        proposals=proposals,
    )


def _unlike_ours(language: str) -> str:
    """Most write as the agents do; their page says so."""
    return "" if language == called(settings.LANGUAGE_CODE) else language


def _other_cases(case: Case, customer: Customer) -> list[int]:
    found = Case.objects.unmerged().filter(customer__in=customer.family()).exclude(pk=case.pk)
    return list(found.values_list("pk", flat=True)[:MOST_CASES])


def _facts(family: Sequence[int]) -> list[Fact]:
    return list(Fact.objects.filter(case__in=family).select_related("pinned_by").order_by("pk")[:20])


def _merges(customer: Customer) -> list[Merge]:
    return list(Merge.objects.filter(survivor=customer, undone_at=None).select_related("absorbed", "by"))


def _addresses(identities: Sequence[Identity], ways: Sequence[Option], waiting: Sequence[Entry]) -> list[Address]:
    refusals = {way.identity.pk: way.refusal for way in ways}
    unanswered = Counter(each.identity_id for each in waiting)
    written = _written(identities)
    last, links = max(written, key=lambda pk: written[pk], default=None), _links(identities)
    unsure = unproven(links.values())
    addresses = [
        Address(
            identity=identity,
            channel=CHANNEL_OF.get(identity.kind, identity.kind),
            is_current=identity.pk == last,
            unanswered=unanswered[identity.pk],
            last_written_at=written.get(identity.pk),
            refusal=refusals.get(identity.pk),
            link=links.get(identity.pk),
            may_ask=identity.pk in unsure,
        )
        for identity in identities
    ]
    return sorted(addresses, key=lambda each: (not each.is_current, -_moment(each.last_written_at)))


def _links(identities: Sequence[Identity]) -> dict[int, IdentityLink]:
    """The active ones, by identity."""
    found = {}
    for identity in identities:
        for link in identity.links.all():
            if link.revoked_at is None:
                link.identity = identity
                found[identity.pk] = link
    return found


def _written(identities: Sequence[Identity]) -> dict[int, datetime]:
    """By identity: when it last wrote."""
    with connection.cursor() as cursor:  # by hand: every case that is opened pays for it
        cursor.execute(WRITTEN, [[each.pk for each in identities]])
        return dict(cursor.fetchall())


def _moment(at: datetime | None) -> float:
    return at.timestamp() if at else 0.0


def _mentions(case: Case, family: Sequence[int], agent: Agent) -> list[Mention]:
    """Only to agents who may see both people."""
    found = Mention.objects.filter(entry__case__in=family, dismissed_by=None).select_related("customer", "entry")
    mentions: dict[tuple[int, str], Mention] = {}  # said again, it is the same hint
    for mention in found.order_by("pk")[:MOST_MENTIONS]:
        mention.customer = mention.customer.current()
        if mention.customer != case.customer.current() and _sees(agent, mention.customer):
            mentions.setdefault((mention.customer.pk, mention.what), mention)
    return list(mentions.values())[:3]


def _not_proposed(mentions: Sequence[Mention], proposals: Sequence[ProposalCard]) -> list[Mention]:
    """A proposal says the same and more."""
    proposed = {each.them.pk for each in proposals}
    return [each for each in mentions if each.customer.pk not in proposed]


def _sees(agent: Agent, customer: Customer) -> bool:
    return agent.is_supervisor or Case.objects.visible_to(agent).filter(customer__in=customer.family()).exists()

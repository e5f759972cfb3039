"""Who the customer is: addresses and what is known of each, what they told us, earlier cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from connectors.adapters import ADAPTERS
from connectors.messages import Refusal
from customers.models import Customer, Identity, IdentityLink
from inbox.models import Agent, Case, Entry, Fact, Mention, Merge
from inbox.outbox import Option
from inbox.views.has import Has

CHANNEL_OF = {adapter.identity_kind: channel.value for channel, adapter in ADAPTERS.items()}
MOST_MENTIONS = 20
MOST_EARLIER, MOST_CASES = 5, 200
WRITTEN = """SELECT identity_id, max(created_at),
        count(*) FILTER (WHERE channel = 'email' AND authenticity = 'pass')
    FROM inbox_entry WHERE identity_id = ANY (%s) AND kind = 'message' GROUP BY identity_id"""


@dataclass(frozen=True)
class Address:
    """One way to reach the customer. `proof` is a word, only where a provider vouched."""

    identity: Identity
    channel: str
    is_current: bool
    unanswered: int
    last_written_at: datetime | None
    refusal: Refusal | None
    proof: str
    link: IdentityLink | None


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


def panel_of(
    case: Case, agent: Agent, *, ways: Sequence[Option], waiting: Sequence[Entry], family: Sequence[int], has: Has
) -> Panel:
    customer = case.customer.current()
    every = set(_other_cases(case, customer)) if has.cases else set()
    visible = list(Case.objects.visible_to(agent).filter(pk__in=every).order_by("-pk")) if every else []
    return Panel(
        addresses=_addresses(customer, ways, waiting),
        facts=_facts(family) if has.facts else [],
        earlier=visible[:MOST_EARLIER],
        other_cases=len(every) - len(visible),
        case_count=len(every) + 1,
        mentions=_mentions(case, family, agent) if has.mentions else [],
        merges=_merges(customer) if has.merges else [],
        since=customer.created_at,
    )


def _other_cases(case: Case, customer: Customer) -> list[int]:
    found = Case.objects.unmerged().filter(customer__in=customer.family()).exclude(pk=case.pk)
    return list(found.values_list("pk", flat=True)[:MOST_CASES])


def _facts(family: Sequence[int]) -> list[Fact]:
    return list(Fact.objects.filter(case__in=family).select_related("pinned_by").order_by("pk")[:20])


def _merges(customer: Customer) -> list[Merge]:
    return list(Merge.objects.filter(survivor=customer, undone_at=None).select_related("absorbed", "by"))


def _addresses(customer: Customer, ways: Sequence[Option], waiting: Sequence[Entry]) -> list[Address]:
    identities = list(customer.identities.in_use().order_by("pk").prefetch_related("links__made_by"))
    refusals = {way.identity.pk: way.refusal for way in ways}
    unanswered = Counter(each.identity_id for each in waiting)
    written = _written(identities)
    last = max(written, key=lambda pk: written[pk][0], default=None)
    addresses = [
        Address(
            identity=identity,
            channel=CHANNEL_OF.get(identity.kind, identity.kind),
            is_current=identity.pk == last,
            unanswered=unanswered[identity.pk],
            last_written_at=written[identity.pk][0] if identity.pk in written else None,
            refusal=refusals.get(identity.pk),
            proof="signed mail" if identity.pk in written and written[identity.pk][1] else "",
            link=next((link for link in identity.links.all() if link.revoked_at is None), None),
        )
        for identity in identities
    ]
    return sorted(addresses, key=lambda each: (not each.is_current, -_moment(each.last_written_at)))


def _written(identities: Sequence[Identity]) -> dict[int, tuple[datetime, int]]:
    """By identity: when it last wrote, and how many of its mails a provider vouched for."""
    with connection.cursor() as cursor:  # by hand: every case that is opened pays for it
        cursor.execute(WRITTEN, [[each.pk for each in identities]])
        return {pk: (at, signed) for pk, at, signed in cursor.fetchall()}


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


def _sees(agent: Agent, customer: Customer) -> bool:
    return agent.is_supervisor or Case.objects.visible_to(agent).filter(customer__in=customer.family()).exists()

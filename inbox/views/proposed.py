"""What a proposal shows: to an agent who may see both people, and no line of a message that they may not read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import F
from django.db.models.functions import Coalesce

from customers.models import Customer
from inbox.models import Agent, Case, Entry, Evidence, Proposal, ProposalState
from inbox.models.proposal import ProposalQuerySet

MOST_IN_CASE = 2
MOST_COUNTED, MOST_LOOKED_THROUGH = 99, 1_000


@dataclass(frozen=True, slots=True)
class Reason:
    """One line. `here` is an entry of the person the card is shown for, `there` of the other."""

    evidence: Evidence
    here: Entry | None
    there: Entry | None


@dataclass(frozen=True, slots=True)
class ProposalCard:
    proposal: Proposal
    me: Customer
    them: Customer
    reasons: Sequence[Reason]

    @property
    def speaks_for(self) -> Sequence[Reason]:
        return [each for each in self.reasons if each.evidence.is_for]

    @property
    def speaks_against(self) -> Sequence[Reason]:
        return [each for each in self.reasons if not each.evidence.is_for]


def cards_for(customer: Customer, agent: Agent) -> list[ProposalCard]:
    """For the panel of a case: the strongest first."""
    family = customer.family()
    found = Proposal.objects.undecided().of(family).order_by("-points", "-pk")[:20]
    return cards_of(found, agent, lambda one: one.pk == customer.pk, MOST_IN_CASE)


def cards_of(
    proposals: Iterable[Proposal], agent: Agent, is_me: Callable[[Customer], bool], most: int
) -> list[ProposalCard]:
    """Those between two people of today, both of whom the agent may see, each pair once."""
    cards: list[ProposalCard] = []
    seen: set[frozenset[int]] = set()
    for proposal in proposals:
        one, other = proposal.one.current(), proposal.other.current()
        pair = frozenset((one.pk, other.pk))
        if len(pair) == 1 or pair in seen or not (sees(agent, one) and sees(agent, other)):
            continue
        me, them = (other, one) if is_me(other) else (one, other)
        reasons = _reasons(proposal, proposal.one.current() == me, agent)
        if any(each.evidence.is_for for each in reasons):
            seen.add(pair)
            cards.append(ProposalCard(proposal, me, them, reasons))
        if len(cards) == most:
            break
    return cards


def seen_by(agent: Agent, proposals: ProposalQuerySet, most: int) -> list[int]:
    """Ids of those between two people of today, each with a case that the agent may see, of the `most` strongest."""
    sides = proposals.annotate(me=_today("one"), them=_today("other")).exclude(me=F("them"))
    found = list(sides.order_by("-points", "-pk").values_list("pk", "me", "them")[:most])
    if agent.is_supervisor:
        return [pk for pk, _, _ in found]
    seen = _with_a_case(agent, {person for _, *both in found for person in both})
    return [pk for pk, me, them in found if {me, them} <= seen]


def _today(side: str) -> Coalesce:
    return Coalesce(f"{side}__merged_into__merged_into", f"{side}__merged_into", side)


def _with_a_case(agent: Agent, people: set[int]) -> set[int]:
    """Of their own, or of somebody who was found to be them. Looked up by person: there may be a million cases."""
    joined = dict(Customer.objects.filter(merged_into__in=people).values_list("pk", "merged_into"))
    visible = Case.objects.visible_to(agent).filter(customer__in={*people, *joined})
    return {joined.get(pk) or pk for pk in visible.values_list("customer", flat=True)}


def to_review(agent: Agent) -> str:
    """How many wait for an answer that this agent may give: for the rail, empty when there is none.

    Of the thousand strongest, at most 99, and the same for a second for all who see the same.
    """
    if not agent.is_allowed_to_join:
        return ""
    whose = f"agent-{agent.pk}" if agent.is_named else "teams-" + "-".join(map(str, sorted(agent.team_ids)))
    key = f"review:{'all' if agent.is_supervisor else whose}"
    count = int(cache.get_or_set(key, lambda: _count(agent), 1) or 0)
    return f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count or "")


def _count(agent: Agent) -> int:
    return len(seen_by(agent, Proposal.objects.filter(state=ProposalState.OPEN), MOST_LOOKED_THROUGH))


def _reasons(proposal: Proposal, is_one: bool, agent: Agent) -> list[Reason]:
    """Not what stands in a message that this agent may not read."""
    lines = list(proposal.evidence.all())
    ids = {pk for line in lines for pk in (line.one_entry_id, line.other_entry_id) if pk}
    entries = {each.pk: each for each in Entry.objects.visible_to(agent).filter(pk__in=ids)} if ids else {}
    found = []
    for line in lines:
        sides = (line.one_entry_id, line.other_entry_id)
        if any(pk and pk not in entries for pk in sides):
            continue
        here, there = (entries.get(pk) if pk else None for pk in (sides if is_one else sides[::-1]))
        found.append(Reason(line, here, there))
    return found


def sees(agent: Agent, customer: Customer) -> bool:
    return agent.is_supervisor or Case.objects.visible_to(agent).filter(customer__in=customer.family()).exists()

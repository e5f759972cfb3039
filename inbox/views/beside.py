"""The other matters of the same person."""

from __future__ import annotations

from inbox.models import Agent, Case

MOST = 5


def matters_beside(case: Case, agent: Agent) -> list[Case]:
    """The person's other live cases, as far as this agent sees them: the main one first."""
    if not case.beside:
        return []
    mine = Case.objects.visible_to(agent).live().filter(customer__in=case.customer.current().family())
    return list(mine.exclude(pk=case.pk).order_by("split_off", "pk")[:MOST])

"""Cases as they are asked for: the doors through which agents come to them, and the words that narrow them."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models

from config.database import rows
from customers.models import Customer
from inbox.models.agent import Agent, Team

if TYPE_CHECKING:
    from inbox.models.case import Case


class Status(models.TextChoices):
    OPEN = "open", "Open"
    WAITING = "waiting", "Waiting on customer"
    SNOOZED = "snoozed", "Snoozed"
    RESOLVED = "resolved", "Resolved"


LIVE = models.Q(is_live=True)
LIVE_OF = "SELECT {columns} FROM inbox_case WHERE customer_id = %s AND is_live AND NOT split_off"
RESOLVED_OF = """WITH RECURSIVE people(id) AS (
    VALUES (%s::bigint) UNION SELECT c.id FROM customers_customer c JOIN people p ON c.merged_into_id = p.id)
    SELECT {columns} FROM inbox_case WHERE customer_id IN (SELECT id FROM people) AND status = 'resolved'
    AND merged_into_id IS NULL AND NOT split_off AND resolved_at >= %s ORDER BY resolved_at DESC LIMIT 1"""


def named(agent: Agent, to_case: str = "") -> models.Q:
    """Sensitive cases that name this agent. For most there is none, and nothing has to be asked."""
    return models.Q(**{f"{to_case}named_ids__contains": [agent.pk]}) if agent.is_named else models.Q(pk__in=[])


def may_know(agent: Agent, to_case: str) -> models.Q:
    """What hangs on a case, unless it is a sensitive one that does not name this agent."""
    return models.Q(**{f"{to_case}named_ids": None}) | named(agent, to_case)


class CaseQuerySet(models.QuerySet["Case"]):
    def visible_to(self, agent: Agent) -> CaseQuerySet:
        """The door: cases of the agent's teams; supervisors see all; a sensitive one is seen by those it names, and by
        nobody else. There is no other way to a case in a view."""
        teams = models.Q() if agent.is_supervisor else models.Q(team_ids__overlap=agent.team_ids)
        return self.filter((teams & models.Q(named_ids=None)) | named(agent))

    def closed_to(self, agent: Agent) -> CaseQuerySet:
        """Sensitive ones that do not name this agent."""
        return self.filter(named_ids__isnull=False).exclude(named_ids__contains=[agent.pk])

    def left_alone(self) -> CaseQuerySet:
        """Sensitive ones that name nobody who is still there."""
        there = ArraySubquery(Agent.objects.active().order_by().values("pk"))
        return self.filter(named_ids__isnull=False).exclude(named_ids__overlap=there)

    def live(self) -> CaseQuerySet:
        return self.filter(LIVE)

    def main(self) -> CaseQuerySet:
        """Not deliberately split off: the case that new messages go to."""
        return self.filter(split_off=False)

    def live_of(self, customer: Customer) -> Case | None:
        """The one live case that new messages of a customer go to. By hand: every message asks for it."""
        case = next(iter(rows.fetch(self.model, LIVE_OF, [customer.pk])), None)
        if case:
            case.customer = customer
        return case

    def resolved_of(self, customer: Customer, since: datetime) -> Case | None:
        """The case resolved last of a customer, or of anybody who was joined to them."""
        return next(iter(rows.fetch(self.model, RESOLVED_OF, [customer.pk, since])), None)

    def with_status(self, status: Status) -> CaseQuerySet:
        return self.filter(status=status, merged_into=None)

    def unmerged(self) -> CaseQuerySet:
        return self.filter(merged_into=None)

    def waiting_for_us(self) -> CaseQuerySet:
        return self.live().filter(waiting_since__isnull=False)

    def begun_for(self, customer: Customer, team: Team, subject: str, pk: int | None = None) -> Case:
        """A live case that is not stored yet; `record` stores it with its first entry if its id is known."""
        token = secrets.token_hex(16)
        about = {"subject": subject[:300], "team": team, "team_ids": [team.pk], "reply_token": token}
        return self.model(pk=pk, customer=customer, **about)

    def start(self, customer: Customer, team: Team, subject: str) -> Case:
        """A new live case; the caller holds the customer's lock and has seen that there is no other."""
        case = self.begun_for(customer, team, subject)
        rows.insert(case)
        if self.live().filter(customer=customer, split_off=True).exists():
            case.count_beside()
            case.save(update_fields=["beside"])
        return case

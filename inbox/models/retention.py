"""How long messages are kept. The narrowest rule that fits a message holds; without one it is kept for good."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.timezone import now

from connectors.models import Connector
from inbox.models.agent import Team


class RetentionRule(models.Model):
    """Of one connection, else of one team's, else of all."""

    team = models.ForeignKey(Team, models.CASCADE, null=True, blank=True, related_name="+")
    connector = models.ForeignKey(Connector, models.CASCADE, null=True, blank=True, related_name="+")
    days = models.PositiveIntegerField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=now)

    objects: models.Manager[RetentionRule] = models.Manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "connector"], nulls_distinct=False, name="one_rule_for_each"),
            models.CheckConstraint(
                condition=models.Q(team=None) | models.Q(connector=None), name="a_rule_is_of_a_team_or_a_connection"
            ),
            models.CheckConstraint(condition=models.Q(days__gte=1), name="a_rule_keeps_a_day_at_least"),
        ]

    @property
    def whose(self) -> str:
        if self.connector:
            return self.connector.name
        return f"team {self.team.name}" if self.team else "everything else"

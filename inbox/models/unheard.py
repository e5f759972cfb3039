"""What a provider has and would not show when it was asked for what we may have missed: a conversation, a message."""

from __future__ import annotations

from collections import defaultdict

from django.db import models

from connectors.messages import MOST_TRIES
from connectors.models import Connector


class UnheardQuerySet(models.QuerySet["Unheard"]):
    def given_up(self) -> UnheardQuerySet:
        """Asked for so often that a person should know."""
        return self.filter(tries__gte=MOST_TRIES)

    def by_connector(self) -> dict[int, list[Unheard]]:
        found: defaultdict[int, list[Unheard]] = defaultdict(list)
        for each in self.order_by("since"):
            found[each.connector_id].append(each)
        return found


class Unheard(models.Model):
    """Asked for again each time, until it is shown, or too old. `since`: from then on nobody here has read it."""

    connector = models.ForeignKey(Connector, models.CASCADE, related_name="unheard")
    name = models.CharField(max_length=255)  # the provider's own
    since = models.DateTimeField()
    reason = models.CharField(max_length=300)
    tries = models.PositiveSmallIntegerField(default=1)

    objects = UnheardQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "unheard"
        ordering = ["tries", "pk"]
        constraints = [models.UniqueConstraint(fields=["connector", "name"], name="unheard_once")]

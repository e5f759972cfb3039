"""What was erased, while the raw bytes that it came in are still to be emptied: the row says which, and goes with the
last of them."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.timezone import now

from connectors.fields import SecretsField


class ErasingQuerySet(models.QuerySet["Erasing"]):
    def of(self, people: Iterable[int]) -> ErasingQuerySet:
        return self.filter(customer_id__in=list(people))

    def due(self) -> ErasingQuerySet:
        return self.filter(next_at__lte=now())


class Erasing(models.Model):
    customer_id = models.BigIntegerField()  # a number, not a key: nothing hangs on whom it was
    entries = ArrayField(models.BigIntegerField(), default=list)  # whose receipts are still to be emptied
    addresses = SecretsField(default=dict)  # {identity id: privacy.receipts.Address}, encrypted: those are erased
    emptied = models.PositiveIntegerField(default=0)  # receipts so far
    at = models.DateTimeField(default=now)
    next_at = models.DateTimeField(default=now)

    objects = ErasingQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], name="erasing_due"),
            models.Index(fields=["customer_id"], name="erasing_of_customer"),
        ]

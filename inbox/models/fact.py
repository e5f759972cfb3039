"""What the customer already told us, each with the entry it was told in; and who else has such a thing on record."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.timezone import now

from customers.models import Customer
from inbox.models.case import Case
from inbox.models.entry import Entry


class FactKind(models.TextChoices):
    ORDER = "order", "Order"
    PINNED = "pinned", "Pinned by an agent"


class Fact(models.Model):
    case = models.ForeignKey(Case, models.CASCADE, related_name="facts")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="facts")
    entry = models.ForeignKey(Entry, models.CASCADE, related_name="facts")
    kind = models.CharField(max_length=8, choices=FactKind)
    value = models.CharField(max_length=200)
    pinned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "kind", "value"], name="fact_once_per_case")]
        indexes = [models.Index(fields=["kind", "value"], name="fact_by_value")]

    @property
    def shown(self) -> str:
        return f"Order #{self.value}" if self.kind == FactKind.ORDER else self.value


class Mention(models.Model):
    """A stranger's text holds something exactly one customer has on record. Shown as a hint; never links by itself."""

    entry = models.ForeignKey(Entry, models.CASCADE, related_name="mentions")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    what = models.CharField(max_length=320)
    dismissed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry", "customer"], name="mention_once")]


def order_numbers(text: str) -> list[str]:
    """In the order they are written; the pattern is a setting."""
    found = (
        next(group for group in match.groups() if group) for match in settings.ORDER_NUMBER.finditer(text[:20_000])
    )
    return list(dict.fromkeys(found))[:10]

"""What is known of a person besides their addresses and their words. Nothing moves when people are joined: every row
stays with whom it was said of, and is read for the whole family."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.timezone import now

from customers.models.customer import Customer


class ExternalId(models.Model):
    """What another system calls this person. One customer may have several, also in one system."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="external_ids")
    source = models.CharField(max_length=60)  # the name of the other system
    value = models.CharField(max_length=120)
    made_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "value"], name="external_id_once")]

    def __str__(self) -> str:
        return f"{self.source} {self.value}"


class Attribute(models.Model):
    """A name and a value: 'Plan: gold'. Set again, it is another value."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="attributes")
    name = models.CharField(max_length=60)
    value = models.CharField(max_length=500)
    source = models.CharField(max_length=60, blank=True)  # empty: an agent said so
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "name"], name="attribute_once")]


class PinnedNote(models.Model):
    """What every colleague should know before they answer this person. Only agents ever see it."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="pinned_notes")
    text = models.CharField(max_length=1000)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=now)
    taken_down_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["customer"], name="pinned_note_up", condition=models.Q(taken_down_at__isnull=True))
        ]


class Relationship(models.Model):
    """`other` is this customer's `role`: partner, assistant; of a shared line: who writes from it."""

    MEMBER = "writes from it"

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="relationships")
    other = models.ForeignKey(Customer, models.PROTECT, related_name="related_to")
    role = models.CharField(max_length=60)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "other"], name="relationship_once"),
            models.CheckConstraint(
                condition=~models.Q(customer=models.F("other")), name="relationship_with_somebody_else"
            ),
        ]

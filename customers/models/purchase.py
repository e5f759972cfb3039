"""What a person bought and did elsewhere, as other systems tell it."""

from __future__ import annotations

from django.db import models
from django.utils.timezone import now

from customers.models.customer import Customer


class Order(models.Model):
    """One order of one shop. Told again, it is the same order in a newer state."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="orders")
    source = models.CharField(max_length=60)
    number = models.CharField(max_length=60)
    title = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=60, blank=True)
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)  # ISO 4217
    placed_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "number"], name="order_once")]
        indexes = [models.Index(fields=["number"], name="order_by_number")]


class Event(models.Model):
    """Something that happened: 'Subscription paused'. With a reference it is told once."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="events")
    source = models.CharField(max_length=60)
    reference = models.CharField(max_length=120, blank=True)
    name = models.CharField(max_length=120)
    detail = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "reference"], condition=~models.Q(reference=""), name="event_once_per_reference"
            )
        ]
        indexes = [models.Index(fields=["customer", "-at"], name="event_latest")]

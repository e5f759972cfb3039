"""A person asks what we know of them, or to be forgotten. The law gives a month; nothing happens without a proof."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils.timezone import now

from customers.models import Customer

DAYS = 30


def due() -> datetime:
    return now() + timedelta(days=DAYS)


class Wish(models.TextChoices):
    ACCESS = "access", "Wants to know what we know"
    ERASURE = "erasure", "Wants to be forgotten"


class PrivacyRequestQuerySet(models.QuerySet["PrivacyRequest"]):
    def open(self) -> PrivacyRequestQuerySet:
        return self.filter(done_at=None)

    def of(self, customer: Customer) -> PrivacyRequestQuerySet:
        """Theirs, and of everybody who was found to be the same."""
        return self.filter(customer__in=customer.family())


class PrivacyRequest(models.Model):
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="privacy_requests")
    wish = models.CharField(max_length=8, choices=Wish)
    made_at = models.DateTimeField(default=now)
    due_at = models.DateTimeField(default=due)
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    proof = models.CharField(max_length=300, blank=True)  # how we know that it is they who ask
    proven_at = models.DateTimeField(null=True, blank=True)
    proven_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    outcome = models.CharField(max_length=300, blank=True)

    objects = PrivacyRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "wish"], condition=models.Q(done_at=None), name="one_open_request_of_a_kind"
            )
        ]
        indexes = [models.Index(fields=["due_at"], name="privacy_request_due", condition=models.Q(done_at=None))]

    @property
    def is_late(self) -> bool:
        return self.done_at is None and self.due_at < now()

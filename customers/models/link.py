"""Why an identity belongs to a customer. Links are edges: revoked, never rewritten; one is active per identity."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.timezone import now

from customers.models.customer import Customer
from customers.models.identity import Identity


class LinkReason(models.TextChoices):
    FIRST_SEEN = "first_seen", "wrote from this address first"
    IMPORTED = "imported", "on record from an import"
    ADDED = "added", "added by an agent"
    JOINED = "joined", "an agent said it is the same person"
    CODE = "code", "wrote a code that we had given"


class IdentityLink(models.Model):
    identity = models.ForeignKey(Identity, models.CASCADE, related_name="links")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="links")
    reason = models.CharField(max_length=16, choices=LinkReason)
    words = models.CharField(max_length=200, blank=True)
    entry_uuid = models.UUIDField(null=True, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField(default=now)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["identity"], condition=models.Q(revoked_at=None), name="one_active_link_per_identity"
            )
        ]

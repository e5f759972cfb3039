"""Why an identity belongs to a customer. Links are edges: revoked, never rewritten; one is active per identity."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.timezone import now

from customers.assurance import Assurance, assurance, is_doubted, words
from customers.models.customer import Customer
from customers.models.identity import Identity


class LinkReason(models.TextChoices):
    FIRST_SEEN = "first_seen", "wrote from this address first"
    IMPORTED = "imported", "on record from an import"
    SIGNED = "signed", "on record from a system that has proof"
    ADDED = "added", "added by an agent"
    JOINED = "joined", "an agent said it is the same person"
    CODE = "code", "wrote a code that we had given"
    VOUCHED = "vouched", "the provider knows them by both addresses"


class IdentityLinkQuerySet(models.QuerySet["IdentityLink"]):
    def active(self) -> IdentityLinkQuerySet:
        return self.filter(revoked_at=None)


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

    objects = IdentityLinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["identity"], condition=models.Q(revoked_at=None), name="one_active_link_per_identity"
            )
        ]

    @property
    def assurance(self) -> Assurance:
        """How sure it is that the address is this person's today."""
        identity = self.identity
        return assurance(
            self.reason,
            has_written=identity.last_inbound_at is not None,
            is_vouched=identity.vouched_at is not None,
            is_doubted=self.is_doubted,
            is_shared=identity.is_shared,
        )

    @property
    def is_sure_by_itself(self) -> bool:
        """Whoever a join has put beside it: those who wrote from here are those who read it."""
        by_a_join = self.reason == LinkReason.JOINED and not self.is_doubted and not self.identity.is_shared
        return self.assurance.is_sure or (by_a_join and self.identity.last_inbound_at is not None)

    @property
    def is_doubted(self) -> bool:
        identity = self.identity
        heard = {"heard_at": identity.last_inbound_at, "doubted_at": identity.doubted_at}
        return is_doubted(self.reason, made_at=self.made_at, at=now(), **heard)

    @property
    def why(self) -> str:
        return words(self.assurance, self.reason, is_doubted=self.is_doubted)

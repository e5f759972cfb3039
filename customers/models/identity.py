"""One address of one person. Identities are never deleted, only re-pointed."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper
from django.utils.timezone import now

from customers import identities
from customers.models.customer import Customer


class IdentityKind(models.TextChoices):
    EMAIL = identities.EMAIL, "Email"
    PHONE = identities.PHONE, "Phone"
    INSTAGRAM = identities.INSTAGRAM, "Instagram"
    WHATSAPP = identities.WHATSAPP, "WhatsApp"


TOLD_BY_THE_PROVIDER = "the provider"


class IdentityQuerySet(models.QuerySet["Identity"]):
    def in_use(self) -> IdentityQuerySet:
        """Not what was erased, and not those that only the provider knows so far: it writes them beside the address a
        person writes from."""
        return self.filter(erased_at=None).exclude(origin=TOLD_BY_THE_PROVIDER, last_inbound_at=None)


class Identity(models.Model):
    kind = models.CharField(max_length=16, choices=IdentityKind)
    scope = models.CharField(max_length=64, blank=True)
    value = models.CharField(max_length=320)
    handle = models.CharField(max_length=100, blank=True)
    spelled = models.CharField(max_length=64, blank=True, default="", db_default="")  # a number, as its provider does
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="identities")
    origin = models.CharField(max_length=120, blank=True)  # "wrote to us", "order import": where the address came from
    first_seen_at = models.DateTimeField(default=now)
    last_inbound_at = models.DateTimeField(null=True, blank=True)
    blocked_at = models.DateTimeField(null=True, blank=True)
    vouched_at = models.DateTimeField(null=True, blank=True)  # a mail server vouched for this sender
    doubted_at = models.DateTimeField(null=True, blank=True)  # wrote again after so long that it may be somebody else
    wrong_at = models.DateTimeField(null=True, blank=True)  # taken from somebody: not written to before it writes again
    is_shared = models.BooleanField(default=False, db_default=False)  # an office line, a family's mailbox
    profile_due_at = models.DateTimeField(null=True, blank=True)  # wrote, and nobody has asked the provider who it is
    erased_at = models.DateTimeField(null=True, blank=True)  # its value was replaced; a Tombstone knows it again
    writes_in = models.CharField(max_length=8, blank=True, default="", db_default="")  # a guess, as in BCP 47
    is_new = False  # made in this very transaction: nobody else can know it yet
    begins: tuple[int, int] | None = None  # the ids that the first case of somebody new and its first entry will have
    is_person = models.BooleanField(default=False)  # an agent said so: never file this sender's mail again

    objects = IdentityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "identities"
        constraints = [models.UniqueConstraint(fields=["kind", "scope", "value"], name="identity_once")]
        indexes = [
            models.Index(fields=["value"], name="identity_by_value"),
            models.Index(
                fields=["profile_due_at"],
                name="identity_profile_due",
                condition=models.Q(profile_due_at__isnull=False),
            ),
            GinIndex(
                OpClass(Upper("value"), "gin_trgm_ops"),
                OpClass(Upper("handle"), "gin_trgm_ops"),
                name="identity_words",
                fastupdate=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"

    @property
    def shown(self) -> str:
        return identities.shown(self.kind, self.value, self.handle)

    def is_called(self, handle: str) -> None:
        """A provider's word. What it was called before is kept; the caller saves the new handle."""
        if handle and self.handle and handle != self.handle:
            EarlierHandle.objects.create(identity=self, handle=self.handle)
        self.handle = handle or self.handle

    @property
    def reached_at(self) -> str:
        """What a provider is given: it may know a number by another form than ours."""
        return self.spelled or self.value

    @property
    def is_wrong(self) -> bool:
        """Whoever reads it is a stranger to us, and has not written since."""
        return self.wrong_at is not None and (self.last_inbound_at is None or self.last_inbound_at <= self.wrong_at)

    @property
    def can_be_answered(self) -> bool:
        return identities.can_be_answered(self.kind, self.value)


class EarlierHandle(models.Model):
    """What an account was called before. Handles are given up and taken by others: never matched by."""

    identity = models.ForeignKey(Identity, models.CASCADE, related_name="earlier_handles")
    handle = models.CharField(max_length=100)
    until = models.DateTimeField(default=now)

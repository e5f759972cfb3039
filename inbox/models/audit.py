"""Who did what to what we know of somebody, and to our connections, when and why. Rows are only added: the database
refuses anything else.

No row names the person or says what was there: it would be the copy that was to be erased.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.db import models
from django.utils.timezone import now

from customers.models import Customer
from inbox.models.agent import Agent


class Act(models.TextChoices):
    REDACT = "redact", "erased a message"
    ERASE_ADDRESS = "erase_address", "erased an address"
    ERASE_PERSON = "erase_person", "erased a person"
    EXPORT = "export", "exported a person"
    ASK = "ask", "noted a request"
    PROVE = "prove", "noted a proof"
    REFUSE = "refuse", "closed a request"
    SENSITIVE = "sensitive", "changed who sees a case"
    CONSENT = "consent", "noted what somebody agreed to"
    RETAIN = "retain", "changed how long we keep"
    ORIGINALS = "originals", "removed the originals of what was erased"
    EXPIRE = "expire", "erased what was too old"
    CONNECT = "connect", "changed a connection"


class AuditQuerySet(models.QuerySet["Audit"]):
    def note(
        self,
        act: Act,
        *,
        by: Agent | None,
        why: str = "",
        customer: Customer | None = None,
        case: int | None = None,
        entry: int | None = None,
        found: Mapping[str, int] | None = None,
    ) -> Audit:
        """`by`: nobody at a terminal or by rule, whom `why` names; `found`: numbers, never words of the person."""
        return self.create(
            act=act,
            by=by,
            why=" ".join(why.split())[:300],
            customer_id=customer.pk if customer else None,
            case_id=case,
            entry_id=entry,
            found=dict(found or {}),
        )


class Audit(models.Model):
    at = models.DateTimeField(default=now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    act = models.CharField(max_length=16, choices=Act)
    why = models.CharField(max_length=300, blank=True)
    # Numbers, not keys: a row outlives whatever it speaks of
    customer_id = models.BigIntegerField(null=True, blank=True)
    case_id = models.BigIntegerField(null=True, blank=True)
    entry_id = models.BigIntegerField(null=True, blank=True)
    found = models.JSONField(default=dict)  # {"entries": 12, "files": 3}

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit"
        indexes = [
            models.Index(fields=["customer_id", "-id"], name="audit_of_customer"),
            models.Index(fields=["act", "-id"], name="audit_of_act"),
        ]

    @property
    def who(self) -> str:
        return self.by.name if self.by else "Nobody: at a terminal, or by rule"

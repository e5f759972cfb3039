"""A customer was told a code, to go on with this case on another channel or from another address."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from connectors.models import Connector
from customers.models import Customer, Identity
from inbox import codes
from inbox.models.case import Case
from inbox.models.entry import Entry

MARK = 5


def new_mark() -> str:
    return "".join(secrets.choice(codes.ALPHABET) for _ in range(MARK))


def key() -> bytes:
    return b"invitation:" + settings.SECRET_KEY.encode()


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> InvitationQuerySet:
        """Told to the customer, not used, not too old."""
        return self.filter(used_at=None, told_in__isnull=False, told_in__unsent_at=None, expires_at__gt=now())

    def of_code(self, code: str) -> InvitationQuerySet:
        return self.filter(digest=codes.digest_of(key(), code))


class Invitation(models.Model):
    """The code itself is stored nowhere: it is computed from `uuid` when the message that tells it leaves."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    digest = models.CharField(max_length=64, unique=True)
    mark = models.CharField(max_length=MARK, default=new_mark)  # stands for the code in drafts and on the timeline
    case = models.ForeignKey(Case, models.CASCADE, related_name="invitations")
    connector = models.ForeignKey(Connector, models.PROTECT, related_name="+")  # where they are asked to go on
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=now)
    told_in = models.ForeignKey(Entry, models.SET_NULL, null=True, blank=True, related_name="+")
    told_to = models.ForeignKey(Identity, models.PROTECT, null=True, blank=True, related_name="+")
    expires_at = models.DateTimeField(null=True, blank=True)
    # Somebody else's address used it: who was told is asked whether that was them
    claimed_by = models.ForeignKey(Identity, models.PROTECT, null=True, blank=True, related_name="+")
    asked_in = models.ForeignKey(Entry, models.SET_NULL, null=True, blank=True, related_name="+")
    used_by = models.ForeignKey(Identity, models.PROTECT, null=True, blank=True, related_name="+")
    used_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "mark"], name="invitation_mark_once_per_case")]
        indexes = [
            models.Index(fields=["told_to"], name="invitation_asked", condition=Q(asked_in__isnull=False, used_at=None))
        ]

    def save(self, *args: object, **kwargs: object) -> None:
        self.digest = codes.digest_of(key(), self._code)
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    @property
    def _code(self) -> str:
        return codes.code_of(key(), self.uuid.bytes)

    @property
    def spelled(self) -> str:
        """For the message that tells it, and for nothing else."""
        return codes.spelled(self._code)

    @property
    def person(self) -> Customer:
        """Whose code it is: of whoever the address it was told to belongs to today. Only of one that was told."""
        assert self.told_to is not None
        return self.told_to.customer.current()

    @property
    def may_be_told(self) -> bool:
        """Once. Again only when it did not reach anybody."""
        told_in = self.told_in
        if self.used_at or told_in is None or told_in.unsent_at:
            return self.used_at is None
        return not told_in.deliveries.exclude(state__in=["failed", "cancelled"]).exists()

    @property
    def placeholder(self) -> str:
        """As long as the code, so that what is counted is what is sent."""
        return f"<code-{self.mark}>"

    def tell(self, entry: Entry) -> None:
        self.told_in, self.told_to = entry, entry.identity
        self.expires_at = now() + timedelta(hours=settings.CODE_HOURS)
        self.save(update_fields=["told_in", "told_to", "expires_at", "digest"])  # codes may be made otherwise by now


class WrongCode(models.Model):
    """Somebody wrote something that looks like a code and is none of ours: counted, so that nobody can guess."""

    identity = models.ForeignKey(Identity, models.CASCADE, related_name="+")
    at = models.DateTimeField(default=now)

    class Meta:
        indexes = [
            models.Index(fields=["identity", "at"], name="wrong_code_of_identity"),
            models.Index(fields=["at"], name="wrong_code_lately"),
        ]

"""A system of ours that tells us of people: a shop, a CRM. It shows a token; we keep no token, only its digest."""

from __future__ import annotations

import hashlib
import secrets

from django.conf import settings
from django.db import models
from django.utils.timezone import now

BEGINS = "tl_"


class SourceQuerySet(models.QuerySet["Source"]):
    def issue(self, name: str) -> tuple[Source, str]:
        """The source and its new token, which is shown once."""
        token = BEGINS + secrets.token_urlsafe(32)
        given = {"digest": digest(token), "made_at": now(), "used_at": None, "revoked_at": None}
        return self.update_or_create(name=name, defaults=given)[0], token

    def of(self, token: str) -> Source | None:
        """By the digest: 256 random bits need neither salt nor a slow hash."""
        return self.filter(digest=digest(token), revoked_at=None).first()


class Source(models.Model):
    name = models.CharField(max_length=60, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField(default=now)
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = SourceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

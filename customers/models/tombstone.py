"""What is left of an address that was erased: enough to know it again, too little to tell what it was.

A mailbox that is read once more, or a provider that tells an old message again, would otherwise bring it back.
"""

from __future__ import annotations

import hashlib
import hmac

from django.conf import settings
from django.db import models
from django.utils.timezone import now


def digest_of(kind: str, scope: str, value: str) -> str:
    """Keyed, for addresses are few enough to be tried one by one."""
    key = b"tombstone:" + settings.SECRET_KEY.encode()
    return hmac.new(key, "\x00".join((kind, scope, value)).encode(), hashlib.sha256).hexdigest()


class TombstoneQuerySet(models.QuerySet["Tombstone"]):
    def set_for(self, kind: str, scope: str, value: str) -> None:
        self.update_or_create(digest=digest_of(kind, scope, value), defaults={"erased_at": now()})


class Tombstone(models.Model):
    digest = models.CharField(max_length=64, primary_key=True)
    erased_at = models.DateTimeField(default=now)

    objects = TombstoneQuerySet.as_manager()

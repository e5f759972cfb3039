"""What is left of an address that was erased: enough to know it again, too little to tell what it was.

A mailbox that is read once more, or a provider that tells an old message again, would otherwise bring it back.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from django.conf import settings
from django.db import connection, models
from django.utils.timezone import now

ERASED_AT = "SELECT erased_at FROM customers_tombstone WHERE digest = %s"


def digest_of(kind: str, scope: str, value: str) -> str:
    """Keyed, for addresses are few enough to be tried one by one."""
    key = b"tombstone:" + settings.SECRET_KEY.encode()
    return hmac.new(key, "\x00".join((kind, scope, value)).encode(), hashlib.sha256).hexdigest()


class TombstoneQuerySet(models.QuerySet["Tombstone"]):
    def erased_at(self, kind: str, scope: str, value: str) -> datetime | None:
        """When this address was erased last; None of one that never was."""
        with connection.cursor() as cursor:  # by hand: every stranger's first message pays for it
            cursor.execute(ERASED_AT, [digest_of(kind, scope, value)])
            row = cursor.fetchone()
        return row[0] if row else None

    def set_for(self, kind: str, scope: str, value: str) -> None:
        self.update_or_create(digest=digest_of(kind, scope, value), defaults={"erased_at": now()})


class Tombstone(models.Model):
    digest = models.CharField(max_length=64, primary_key=True)
    erased_at = models.DateTimeField(default=now)

    objects = TombstoneQuerySet.as_manager()

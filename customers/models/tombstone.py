"""What is left of an address that was erased: enough to know it again, too little to tell what it was.

A mailbox that is read once more, or a provider that tells an old message again, would otherwise bring it back.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db import models
from django.utils.timezone import now

from customers.models.profile import ExternalId


def digest_of(kind: str, scope: str, value: str) -> str:
    """Keyed, for addresses are few enough to be tried one by one."""
    key = b"tombstone:" + settings.SECRET_KEY.encode()
    return hmac.new(key, "\x00".join((kind, scope, value)).encode(), hashlib.sha256).hexdigest()


def external(source: str, value: str) -> tuple[str, str, str]:
    """What another system called somebody, as an address is written."""
    return f"external:{source}", "", value


class TombstoneQuerySet(models.QuerySet["Tombstone"]):
    def among(self, keys: Iterable[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
        """Those of these (kind, scope, value) that were erased."""
        digests = {digest_of(*key): key for key in keys}
        found = self.filter(digest__in=digests).values_list("digest", flat=True) if digests else []
        return {digests[each] for each in found}

    def set_for(self, kind: str, scope: str, value: str) -> None:
        self.update_or_create(digest=digest_of(kind, scope, value), defaults={"erased_at": now()})

    def set_for_external_ids_of(self, people: Sequence[int]) -> None:
        for each in ExternalId.objects.filter(customer__in=people):
            self.set_for(*external(each.source, each.value))


class Tombstone(models.Model):
    digest = models.CharField(max_length=64, primary_key=True)
    erased_at = models.DateTimeField(default=now)

    objects = TombstoneQuerySet.as_manager()

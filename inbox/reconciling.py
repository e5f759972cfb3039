"""What no webhook told us of: every few minutes each provider is asked for its latest messages, and what is not here
becomes a receipt like any other. Providers repeat a webhook a few times (Meta) or never (Twilio).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.errors import ConnectionLost
from connectors.messages import Channel, Heard, Missed, Skipped
from connectors.models import Connector, Receipt, Side
from inbox import live
from inbox.intake import take_in_task
from inbox.models import ProviderMessage, Unheard
from inbox.wake import wake_for

log = logging.getLogger(__name__)
EVERY = timedelta(minutes=3)
OVERLAP = timedelta(minutes=15)  # a provider's list may be behind its webhooks
FURTHEST = timedelta(days=30)


def due() -> list[int]:
    """Connectors that were not asked for a while."""
    kinds = [channel.value for channel, adapter in ADAPTERS.items() if adapter.receives_webhooks]
    waiting = Connector.objects.active().filter(kind__in=kinds, needs_reconnect=False)
    asked = Q(asked_at=None) | Q(asked_at__lte=now() - EVERY)
    return list(waiting.filter(asked).order_by("asked_at", "pk").values_list("pk", flat=True)[:100])


def reconcile(connector_id: int) -> int:
    """Imports what this provider has and we do not; how many messages. Claimed by moving the time it was asked."""
    connector = Connector.objects.select_related("team").get(pk=connector_id)
    began = now()
    mine = Connector.objects.filter(pk=connector_id, asked_at=connector.asked_at)
    if not mine.update(asked_at=began):
        return 0  # somebody else asks
    heard = connector.heard_all_until
    since = max(heard - OVERLAP, began - FURTHEST) if heard else connector.created_at
    try:
        found = _heard(connector, since)
    except ConnectionLost as error:
        found = Heard(trouble=error, skipped=_skipped(connector))
    count = sum(_store(connector, each) for each in found.missed)
    _remember(connector, found.skipped)
    if found.trouble:
        connector.failed(found.trouble.reason, Side.IN, reconnect=found.trouble.reconnect)
        live.announce(lambda: {"kind": "board"})
    else:
        connector.succeeded(Side.IN)
        Connector.objects.filter(pk=connector_id).update(heard_all_until=began)
    if count:
        log.warning("%s: %s messages came without a webhook", connector.name, count)
    return count


def _heard(connector: Connector, since: datetime) -> Heard:
    """Without what is here."""
    known = partial(_known, connector)
    adapter = ADAPTERS[Channel(connector.kind)]
    found = adapter.recent(connector.account(), since, _skipped(connector), known)
    here = known([each.provider_id for each in found.missed])
    return replace(found, missed=[each for each in found.missed if each.provider_id not in here])


def _known(connector: Connector, provider_ids: Collection[str]) -> set[str]:
    """Stored, or found once before: what was ignored or set aside then is not looked at again."""
    named = ProviderMessage.objects.filter(connector=connector, provider_id__in=provider_ids)
    keys = {_key(each): each for each in provider_ids}
    found = Receipt.objects.filter(connector=connector, key__in=keys)
    return {*named.values_list("provider_id", flat=True), *(keys[key] for key in found.values_list("key", flat=True))}


def _key(provider_id: str) -> str:
    return f"found:{provider_id}"[:160]


def _store(connector: Connector, missed: Missed) -> bool:
    """Waiting since it was written, not since it was found."""
    headers = dict(missed.headers)
    receipt = Receipt.store(connector, missed.body, headers=headers, key=_key(missed.provider_id), at=missed.at)
    if receipt:
        wake_for(take_in_task, receipt)
    return bool(receipt)


def _skipped(connector: Connector) -> list[Skipped]:
    """What can still be had: a provider that was asked for a month does not change its mind."""
    Unheard.objects.filter(connector=connector, since__lt=now() - FURTHEST).delete()
    left = Unheard.objects.filter(connector=connector)
    return [Skipped(each.name, each.since, each.reason, each.tries) for each in left]


def _remember(connector: Connector, skipped: Sequence[Skipped]) -> None:
    mine = Unheard.objects.filter(connector=connector)
    with transaction.atomic():
        mine.exclude(name__in=[each.name for each in skipped]).delete()
        for each in skipped:
            known = {"since": each.since, "reason": each.reason[:300], "tries": each.tries}
            mine.update_or_create(
                name=each.name[:255], defaults=known, create_defaults={**known, "connector": connector}
            )

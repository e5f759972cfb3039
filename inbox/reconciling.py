"""What no webhook told us of: every few minutes each provider is asked for its latest messages, and what is not here
becomes a receipt like any other. Providers repeat a webhook a few times (Meta) or never (Twilio).
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db.models import Q
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.errors import ConnectionLost
from connectors.messages import Channel, Missed
from connectors.models import Connector, Receipt, Side
from inbox import live
from inbox.intake import take_in_task
from inbox.models import ProviderMessage
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
        missed = _unknown(connector, ADAPTERS[Channel(connector.kind)].recent(connector.account(), since))
    except ConnectionLost as error:
        connector.failed(error.reason, Side.IN, reconnect=error.reconnect)
        live.announce(lambda: {"kind": "board"})
        return 0
    connector.succeeded(Side.IN)
    count = sum(_store(connector, each) for each in missed)
    Connector.objects.filter(pk=connector_id).update(heard_all_until=began)
    if count:
        log.warning("%s: %s messages came without a webhook", connector.name, count)
    return count


def _unknown(connector: Connector, found: list[Missed]) -> list[Missed]:
    known = set(
        ProviderMessage.objects.filter(
            connector=connector, provider_id__in=[each.provider_id for each in found]
        ).values_list("provider_id", flat=True)
    )
    return [each for each in found if each.provider_id not in known]


def _store(connector: Connector, missed: Missed) -> bool:
    """Once: what was ignored or set aside the last time is not looked at again."""
    key = f"found:{missed.provider_id}"[:160]
    receipt = Receipt.store(connector, missed.body, headers=dict(missed.headers), key=key)
    if receipt:
        wake_for(take_in_task, receipt)
    return bool(receipt)

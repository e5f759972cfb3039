"""Sign-ins that end by themselves are renewed in time. What stays in the way of it is shown long before they end."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.errors import ConnectionLost
from connectors.messages import Channel
from connectors.models import Connector, Side
from inbox import live

EVERY = timedelta(minutes=5)


def due() -> list[int]:
    waiting = Connector.objects.active().filter(needs_reconnect=False)
    return list(waiting.filter(Q(renew_at=None) | Q(renew_at__lte=now())).values_list("pk", flat=True)[:100])


def renew(connector_id: int) -> bool:
    """Whether its sign-in was renewed. Claimed by moving the time it is asked again, so that only one does it."""
    connector = Connector.objects.get(pk=connector_id)
    mine = Connector.objects.filter(pk=connector_id, renew_at=connector.renew_at)
    if not mine.update(renew_at=now() + EVERY):
        return False
    try:
        renewal = ADAPTERS[Channel(connector.kind)].renew(connector.account())
    except ConnectionLost as error:
        connector.failed(error.reason, Side.OUT, reconnect=error.reconnect)
        live.announce(lambda: {"kind": "board"})
        return False
    if renewal is None:
        return False
    connector.keep(renewal.secrets, renewal.options)
    connector.renewed()
    return True

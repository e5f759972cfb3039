"""The raw bytes that messages came in. The row stays, and its key: the same bytes are not taken in a second time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote

from django.db import connection
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.models import Connector
from customers.models import Identity
from inbox.models import Entry

CLOCKS_DIFFER = timedelta(days=1)
JUST_ERASED = timedelta(days=3)  # a provider still tells how a message fared
# One body may hold several people's messages: it goes once all of them are settled, and is needed until then
NAMED = """
UPDATE connectors_receipt SET body = '', headers = '{}', reason = ''
WHERE received_at >= %s AND state IN ('done', 'discarded') AND body <> '' AND connector_id = ANY(%s) AND EXISTS (
    SELECT FROM jsonb_array_elements(outcomes) each WHERE (each->>'entry')::bigint = ANY(%s))
"""
# What never became a message: set aside, let go, or not taken in, and names the address in its bytes
UNNAMED = """
UPDATE connectors_receipt SET body = '', headers = '{}', reason = '', state = 'done',
    outcomes = '[{"outcome": "ignored", "kind": "erased", "reason": "Its sender asked to be forgotten."}]'
WHERE received_at >= %s AND connector_id = ANY(%s) AND body <> '' AND state <> 'waiting'
AND NOT EXISTS (SELECT FROM jsonb_array_elements(outcomes) each WHERE each->>'entry' IS NOT NULL)
AND (CASE WHEN body <> '' THEN position(%s::bytea IN body) > 0 OR position(%s::bytea IN body) > 0 ELSE false END)
"""


def forget_those_of(entries: Sequence[Entry]) -> int:
    """The bytes that these messages, and what was told of them later, came in; how many receipts."""
    if not entries:
        return 0
    since = min(min(each.created_at, each.arrived_at or each.created_at) for each in entries) - CLOCKS_DIFFER
    connectors = list({each.connector_id for each in entries if each.connector_id})
    with connection.cursor() as cursor:
        cursor.execute(NAMED, [since, connectors, [each.pk for each in entries]])
        return int(cursor.rowcount)


def forget_those_from(identity: Identity) -> int:
    """What came from an address and never became a message. Asked before its value goes."""
    kinds = [channel.value for channel, adapter in ADAPTERS.items() if adapter.identity_kind == identity.kind]
    connectors = list(Connector.objects.filter(kind__in=kinds).values_list("pk", flat=True))
    plain, in_a_form = identity.reached_at.encode(), quote(identity.reached_at, safe="").encode()
    with connection.cursor() as cursor:
        cursor.execute(UNNAMED, [identity.first_seen_at - CLOCKS_DIFFER, connectors, plain, in_a_form])
        return int(cursor.rowcount)


def forget_what_came_since() -> int:
    """What providers told of messages after these were erased; the sweeper's share."""
    lately = Entry.objects.filter(erased_at__gte=now() - JUST_ERASED).only("created_at", "arrived_at", "connector")
    return forget_those_of(list(lately.order_by("-pk")[:1000]))

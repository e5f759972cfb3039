"""The raw bytes that messages came in. The row stays, and its key: the same bytes are not taken in a second time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from django.db import connection
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.messages import Channel, Echo, Item, Sender
from connectors.models import Connector, Receipt, ReceiptState
from customers.identities import NotAnAddress, normalise
from customers.models import Identity
from inbox.models import Entry

CLOCKS_DIFFER = timedelta(days=1)
JUST_ERASED = timedelta(days=3)  # a provider still tells how a message fared
WHERE_IT_CAME = ("created_at", "arrived_at", "connector")
BEGINS, ENDS = r"(?<![\w.+%-])", r"(?![\w-]|\.\w)"
# One body may hold several people's messages: it goes once all of them are settled, and is needed until then
NAMED = """
UPDATE connectors_receipt SET body = '', headers = '{}', reason = ''
WHERE received_at >= %s AND state IN ('done', 'discarded') AND body <> '' AND connector_id = ANY(%s) AND EXISTS (
    SELECT FROM jsonb_array_elements(outcomes) each WHERE (each->>'entry')::bigint = ANY(%s))
"""
# What never became a message and names the address in its bytes; these are read last, for they are long
NAMING = """
SELECT id, state, connector_id FROM connectors_receipt WHERE received_at >= %s AND connector_id = ANY(%s) AND CASE
    WHEN state = 'waiting' OR body = '' THEN false
    WHEN EXISTS (SELECT FROM jsonb_array_elements(outcomes) each WHERE each->>'entry' IS NOT NULL) THEN false
    ELSE encode(body, 'escape') ~* %s END
"""
SETTLED = [{"outcome": "ignored", "kind": "erased", "reason": "Its sender asked to be forgotten."}]


def forget_those_of(entries: Sequence[Entry], since: datetime | None = None) -> int:
    """The bytes that these messages, and what was told of them later, came in; how many receipts."""
    if not entries:
        return 0
    since = since or min(min(each.created_at, each.arrived_at or each.created_at) for each in entries) - CLOCKS_DIFFER
    connectors = list({each.connector_id for each in entries if each.connector_id})
    with connection.cursor() as cursor:
        cursor.execute(NAMED, [since, connectors, [each.pk for each in entries]])
        return int(cursor.rowcount)


@dataclass(frozen=True, slots=True)
class Address:
    """An address that is erased, as long as anything that came from it is still to be found."""

    kind: str
    value: str
    reached_at: str  # as providers write it
    first_seen_at: str  # ISO

    @classmethod
    def of(cls, identity: Identity) -> Address:
        return cls(identity.kind, identity.value, identity.reached_at, identity.first_seen_at.isoformat())


def forget_those_from(address: Address) -> int:
    """What came from an address and never became a message: set aside, let go, or not taken in; and what was told of
    it and is over."""
    return (
        Receipt.objects.filter(pk__in=_those_from(address, NAMING))
        .exclude(state=ReceiptState.WAITING)
        .update(body=b"", headers={}, reason="", state=ReceiptState.DONE, outcomes=SETTLED)
    )


def is_from(address: Address, receipt: Receipt) -> bool:
    """Whether `forget_those_from` will find it."""
    return bool(_those_from(address, f"{NAMING} AND id = %s", receipt.pk))


def _those_from(address: Address, question: str, *about: int) -> list[int]:
    kinds = [channel.value for channel, adapter in ADAPTERS.items() if adapter.identity_kind == address.kind]
    connectors = list(Connector.objects.filter(kind__in=kinds).values_list("pk", flat=True))
    written, since = _written(address), datetime.fromisoformat(address.first_seen_at) - CLOCKS_DIFFER
    naming = Receipt.objects.raw(question, [since, connectors, written, *about])
    return [each.pk for each in naming if each.state == ReceiptState.DONE or _is_from(address, each, written)]


def _written(address: Address) -> str:
    """The address and no longer one that it is a part of, as a regular expression that PostgreSQL knows as well."""
    forms = "|".join(sorted({re.escape(address.reached_at), re.escape(quote(address.reached_at, safe=""))}))
    return rf"{'' if address.reached_at.startswith('+') else BEGINS}({forms}){ENDS}"


def _is_from(address: Address, receipt: Receipt, written: str) -> bool:
    """What holds somebody else's message too is still needed; and what nobody can read is whose it says it is."""
    try:
        items = ADAPTERS[Channel(receipt.connector.kind)].parse(receipt.raw())
    except Exception:  # noqa: BLE001  that is why it was set aside
        items = []
    senders = {_value_of(address.kind, each) for each in items} - {None}
    if senders:
        return senders == {address.value}
    says_so = rf"^From:(?:[^\r\n]*[< \t])?{written}|\bFrom=[^&]*?{written}|\"sender\":\s*{{\s*\"id\":\s*\"{written}"
    return re.search(says_so, bytes(receipt.body).decode("latin-1"), re.IGNORECASE | re.MULTILINE) is not None


def _value_of(kind: str, item: Item) -> str | None:
    person = item.recipient if isinstance(item, Echo) else getattr(item, "sender", None)
    if not isinstance(person, Sender):
        return None
    try:
        return normalise(kind, person.address)
    except NotAnAddress:
        return person.address


def forget_what_came_since() -> int:
    """What providers told of messages after these were erased; the sweeper's share."""
    since = now() - JUST_ERASED
    lately = Entry.objects.filter(erased_at__gte=since).only("connector").order_by("-pk")[:1000]
    return forget_those_of(list(lately), since)

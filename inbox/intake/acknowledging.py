"""One automatic word to a customer who begins: we have it. Never to a machine, never twice, never in a loop.

Only where the connector's option `acknowledgement` has the words, and only while nobody is there, if `open_hours` says
when somebody is. The rules are RFC 3834's and some harder ones (reference/email.md §6.1): what cannot be proven to come
from a person who wrote to us just now is not answered.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.timezone import now

from connectors.adapters.hours import NotHours, hours
from connectors.messages import Authenticity, Classification, InboundMessage
from connectors.models import Connector
from inbox import live, outbox
from inbox.models import Case, Entry, EntryKind

YOUNG = timedelta(days=1)  # older mail was imported, not written to us now
ONCE_IN = timedelta(days=1)
FLOOD = timedelta(minutes=10)
MOST_FROM_ONE, MOST_IN_CASE = 10, 5  # messages within FLOOD; more is a machine, whatever it says
MOST_A_MINUTE, MOST_A_DOMAIN = 30, 100  # automatic messages of one connector; to one domain within an hour
SUBJECT = "We have your message"  # never the writer's own words: whoever forged a sender would speak through us


def acknowledge(case: Case, entry: Entry, item: InboundMessage) -> None:
    """The caller holds the customer's lock."""
    connector, identity = entry.connector, entry.identity
    assert connector is not None
    words = connector.options.get("acknowledgement", "").strip()
    if not words or identity is None or not _is_for_us_now(connector, entry, item):
        return
    since = _nobody_is_there_since(connector)
    if since is None or case.first_reply_at:
        return
    if because := _flood(case, entry, connector):
        connector.holds_back(because)
        live.announce(lambda: {"kind": "board"})
        return
    if _was_told(case, since):
        return
    told = outbox.notify(case, to=identity, text=words)
    if told and told.subject:
        told.subject = SUBJECT
        told.save(update_fields=["subject"])


def _is_for_us_now(connector: Connector, entry: Entry, item: InboundMessage) -> bool:
    """From a person as far as anybody can tell, just now, and to one of our addresses in sight."""
    if entry.kind != EntryKind.MESSAGE or entry.classification != Classification.PERSON:
        return False
    if item.is_auto_reply or item.may_be_automatic:
        return False
    written = min(item.sent_at or entry.reached_us_at, entry.reached_us_at)  # providers repeat what they could not tell
    if entry.data.get("late") or written < now() - YOUNG:
        return False
    proof_is_due = bool(connector.options.get("authserv_id"))
    if entry.authenticity == Authenticity.FAIL or (proof_is_due and entry.authenticity != Authenticity.PASS):
        return False
    if item.email is None:
        return True
    ours = {address.lower() for address in connector.addresses}
    return any(each.address.lower() in ours for each in (*item.email.to, *item.email.cc))


def _nobody_is_there_since(connector: Connector) -> datetime | None:
    """Once in that time a customer is told. None while agents are there."""
    try:
        ours = hours(connector.options.get("open_hours", ""))
    except NotHours:  # not from the set-up pages, which check it
        ours = None
    return ours.closed_since(now(), ZoneInfo(settings.TIME_ZONE)) if ours else now() - ONCE_IN


def _was_told(case: Case, since: datetime) -> bool:
    customer = case.customer.current()
    told = Entry.objects.filter(kind=EntryKind.REPLY, classification=Classification.AUTOMATIC)
    return told.filter(identity__customer=customer, created_at__gte=since).exists()


def _flood(case: Case, entry: Entry, connector: Connector) -> str:
    """Why nothing is answered by itself while so much comes in; empty while it does not."""
    lately = Entry.objects.filter(created_at__gte=now() - FLOOD)
    heard = lately.filter(kind__in=[EntryKind.MESSAGE, EntryKind.PARTICIPANT, EntryKind.FILED])
    told = Entry.objects.filter(kind=EntryKind.REPLY, classification=Classification.AUTOMATIC, connector=connector)
    domain = entry.identity.value.rpartition("@")[2] if entry.identity else ""
    in_minute, in_hour = now() - timedelta(minutes=1), now() - timedelta(hours=1)
    minutes = int(FLOOD.total_seconds() // 60)
    if heard.filter(identity=entry.identity).count() > MOST_FROM_ONE:
        return f"more than {MOST_FROM_ONE} messages came from one sender within {minutes} minutes, last in #{case.pk}"
    if heard.filter(case__in=case.family()).count() > MOST_IN_CASE:
        return f"more than {MOST_IN_CASE} messages came into #{case.pk} within {minutes} minutes"
    if told.filter(created_at__gte=in_minute).count() >= MOST_A_MINUTE:
        return f"{MOST_A_MINUTE} in one minute are the most that leave"
    to_domain = told.filter(created_at__gte=in_hour, identity__value__endswith=f"@{domain}")
    if domain and to_domain.count() >= MOST_A_DOMAIN:
        return f"{MOST_A_DOMAIN} in one hour are the most that go to {domain}"
    return ""

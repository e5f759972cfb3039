"""STOP and START, by a whole-message keyword or the provider's own word for it; and no more automatic mail."""

from __future__ import annotations

from django.db import transaction

from connectors.adapters import ADAPTERS
from connectors.messages import CHANNEL_WORDS, Channel, OptOut, OptOutAction
from connectors.models import Connector
from customers.identities import UNPROVEN
from customers.models import Consent, Customer, Identity
from customers.models.consent import ConsentState, Purpose
from inbox.intake import outcomes, people
from inbox.intake.outcomes import Duplicate, Outcome
from inbox.locking import lock_owner
from inbox.models import Case, Delivery, Entry


def opt_out(connector: Connector, item: OptOut) -> Outcome:
    """Recorded per identity and sender of ours; every way of sending asks for it."""
    if item.action == OptOutAction.HELP:
        return outcomes.ignored("help keyword", "The provider answers HELP itself.")
    if item.action == OptOutAction.UNSUBSCRIBE:
        return unsubscribe(item)
    with transaction.atomic():
        return _consent(connector, item)


def unsubscribe(item: OptOut) -> Outcome:
    """From what is sent by itself, at the address that one such message went to."""
    deliveries = Delivery.objects.filter(uuid=item.delivery, identity__erased_at=None)
    meant = deliveries.select_related("identity", "connector").first()
    if meant is None:
        return outcomes.ignored("unsubscribe", "The message it is about is not here any more.")
    sender = str(meant.connector.uuid)
    with transaction.atomic():
        customer = lock_owner(meant.identity)
        is_news = not Consent.objects.refuses_automatic(meant.identity, sender)
        noted = {"identity": meant.identity, "purpose": Purpose.AUTOMATIC, "state": ConsentState.OPTED_OUT}
        _, new = Consent.objects.get_or_create(
            sender=sender, provider_id=item.provider_id, defaults={**noted, "words": item.words[:200]}
        )
        if not new:
            raise Duplicate
        case = Case.objects.live_of(customer) if is_news else None
        if case:
            messages = f"{CHANNEL_WORDS[Channel(meant.connector.kind)].message}s"
            said = f"{customer.first_name} wants no automatic {messages} any more"
            case.record(Entry.event_of("consent", said, by=None))
    return outcomes.update("unsubscribed")


def _consent(connector: Connector, item: OptOut) -> Outcome:
    identity = people.find(connector, item.sender)
    customer = lock_owner(identity)
    state = ConsentState.OPTED_OUT if item.action == OptOutAction.STOP else ConsentState.OPTED_IN
    was_out = Consent.objects.opted_out_at(identity, str(connector.uuid)) is not None
    _, new = Consent.objects.get_or_create(
        sender=str(connector.uuid),
        provider_id=item.provider_id,
        defaults={"identity": identity, "state": state, "words": item.words[:200]},
    )
    if not new:
        raise Duplicate
    is_news = was_out != (state == ConsentState.OPTED_OUT)  # "Yes" may just be an answer to our question
    case = Case.objects.live_of(customer) if is_news else None
    if case:
        messages = f"{CHANNEL_WORDS[Channel(connector.kind)].message}s"
        words = f"wants {messages} again: “{item.words}”"
        if state == ConsentState.OPTED_OUT:
            words = f"opted out of {messages}: “{item.words}”{_instead(customer, identity)}"
        case.record(Entry.event_of("consent", f"{customer.first_name} {words}", by=None))
    return outcomes.update(f"consent {state}")


def _instead(customer: Customer, identity: Identity) -> str:
    """Whoever owns the case is told where to answer now."""
    others = customer.identities.exclude(kind=identity.kind).exclude(scope=UNPROVEN).filter(blocked_at=None)
    kinds = set(others.values_list("kind", flat=True))
    ways = [CHANNEL_WORDS[channel].inside for channel, adapter in ADAPTERS.items() if adapter.identity_kind in kinds]
    return f". Answer by {' or '.join(ways)}" if ways else ""

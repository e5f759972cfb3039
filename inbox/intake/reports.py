"""How what we sent fares: seen, delivered, failed, bounced."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from connectors.adapters.email.message_id import is_ours
from connectors.messages import Bounce, Read, Status
from connectors.models import Connector
from inbox import outbox
from inbox.intake import messages, outcomes
from inbox.intake.outcomes import Duplicate, NotYet, Outcome, Unusable
from inbox.locking import locked_with
from inbox.models import Delivery, Entry, ProviderMessage, State


def known_message(connector: Connector, provider_id: str) -> ProviderMessage:
    """Raises NotYet for a message nobody has told us of; providers do not keep order."""
    known = ProviderMessage.objects.filter(connector=connector, provider_id=provider_id)
    found = known.select_related("entry__case", "entry__identity__customer", "delivery").first()
    if found is None:
        raise NotYet(f"It speaks of a message that has not arrived ({provider_id[:60]}).")
    return found


def read(connector: Connector, item: Read) -> Outcome:
    """A mid, never a watermark: that message and all earlier ones to the same person were seen."""
    known = known_message(connector, item.provider_id)
    arrived = Q(state__in=[State.SENT, State.DELIVERED]) | Q(pk=known.delivery_id)
    earlier = Delivery.objects.filter(
        arrived, identity=known.entry.identity, connector=connector, entry__pk__lte=known.entry_id
    )
    for delivery in earlier.order_by("-pk")[:50]:
        outbox.mark(delivery, State.READ)
    return outcomes.update("read", known.entry_id)


def status(connector: Connector, item: Status) -> Outcome:
    delivery = Delivery.objects.filter(uuid=item.delivery, connector=connector).first() if item.delivery else None
    if delivery is None:
        known = ProviderMessage.objects.filter(
            connector=connector, provider_id=item.provider_id, delivery__isnull=False
        )
        found = known.select_related("delivery").first()
        delivery = found.delivery if found else None
    if delivery is None:
        return outcomes.ignored("status of an unknown message", item.provider_id)
    if ProviderMessage.objects.filter(connector=connector, provider_id=item.provider_id, delivery=None).exists():
        return outcomes.ignored("report of an earlier try", item.provider_id)
    if item.provider_id:
        ProviderMessage.objects.bulk_create(
            [
                ProviderMessage(
                    connector=connector, provider_id=item.provider_id, entry_id=delivery.entry_id, delivery=delivery
                )
            ],
            ignore_conflicts=True,
        )
    if not outbox.mark(delivery, outbox.STATES[item.status], reason=item.reason, code=item.code):
        raise Duplicate
    return outcomes.update(f"delivery {item.status}", delivery.entry_id)


def bounce(connector: Connector, item: Bounce, at: datetime | None = None) -> Outcome:
    """Believed only about a mail we really sent: our own Message-ID, to that address. What is not is filed."""
    uuid = is_ours(item.message_id, settings.SECRET_KEY.encode())
    entry = Entry.objects.filter(uuid=uuid, connector=connector).select_related("identity").first() if uuid else None
    if entry is not None and entry.erased_at:
        raise Duplicate(entry.pk, entry.case_id)
    delivery, address = entry.deliveries.first() if entry else None, item.address.lower()
    if entry is None or delivery is None:
        return _filed(connector, item, at)
    main = entry.data.get("sent_to") or (entry.identity.value if entry.identity else "")
    if address and main and address != main:
        if address not in (*entry.headers.get("cc", []), *entry.data.get("bcc", [])):
            return _filed(connector, item, at)
        _say_beside(delivery, f"Not delivered to {address}: {item.reason}")
    elif item.permanent:
        # The server had accepted it, so "sent" stands; a bounce is the one report that comes after it.
        outbox.failed(delivery, item.reason, item.code)
    else:
        _say_beside(delivery, item.reason)
    return outcomes.update("bounce" if item.permanent else "delayed", entry.pk)


def _filed(connector: Connector, item: Bounce, at: datetime | None) -> Outcome:
    if item.mail is None:
        raise Unusable("It says that a mail did not arrive, and it is none that was sent from here.")
    with transaction.atomic():
        return messages.receive(connector, item.mail, at)


def _say_beside(delivery: Delivery, words: str) -> None:
    """Something about a reply that stays sent. Said once, however many reports say it."""
    with locked_with(delivery.entry) as case:
        said = Delivery.objects.values_list("reason", flat=True).get(pk=delivery.pk)
        if words not in said:
            left = Delivery.objects.filter(pk=delivery.pk, state__in=[State.SENT, State.DELIVERED, State.READ])
            left.update(reason=" ".join(filter(None, [said, words]))[:400], changed_at=now())
            case.changed(delivery.entry)

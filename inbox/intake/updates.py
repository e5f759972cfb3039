"""What happened to messages that are here already, and what we sent from elsewhere."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.timezone import now

from connectors.adapters.email.message_id import is_ours
from connectors.messages import (
    Bounce,
    Echo,
    Edit,
    OptOut,
    OptOutAction,
    Reaction,
    Read,
    Status,
    Unsend,
)
from connectors.models import Connector
from customers.models import Consent, Identity
from customers.models.consent import ConsentState
from inbox import outbox
from inbox.intake import files, outcomes, people
from inbox.intake.outcomes import Duplicate, NotYet, Outcome
from inbox.locking import lock_owner, locked
from inbox.models import Alert, Case, Delivery, Entry, EntryKind, ProviderMessage, State
from inbox.models import Status as CaseStatus


def echo(connector: Connector, item: Echo) -> Outcome:
    """What we wrote, told by the provider: ours coming back, or written in another program."""
    if ProviderMessage.objects.filter(connector=connector, provider_id=item.provider_id).exists():
        raise Duplicate
    identity = people.find(connector, item.recipient)
    own = _on_its_way(connector, identity, item.text)
    if own:  # faster than the answer to our own call
        ProviderMessage.objects.create(connector=connector, provider_id=item.provider_id, entry=own.entry, delivery=own)
        if own.state == State.UNKNOWN:
            outbox.mark(own, State.SENT)
        return outcomes.update("echo of our own", own.entry_id)
    with transaction.atomic():
        return _sent_outside(connector, identity, item)


def _on_its_way(connector: Connector, identity: Identity, text: str) -> Delivery | None:
    """A message of ours whose fate is still open, in the same words to the same person."""
    recent = Delivery.objects.filter(connector=connector, identity=identity, changed_at__gt=now() - timedelta(hours=1))
    return recent.filter(state__in=[State.SENDING, State.UNKNOWN], text=text).order_by("pk").first()


def _sent_outside(connector: Connector, identity: Identity, item: Echo) -> Outcome:
    customer = lock_owner(identity)
    entry = Entry(
        kind=EntryKind.REPLY,
        channel=connector.kind,
        connector=connector,
        identity=identity,
        our_address=item.account_address,
        author="Sent outside Throughline",
        text=item.text,
        sent_at=item.sent_at,
        sent_outside=True,
    )
    case = Case.objects.live_of(customer)
    case = case or Case.objects.unmerged().main().filter(customer=customer).order_by("-pk").first()
    if case is None:
        case = Case.objects.start(customer, connector.team, " ".join(item.text.split()))
    if case.is_live:
        case.status, case.shows_move = CaseStatus.WAITING, False
    case.record(entry, "status", "shows_move")
    ProviderMessage.objects.create(connector=connector, provider_id=item.provider_id, entry=entry)
    files.attach(entry, item.attachments)
    here = list(case.open_entries().filter(channel=entry.channel).values_list("pk", flat=True))
    case.tie(by=None, reply=entry, entries=here)
    Alert.objects.close_if_answered(case)
    case.changed(entry)
    return outcomes.entry(entry.pk, case.pk)


def _known(connector: Connector, provider_id: str) -> Entry:
    """Raises NotYet for a message nobody has told us of; providers do not keep order."""
    known = ProviderMessage.objects.filter(connector=connector, provider_id=provider_id)
    found = known.select_related("entry__case", "entry__identity").first()
    if found is None:
        raise NotYet(f"It speaks of a message that has not arrived ({provider_id[:60]}).")
    return found.entry


def edit(connector: Connector, item: Edit) -> Outcome:
    entry = _known(connector, item.provider_id)
    number = int(entry.data.get("edits", 0))
    if item.number <= number:
        raise Duplicate
    entry.data["edits"] = item.number
    entry.data.setdefault("before", []).append(entry.text)
    entry.text, entry.edited_at = item.text, now()
    return _save(entry, "edited", "text", "edited_at", "data")


def unsend(connector: Connector, item: Unsend) -> Outcome:
    """The words and our copies of the files go; that something was said stays."""
    entry = _known(connector, item.provider_id)
    if entry.unsent_at:
        raise Duplicate
    for attachment in entry.attachments.exclude(key=""):
        default_storage.delete(attachment.key)
    entry.attachments.all().delete()
    entry.text, entry.html, entry.quoted, entry.unsent_at = "", "", "", now()
    entry.remark = "Deleted by the sender"
    return _save(entry, "unsent", "text", "html", "quoted", "unsent_at", "remark")


def reaction(connector: Connector, item: Reaction) -> Outcome:
    entry = _known(connector, item.provider_id)
    who = item.sender.address
    if item.emoji:
        entry.reactions[who] = item.emoji
    else:
        entry.reactions.pop(who, None)
    return _save(entry, "reaction", "reactions")


def _save(entry: Entry, what: str, *fields: str) -> Outcome:
    if entry.case is None:
        entry.save(update_fields=fields)
        return outcomes.update(what, entry.pk)
    with locked(entry.case) as case:
        entry.save(update_fields=fields)
        if case.last_entry_id == entry.pk:
            case.preview = entry.preview
        case.changed(entry, "preview")
    return outcomes.update(what, entry.pk)


def read(connector: Connector, item: Read) -> Outcome:
    """A mid, never a watermark: that message and all earlier ones to the same person were seen."""
    entry = _known(connector, item.provider_id)
    earlier = Delivery.objects.filter(
        identity=entry.identity, connector=connector, entry__pk__lte=entry.pk, state__in=[State.SENT, State.DELIVERED]
    )
    for delivery in earlier.order_by("-pk")[:50]:
        outbox.mark(delivery, State.READ)
    return outcomes.update("read", entry.pk)


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


def bounce(connector: Connector, item: Bounce) -> Outcome:
    """Believed only about a mail we really sent: our own Message-ID, to that address."""
    uuid = is_ours(item.message_id, settings.SECRET_KEY.encode())
    entry = Entry.objects.filter(uuid=uuid, connector=connector).select_related("identity").first() if uuid else None
    if entry is None:
        return outcomes.ignored("bounce of a mail that is not ours", item.reason)
    delivery = entry.deliveries.first()
    if delivery is None or (item.address and entry.identity and item.address.lower() != entry.identity.value):
        return outcomes.update(f"bounce for {item.address}", entry.pk)
    if item.permanent:
        # The server had accepted it, so "sent" stands; a bounce is the one report that comes after it.
        outbox.failed(delivery, item.reason, item.code)
    else:
        Delivery.objects.filter(pk=delivery.pk, state=State.SENT).update(reason=item.reason[:400], changed_at=now())
    return outcomes.update("bounce" if item.permanent else "delayed", entry.pk)


def opt_out(connector: Connector, item: OptOut) -> Outcome:
    """Recorded per identity and sender of ours; every way of sending asks for it."""
    if item.action == OptOutAction.HELP:
        return outcomes.ignored("help keyword", "The provider answers HELP itself.")
    identity = people.find(connector, item.sender)
    with transaction.atomic():
        return _consent(connector, identity, item)


def _consent(connector: Connector, identity: Identity, item: OptOut) -> Outcome:
    customer = lock_owner(identity)
    state = ConsentState.OPTED_OUT if item.action == OptOutAction.STOP else ConsentState.OPTED_IN
    _, new = Consent.objects.get_or_create(
        sender=str(connector.uuid),
        provider_id=item.provider_id,
        defaults={"identity": identity, "state": state, "words": item.words[:200]},
    )
    if not new:
        raise Duplicate
    case = Case.objects.live_of(customer)
    if case:
        words = "opted out of texts" if state == ConsentState.OPTED_OUT else "wants texts again"
        case.record(Entry.event_of("consent", f"{customer.first_name} {words}: “{item.words}”", by=None))
    return outcomes.update(f"consent {state}")

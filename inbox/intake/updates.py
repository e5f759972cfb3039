"""What happened to messages that are here already: changed, taken back, liked, seen, bounced; and consent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.adapters.email.message_id import is_ours
from connectors.messages import (
    CHANNEL_WORDS,
    Bounce,
    Channel,
    Edit,
    OptOut,
    OptOutAction,
    Reaction,
    Read,
    Status,
    Unsend,
)
from connectors.models import Connector
from customers.identities import UNPROVEN
from customers.models import Consent, Customer, Identity
from customers.models.consent import ConsentState
from inbox import outbox
from inbox.intake import files, outcomes, people, told
from inbox.intake.outcomes import Duplicate, NotYet, Outcome
from inbox.locking import Moved, lock_owner, locked
from inbox.models import Case, Delivery, Entry, EntryKind, Fact, FactKind, ProviderMessage, State
from inbox.outbox.answering import unanswered_again


def edit(connector: Connector, item: Edit) -> Outcome:
    with _under_lock(connector, item.provider_id) as (_, entry, case):
        if entry.unsent_at or item.number <= int(entry.data.get("edits", 0)):
            raise Duplicate(entry.pk, entry.case_id)
        before = entry.text
        entry.data["edits"] = item.number
        entry.data.setdefault("before", []).append(before)
        entry.text, entry.edited_at = item.text, now()
        entry.save(update_fields=["text", "edited_at", "data"])
        if case:
            _forget(case, entry, entry.facts.filter(kind=FactKind.ORDER))
            _tell_again(case, entry, [before])
    return outcomes.update("edited", entry.pk)


def unsend(connector: Connector, item: Unsend) -> Outcome:
    """What was made of the words goes with them, and so do our copies of the files; that something was said stays."""
    with _under_lock(connector, item.provider_id) as (known, entry, case):
        if entry.unsent_at:
            raise Duplicate(entry.pk, entry.case_id)
        before = [entry.text, *entry.data.pop("before", [])]
        part = known.delivery
        if part and entry.deliveries.exclude(pk=part.pk).exclude(text="", attachment=None).exists():
            _take_out(part, entry)
        else:
            _empty(entry)
            if case and entry.is_ours:
                _waits_again(case, entry)
        entry.touched_at = now()
        entry.save(update_fields=["text", "html", "quoted", "unsent_at", "remark", "data", "touched_at"])
        if case:
            _forget(case, entry, entry.facts.all())
            _tell_again(case, entry, before)
    return outcomes.update("unsent", entry.pk)


def reaction(connector: Connector, item: Reaction) -> Outcome:
    """Webhooks come late, twice and in any order: the newest word of each person holds, also that it was taken back."""
    with _under_lock(connector, item.provider_id) as (_, entry, case):
        who, times = item.sender.address, entry.data.setdefault("reacted_at", {})
        if item.at and who in times and item.at < datetime.fromisoformat(times[who]):
            raise Duplicate(entry.pk, entry.case_id)
        if item.at:
            times[who] = item.at.isoformat()
        if item.emoji:
            entry.reactions[who] = item.emoji
        else:
            entry.reactions.pop(who, None)
        entry.touched_at = now()
        entry.save(update_fields=["reactions", "data", "touched_at"])
        if case:
            case.changed(entry)
    return outcomes.update("reaction", entry.pk)


def _known(connector: Connector, provider_id: str) -> ProviderMessage:
    """Raises NotYet for a message nobody has told us of; providers do not keep order."""
    known = ProviderMessage.objects.filter(connector=connector, provider_id=provider_id)
    found = known.select_related("entry__case", "entry__identity__customer", "delivery").first()
    if found is None:
        raise NotYet(f"It speaks of a message that has not arrived ({provider_id[:60]}).")
    return found


@contextmanager
def _under_lock(connector: Connector, provider_id: str) -> Iterator[tuple[ProviderMessage, Entry, Case | None]]:
    """The message as it is under its customer's lock, and the case it is read in. Filed mail has none: when somebody
    gave it one meanwhile, Moved is raised."""
    known = _known(connector, provider_id)
    with locked(known.entry.case) if known.entry.case else _locked_owner(known.entry) as case:
        entry = Entry.objects.select_related("identity").get(pk=known.entry_id)
        if entry.case_id and case is None:
            raise Moved
        yield known, entry, case


@contextmanager
def _locked_owner(entry: Entry) -> Iterator[None]:
    assert entry.identity is not None
    with transaction.atomic():
        lock_owner(entry.identity)
        yield


def _take_out(part: Delivery, entry: Entry) -> None:
    """One provider message of several that a reply of ours became."""
    entry.text = entry.text.replace(part.text.strip(), "", 1).strip() if part.text.strip() else entry.text
    files.forget(entry.attachments.filter(pk=part.attachment_id or 0))
    Delivery.objects.filter(pk=part.pk).update(text="")


def _empty(entry: Entry) -> None:
    files.forget(entry.attachments.all())
    entry.deliveries.update(text="")
    entry.text, entry.html, entry.quoted, entry.unsent_at = "", "", "", now()
    entry.remark = "Deleted by the sender"


def _waits_again(case: Case, entry: Entry) -> None:
    """Our answer is gone, unless we wrote again since."""
    later = case.timeline().that_left().filter(channel=entry.channel, pk__gt=entry.pk)
    if case.is_live and not later.exists():
        unanswered_again(case, entry)
        Entry.objects.filter(pk__in=entry.data["untied"]).update(touched_at=now())


def _tell_again(case: Case, entry: Entry, before: list[str]) -> None:
    """What lists and cards had taken from the old words follows the new ones."""
    if case.last_entry_id == entry.pk:
        case.preview = entry.preview
    named_after = [_as_subject(words) for words in before]
    Case.objects.filter(pk__in=case.family(), subject__in=named_after).update(subject=_as_subject(entry.text))
    case.refresh_from_db(fields=["subject"])
    case.changed(entry, "preview", "status", "shows_move", "has_failed_delivery")


def _as_subject(words: str) -> str:
    return " ".join(words.split())[:300] or "(no subject)"


def _forget(case: Case, entry: Entry, facts: QuerySet[Fact]) -> None:
    """What it told; unless another message told the same, which counts then."""
    lost = list(facts.values_list("value", flat=True))
    facts.delete()
    entry.mentions.all().delete()
    telling = Q(pk=entry.pk)
    for value in lost:
        telling |= Q(text__contains=value)
    for each in case.timeline().filter(telling, kind=EntryKind.MESSAGE).exclude(text="").order_by("pk"):
        told.note(case, case.customer.current(), each)


def read(connector: Connector, item: Read) -> Outcome:
    """A mid, never a watermark: that message and all earlier ones to the same person were seen."""
    known = _known(connector, item.provider_id)
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


def bounce(connector: Connector, item: Bounce) -> Outcome:
    """Believed only about a mail we really sent: our own Message-ID, to that address."""
    uuid = is_ours(item.message_id, settings.SECRET_KEY.encode())
    entry = Entry.objects.filter(uuid=uuid, connector=connector).select_related("identity").first() if uuid else None
    if entry is None:
        return outcomes.ignored("bounce of a mail that is not ours", item.reason)
    delivery, address = entry.deliveries.first(), item.address.lower()
    if delivery is None:
        return outcomes.ignored("bounce of a mail that was never sent", item.reason)
    if address and entry.identity and address != entry.identity.value:
        if address not in entry.headers.get("cc", []):
            return outcomes.ignored("bounce for somebody who was not written to", address)
        _say_beside(delivery, f"Not delivered to {address}: {item.reason}")
    elif item.permanent:
        # The server had accepted it, so "sent" stands; a bounce is the one report that comes after it.
        outbox.failed(delivery, item.reason, item.code)
    else:
        _say_beside(delivery, item.reason)
    return outcomes.update("bounce" if item.permanent else "delayed", entry.pk)


def _say_beside(delivery: Delivery, words: str) -> None:
    """Something about a reply that stays sent. Said once, however many reports say it."""
    assert delivery.entry.case is not None
    with locked(delivery.entry.case) as case:
        said = Delivery.objects.values_list("reason", flat=True).get(pk=delivery.pk)
        if words not in said:
            left = Delivery.objects.filter(pk=delivery.pk, state__in=[State.SENT, State.DELIVERED, State.READ])
            left.update(reason=" ".join(filter(None, [said, words]))[:400], changed_at=now())
            case.changed(delivery.entry)


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

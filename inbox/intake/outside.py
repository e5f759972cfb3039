"""What we wrote, as the provider tells it: our own messages coming back, and what was sent from another program."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from connectors.adapters.email.message_id import is_ours
from connectors.messages import Attachment, Echo
from connectors.models import Connector
from customers.models import Customer, Identity
from inbox import inviting, outbox
from inbox.intake import files, outcomes, people, threads
from inbox.intake.outcomes import Duplicate, Outcome
from inbox.locking import lock_owner
from inbox.models import Case, Delivery, Entry, EntryKind, ProviderMessage, State, Status
from inbox.outbox.answering import answer

EVER = datetime(1970, 1, 1, tzinfo=UTC)
CLOCKS_DIFFER = timedelta(minutes=1)
ANY_TYPE = "application"  # the provider does not say what the file is


def echo(connector: Connector, item: Echo) -> Outcome:
    """Ours, faster than the answer to our own call, or after a call whose end nobody saw; else sent outside."""
    known = ProviderMessage.objects.filter(connector=connector, provider_id=item.provider_id)
    if entry := known.values_list("entry", flat=True).first():
        raise Duplicate(entry)
    if item.automatic and not people.is_known(connector, item.recipient):
        return outcomes.ignored("automatic message", "A program sent it to somebody we do not know.")
    own = _own_mail(connector, item) or _on_its_way(connector, item)
    if own is None:
        with transaction.atomic():
            return _sent_outside(connector, item)
    if not ProviderMessage.objects.remember(connector, item.provider_id, own.entry, own):
        raise Duplicate
    outbox.mark(own, State.SENT)
    return outcomes.update("echo of our own", own.entry_id)


def _own_mail(connector: Connector, item: Echo) -> Delivery | None:
    """Our copy in the mailbox's Sent folder: we made its Message-ID."""
    uuid = is_ours(item.email.message_id, settings.SECRET_KEY.encode()) if item.email else None
    return Delivery.objects.filter(entry__uuid=uuid, connector=connector).first() if uuid else None


def _on_its_way(connector: Connector, item: Echo) -> Delivery | None:
    """A message of ours whose end nobody has seen, in the same words to the same person."""
    identity = people.find(connector, item.recipient, said_at=item.sent_at)
    open_ended = Q(state__in=[State.SENDING, State.UNKNOWN]) | Q(state=State.QUEUED, attempts__gt=0)
    recent = Delivery.objects.filter(open_ended, connector=connector, identity=identity)
    recent = recent.filter(changed_at__gt=now() - timedelta(hours=1)).select_related("attachment", "entry__case")
    return next((each for each in recent.order_by("pk") if _is_the_same(each, item)), None)


def _is_the_same(delivery: Delivery, item: Echo) -> bool:
    """Providers trim texts. Of a file they tell no more than its kind, so it must not be older than our own call."""
    case = delivery.entry.case
    sent = inviting.fill(delivery.text, case) if case else delivery.text
    if sent.strip() or item.text.strip():
        return sent.strip() == item.text.strip()
    if item.sent_at and delivery.claimed_at and item.sent_at < delivery.claimed_at - CLOCKS_DIFFER:
        return False
    return any(_may_be(delivery, each) for each in item.attachments)


def _may_be(delivery: Delivery, file: Attachment) -> bool:
    kind = file.content_type.partition("/")[0]
    own = delivery.attachment.content_type.partition("/")[0] if delivery.attachment else kind
    return ANY_TYPE in (kind, own) or kind == own


def _sent_outside(connector: Connector, item: Echo) -> Outcome:
    identity = people.find(connector, item.recipient)
    customer = lock_owner(identity)
    live = _live_thread(connector, item, identity) or Case.objects.live_of(customer)
    if item.automatic:
        return _note_automatic(connector, item, live)
    case = live or _latest_of(customer)
    if case is None:
        case = Case.objects.start(customer, connector.team, item.subject or " ".join(item.text.split()))
    entry = case.record(_entry(connector, identity, item))
    if not ProviderMessage.objects.remember(connector, item.provider_id, entry):
        raise Duplicate
    files.attach(entry, item.attachments)
    if case.is_live:
        _answer(case, entry)
    return outcomes.entry(entry.pk, case.pk)


def _live_thread(connector: Connector, item: Echo, identity: Identity) -> Case | None:
    """The customer's own case that a mail answers, which need not be their main one. They are locked."""
    thread = threads.find(connector, item, identity)
    is_theirs = thread is not None and thread.customer.current().pk == identity.customer.current().pk
    return thread if thread and is_theirs and thread.is_live else None


def _latest_of(customer: Customer) -> Case | None:
    """What a colleague writes from elsewhere belongs to what was spoken of last; only the customer opens it again."""
    return Case.objects.resolved_of(customer, since=EVER)


def _entry(connector: Connector, identity: Identity, item: Echo) -> Entry:
    mail = item.email
    return Entry(
        kind=EntryKind.REPLY,
        channel=connector.kind,
        connector=connector,
        identity=identity,
        our_address=item.account_address[:320],
        author="Sent outside Throughline",
        subject=item.subject[:500],
        text=item.text,
        sent_at=item.sent_at,
        sent_outside=True,
        message_id=mail.message_id[:998] if mail else "",
        headers={"cc": [each.address for each in mail.cc], "references": list(mail.references)} if mail else {},
    )


def _answer(case: Case, entry: Entry) -> None:
    """Unlike a reply from here it may answer nothing: we may hear of it long after the customer wrote again."""
    before = case.status
    answer(case, entry, by=None)
    if case.status == Status.WAITING:
        case.shows_move, case.snoozed_until = False, None
    elif before == Status.SNOOZED:
        case.status = before
    case.changed(entry, "status", "shows_move", "snoozed_until")


def _note_automatic(connector: Connector, item: Echo, case: Case | None) -> Outcome:
    """A code or a campaign answers nobody and begins nothing; those who have the case open see that it went out."""
    if case is None:
        return outcomes.ignored("automatic message", "A program sent it to somebody who has no open case.")
    words = " ".join(item.text.split())[:200]
    entry = case.record(Entry.event_of("sent_outside", f"A program wrote to them: “{words}”", by=None))
    if not ProviderMessage.objects.remember(connector, item.provider_id, entry):
        raise Duplicate
    return outcomes.entry(entry.pk, case.pk)

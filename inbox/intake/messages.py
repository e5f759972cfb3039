"""Somebody wrote. Which case is it, is it a switch, and the entry that says so: one transaction, one lock."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils.timezone import now

from connectors.messages import Authenticity, Classification, InboundMessage
from connectors.models import Connector
from customers.models import Customer, Identity
from inbox.intake import files, moves, outcomes, people, threads, told
from inbox.intake.outcomes import Duplicate, Outcome
from inbox.locking import Moved, lock, lock_owner
from inbox.models import Agent, Case, Entry, EntryKind, Participant, ParticipantRole, ProviderMessage, Status


def receive(connector: Connector, item: InboundMessage) -> Outcome:
    everybody = _everybody(connector, item)
    identity = people.find(connector, item.sender, item.authenticity)
    thread = threads.find(connector, item)
    theirs = thread.customer.current().pk if thread else None
    customer, last = moves.lock_owner(identity, *([theirs] if theirs else []))
    if thread:
        thread = _still_of(thread, theirs)
    entry = _entry(connector, identity, item)
    if not _is_from_a_person(entry, identity, item):
        return _file(entry, item, customer, thread)
    if thread and theirs != customer.pk:
        return _receive_from_participant(entry, item, thread)
    return _receive_from_customer(entry, item, customer, thread, last, everybody)


def _still_of(thread: Case, owner: int | None) -> Case:
    """The thread's case as it is under the lock; raises Moved when it has changed hands since it was looked up."""
    fresh = Case.objects.select_related("customer").get(pk=thread.pk)
    if fresh.merged_into_id or fresh.customer.current().pk != owner:
        raise Moved
    return fresh


def _everybody(connector: Connector, item: InboundMessage) -> list[Identity]:
    """All identities a mail names, made before anything is locked and always in the same order."""
    if not item.email:
        return []
    ours = {address.lower() for address in connector.addresses}
    named = [each for each in [*item.email.cc, *item.email.to][:20] if not _is_our_address(each.address, ours)]
    if not named:  # most mails name nobody but us
        return []
    mailboxes = Connector.objects.filter(kind="email").values_list("addresses", flat=True)
    ours |= {address.lower() for addresses in mailboxes for address in addresses}
    named = [each for each in named if not _is_our_address(each.address, ours)]
    own = [] if item.authenticity == Authenticity.FAIL else [item.sender]
    return people.find_all(connector, [*own, *named])


def _entry(connector: Connector, identity: Identity, item: InboundMessage) -> Entry:
    mail = item.email
    headers = (
        {
            "to": [each.address for each in mail.to],
            "cc": [each.address for each in mail.cc],
            "reply_to": mail.reply_to,
            "references": list(mail.references),
            "in_reply_to": list(mail.in_reply_to),
        }
        if mail
        else {}
    )
    return Entry(
        kind=EntryKind.MESSAGE,
        channel=connector.kind,
        connector=connector,
        identity=identity,
        our_address=item.recipient[:320],
        author=item.sender.name[:200] or identity.shown,
        sent_at=item.sent_at,
        subject=item.subject[:500],
        text=item.text,
        quoted=item.quoted,
        html=item.html,
        remark=item.remark[:200],
        classification=item.classification,
        reason=item.reason[:300],
        authenticity=item.authenticity,
        message_id=mail.message_id[:998] if mail else "",
        headers=headers,
        answers=_quoted_entry(connector, item),
    )


def _quoted_entry(connector: Connector, item: InboundMessage) -> Entry | None:
    if not item.in_reply_to:
        return None
    known = ProviderMessage.objects.filter(connector=connector, provider_id=item.in_reply_to).select_related("entry")
    found = known.first()
    return found.entry if found else None


def _is_from_a_person(entry: Entry, identity: Identity, item: InboundMessage) -> bool:
    """Sets the class that holds. An agent's word about a sender beats any header; blocking beats that."""
    if identity.blocked_at:
        entry.classification, entry.reason = Classification.SPAM, "This sender is blocked."
    elif identity.is_person and item.email and item.classification in (Classification.AUTOMATIC, Classification.BULK):
        entry.classification, entry.reason = Classification.PERSON, "An agent said that this is a person."
    return entry.classification == Classification.PERSON


def _file(entry: Entry, item: InboundMessage, customer: Customer, thread: Case | None) -> Outcome:
    """Shown in the Filed view, and as one folded line in a live case. It wakes nothing and waits for nothing."""
    entry.kind = EntryKind.FILED
    case = None
    if thread and thread.customer.current().pk != customer.pk:
        case = Case.objects.live().filter(pk=thread.pk).first()
    else:
        case = Case.objects.live_of(customer)
    if case and not entry.identity.blocked_at:  # type: ignore[union-attr]
        case.record(entry)
    else:
        entry.save(force_insert=True)
    _remember(entry, item)
    return outcomes.entry(entry.pk, entry.case_id)


def _receive_from_participant(entry: Entry, item: InboundMessage, thread: Case) -> Outcome:
    """They hold our token or cite our mail, and are not the customer: copied in. No switch, no change of customer."""
    case = _reachable(thread, thread.customer.current(), entry, item)
    entry.kind = EntryKind.PARTICIPANT
    if entry.authenticity == Authenticity.FAIL:
        entry.remark = "Sender not verified"
    case.record(entry)
    Participant.objects.get_or_create(
        case=case,
        identity=entry.identity,
        defaults={"role": ParticipantRole.OFFERED, "name": entry.author, "entry": entry},
    )
    _remember(entry, item)
    return outcomes.entry(entry.pk, case.pk)


def _receive_from_customer(
    entry: Entry,
    item: InboundMessage,
    customer: Customer,
    thread: Case | None,
    last: moves.Last | None,
    everybody: list[Identity],
) -> Outcome:
    identity = entry.identity
    assert identity is not None
    customer.heard_from(item.sender.name)
    entry.author = (customer.name or entry.author)[:200]
    case = _reachable(thread, customer, entry, item)
    verdict = moves.judge(case, last, entry)
    entry.is_open = True
    entry.also_sent = verdict.kind == "also_sent"
    if verdict.kind in ("late", "also_sent"):
        entry.data["late"] = True  # does not change where the customer is
    changed = moves.prepare(case, verdict, entry)
    if case.status == Status.WAITING:
        case.status = Status.OPEN
        changed |= {"status"}
    if not case.subject:
        case.subject = (item.subject or " ".join(item.text.split()))[:300] or "(no subject)"
        changed |= {"subject"}
    case.record(entry, *changed)
    _remember(entry, item)
    Identity.objects.filter(pk=identity.pk).update(
        last_inbound_at=entry.sent_at or entry.created_at, handle=item.sender.handle[:100] or identity.handle
    )
    if verdict.is_move and last is not None:
        moves.record(case, verdict, last, entry)
    case.wake()
    _add_copied_people(case, entry, item, everybody)
    told.note(case, customer, entry)
    return outcomes.entry(entry.pk, case.pk)


def _reachable(thread: Case | None, customer: Customer, entry: Entry, item: InboundMessage) -> Case:
    """The case a message goes to: its thread's if live, the live one, one resolved lately, or a new one.

    The customer is locked, so no second live case can appear meanwhile.
    """
    connector = entry.connector
    assert connector is not None
    assert entry.identity is not None
    is_unknown = entry.identity.is_new and entry.identity.customer_id == customer.pk  # nothing of theirs can be here
    case = Case.objects.live().filter(pk=thread.pk).first() if thread else None
    if case is None and not is_unknown:
        case = Case.objects.live_of(customer)
    if case is None and not is_unknown:
        lately = now() - timedelta(days=settings.REOPEN_DAYS)
        resolved = Case.objects.unmerged().main().filter(customer=customer, status=Status.RESOLVED)
        case = resolved.filter(resolved_at__gte=lately).order_by("-resolved_at").first()
        if case:
            case.reopen(by=None, because="was reopened by a new message")
    if case is None:
        case = Case.objects.start(customer, connector.team, item.subject or " ".join(item.text.split()))
    if connector.team_id != case.team_id and case.share_with(connector.team):
        words = f"{connector.team} was shown this case: {customer.first_name} also wrote to {connector.name}"
        case.record(Entry.event_of("shared", words, by=None, team=connector.team_id))
    return case


def _remember(entry: Entry, item: InboundMessage) -> None:
    """Raises Duplicate when the message is here already, which undoes all that was done for it; then its files."""
    assert entry.connector is not None
    if not ProviderMessage.objects.remember(entry.connector, item.provider_id, entry):
        known = ProviderMessage.objects.filter(connector=entry.connector, provider_id=item.provider_id)
        raise Duplicate(*known.values_list("entry", "entry__case").get())
    files.attach(entry, item.attachments)


def _add_copied_people(case: Case, entry: Entry, item: InboundMessage, everybody: list[Identity]) -> None:
    """Cc set by the customer stays on replies when the mail is authentic; otherwise it is offered, unticked."""
    role = ParticipantRole.COPIED if entry.authenticity == Authenticity.PASS else ParticipantRole.OFFERED
    names = {each.address.lower(): each.name for each in [*item.email.cc, *item.email.to]} if item.email else {}
    for identity in everybody:
        if identity.customer_id != case.customer_id:
            Participant.objects.get_or_create(
                case=case,
                identity=identity,
                defaults={"role": role, "name": names.get(identity.value, "")[:200], "entry": entry},
            )


def _is_our_address(address: str, ours: set[str]) -> bool:
    """Ours with or without a reply token in it."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.split('+')[0]}@{domain}" in ours or address.lower() in ours


def this_is_a_person(entry: Entry, *, by: Agent) -> Case:
    """An agent says that a filed mail is from a person: it opens a case, and the sender is never filed again."""
    identity = entry.identity
    assert identity is not None
    assert entry.connector is not None
    with transaction.atomic():
        customer = lock_owner(Identity.objects.get(pk=identity.pk))
        Identity.objects.filter(pk=identity.pk).update(is_person=True, blocked_at=None)
        Customer.objects.filter(pk=customer.pk).update(has_written=True)
        case = Case.objects.live_of(customer)
        case = case or Case.objects.start(customer, entry.connector.team, entry.subject)
        entry.kind, entry.is_open, entry.classification = EntryKind.MESSAGE, True, Classification.PERSON
        entry.case = case
        entry.save(update_fields=["kind", "is_open", "classification", "case"])
        case.adopt(entry)
        case.record(Entry.event_of("is_person", "said that this is a person", by=by))
    return case


def block(identity: Identity, *, by: Agent) -> None:
    """What this address sends from now on is filed as spam. Other addresses of the same person are not touched."""
    Identity.objects.filter(pk=identity.pk).update(blocked_at=now(), is_person=False)
    _say(identity, f"blocked {identity.shown}", by)


def unblock(identity: Identity, *, by: Agent) -> None:
    Identity.objects.filter(pk=identity.pk).update(blocked_at=None)
    _say(identity, f"unblocked {identity.shown}", by)


def _say(identity: Identity, words: str, by: Agent) -> None:
    with transaction.atomic():
        lock(identity.customer.current().pk)
        case = Case.objects.live_of(identity.customer.current())
        if case:
            case.record(Entry.event_of("blocked", words, by=by))

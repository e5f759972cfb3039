"""Somebody wrote. Which case is it, is it a switch, and the entry that says so: one transaction, one lock."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.db import transaction

from config.database import rows
from connectors.messages import Authenticity, Classification, InboundMessage
from connectors.models import Connector
from customers.identities import EMAIL, NotAnAddress, normalise
from customers.models import Customer, Identity
from inbox.intake import acknowledging, campaigns, files, forwarded, invited, outcomes, people, threads
from inbox.intake.outcomes import Duplicate, Outcome
from inbox.intake.places import place
from inbox.models import Case, Entry, EntryKind, Participant, ParticipantRole, ProviderMessage

MISTAKEN = (Classification.AUTOMATIC, Classification.BULK, Classification.SPAM)  # for what a person wrote
IS_KNOWN = """INSERT INTO inbox_providermessage (connector_id, provider_id, entry_id)
    VALUES (%(connector)s, %(provider_id)s, %(entry)s)"""
WAS_HEARD = f"""WITH known AS ({IS_KNOWN})
    UPDATE customers_identity SET last_inbound_at = greatest(last_inbound_at, %(at)s), handle = %(handle)s,
    profile_due_at = CASE WHEN %(is_bare)s THEN now() END,
    vouched_at = CASE WHEN %(is_vouched)s THEN coalesce(vouched_at, now()) ELSE vouched_at END,
    doubted_at = CASE WHEN last_inbound_at < %(at)s - interval '180 days' THEN %(at)s ELSE doubted_at END
    WHERE id = %(identity)s"""  # noqa: S608  no input


@transaction.atomic(savepoint=False)
def receive(
    connector: Connector, item: InboundMessage, at: datetime | None = None, *, may_be_here: bool = True
) -> Outcome:
    """`at`: when it reached our machine or our mailbox; whoever wrote it has been waiting since then. Raises Duplicate
    when the message `may_be_here`, and is; IntegrityError when it is although it may not be."""
    item, forwarder = forwarded.behind(item)
    said_at = _said_at(item, at)
    everybody = _everybody(connector, item, said_at)
    writes = item.classification == Classification.PERSON
    identity = people.find(connector, item.sender, item.authenticity, said_at, writes=writes)
    if may_be_here:
        _look_for(connector, item)
    claim, cited = invited.find(item, identity), threads.find(connector, item, identity)
    if claim or cited:
        identity.begins = None  # they may be somebody we know, or write to a case that is there
    others = claim.others if claim else []
    customer, last, thread = threads.lock_with(identity, cited, *others)
    entry = _entry(connector, identity, item)
    entry.arrived_at = min(at, entry.created_at) if at else None
    if claim:
        customer, last, thread = invited.settle(claim, customer, thread, entry)
    if not _is_from_a_person(entry, identity, item) or campaigns.answers_one(entry, item, customer):
        return _file(entry, item, customer, thread)
    customer.heard_from(item.sender.name)
    case = place(entry, customer, thread, last)
    forwarded.note(case, item, forwarder)
    _remember(entry, item, was_heard=True)
    _add_copied_people(case, entry, item, everybody)
    acknowledging.acknowledge(case, entry, item)
    return outcomes.entry(entry.pk, case.pk)


def _said_at(item: InboundMessage, at: datetime | None) -> datetime | None:
    """Of a mail, when it lay in our mailbox: its own date is its sender's word."""
    told = None if item.email and at else item.sent_at
    return min((each for each in (told, at) if each), default=None)


def _everybody(connector: Connector, item: InboundMessage, said_at: datetime | None) -> list[Identity]:
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
    return people.find_all(connector, [*own, *named], said_at)


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
        pk=identity.begins[1] if identity.begins else None,
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
        data=_wish(identity, item),
        answers=_quoted_entry(connector, item),
    )


def _wish(identity: Identity, item: InboundMessage) -> dict[str, str]:
    """Another address than their own, where they want to be answered. One that cannot be written to is none."""
    wanted = item.email.reply_to if item.email else ""
    if not wanted:
        return {}
    with suppress(NotAnAddress):
        wanted = normalise(EMAIL, wanted)
        return {"answer_at": wanted} if wanted.isascii() and wanted != identity.value else {}
    return {}


def _quoted_entry(connector: Connector, item: InboundMessage) -> Entry | None:
    if not item.in_reply_to:
        return None
    known = ProviderMessage.objects.filter(connector=connector, provider_id=item.in_reply_to).select_related("entry")
    found = known.first()
    return found.entry if found else None


def _is_from_a_person(entry: Entry, identity: Identity, item: InboundMessage) -> bool:
    """Sets the class that holds. An agent's word about a sender beats every header, except that a machine answered in
    their stead; blocking beats that."""
    if identity.blocked_at:
        entry.classification, entry.reason = Classification.SPAM, "This sender is blocked."
    elif identity.is_person and item.email and item.classification in MISTAKEN and not item.is_auto_reply:
        entry.classification, entry.reason = Classification.PERSON, "An agent said that this is a person."
    return entry.classification == Classification.PERSON


def _file(entry: Entry, item: InboundMessage, customer: Customer, thread: Case | None) -> Outcome:
    """Shown in the Filed view, and as one folded line in a live case. It wakes nothing and waits for nothing."""
    assert entry.identity is not None
    entry.kind = EntryKind.FILED
    case = _live_case_beside(entry, customer, thread)
    if case:
        case.record(entry)
    else:
        entry.save(force_insert=True)
    if entry.identity.is_new and customer.has_written:  # so it seemed when they were stored
        customer.has_written = False
        rows.update_later(customer, ["has_written"])
    # Off mail they opened our chat by a link, or are blocked: no program, and a provider's window opens.
    _remember(entry, item, was_heard=item.email is None)
    return outcomes.entry(entry.pk, entry.case_id)


def _live_case_beside(entry: Entry, customer: Customer, thread: Case | None) -> Case | None:
    """One that the team it was sent to sees anyway: filed mail opens a case to nobody, and is hidden from nobody."""
    assert entry.identity is not None
    assert entry.connector is not None
    if entry.identity.blocked_at:
        return None
    is_own = thread is None or thread.customer.current().pk == customer.pk
    case = Case.objects.live_of(customer) if is_own else thread
    return case if case and case.is_live and entry.connector.team_id in case.team_ids else None


def _look_for(connector: Connector, item: InboundMessage) -> None:
    known = ProviderMessage.objects.filter(connector=connector, provider_id=item.provider_id)
    for entry_id, case_id in known.values_list("entry", "entry__case"):
        raise Duplicate(entry_id, case_id)


def _remember(entry: Entry, item: InboundMessage, *, was_heard: bool) -> None:
    """Its name and its files. What is here already fails on the name, which undoes all that was done for it."""
    name = {"connector": entry.connector_id, "provider_id": item.provider_id, "entry": entry.pk}
    if was_heard:
        rows.send(WAS_HEARD, name | _heard(entry, item))
    else:
        rows.send(IS_KNOWN, name)
    if item.attachments:
        rows.hurry()  # or the files of what is here already would be stored again
    files.attach(entry, item.attachments)


def _heard(entry: Entry, item: InboundMessage) -> dict[str, Any]:
    """What is delivered late opens no window again, and a clock that runs ahead does not keep one open.

    Who was silent for half a year may be somebody else now: numbers are given to new people.
    """
    assert entry.identity is not None
    at = min(entry.sent_at or entry.reached_us_at, entry.created_at)
    entry.identity.is_called(item.sender.handle[:100])
    is_bare = bool(item.sender.scope) and not entry.identity.handle  # a bare id says nothing to anybody
    is_vouched = item.email is not None and entry.authenticity == Authenticity.PASS
    return {
        "at": at,
        "handle": entry.identity.handle,
        "is_bare": is_bare,
        "is_vouched": is_vouched,
        "identity": entry.identity.pk,
    }


def _add_copied_people(case: Case, entry: Entry, item: InboundMessage, everybody: list[Identity]) -> None:
    """Cc set by the customer stays on replies when the mail is authentic; otherwise it is offered, unticked."""
    if entry.kind == EntryKind.PARTICIPANT and entry.authenticity == Authenticity.FAIL:
        return
    is_vouched_for = entry.kind == EntryKind.MESSAGE and entry.authenticity == Authenticity.PASS
    role = ParticipantRole.COPIED if is_vouched_for else ParticipantRole.OFFERED
    names = {each.address.lower(): each.name for each in [*item.email.cc, *item.email.to]} if item.email else {}
    for identity in everybody:
        if identity.customer_id != case.customer_id and identity.pk != entry.identity_id:
            Participant.objects.get_or_create(
                case=case,
                identity=identity,
                defaults={"role": role, "name": names.get(identity.value, "")[:200], "entry": entry},
            )


def _is_our_address(address: str, ours: set[str]) -> bool:
    """Ours with or without a reply token in it."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.split('+')[0]}@{domain}" in ours or address.lower() in ours

"""An agent writes. The entry and its deliveries are stored together; nothing has left when this returns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.adapters.email.message_id import message_id
from connectors.messages import Channel, Classification
from customers.models import Identity
from inbox import inviting, merging
from inbox.codes import marks_in
from inbox.disclosing import Held, held_for, overridden
from inbox.locking import locked
from inbox.models import (
    Agent,
    Alert,
    AnotherIsLive,
    Attachment,
    Case,
    Delivery,
    Draft,
    Entry,
    EntryKind,
    Participant,
    ParticipantRole,
    Status,
)
from inbox.models.case import SPOKEN
from inbox.outbox.answering import answer
from inbox.outbox.introducing import introduced
from inbox.outbox.sending import wake_delivery
from inbox.outbox.undoing import before
from inbox.outbox.ways import Option, option_by_key, options, refusal

MOST_CHARACTERS = 50_000


class ReplyHeld(Exception):
    """Something newer arrived while the agent was typing; `newer` are those entries, oldest first."""

    def __init__(self, newer: list[Entry]) -> None:
        super().__init__("Something newer arrived.")
        self.newer = newer


class CannotSend(Exception):
    """The channel may not be used for this person now."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy


class WouldDisclose(Exception):
    """It is not sure whose address this is, or other people are copied in; and the reply tells what was learned
    elsewhere. `held` names each whom it would tell."""

    def __init__(self, held: list[Held]) -> None:
        super().__init__("It would tell too much.")
        self.held = held


class BadReply(Exception):
    """`field` of the form is wrong; `words` say how."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field, self.words = field, words


def reply(
    case: Case,
    *,
    by: Agent,
    option_key: str,
    text: str,
    subject: str = "",
    copied: Sequence[int] = (),
    also_answers: Sequence[int] = (),
    seen_entry: int = 0,
    files: Sequence[int] = (),
    send_anyway: bool = False,
    confirmed: bool = False,
    disclose: bool = False,
    resolve: bool = False,
    form: UUID | None = None,
) -> Entry:
    """Answers on one channel, ties what it answers, and leaves after the undo time.

    `copied` are participants' ids, `also_answers` ids of open entries on other channels, `seen_entry` the newest entry
    the agent had seen. `form` is the form's own id: sent twice, it is one reply. Raises ReplyHeld, WouldDisclose,
    CannotSend or BadReply, and then nothing is stored.
    """
    text = text.replace("\x00", "").replace("\r\n", "\n").strip()
    with locked(case) as case:
        sent = Entry.objects.filter(uuid=form).first() if form else None
        if sent and sent.agent == by and not sent.unsent_at:
            return sent  # the answer to the first click got lost on its way
        option = _usable(case, option_key, confirmed)
        uploads = list(Attachment.objects.filter(pk__in=files, entry=None, uploaded_by=by))
        _check(text, uploads, option)
        _check_codes(case, text, option)
        if not send_anyway:
            _hold_if_newer(case, seen_entry, by)
        with_it = [each.identity for each in _copied(case, option, copied)]
        told = held_for(case, option.identity, with_it, f"{subject}\n{text}", uploads)
        if told and not disclose:
            raise WouldDisclose(told)
        _bring_back(case, by)
        written, text = text, introduced(case, option, text)
        entry = _entry(case, by, option, text, subject, copied, None if sent else form)
        entry.data["case_was"] = before(case, resolves=resolve)
        entry.data["introduction"] = len(text) - len(written)
        case.status, case.shows_move, case.snoozed_until = Status.WAITING, False, None
        if case.assignee is None:
            case.assignee = by
        case.record(entry, "status", "shows_move", "snoozed_until", "assignee")
        Attachment.objects.filter(pk__in=[each.pk for each in uploads]).update(entry=entry, draft=None)
        _queue(entry, option, text, uploads)
        inviting.tell(case, entry)
        if told:
            case.record(Entry.event_of("disclosed", overridden(told), by=by, reply=entry.pk))
        answer(case, entry, by=by, also=also_answers)
        case.changed(entry, "status")
        Draft.objects.filter(case=case, agent=by, channel=option.channel).delete()
        if resolve:
            case.resolve(by=by)
    return entry


def _usable(case: Case, key: str, confirmed: bool) -> Option:
    option = option_by_key(case, key)
    if option is None:
        raise CannotSend("This address does not belong to the customer any more.", "Choose another one.")
    if option.refusal:
        raise CannotSend(option.refusal.reason, option.refusal.remedy)
    if option.confirm and not confirmed:
        raise CannotSend(option.confirm, "Confirm that you want to text this number.")
    return option


def _bring_back(case: Case, by: Agent) -> None:
    """An answer to a resolved case opens it again, unless the customer has a newer one."""
    try:
        case.reopen(by=by, because="reopened it to answer")
    except AnotherIsLive as live:
        raise CannotSend(
            f"This case is resolved, and {live.case.customer.first_name} has a newer one.",
            f"Answer there: #{live.case.pk}.",
        ) from live


def _check(text: str, uploads: Sequence[Attachment], option: Option) -> None:
    limits = ADAPTERS[Channel(option.channel)].limits
    if not text and not uploads:
        raise BadReply("text", "Write something first.")
    if len(text) > MOST_CHARACTERS:
        raise BadReply("text", f"That is {len(text):,} characters; {MOST_CHARACTERS:,} is the most that can be sent.")
    if len(uploads) > limits.max_files:
        raise BadReply("files", f"At most {limits.max_files} files can be sent here.")
    for upload in uploads:
        if upload.size > limits.max_file_bytes:
            most = limits.max_file_bytes // (1024 * 1024)
            raise BadReply("files", f"{upload.name} is too large: {most} MB is the most here.")
    if sum(upload.size for upload in uploads) > limits.max_total_bytes:
        raise BadReply("files", f"Together the files may have {limits.max_total_bytes // (1024 * 1024)} MB here.")


def _check_codes(case: Case, text: str, option: Option) -> None:
    limits, marks = ADAPTERS[Channel(option.channel)].limits, marks_in(text)
    words = inviting.trouble(case, text)
    if not words and "<link-" in text and marks and not limits.has_subject:
        words = "The link is for emails. Take it out: the code is enough here."
    if not words and {mark for part in limits.split(text) for mark in marks_in(part)} != marks:
        words = "A code would be cut in two here. Put it on a line of its own."
    if words:
        raise BadReply("text", words)


def _copied(case: Case, option: Option, people: Sequence[int]) -> QuerySet[Participant]:
    if not ADAPTERS[Channel(option.channel)].limits.has_subject:
        return Participant.objects.none()
    chosen = Participant.objects.filter(case__in=case.family(), pk__in=people).exclude(role=ParticipantRole.REMOVED)
    return chosen.select_related("identity").order_by("pk")


def _hold_if_newer(case: Case, seen_entry: int, by: Agent) -> None:
    """Anything that appeared since the form was opened, except what this agent did: on any channel, by anybody."""
    newer = Q(pk__gt=seen_entry, kind__in=SPOKEN) | Q(pk__in=merging.brought_since(case, seen_entry))
    found = list(case.timeline().filter(newer).exclude(agent=by).order_by("pk").for_timeline()[:5])
    if found:
        raise ReplyHeld(found)


def _entry(
    case: Case, by: Agent | None, option: Option, text: str, subject: str, copied: Sequence[int], form: UUID | None
) -> Entry:
    entry = Entry(
        uuid=form or uuid4(),
        kind=EntryKind.REPLY,
        channel=option.channel,
        connector=option.connector,
        identity=option.identity,
        our_address=option.our_address,
        agent=by,
        author=by.name if by else option.connector.name,
        text=text,
    )
    if ADAPTERS[Channel(option.channel)].limits.has_subject:
        _address_mail(entry, case, option, subject, copied)
    return entry


def _address_mail(entry: Entry, case: Case, option: Option, subject: str, copied: Sequence[int]) -> None:
    last = (
        case.timeline()
        .filter(channel=Channel.EMAIL, kind__in=[EntryKind.MESSAGE, EntryKind.PARTICIPANT])
        .exclude(message_id="")
        .order_by("-pk")
        .first()
    )
    entry.subject = _reply_subject(subject or (last.subject if last else case.subject))
    entry.message_id = message_id(str(entry.uuid), settings.SECRET_KEY.encode(), option.our_address.rpartition("@")[2])
    entry.headers = {
        "cc": [each.identity.value for each in _copied(case, option, copied)],
        "in_reply_to": [last.message_id] if last else [],
        "references": [*last.headers.get("references", []), last.message_id] if last else [],
        "answers": last.pk if last else None,
    }


def _reply_subject(subject: str) -> str:
    subject = " ".join(subject.split())
    return subject[:490] if subject.lower().startswith(("re:", "aw:", "sv:", "antw:")) else f"Re: {subject}"[:490]


def _queue(entry: Entry, option: Option, text: str, uploads: Sequence[Attachment]) -> None:
    """One delivery per provider call: a mail is one, a long DM or one with files is several, in order."""
    limits = ADAPTERS[Channel(option.channel)].limits
    parts: list[tuple[str, Attachment | None]] = [(part, None) for part in limits.split(text)] if text else []
    if limits.files_apart:
        parts += [("", upload) for upload in uploads]
    parts = parts or [("", None)]  # files alone, in one message
    not_before = now() + timedelta(seconds=settings.UNDO_SECONDS)
    for number, (part, upload) in enumerate(parts):
        delivery = Delivery.objects.create(
            entry=entry,
            part=number,
            connector=option.connector,
            identity=option.identity,
            text=part,
            attachment=upload,
            not_before=not_before,
        )
        wake_delivery(delivery, settings.UNDO_SECONDS)


def notify(case: Case, *, to: Identity, text: str) -> Entry | None:
    """A word of ours that nobody typed. It answers nothing; None when it may not be sent there.

    The caller holds the customer's lock.
    """
    ways = [way for way in options(case) if way.identity.pk == to.pk]
    option = next((way for way in ways if not refusal(to, way.connector, automatic=True)), None)
    if option is None:
        return None
    entry = _entry(case, None, option, text, "", (), None)
    entry.classification, entry.reason = Classification.AUTOMATIC, "Sent by itself"
    case.record(entry)
    inviting.tell(case, entry)
    _queue(entry, option, text, ())
    return entry


def no_reply_needed(case: Case, *, by: Agent, entries: Sequence[int] | None = None) -> None:
    """Ties what is open without sending anything."""
    with locked(case) as case:
        case.tie(by=by, entries=list(entries) if entries is not None else None)
        Alert.objects.close_if_answered(case)
        if case.status == Status.OPEN and not case.open_entries().exists():
            case.status = Status.WAITING
        case.shows_move = False
        case.record(Entry.event_of("no_reply", "said no reply is needed", by=by), "status", "shows_move")


def add_note(case: Case, *, by: Agent, text: str) -> Entry:
    """Internal. A note has no channel, no identity and no delivery: there is nothing an adapter could be given."""
    text = text.replace("\x00", "").strip()
    if not text:
        raise BadReply("text", "Write something first.")
    if len(text) > MOST_CHARACTERS:
        raise BadReply("text", f"That is {len(text):,} characters; {MOST_CHARACTERS:,} is the most.")
    with locked(case) as case:
        note = case.record(Entry(kind=EntryKind.NOTE, agent=by, author=by.name, text=text))
        Draft.objects.filter(case=case, agent=by, channel="note").delete()
    return note

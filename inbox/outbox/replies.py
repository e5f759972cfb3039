"""An agent writes. The entry and its deliveries are stored together; nothing has left when this returns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import Q
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.adapters.email.message_id import message_id
from connectors.messages import Channel, Classification
from customers.models import Identity
from inbox import inviting, merging
from inbox.codes import marks_in
from inbox.disclosing import held_for, overridden
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
    Status,
)
from inbox.models.case import SPOKEN
from inbox.outbox.addressing import Readers, copy_in, meet, readers_of, takes_copies, typed
from inbox.outbox.answering import answer
from inbox.outbox.errors import BadReply, CannotSend, ReplyHeld, WouldDisclose
from inbox.outbox.introducing import introduced
from inbox.outbox.sending import wake_delivery
from inbox.outbox.undoing import before
from inbox.outbox.ways import Option, option_by_key, options, refusal

MOST_CHARACTERS = 50_000


def reply(
    case: Case,
    *,
    by: Agent,
    option_key: str,
    text: str,
    subject: str = "",
    copied: Sequence[int] = (),
    cc: str = "",
    bcc: str = "",
    sent_to: str = "",
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

    `copied` are participants' ids, `cc` and `bcc` addresses as they were typed, `sent_to` which of two addresses a mail
    goes to (empty: as is usual), `also_answers` ids of open entries on other channels, `seen_entry` the newest entry
    the agent had seen. `form` is the form's own id: sent twice, it is one reply. Raises ReplyHeld, WouldDisclose,
    CannotSend or BadReply, and then nothing is stored.
    """
    text = text.replace("\x00", "").replace("\r\n", "\n").strip()
    _meet(case, option_key, cc, by)
    with locked(case) as case:
        sent = Entry.objects.filter(uuid=form).first() if form else None
        if sent and sent.agent == by and not sent.unsent_at:
            return sent  # the answer to the first click got lost on its way
        option = _usable(case, option_key, confirmed)
        uploads = list(Attachment.objects.filter(pk__in=files, entry=None, uploaded_by=by))
        _check(text, uploads, option)
        if not send_anyway:
            _hold_if_newer(case, seen_entry, by)
        readers = readers_of(case, option, participants=copied, cc=cc, bcc=bcc, sent_to=sent_to)
        _check_codes(case, text, option, readers)
        subject = _subject(case, option, subject)
        reader, words = readers.reader(option), f"{subject}\n{text}"
        told = held_for(case, reader, readers.old, words, uploads, new=readers.new, since=readers.since)
        if told and not disclose:
            raise WouldDisclose(told)
        _bring_back(case, by)
        written, text = text, introduced(case, option, text)
        entry = _entry(case, by, option, text, subject, readers, None if sent else form)
        entry.data["case_was"] = before(case, resolves=resolve)
        entry.data["introduction"] = len(text) - len(written)
        case.status, case.shows_move, case.snoozed_until = Status.WAITING, False, None
        if case.assignee is None:
            case.assignee = by
        case.record(entry, "status", "shows_move", "snoozed_until", "assignee")
        copy_in(case, entry, readers)
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


def _meet(case: Case, option_key: str, cc: str, by: Agent) -> None:
    option = option_by_key(case, option_key) if cc.strip() else None
    if option and takes_copies(option):
        meet(typed("cc", cc, option), cc, by=by)


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
        if trouble := limits.file_trouble(upload.name, upload.content_type, upload.size):
            raise BadReply("files", trouble)
    if sum(upload.size for upload in uploads) > limits.max_total_bytes:
        raise BadReply("files", f"Together the files may have {limits.max_total_bytes // (1024 * 1024)} MB here.")


def _check_codes(case: Case, text: str, option: Option, readers: Readers) -> None:
    limits, marks = ADAPTERS[Channel(option.channel)].limits, marks_in(text)
    words = inviting.trouble(case, text)
    if not words and "<link-" in text and marks and not limits.has_subject:
        words = "The link is for emails. Take it out: the code is enough here."
    if not words and {mark for part in limits.split(text) for mark in marks_in(part)} != marks:
        words = "A code would be cut in two here. Put it on a line of its own."
    if not words and marks and readers.sent_to:
        words = f"A code proves whose address it was told to. Send it to {option.shown}, or take it out."
    if words:
        raise BadReply("text", words)


def _hold_if_newer(case: Case, seen_entry: int, by: Agent) -> None:
    """Anything that appeared since the form was opened, except what this agent did: on any channel, by anybody."""
    newer = Q(pk__gt=seen_entry, kind__in=SPOKEN) | Q(pk__in=merging.brought_since(case, seen_entry))
    found = list(case.timeline().filter(newer).exclude(agent=by).order_by("pk").for_timeline()[:5])
    if found:
        raise ReplyHeld(found)


def _entry(
    case: Case, by: Agent | None, option: Option, text: str, subject: str, readers: Readers, form: UUID | None
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
        _address_mail(entry, case, option, subject, readers)
    return entry


def _address_mail(entry: Entry, case: Case, option: Option, subject: str, readers: Readers) -> None:
    last = _last_mail(case)
    entry.subject = _reply_subject(_subject(case, option, subject))
    entry.message_id = message_id(str(entry.uuid), settings.SECRET_KEY.encode(), option.our_address.rpartition("@")[2])
    entry.headers = {
        "cc": readers.shown_copies,
        "in_reply_to": [last.message_id] if last else [],
        "references": [*last.headers.get("references", []), last.message_id] if last else [],
        "answers": last.pk if last else None,
    }
    shown = {"sent_to": readers.sent_to, "cc": readers.shown_copies, "bcc": [each.value for each in readers.bcc]}
    entry.data = {name: value for name, value in shown.items() if value}


def _last_mail(case: Case) -> Entry | None:
    mails = case.timeline().filter(channel=Channel.EMAIL, kind__in=[EntryKind.MESSAGE, EntryKind.PARTICIPANT])
    return mails.exclude(message_id="").order_by("-pk").first()


def _subject(case: Case, option: Option, subject: str) -> str:
    """Where the agent wrote none, that of the mail that is answered."""
    if subject.strip() or not ADAPTERS[Channel(option.channel)].limits.has_subject:
        return subject
    last = _last_mail(case)
    return last.subject if last else case.subject


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
    entry = _entry(case, None, option, text, "", Readers(), None)
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

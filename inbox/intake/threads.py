"""Which case a mail says it belongs to. Only what cannot be guessed counts: our reply token and our own Message-ID; for
the customer and those known to be copied in, the Message-ID of a mail in that case too. Never a number in a subject."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from connectors.adapters.email.message_id import is_ours
from connectors.messages import Echo, InboundMessage
from connectors.models import Connector
from customers.models import Customer, Identity
from inbox.intake import moves
from inbox.locking import Moved
from inbox.models import Case, Entry, Merge, Participant


def find(connector: Connector, item: InboundMessage | Echo, identity: Identity) -> Case | None:
    """The case as it is today (merges followed), or None. Expects nothing to be locked."""
    if item.email is None:
        return None
    token_of = _by_token(item.email.reply_tokens)
    if token_of and not token_of.beside:
        return token_of
    cited = [each for each in [*item.email.in_reply_to, *reversed(item.email.references)][:40] if each]
    if not cited:  # the first mail of a conversation; even a query for nothing has its price
        return token_of
    ours = [uuid for uuid in (is_ours(each, settings.SECRET_KEY.encode()) for each in cited) if uuid]
    if ours:
        entry = Entry.objects.filter(uuid__in=ours).select_related("case__customer").order_by("-pk").first()
        if entry and entry.case:
            answered = entry.case.current()
            return token_of if token_of and not _is_of_same_person(answered, token_of) else answered
    if token_of:
        return token_of
    known = Entry.objects.filter(message_id__in=cited, connector=connector, case__isnull=False)
    for entry in known.select_related("case__customer").order_by("-pk")[:10]:
        case = entry.case.current()  # type: ignore[union-attr]
        if _is_known_to(case, identity):
            return case
    return None


def _by_token(tokens: Iterable[str]) -> Case | None:
    for token in tokens:
        case = Case.objects.filter(reply_token=token).select_related("customer").first()
        if case:
            return case.current()
    return None


def _is_of_same_person(answered: Case, other: Case) -> bool:
    """The mail of ours that is answered was moved to a second matter since; it still carries the token of the first."""
    return answered.is_live and answered.customer.current().pk == other.customer.current().pk


def _is_known_to(case: Case, identity: Identity) -> bool:
    """A Message-ID that others made is no secret: everybody who got that mail has read it, and some can be guessed."""
    if case.customer.current().pk == identity.customer_id:
        return True
    return Participant.objects.filter(case__in=case.family(), identity=identity).exists()


def lock_with(identity: Identity, thread: Case | None, *others: int) -> tuple[Customer, moves.Last | None, Case | None]:
    """Locks the sender's customer, the one of the thread and others by id; what the sender said last, and that case as
    it is now.

    Raises Moved when either changed hands since it was looked up.
    """
    if thread is None:
        return *moves.lock_owner(identity, *others), None
    owner = thread.customer.current().pk
    customer, last = moves.lock_owner(identity, owner, *others)
    fresh = Case.objects.select_related("customer").get(pk=thread.pk)
    if fresh.merged_into_id or fresh.customer.current().pk != owner:
        raise Moved
    if owner != customer.pk and Merge.objects.have_parted(customer, fresh.customer.current()):
        return customer, last, None  # they were taken for one person, and hold our mail from a case that is not theirs
    return customer, last, fresh

"""An agent writes first: to somebody known, or to an address nobody has seen yet."""

from __future__ import annotations

from django.conf import settings
from django.db import IntegrityError, transaction

from connectors.adapters import ADAPTERS
from connectors.messages import Channel
from connectors.models import Connector
from customers.identities import NotAnAddress, normalise
from customers.models import Customer, Identity
from inbox.locking import Moved, lock_owner
from inbox.models import Agent, Case, Entry
from inbox.outbox.addressing import new_somebody
from inbox.outbox.errors import BadReply, CannotSend
from inbox.outbox.replies import reply
from inbox.outbox.ways import refusal, to_confirm

TRIES = 3


class NeedsConfirmation(Exception):
    """The agent has to agree first; `words` say to what."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def start(
    *,
    by: Agent,
    connector: Connector,
    address: str,
    text: str,
    name: str = "",
    subject: str = "",
    confirmed: bool = False,
) -> Case:
    """The customer's live case, or a new one, with the first message on its way.

    Raises BadReply, CannotSend, NeedsConfirmation.
    """
    kind = ADAPTERS[Channel(connector.kind)].identity_kind
    try:
        value = normalise(kind, address, settings.DEFAULT_REGION)
    except NotAnAddress as error:
        raise BadReply(
            "address", f"{address} does not look like a valid address for {connector.get_kind_display()}."
        ) from error
    if not text.strip():
        raise BadReply("text", "Write something first.")
    for attempt in range(TRIES):
        try:
            return _start(by, connector, kind, value, text, name, subject, confirmed)
        except (IntegrityError, Moved):  # somebody else has just met the same person
            if attempt == TRIES - 1:
                raise
    raise AssertionError("unreachable")


def _start(
    by: Agent, connector: Connector, kind: str, value: str, text: str, name: str, subject: str, confirmed: bool
) -> Case:
    with transaction.atomic():
        identity = Identity.objects.select_related("customer").filter(kind=kind, value=value, scope="").first()
        identity = identity or new_somebody(kind, value, name, f"{by.name}, typed in", by)
        no = refusal(identity, connector)
        if no:
            raise CannotSend(no.reason, no.remedy)
        words = to_confirm(identity, connector)
        if words and not confirmed:
            raise NeedsConfirmation(f"{identity.shown} {words[0].lower()}{words[1:]} Send the first text?")
        customer = lock_owner(identity)
        Customer.objects.filter(pk=customer.pk).update(has_written=True)
        case = Case.objects.live_of(customer)
        if case and case.is_closed_to(by):
            raise CannotSend("They have a case that only named people see.", "Ask one of those who are named.")
        case = case or Case.objects.start(customer, connector.team, subject or " ".join(text.split()))
        if case.share_with(connector.team):
            words = f"{connector.team} was shown this case: {by.short_name} wrote from {connector.name}"
            case.record(Entry.event_of("shared", words, by=by, team=connector.team_id))
        reply(
            case,
            by=by,
            option_key=f"{connector.pk}-{identity.pk}",
            text=text,
            subject=subject,
            send_anyway=True,
            confirmed=True,
        )
    return case

"""What becomes of one item: a message goes to a case, a report to the reply it is about. Each has one outcome."""

from __future__ import annotations

import logging

from django.db import Error, IntegrityError, InterfaceError, OperationalError, transaction

from connectors.messages import (
    Bounce,
    Channel,
    Echo,
    Edit,
    Ignored,
    InboundMessage,
    Item,
    Malformed,
    OptOut,
    Reaction,
    Read,
    Status,
    Unsend,
)
from connectors.models import Connector, Receipt
from inbox.intake import consents, messages, outcomes, outside, reports, updates
from inbox.intake.outcomes import Duplicate, Forgotten, NotYet, Outcome, TryLater, Unusable
from inbox.locking import Moved

log = logging.getLogger(__name__)
TRIES = 10
OUTAGES = (InterfaceError, OperationalError)


def take(item: Item, receipt: Receipt, *, is_alone: bool = False) -> Outcome:
    """One item, tried again when people were merged under it. A bad item harms no other."""
    try:
        for attempt in range(TRIES):
            try:
                return act(item, receipt, is_alone=is_alone, may_be_here=attempt > 0)
            except (Moved, IntegrityError):
                if attempt == TRIES - 1:
                    raise
        raise AssertionError("unreachable")
    except Duplicate as known:
        return outcomes.duplicate(known.entry, known.case)
    except Forgotten:
        return outcomes.erased()
    except Unusable as error:
        return outcomes.quarantine(str(error), repr(item), fix=outcomes.NOBODY)
    except (NotYet, TryLater, *OUTAGES):
        raise
    except IntegrityError as error:
        return outcomes.quarantine("It contradicts what is stored.", f"{error}\n{item!r}", fix=outcomes.AGAIN)
    except Error as error:
        return outcomes.quarantine("It holds something that cannot be stored.", f"{error}\n{item!r}", fix=outcomes.OURS)
    except Exception as error:  # likewise
        log.exception("An item of receipt %s could not be taken in", receipt.pk)
        reason = f"It could not be taken in ({type(error).__name__})."
        return outcomes.quarantine(reason, f"{error}\n{item!r}", fix=outcomes.OURS)


def act(item: Item, receipt: Receipt, *, is_alone: bool, may_be_here: bool) -> Outcome:
    match item:
        case Ignored():
            return outcomes.ignored(item.kind, item.reason)
        case Malformed():
            return outcomes.quarantine(item.reason, item.excerpt, fix=outcomes.UNREADABLE)
        case InboundMessage():
            with transaction.atomic():
                outcome = receive(item, receipt, may_be_here=may_be_here)
                if is_alone and outcome["outcome"] == "entry":  # one commit for the message and for being done with it
                    receipt.finish([outcome])
                return outcome
    connector = _connector_for(item, receipt)
    if connector is None:
        return outcomes.not_ours()
    match item:
        case Echo():
            return outside.echo(connector, item)
        case Edit():
            return updates.edit(connector, item)
        case Unsend():
            return updates.unsend(connector, item)
        case Reaction():
            return updates.reaction(connector, item)
        case Read():
            return reports.read(connector, item)
        case Status():
            return reports.status(connector, item)
        case OptOut():
            return consents.opt_out(connector, item)
        case Bounce():
            return reports.bounce(connector, item, receipt.received_at)


def receive(item: InboundMessage, receipt: Receipt, *, may_be_here: bool) -> Outcome:
    """Expects a transaction: nothing of it is kept without the rest. Raises what messages.receive does."""
    connector = _connector_for(item, receipt)
    if connector is None:
        return outcomes.not_ours()
    return messages.receive(connector, item, at=receipt.received_at, may_be_here=may_be_here)


def _connector_for(item: Item, receipt: Receipt) -> Connector | None:
    """By our address: one URL may receive for several accounts, of several channels. Mail belongs to its mailbox."""
    address = item.account_address if isinstance(item, Echo) else getattr(item, "recipient", "")
    own = receipt.connector
    kind = getattr(item, "channel", None) or own.kind
    if own.kind == Channel.EMAIL or (kind == own.kind and (not address or address in own.addresses)):
        return own
    return Connector.objects.filter(kind=kind, addresses__contains=[address]).select_related("team").first()

"""Claim, send, and every way that can end. One delivery is one provider call; it is never made twice by itself."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

from celery import shared_task
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.adapters.base import SLOWEST
from connectors.errors import SendFailed, SendUnknown
from connectors.messages import CHANNEL_WORDS, Channel, Classification, DeliveryStatus, Refusal, Sent
from connectors.models import MOST_REFUSALS, Connector, Side
from customers.models import Consent
from customers.models.consent import ConsentState
from inbox import live
from inbox.locking import locked_with
from inbox.models import Agent, Delivery, Entry, ProviderMessage, State
from inbox.outbox.addressing import refusal_at, still_read_by
from inbox.outbox.answering import answered_after_all, unanswered_again
from inbox.outbox.composing import compose
from inbox.outbox.ways import refusal
from inbox.wake import wake

log = logging.getLogger(__name__)
HOLD_SECONDS = 15  # where a provider does not say how long
LOOK_EVERY = timedelta(minutes=1)  # whether what waits for its connector may leave
LONGEST_WAIT = timedelta(hours=48)  # an answer that old is read again before it leaves
NOT_AT_HAND = "What it is made of cannot be read at the moment."
STATES = {
    DeliveryStatus.QUEUED: State.SENT,  # the provider has it in its own queue
    DeliveryStatus.SENDING: State.SENT,
    DeliveryStatus.SENT: State.SENT,
    DeliveryStatus.DELIVERED: State.DELIVERED,
    DeliveryStatus.READ: State.READ,
    DeliveryStatus.FAILED: State.FAILED,
}


def deliver(delivery_id: int) -> bool:
    """Sends one delivery if it is due and nobody else has it; False when there was nothing to do."""
    delivery = Delivery.objects.claim(delivery_id)
    if delivery is None:
        return False
    if delivery.connector.is_held or delivery.is_crowded:
        delivery.wait_for(delivery.connector)
        return True
    is_automatic = delivery.entry.classification == Classification.AUTOMATIC
    is_last_word = bool(delivery.entry.data.get("last_word"))
    no = refusal(delivery.identity, delivery.connector, automatic=is_automatic, is_last_word=is_last_word)
    no = no or refusal_at(delivery.entry.data.get("sent_to", ""), delivery.connector, delivery.entry.created_at)
    if no:
        _may_not_leave(delivery, no)
        return True
    try:
        message, refused = still_read_by(compose(delivery), delivery.connector)
    except FileNotFoundError:
        failed(delivery, "A file of this reply is missing here, so it was not sent.")
        return True
    except Exception:  # a disk or a store of files that is away; nothing has left
        log.exception("Delivery %s could not be put together", delivery.uuid)
        _try_later(delivery, NOT_AT_HAND)
        return True
    delivery.takes(timedelta(seconds=sum(len(file.content or b"") for file in message.files) * 1.4 / SLOWEST))
    try:
        sent = ADAPTERS[Channel(delivery.entry.channel)].send(delivery.connector.account(), message)
    except SendFailed as error:
        _refused(delivery, error)
    except SendUnknown as error:
        _unknown(delivery, error.reason)
    except Exception:  # it may have left: never sent twice for a fault of ours
        log.exception("Delivery %s broke while it was being sent", delivery.uuid)
        _unknown(delivery, "Something broke while it was being sent.")
    else:
        mark_sent(delivery, replace(sent, refused={**sent.refused, **refused}))
    return True


@shared_task(name="inbox.outbox.deliver", soft_time_limit=540, time_limit=570)  # 20 MB over half a Mbit/s
def deliver_task(delivery_id: int) -> None:
    deliver(delivery_id)


def wake_delivery(delivery: Delivery, seconds: int) -> None:
    """Asks a worker to send it once it cannot be taken back any more. The sweeper sends what no worker took."""
    wake(deliver_task, delivery.pk, after=seconds)


def mark_sent(delivery: Delivery, sent: Sent) -> None:
    """Remembers what the provider calls it, then moves on; a callback may have been faster."""
    delivery.connector.succeeded(Side.OUT)
    if sent.pause:
        delivery.connector.hold(sent.pause)
    refused = "; ".join(f"{address}: {reason}" for address, reason in sent.refused.items())
    reason = f"Not accepted for {refused}" if refused else ""
    if sent.provider_id:
        ProviderMessage.objects.remember(delivery.connector, sent.provider_id, delivery.entry, delivery)
    mark(delivery, STATES[sent.status], reason=reason)
    _wake_next_part(delivery)


def _wake_next_part(delivery: Delivery) -> None:
    following = Delivery.objects.filter(entry=delivery.entry_id, part=delivery.part + 1, state=State.QUEUED)
    for pk in following.values_list("pk", flat=True):
        wake(deliver_task, pk)


def mark(delivery: Delivery, state: State, *, reason: str = "", code: str = "") -> bool:
    """Moves a delivery forwards and tells the browsers; False when the news is old."""
    if state == State.FAILED:
        return failed(delivery, reason, code)
    entry = delivery.entry
    with locked_with(entry) as case:
        before = Delivery.objects.values_list("state", flat=True).get(pk=delivery.pk)
        moved = delivery.advance(state, reason=reason, code=code)
        if moved:
            if before in (State.FAILED, State.UNKNOWN):
                answered_after_all(case, entry)
            case.changed(entry, "status", "has_failed_delivery")
    return moved


def failed(delivery: Delivery, reason: str, code: str = "") -> bool:
    """Finally not delivered: what it answered is open again, and waits from the original time."""
    entry = delivery.entry
    with locked_with(entry) as case:
        if not delivery.advance(State.FAILED, reason=reason, code=code):
            return False
        Delivery.objects.filter(entry=entry, part__gt=delivery.part, state=State.QUEUED).update(
            state=State.CANCELLED, reason="An earlier part was not delivered.", changed_at=now()
        )
        unanswered_again(case, entry)
        case.has_failed_delivery = True
        case.changed(entry, "status", "shows_move", "has_failed_delivery")
    return True


def _may_not_leave(delivery: Delivery, no: Refusal) -> None:
    reason = f"{no.reason} {no.remedy}".strip()
    if no.passes and delivery.entry.created_at > now() - LONGEST_WAIT:
        _wait(delivery, reason)
    else:
        failed(delivery, reason)


def _refused(delivery: Delivery, error: SendFailed) -> None:
    if error.opted_out:
        _opted_out(delivery)
    if error.holds_all:
        delivery.connector.hold(error.retry_after or HOLD_SECONDS)
    if error.reconnect or error.refused:
        _not_let_in(delivery.connector, error)
        _wait(delivery, error.reason)
    elif error.permanent:
        failed(delivery, error.reason, error.code)
    else:
        _try_later(delivery, error.reason, error.retry_after, error.code)


def _not_let_in(connector: Connector, error: SendFailed) -> None:
    with transaction.atomic():  # of those that are refused at the same moment one counts
        connector.failed(error.reason, Side.OUT, reconnect=error.reconnect, refused=error.refused)
        if error.refused:
            connector.hold(error.retry_after or HOLD_SECONDS)
    if error.spent:
        connector.forget_secret(error.spent)
    live.announce(lambda: {"kind": "board"})


def _try_later(delivery: Delivery, reason: str, retry_after: int | None = None, code: str = "") -> None:
    if delivery.put_back(reason, retry_after):
        _tell(delivery)
    else:
        failed(delivery, reason, code)


def _wait(delivery: Delivery, reason: str) -> None:
    """For somebody to see to its connector."""
    delivery.wait(now() + LOOK_EVERY, reason)
    if delivery.reason != reason:
        _tell(delivery)


def _opted_out(delivery: Delivery) -> None:
    """They told the provider and not us: kept as if they had."""
    words = "The provider says this person has opted out."
    Consent.objects.create(
        identity=delivery.identity, sender=str(delivery.connector.uuid), state=ConsentState.OPTED_OUT, words=words
    )
    with locked_with(delivery.entry) as case:
        messages = f"{CHANNEL_WORDS[Channel(delivery.connector.kind)].message}s"
        told = f"{case.customer.first_name} has opted out of {messages}, as the provider says"
        case.record(Entry.event_of("consent", told, by=None))


def _unknown(delivery: Delivery, reason: str) -> None:
    """The provider may have it. Somebody may be able to tell; nobody sends it again without a person's word."""
    mark(delivery, State.UNKNOWN, reason=reason)


def _tell(delivery: Delivery) -> None:
    with locked_with(delivery.entry) as case:
        case.changed(delivery.entry)


def send_again(delivery: Delivery, *, by: Agent) -> bool:
    """A person's decision about what failed or is not known. Mail keeps its Message-ID, so a double is one mail.

    What is not known is looked up first, and not sent when it had arrived. False when there is nothing to send again.
    """
    if delivery.state == State.UNKNOWN and _look_up(delivery):
        return True
    entry = delivery.entry
    with locked_with(entry) as case:
        again = Delivery.objects.filter(pk=delivery.pk, state__in=[State.FAILED, State.UNKNOWN]).update(
            state=State.QUEUED, attempts=0, not_before=now(), reason="", code="", changed_at=now()
        )
        if not again:
            return False
        Delivery.objects.filter(entry=entry, part__gt=delivery.part, state=State.CANCELLED).update(
            state=State.QUEUED, attempts=0, reason="", changed_at=now()
        )
        ProviderMessage.objects.filter(delivery=delivery).update(delivery=None)  # reports of the first try are old news
        answered_after_all(case, entry)
        case.record(Entry.event_of("sent_again", "sent it again", by=by), "status", "has_failed_delivery")
        case.changed(entry)
        wake(deliver_task, delivery.pk)
    return True


def overdue(*, by: timedelta, most: int = 100) -> list[int]:
    """Deliveries that have been due for so long, the longest first. A worker was asked to send each of them in time."""
    late = Delivery.objects.due().filter(not_before__lte=now() - by)
    return list(late.order_by("not_before").values_list("pk", flat=True)[:most])


def deliver_due() -> int:
    """All that may leave now, one after the other."""
    return sum(deliver(pk) for pk in overdue(by=timedelta()))


def look_up_lost() -> int:
    """Claimed by a process that died: ask the provider whether it has the message, and say so if nobody can tell."""
    lately, not_just_now = now() - timedelta(minutes=5), now() - timedelta(seconds=20)
    lost = Delivery.objects.lost() | Delivery.objects.filter(
        state=State.UNKNOWN, changed_at__gt=lately, claimed_at__lt=not_just_now
    )
    done = 0
    for delivery in lost.with_all()[:20]:
        Delivery.objects.filter(pk=delivery.pk).update(claimed_at=now())  # not asked again for a while
        if not _look_up(delivery) and delivery.state == State.SENDING:
            _unknown(delivery, "It is not known whether this was sent.")
        done += 1
    return done


def _look_up(delivery: Delivery) -> bool:
    """True when the provider, or what it has told us already, says that it was sent; it is marked so then."""
    known = ProviderMessage.objects.filter(delivery=delivery).values_list("provider_id", flat=True).first()
    if known:
        mark_sent(delivery, Sent(known))
        return True
    if delivery.connector.refused_in >= MOST_REFUSALS:
        return False  # asking there would be one more sign-in that is refused
    try:
        sought = compose(delivery, to_send=False)
        sent = ADAPTERS[Channel(delivery.entry.channel)].look_up(delivery.connector.account(), sought)
    except (SendFailed, SendUnknown, OSError) as error:
        log.warning("Delivery %s could not be looked up: %s", delivery.uuid, error)
        return False
    except Exception:  # those behind it are looked up all the same
        log.exception("Looking up delivery %s broke", delivery.uuid)
        return False
    if sent is None or _is_another(delivery, sent):
        return False
    mark_sent(delivery, sent)
    return True


def _is_another(delivery: Delivery, sent: Sent) -> bool:
    """The same words were sent twice on purpose, and the look-up found the other one."""
    known = ProviderMessage.objects.filter(connector=delivery.connector, provider_id=sent.provider_id)
    return known.exclude(delivery=delivery).exists()


@shared_task(name="inbox.outbox.clear_sessions")
def clear_sessions() -> None:
    Session.objects.filter(expire_date__lt=now()).delete()

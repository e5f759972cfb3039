"""What a reply answers, and that nobody is forgotten when it is undone, fails, bounces late or arrives after all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.errors import SendFailed, SendUnknown
from connectors.messages import Channel, OutboundMessage, Sent
from connectors.models import Connector, Side
from inbox import outbox, sweeping
from inbox.card import card_for
from inbox.locking import locked
from inbox.models import Alert, Attachment, Case, Delivery, Draft, Entry, State, Status, Switch
from inbox.outbox import composing, sending
from tests import make
from tests.integration.test_webhooks import direct_message, said

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`provider("sms", send=…, look_up=…)`: what the far end does."""

    def behaves(channel: str, **verbs: Callable[[OutboundMessage], Any]) -> None:
        for verb, does in verbs.items():
            monkeypatch.setattr(
                type(ADAPTERS[Channel(channel)]), verb, lambda self, account, message, does=does: does(message)
            )

    return behaves


def refusing(error: Exception) -> Callable[[OutboundMessage], Sent]:
    def send(message: OutboundMessage) -> Sent:
        raise error

    return send


def fresh(case: Any) -> Case:
    return Case.objects.get(pk=case.pk).current()


def is_in_view(case: Case, slug: str, agent: Any) -> bool:
    from inbox.views.inbox import VIEWS

    return bool(VIEWS[slug].cases(agent).filter(pk=case.pk).exists())


def test_undoing_send_and_resolve_brings_the_case_back_to_life(maya: Any, number: Any, ana: Any, settings: Any) -> None:
    settings.UNDO_SECONDS = 30
    asked = make.says(maya, number, "where is it?")
    reply = make.answers(ana, asked.case, "here", resolve=True)
    assert outbox.undo(reply, by=ana)
    case = fresh(asked.case)
    assert case.is_live
    assert case.waiting_since
    assert is_in_view(case, "open", ana)
    assert make.says(maya, number, "hello?").case == case


def test_a_reply_that_fails_after_the_case_was_resolved_opens_it_again(maya: Any, mailbox: Any, ana: Any) -> None:
    asked = make.says(maya, mailbox, "where is it?")
    reply = make.answers(ana, asked.case, "here", resolve=True)
    outbox.failed(reply.deliveries.get(), "The mailbox does not exist.")
    case = fresh(asked.case)
    assert case.is_live
    assert case.status == Status.OPEN


def test_an_answer_to_a_resolved_case_opens_it_again(maya: Any, number: Any, ana: Any) -> None:
    asked = make.says(maya, number, "where is it?")
    with locked(asked.case) as case:
        case.resolve(by=ana)
    make.answers(ana, asked.case, "one more thing")
    case = fresh(asked.case)
    assert (case.is_live, case.status) == (True, Status.WAITING)
    assert make.says(maya, number, "thanks").case == case


def test_an_answer_to_an_old_case_is_refused_while_another_is_live(maya: Any, number: Any, ana: Any) -> None:
    old = make.says(maya, number, "where is it?").case
    with locked(old) as case:
        case.resolve(by=ana)
    Case.objects.update(resolved_at=now() - timedelta(days=30))
    newer = make.says(maya, number, "another thing").case
    with pytest.raises(outbox.CannotSend) as refused:
        make.answers(ana, old, "hello")
    assert str(newer.pk) in refused.value.remedy


def test_undo_that_comes_too_late_changes_nothing(maya: Any, account: Any, ana: Any, settings: Any) -> None:
    settings.UNDO_SECONDS = 30
    asked = make.says(maya, account, "hi")
    reply = make.answers(ana, asked.case, "word " * 400)
    first = reply.deliveries.get(part=0)
    Delivery.objects.filter(pk=first.pk).update(state=State.SENDING, attempts=1, claimed_at=now())
    assert outbox.undo(reply, by=ana) is None
    assert State.CANCELLED not in set(reply.deliveries.values_list("state", flat=True))
    assert fresh(asked.case).waiting_since is None


def test_undo_gives_files_and_typed_words_back(maya: Any, mailbox: Any, ana: Any, settings: Any) -> None:
    settings.UNDO_SECONDS = 30
    asked = make.says(maya, mailbox, "hi")
    file = Attachment.objects.create(uploaded_by=ana, name="a.pdf", content_type="application/pdf", size=3, key="x/y")
    reply = make.answers(ana, asked.case, "see the file", files=[file.pk])
    Draft.objects.create(case=asked.case, agent=ana, channel="email", text="a second thought")
    draft = outbox.undo(reply, by=ana)
    assert draft
    assert draft.text == "see the file\n\na second thought"
    assert [each.name for each in draft.attachments.all()] == ["a.pdf"]


def test_undone_words_leave_the_list_and_the_figures(maya: Any, number: Any, ana: Any, settings: Any) -> None:
    settings.UNDO_SECONDS = 30
    asked = make.says(maya, number, "hi there")
    outbox.undo(make.answers(ana, asked.case, "to the wrong person"), by=ana)
    case = fresh(asked.case)
    assert case.preview == "hi there"
    assert case.first_reply_at is None


def test_undo_puts_the_snooze_back(maya: Any, number: Any, ana: Any, settings: Any) -> None:
    settings.UNDO_SECONDS = 30
    asked = make.says(maya, number, "hi")
    until = now() + timedelta(days=1)
    with locked(asked.case) as case:
        case.snooze(until, by=ana)
    outbox.undo(make.answers(ana, asked.case, "hello"), by=ana)
    assert (fresh(asked.case).status, fresh(asked.case).snoozed_until) == (Status.SNOOZED, until)


def test_a_failed_reply_brings_the_card_and_the_chip_back(maya: Any, mailbox: Any, number: Any, ana: Any) -> None:
    mail = make.says(maya, mailbox, "broken")
    text = make.says(maya, number, "did you get my mail?")
    reply = make.answers(ana, text.case, "yes", channel="sms", also_answers=[mail.pk])
    assert not Alert.objects.open().exists()
    outbox.failed(reply.deliveries.get(), "no such number")
    case = fresh(text.case)
    assert card_for(case, ana)
    assert case.shows_move
    assert Switch.objects.get().acknowledged_at is None


def test_a_reply_that_leaves_another_channel_open_stays_among_the_open(
    maya: Any, mailbox: Any, number: Any, ana: Any
) -> None:
    make.says(maya, mailbox, "broken")
    text = make.says(maya, number, "and another thing")
    make.answers(ana, text.case, "yes", channel="sms")
    case = fresh(text.case)
    assert case.waiting_since
    assert is_in_view(case, "open", ana)


def test_sending_again_answers_what_the_agent_had_ticked(maya: Any, mailbox: Any, number: Any, ana: Any) -> None:
    mail = make.says(maya, mailbox, "broken")
    text = make.says(maya, number, "did you get my mail?")
    reply = make.answers(ana, text.case, "yes", channel="sms", also_answers=[mail.pk])
    delivery = reply.deliveries.get()
    outbox.failed(delivery, "no")
    delivery.refresh_from_db()
    assert outbox.send_again(delivery, by=ana)
    mail.refresh_from_db()
    assert not mail.is_open
    assert not fresh(text.case).has_failed_delivery


def test_a_text_that_arrives_after_all_is_answered_after_all(maya: Any, number: Any, ana: Any) -> None:
    asked = make.says(maya, number, "hi")
    delivery = make.answers(ana, asked.case, "hello").deliveries.get()
    outbox.failed(delivery, "unknown error")
    outbox.mark(delivery, State.DELIVERED)
    case = fresh(asked.case)
    assert case.waiting_since is None
    assert not case.has_failed_delivery


def test_the_same_form_sent_twice_is_one_reply(maya: Any, number: Any, ana: Any) -> None:
    asked = make.says(maya, number, "hi")
    form = uuid4()
    first = make.answers(ana, asked.case, "hello", form=form)
    assert make.answers(ana, asked.case, "hello", form=form) == first
    assert Delivery.objects.count() == 1


def test_an_outage_of_some_minutes_fails_nothing_for_good(
    maya: Any, number: Any, ana: Any, provider: Callable[..., None]
) -> None:
    asked = make.says(maya, number, "hi")
    delivery = make.answers(ana, asked.case, "hello").deliveries.get()
    provider("sms", send=refusing(SendFailed("Twilio could not be reached.", permanent=False, retry_after=5)))
    with time_machine.travel(now(), tick=False) as clock:
        for _ in range(600):
            clock.shift(1)
            outbox.deliver_due()
    delivery.refresh_from_db()
    assert delivery.state == State.QUEUED
    assert delivery.attempts < 5


def test_a_send_of_unknown_fate_is_shown_so_and_looked_up_before_it_is_sent_again(
    maya: Any, number: Any, ana: Any, provider: Callable[..., None]
) -> None:
    asked = make.says(maya, number, "hi")
    delivery = make.answers(ana, asked.case, "hello").deliveries.get()
    accepted: list[str] = []

    def hangs_up_after_accepting(message: OutboundMessage) -> Sent:
        accepted.append(message.text)
        raise SendUnknown("It hung up.")

    provider("sms", send=hangs_up_after_accepting, look_up=lambda message: Sent("SM1") if accepted else None)
    outbox.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert delivery.state == State.UNKNOWN
    assert outbox.send_again(delivery, by=ana)
    outbox.deliver_due()
    delivery.refresh_from_db()
    assert (accepted, delivery.state) == (["hello"], State.SENT)


def test_a_delivery_lost_with_its_worker_is_shown_as_not_known(
    maya: Any, number: Any, ana: Any, provider: Callable[..., None]
) -> None:
    asked = make.says(maya, number, "hi")
    delivery = make.answers(ana, asked.case, "hello").deliveries.get()
    assert Delivery.objects.claim(delivery.pk)
    Delivery.objects.update(claimed_at=now() - timedelta(minutes=10))
    provider("sms", look_up=lambda message: None)
    outbox.look_up_lost()
    delivery.refresh_from_db()
    assert delivery.state == State.UNKNOWN


def test_a_delivery_put_back_meanwhile_is_not_called_unknown(maya: Any, number: Any, ana: Any) -> None:
    asked = make.says(maya, number, "hi")
    delivery = Delivery.objects.claim(make.answers(ana, asked.case, "hello").deliveries.get().pk)
    assert delivery
    delivery.put_back("busy")
    outbox.mark(delivery, State.UNKNOWN)
    assert Delivery.objects.get().state == State.QUEUED


def test_a_file_that_is_gone_fails_the_reply_in_words(maya: Any, mailbox: Any, ana: Any) -> None:
    asked = make.says(maya, mailbox, "hi")
    file = Attachment.objects.create(uploaded_by=ana, name="a.pdf", content_type="application/pdf", size=3, key="no/no")
    delivery = make.answers(ana, asked.case, "see", files=[file.pk]).deliveries.get()
    outbox.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert delivery.state == State.FAILED
    assert "missing" in delivery.reason


@pytest.mark.parametrize("away", [OSError("Stale file handle"), RuntimeError("EndpointConnectionError")])
def test_a_reply_whose_files_cannot_be_reached_for_a_while_leaves_when_they_can(
    maya: Any, mailbox: Any, ana: Any, provider: Callable[..., None], monkeypatch: pytest.MonkeyPatch, away: Exception
) -> None:
    file = Attachment.objects.create(uploaded_by=ana, name="a.pdf", size=3, key="x/y")
    asked = make.says(maya, mailbox, "hi")
    delivery = make.answers(ana, asked.case, "see", files=[file.pk]).deliveries.get()
    took: list[bytes | None] = []

    def take(message: OutboundMessage) -> Sent:
        took.append(message.files[0].content)
        return Sent("m1")

    def is_away(key: str) -> Any:
        raise away

    provider("email", send=take)
    with monkeypatch.context() as store:
        store.setattr(composing.default_storage, "open", is_away)
        outbox.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == (State.QUEUED, "What it is made of cannot be read at the moment.")
    monkeypatch.setattr(composing.default_storage, "open", lambda key: BytesIO(b"pdf"))
    with time_machine.travel(now() + timedelta(minutes=1), tick=False):
        outbox.deliver_due()
    assert took == [b"pdf"]


def test_a_large_mail_is_not_called_lost_while_it_travels(
    maya: Any, mailbox: Any, ana: Any, provider: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Attachment.objects.create(uploaded_by=ana, name="a.bin", size=15_000_000, key="x/y")
    asked = make.says(maya, mailbox, "hi")
    delivery = make.answers(ana, asked.case, "see", files=[file.pk]).deliveries.get()
    monkeypatch.setattr(composing.default_storage, "open", lambda key: BytesIO(bytes(15_000_000)))
    lost: list[int] = []

    def travel(message: OutboundMessage) -> Sent:
        for minutes in (6, 9):
            with time_machine.travel(now() + timedelta(minutes=minutes), tick=False):
                lost.append(Delivery.objects.lost().count())
        return Sent("m1")

    provider("email", send=travel)
    outbox.deliver(delivery.pk)
    assert lost == [0, 1]


def a_large_answer(case: Case, ana: Any, text: str = "see") -> Delivery:
    file = Attachment.objects.create(uploaded_by=ana, name="a.bin", size=15_000_000, key=f"x/{text}")
    return make.answers(ana, case, text, files=[file.pk]).deliveries.get()


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composing.default_storage, "open", lambda key: BytesIO(bytes(15_000_000)))


@pytest.mark.usefixtures("stored")
def test_a_large_mail_whose_fate_is_not_known_is_looked_up_within_a_minute(
    maya: Any, mailbox: Any, ana: Any, provider: Callable[..., None]
) -> None:
    delivery = a_large_answer(make.says(maya, mailbox, "hi").case, ana)
    provider("email", send=refusing(SendUnknown("It hung up.")), look_up=lambda message: Sent("m1"))
    outbox.deliver(delivery.pk)
    assert Delivery.objects.get().state == State.UNKNOWN
    with time_machine.travel(now() + timedelta(minutes=1), tick=False):
        outbox.look_up_lost()
    assert Delivery.objects.get().state == State.SENT


@pytest.mark.usefixtures("stored")
def test_large_mails_that_hang_do_not_have_every_worker(
    maya: Any, mailbox: Any, ana: Any, provider: Callable[..., None]
) -> None:
    case = make.says(maya, mailbox, "hi").case
    waiting = [a_large_answer(case, ana, text).pk for text in ("one", "two", "three")]
    hanging: list[int] = []

    def hang(message: OutboundMessage) -> Sent:
        hanging.append(waiting.pop(0))
        if waiting:
            with time_machine.travel(now() + timedelta(seconds=10), tick=False):
                outbox.deliver(waiting[0])
        return Sent(f"m{len(hanging)}")

    provider("email", send=hang)
    outbox.deliver(waiting[0])
    assert len(hanging) == 2


def test_what_cannot_be_looked_up_keeps_nothing_behind_it_waiting(
    maya: Any, mailbox: Any, ana: Any, provider: Callable[..., None]
) -> None:
    asked = make.says(maya, mailbox, "hi")
    for text in ("one", "two"):
        assert Delivery.objects.claim(make.answers(ana, asked.case, text).deliveries.get().pk)
    Delivery.objects.update(claimed_at=now() - timedelta(minutes=10))

    def look_up(message: OutboundMessage) -> Sent | None:
        if message.text == "one":
            raise RuntimeError
        return Sent("m2")

    provider("email", look_up=look_up)
    assert outbox.look_up_lost() == 2
    assert list(Delivery.objects.order_by("pk").values_list("state", flat=True)) == [State.UNKNOWN, State.SENT]


def test_to_look_a_mail_up_its_files_are_not_needed(
    maya: Any, mailbox: Any, ana: Any, provider: Callable[..., None]
) -> None:
    file = Attachment.objects.create(uploaded_by=ana, name="a.pdf", size=3, key="no/no")
    asked = make.says(maya, mailbox, "hi")
    delivery = make.answers(ana, asked.case, "see", files=[file.pk]).deliveries.get()
    assert Delivery.objects.claim(delivery.pk)
    Delivery.objects.update(claimed_at=now() - timedelta(minutes=10))
    provider("email", look_up=lambda message: Sent("m1"))
    outbox.look_up_lost()
    assert Delivery.objects.get().state == State.SENT


@pytest.mark.parametrize(("channel", "hours", "tries"), [("email", 47, 52), ("sms", 7, 8)])
def test_what_cannot_be_sent_is_tried_for_as_long_as_its_channel_deserves(
    maya: Any, mailbox: Any, number: Any, ana: Any, provider: Callable[..., None], channel: str, hours: int, tries: int
) -> None:
    asked = make.says(maya, mailbox if channel == "email" else number, "hi")
    delivery = make.answers(ana, asked.case, "hello", channel=channel).deliveries.get()
    provider(channel, send=refusing(SendFailed("The server does not answer.", permanent=False)))
    began = at = now()
    while delivery.state == State.QUEUED:
        at = max(at, delivery.not_before)
        with time_machine.travel(at, tick=False):
            outbox.deliver(delivery.pk)
        delivery.refresh_from_db()
        assert delivery.reason == "The server does not answer."
    assert hours <= (at - began) / timedelta(hours=1) < hours + 1
    assert (delivery.state, delivery.attempts) == (State.FAILED, tries)


def test_files_that_are_too_large_together_are_refused_at_once(maya: Any, mailbox: Any, ana: Any) -> None:
    asked = make.says(maya, mailbox, "hi")
    files = [
        Attachment.objects.create(uploaded_by=ana, name=f"{each}.pdf", size=14_000_000, key=f"{each}") for each in "ab"
    ]
    with pytest.raises(outbox.BadReply):
        make.answers(ana, asked.case, "see", files=[each.pk for each in files])


def test_a_worker_is_asked_for_every_reply_and_the_sweeper_waits_for_it(
    maya: Any, number: Any, ana: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.UNDO_SECONDS = 5
    asked: list[tuple[int, float]] = []
    monkeypatch.setattr(sending, "wake", lambda task, pk, after=0: asked.append((pk, after)))
    delivery = make.answers(ana, make.says(maya, number, "hi").case, "hello").deliveries.get()
    assert asked == [(delivery.pk, 5)]
    with time_machine.travel(delivery.not_before + timedelta(seconds=1), tick=False):
        assert outbox.overdue(by=sweeping.GRACE) == []
    with time_machine.travel(delivery.not_before + timedelta(seconds=3), tick=False):
        assert outbox.overdue(by=sweeping.GRACE) == [delivery.pk]


def test_a_dead_token_stays_known_while_messages_still_come_in(account: Connector, maya: Any) -> None:
    account.failed("The sign-in has ended.", Side.OUT, reconnect=True)
    direct_message(account, [said(account, "m1", "hi")])
    account.refresh_from_db()
    assert account.needs_reconnect
    account.succeeded(Side.OUT)
    account.refresh_from_db()
    assert not account.needs_reconnect


def test_writing_first_from_another_teams_number_shows_them_the_case(
    maya: Any, number: Any, billing_mailbox: Any, ana: Any
) -> None:
    make.says(maya, billing_mailbox, "my invoice")
    case = outbox.start(by=ana, connector=number, address="+14155552671", text="Hello Maya", confirmed=True)
    assert Case.objects.visible_to(ana).get() == case


def test_writing_first_from_another_mailbox_than_they_last_wrote_to(
    maya: Any, mailbox: Any, billing_mailbox: Any, ana: Any
) -> None:
    make.says(maya, billing_mailbox, "my invoice")
    case = outbox.start(by=ana, connector=mailbox, address="maya@ortiz.test", text="Hello Maya", subject="Hello")
    assert case.entries.get(kind="reply").our_address == mailbox.address


def test_a_new_owner_gets_the_card_again(maya: Any, mailbox: Any, number: Any, ana: Any, sam: Any, heard: Any) -> None:
    make.says(maya, mailbox, "broken")
    case = make.says(maya, number, "hello?").case
    Alert.objects.get().see(sam)
    heard.clear()
    with locked(case) as case:
        case.assign(sam, by=ana)
    assert Alert.objects.unseen_by(sam).exists()
    assert [frame["agents"] for frame in heard if frame["kind"] == "alert"] == [[sam.pk]]


def test_replies_that_never_left_count_for_nothing(
    maya: Any, mailbox: Any, number: Any, ana: Any, settings: Any
) -> None:
    settings.UNDO_SECONDS = 30
    asked = make.says(maya, mailbox, "broken")
    undone = make.answers(ana, asked.case, "oops", channel="sms", confirmed=True)
    outbox.undo(undone, by=ana)
    bounced = make.answers(ana, asked.case, "sorry", channel="sms", confirmed=True, send_anyway=True)
    outbox.failed(bounced.deliveries.get(), "no such number")
    make.says(maya, number, "did you get my mail?")
    assert Switch.objects.get().loudness == "loud"
    assert not Entry.objects.that_left().exists()


def test_hanging_work_beside_the_sweep_holds_up_nothing_else() -> None:
    import threading

    hands, hung, done = sweeping.Hands(2), threading.Event(), threading.Event()
    assert hands.start("hangs", hung.wait)
    assert not hands.start("hangs", hung.wait)
    assert hands.start("works", done.set)
    assert done.wait(10)
    hung.set()
    hands.wait()

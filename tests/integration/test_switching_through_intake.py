"""The mission: one person, several channels, one case, and the agent is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils.timezone import now

from connectors.messages import OptOut, OptOutAction, Sender
from inbox import outbox
from inbox.intake import consents
from inbox.models import Alert, Case, Draft, Entry, Switch
from tests.make import answers, says

pytestmark = pytest.mark.django_db(transaction=True)


def test_email_then_sms_then_instagram_is_one_case_and_two_switches(
    maya: Any, mailbox: Any, number: Any, account: Any, ana: Any
) -> None:
    says(maya, mailbox, "The lid is cracked.")
    says(maya, number, "hi did you get my email??")
    says(maya, account, "hello?")
    case = Case.objects.get()
    assert case.channels == ["email", "sms", "instagram"]
    assert case.channel == "instagram"
    assert [(each.from_channel, each.to_channel) for each in Switch.objects.order_by("pk")] == [
        ("email", "sms"),
        ("sms", "instagram"),
    ]


def test_four_flips_make_one_alert(maya: Any, mailbox: Any, number: Any) -> None:
    for turn in range(5):
        says(maya, [mailbox, number][turn % 2], f"message {turn}")
    alert = Alert.objects.get()
    assert alert.moves == 4
    assert Switch.objects.count() == 4


def test_the_alert_goes_to_the_owner_who_is_here(
    maya: Any, mailbox: Any, number: Any, ana: Any, sam: Any, heard: list[dict[str, Any]]
) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    case.assignee = ana
    case.save()
    says(maya, number, "hi?")
    pushed = [frame for frame in heard if frame["kind"] == "alert"]
    assert pushed[-1]["agents"] == [ana.pk]
    assert not Alert.objects.for_agent(sam).exists()


def test_an_owner_who_is_off_alerts_the_team(
    maya: Any, mailbox: Any, number: Any, ana: Any, sam: Any, lee: Any, heard: list[dict[str, Any]]
) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    case.assignee = ana
    case.save()
    ana.presence = "off"
    ana.save()
    says(maya, number, "hi?")
    assert Alert.objects.unseen_by(sam).exists()
    assert not Alert.objects.unseen_by(lee).exists()
    assert sam.pk in [frame for frame in heard if frame["kind"] == "alert"][-1]["agents"]


def test_billings_mail_is_visible_to_billing_and_the_owner_stays(
    maya: Any, mailbox: Any, billing_mailbox: Any, ana: Any, lee: Any
) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    case.assignee = ana
    case.save()
    assert not Case.objects.visible_to(lee).exists()
    says(maya, billing_mailbox, "And the invoice is wrong.")
    case.refresh_from_db()
    assert Case.objects.visible_to(lee).get() == case
    assert case.assignee == ana
    assert not Switch.objects.exists()


def test_a_newsletter_and_an_out_of_office_open_no_case(maya: Any, mailbox: Any) -> None:
    says(Sender("news@shop.test", name="Shop"), mailbox, "Spring sale!", classification="bulk")
    says(maya, mailbox, "I am on holiday.", classification="automatic")
    assert not Case.objects.exists()
    assert Entry.objects.filter(kind="filed").count() == 2


def test_an_out_of_office_does_not_wake_or_move_a_case(maya: Any, mailbox: Any, number: Any, ana: Any) -> None:
    case = says(maya, number, "When will it come?").case
    answers(ana, case, "Tomorrow.")
    says(maya, mailbox, "I am on holiday.", classification="automatic")
    case.refresh_from_db()
    assert case.status == "waiting"
    assert case.waiting_since is None
    assert not Switch.objects.exists()


def test_a_copied_colleague_raises_no_switch_and_stays_copied_in(
    maya: Any, mailbox: Any, number: Any, ana: Any
) -> None:
    case = says(maya, number, "Question").case
    first = says(maya, mailbox, "With Bob in copy", cc=[Sender("bob@lee.test", name="Bob Lee")])
    switches = Switch.objects.count()
    entry = says(Sender("bob@lee.test", name="Bob Lee"), mailbox, "I agree.", references=[first.message_id])
    case.refresh_from_db()
    assert entry.case == case
    assert entry.kind == "participant"
    assert Switch.objects.count() == switches
    assert Case.objects.count() == 1


def test_a_stranger_with_our_reply_token_never_becomes_the_customer(maya: Any, mailbox: Any) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    entry = says(Sender("eve@evil.test"), mailbox, "Send it to me instead", reply_tokens=[case.reply_token])
    assert entry.kind == "participant"
    assert entry.identity.customer != maya
    assert entry.case == case


def test_a_forged_mail_from_maya_does_not_reach_mayas_case(maya: Any, mailbox: Any) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    entry = says(maya, mailbox, "Change my address", authenticity="fail")
    assert entry.case != case
    assert entry.identity.customer != maya


def test_a_guessed_number_in_a_subject_joins_nothing(maya: Any, mailbox: Any) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    entry = says(Sender("eve@evil.test"), mailbox, "Hello", subject=f"Re: [#{case.pk}] Hello")
    assert entry.case != case


def test_a_reply_within_the_window_reopens_and_after_it_a_new_case_starts(maya: Any, mailbox: Any, ana: Any) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    case.resolve(by=ana)
    assert says(maya, mailbox, "Still cracked.").case == case
    case.refresh_from_db()
    assert case.is_live
    case.resolve(by=ana)
    Case.objects.update(resolved_at=now() - timedelta(days=8))
    assert says(maya, mailbox, "Again.").case != case


def test_a_mail_written_before_the_text_is_no_switch_and_moves_nobody(maya: Any, mailbox: Any, number: Any) -> None:
    says(maya, number, "hi?", sent_at=now())
    says(maya, mailbox, "Sent earlier, arrived late", sent_at=now() - timedelta(hours=2))
    case = Case.objects.get()
    assert case.channel == "sms"
    assert not Switch.objects.exists()


def test_the_same_words_within_a_minute_are_also_sent_not_a_switch(maya: Any, mailbox: Any, number: Any) -> None:
    says(maya, mailbox, "Where is my parcel?")
    entry = says(maya, number, "Where is my parcel?")
    assert entry.also_sent
    assert not Switch.objects.exists()


def test_answering_on_the_new_channel_ties_what_is_ticked_and_closes_the_card(
    maya: Any, mailbox: Any, number: Any, ana: Any
) -> None:
    first = says(maya, mailbox, "The lid is cracked.")
    case = says(maya, number, "hi?").case
    answers(ana, case, "I have your email.", channel="sms")
    case.refresh_from_db()
    assert case.open_channels == ["email"]
    assert Alert.objects.open().exists()
    answers(ana, case, "Refunded.", channel="sms", also_answers=[first.pk])
    case.refresh_from_db()
    assert case.open_channels == []
    assert case.waiting_since is None
    assert not Alert.objects.open().exists()


def test_a_failed_reply_restores_the_wait_from_the_original_time(maya: Any, number: Any, ana: Any) -> None:
    entry = says(maya, number, "hi?")
    case = entry.case
    reply = answers(ana, case, "Hello!")
    case.refresh_from_db()
    assert case.waiting_since is None
    outbox.failed(reply.deliveries.get(), "This number can't receive texts.")
    case.refresh_from_db()
    assert case.waiting_since == entry.created_at
    assert case.status == "open"
    assert case.has_failed_delivery


def test_a_reply_is_held_when_the_customer_wrote_on_another_channel_meanwhile(
    maya: Any, mailbox: Any, number: Any, ana: Any
) -> None:
    case = says(maya, mailbox, "The lid is cracked.").case
    case.refresh_from_db()
    seen = case.last_entry_id
    newer = says(maya, number, "hi?")
    with pytest.raises(outbox.ReplyHeld) as held:
        answers(ana, case, "Sorry!", channel="email", seen_entry=seen)
    assert held.value.newer == [newer]
    assert not Entry.objects.filter(kind="reply").exists()


def test_a_stop_blocks_every_later_text(maya: Any, number: Any, ana: Any) -> None:
    case = says(maya, number, "hi").case
    with transaction.atomic():
        consents.opt_out(number, OptOut("SM1", Sender("+14155552671"), number.address, OptOutAction.STOP, "STOP"))
    with pytest.raises(outbox.CannotSend):
        answers(ana, case, "Hello", channel="sms")


def test_undo_within_the_time_brings_the_text_back_as_a_draft(maya: Any, number: Any, ana: Any, settings: Any) -> None:
    settings.UNDO_SECONDS = 30
    case = says(maya, number, "hi").case
    reply = answers(ana, case, "Wrong text")
    draft = outbox.undo(reply, by=ana)
    case.refresh_from_db()
    assert draft == Draft.objects.get()
    assert draft.text == "Wrong text"
    assert case.waiting_since is not None
    assert not outbox.deliver(reply.deliveries.get().pk)


def test_undo_brings_the_card_back(maya: Any, mailbox: Any, number: Any, ana: Any, settings: Any) -> None:
    settings.UNDO_SECONDS = 30
    first = says(maya, mailbox, "The lid is cracked.")
    case = says(maya, number, "hi?").case
    reply = answers(ana, case, "Too quick", channel="sms", also_answers=[first.pk])
    assert not Alert.objects.open().exists()
    outbox.undo(reply, by=ana)
    case.refresh_from_db()
    assert Alert.objects.open().get().case == case
    assert case.shows_move
    assert case.open_channels == ["email", "sms"]


def test_resolving_puts_the_card_away_for_good(maya: Any, mailbox: Any, number: Any, ana: Any) -> None:
    says(maya, mailbox, "The lid is cracked.")
    case = Case.objects.get(pk=says(maya, number, "hi?").case.pk)
    case.resolve(by=ana)
    case.reopen(by=ana)
    assert not Alert.objects.open().exists()

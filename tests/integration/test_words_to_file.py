"""Answers to a campaign, "Y" and "WIN", are filed; a customer whom an agent asked something is heard."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils.timezone import now

from connectors.models import Connector
from inbox import intake, splitting
from inbox.locking import locked
from inbox.models import Case, Entry, EntryKind, Status
from tests import make
from tests.integration.test_webhooks import text_from, work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def number(number: Connector) -> Connector:
    number.options["filed_words"] = "Y, WIN, I'm in, stop, yes"
    number.save()
    return number


@pytest.mark.parametrize("text", ["Y", "y", " WIN! ", "«win».", "Win", "I'm  in", "i’m in."])
def test_a_whole_message_that_is_such_a_word_is_filed_with_the_reason(maya: Any, number: Any, text: str) -> None:
    said = make.says(maya, number, text)
    assert (said.kind, said.case, said.classification) == (EntryKind.FILED, None, "automatic")
    assert said.reason == f"“{' '.join(text.split())}” is one of the words to file, which answer a campaign."
    assert not Case.objects.exists()


@pytest.mark.parametrize("text", ["WIN a mug?", "Why", "", "!", "yy", "yes", "STOP"])
def test_anything_else_is_somebody_who_writes(maya: Any, number: Any, text: str) -> None:
    assert make.says(maya, number, text).kind == EntryKind.MESSAGE


def test_with_a_picture_it_is_somebody_who_writes(maya: Any, number: Any) -> None:
    picture = make.Attachment(name="a.png", url="https://api.twilio.com/x")
    assert make.says(maya, number, "Y", files=[picture]).kind == EntryKind.MESSAGE


def test_on_another_number_it_is_somebody_who_writes(maya: Any, number: Any, account: Any) -> None:
    assert make.says(maya, account, "Y").kind == EntryKind.MESSAGE


def test_the_answer_to_an_agents_question_reaches_the_agent(maya: Any, number: Any, ana: Any) -> None:
    case = make.says(maya, number, "Which one is cheaper?").case
    assert case is not None
    make.answers(ana, case, "The red one. Shall I send it? Y or N")
    said = make.says(maya, number, "Y")
    assert (said.kind, said.case) == (EntryKind.MESSAGE, case)
    assert Case.objects.get().status == Status.OPEN
    assert make.says(maya, number, "Y").kind == EntryKind.MESSAGE  # once more, while the agent looks for it


def test_on_whatever_channel_the_agent_asked(maya: Any, number: Any, mailbox: Any, ana: Any) -> None:
    case = make.says(maya, mailbox, "Which one is cheaper?").case
    assert case is not None
    make.answers(ana, case, "The red one. Shall I send it? Y or N")
    assert make.says(maya, number, "Y").kind == EntryKind.MESSAGE


def test_who_was_not_answered_yet_waits_as_before(maya: Any, number: Any) -> None:
    case = make.says(maya, number, "Where is my mug?").case
    assert case is not None
    said = make.says(maya, number, "WIN")
    assert (said.kind, said.case) == (EntryKind.FILED, case)
    case.refresh_from_db()
    assert case.open_entries().count() == 1
    assert case.preview == "Where is my mug?"


def test_a_case_that_sleeps_until_the_customer_writes_is_woken(maya: Any, number: Any, ana: Any) -> None:
    case = make.says(maya, number, "Which one is cheaper?").case
    assert case is not None
    make.answers(ana, case, "Shall I send it? Y or N")
    with locked(case) as fresh:
        fresh.snooze(now() + timedelta(days=3), by=ana)
    assert make.says(maya, number, "Y").kind == EntryKind.MESSAGE
    assert Case.objects.get().status == Status.OPEN


def test_a_resolved_case_stays_so(maya: Any, number: Any, ana: Any) -> None:
    case = make.says(maya, number, "Thanks").case
    assert case is not None
    with locked(case) as fresh:
        fresh.resolve(by=ana)
    assert make.says(maya, number, "WIN").kind == EntryKind.FILED
    assert not Case.objects.get().is_live


def test_the_answer_to_what_an_agent_asked_and_resolved_is_heard_for_a_day(maya: Any, number: Any, ana: Any) -> None:
    case = make.says(maya, number, "Which one is cheaper?").case
    assert case is not None
    make.answers(ana, case, "The red one. Shall I send it? Y or N", resolve=True)
    with time_machine.travel(now() + timedelta(hours=25), tick=True):
        assert make.says(maya, number, "Y").kind == EntryKind.FILED
    said = make.says(maya, number, "Y")
    assert (said.kind, said.case) == (EntryKind.MESSAGE, case)
    assert Case.objects.get().is_live


def test_the_answer_to_what_an_agent_asked_in_a_second_matter_is_heard(
    maya: Any, mailbox: Any, number: Any, ana: Any
) -> None:
    first = make.says(maya, mailbox, "My mug broke")
    other = make.says(maya, mailbox, "And where is my bill?")
    assert first.case is not None
    apart = splitting.split(first.case, [other.pk], by=ana).to_case
    make.answers(ana, apart, "Shall I send it again? Y or N")
    assert make.says(maya, number, "Y").kind == EntryKind.MESSAGE


def test_whom_an_agent_called_a_person_is_not_filed_again(maya: Any, number: Any, ana: Any) -> None:
    case = intake.this_is_a_person(make.says(maya, number, "Y"), by=ana)
    assert case.is_live
    with locked(case) as fresh:
        fresh.resolve(by=ana)
    assert make.says(maya, number, "Y").kind == EntryKind.MESSAGE


def test_it_is_filed_by_the_webhook_too(maya: Any, number: Any) -> None:
    text_from(number, "Win!")
    work()
    assert Entry.objects.get().kind == EntryKind.FILED


@pytest.mark.parametrize("kind", ["number", "whatsapp", "account"])
def test_an_administrator_enters_the_words(kind: str, request: Any, adam: Any, browser_of: Any) -> None:
    connector = request.getfixturevalue(kind)
    tab, page = browser_of(adam), f"/connections/{connector.pk}/step/rules/"
    assert "Whole messages to file" in tab.get(page).content.decode()
    refused = tab.post(page, {"filed_words": "Y, Stop!"})
    assert refused.status_code == 422
    assert "Take out Stop!: it ends or begins messages, or asks for help." in refused.content.decode()
    assert tab.post(page, {"filed_words": "Y, WIN"}).status_code == 302
    connector.refresh_from_db()
    assert connector.options["filed_words"] == "Y, WIN"

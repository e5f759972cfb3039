"""What only mail can do: name a case it does not belong to, arrive in two mailboxes, and come in floods."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from inbox.models import Case, Delivery, Entry
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_number_in_a_subject_joins_nothing(maya: Any, mailbox: Any) -> None:
    case = make.says(maya, mailbox, "Where is it?", subject="Hello").case
    assert case is not None
    stranger = make.customer("Somebody Else", email="else@where.test")
    for subject in (f"Re: Hello [#{case.pk}]", f"#{case.pk}", "Hello"):
        assert make.says(stranger, mailbox, "Tell me all about it", subject=subject).case_id != case.pk
    assert case.timeline().filter(kind="message").count() == 1


def test_the_same_mail_in_two_mailboxes_is_in_both_and_in_one_case(
    maya: Any, mailbox: Any, billing_mailbox: Any
) -> None:
    first = make.says(maya, mailbox, "To both of you", provider_id="one-mail")
    second = make.says(maya, billing_mailbox, "To both of you", provider_id="one-mail")
    assert first.pk != second.pk
    assert first.case_id == second.case_id
    assert Case.objects.get().team_ids == sorted([mailbox.team_id, billing_mailbox.team_id])


def test_fifty_mails_in_a_minute_are_one_case_and_nothing_leaves(maya: Any, mailbox: Any) -> None:
    for number in range(50):
        make.says(maya, mailbox, f"Answer me! {number}", sent_at=now() - timedelta(seconds=number))
    assert Case.objects.count() == 1
    assert Entry.objects.filter(kind="message").count() == 50
    assert not Delivery.objects.exists()

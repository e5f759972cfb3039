""" "This is the same person" taken back: each has again what was theirs, whoever wrote first."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.messages import Sender
from inbox import merging
from inbox.models import Case
from tests import make


def texts(case: Case) -> list[str]:
    return [entry.text for entry in Case.objects.get(pk=case.pk).timeline().filter(kind="message").order_by("pk")]


@pytest.mark.parametrize("first", ["survivor", "absorbed"])
def test_two_live_cases_part_as_they_were_whichever_is_older(
    ana: Any, maya: Any, mailbox: Any, number: Any, first: str
) -> None:
    other = make.customer("Max", phone="+14155550123")
    writing = [lambda: make.says(maya, mailbox, "mail"), lambda: make.says(other, number, "text")]
    entries = [write() for write in (writing if first == "survivor" else writing[::-1])]
    cases = {entry.text: entry.case for entry in entries}
    merge = merging.join(maya, other, by=ana)
    make.says(Sender("+14155550123", "", ""), number, "a later text")
    make.says(maya, mailbox, "a later mail")
    assert len(Case.objects.live()) == 1
    merging.undo(merge, by=ana)
    mails, written = Case.objects.get(pk=cases["mail"].pk), Case.objects.get(pk=cases["text"].pk)
    assert (mails.customer, written.customer) == (maya, other)
    assert mails.is_live
    assert written.is_live
    assert texts(mails) == ["mail", "a later mail"]
    assert texts(written) == ["text", "a later text"]
    assert (mails.channels, written.channels) == (["email"], ["sms"])
    assert (mails.preview, written.preview) == ("a later mail", "a later text")


def test_a_join_on_which_another_stands_is_taken_back_after_that_one(
    ana: Any, maya: Any, mailbox: Any, number: Any
) -> None:
    oldest = make.customer("Old", phone="+14155550124")
    make.says(oldest, number, "first")
    make.says(maya, mailbox, "second")
    other = make.customer("Max", phone="+14155550123")
    make.says(other, number, "third")
    first, second = merging.join(maya, other, by=ana), merging.join(oldest, maya, by=ana)
    with pytest.raises(merging.CannotJoin, match="later join"):
        merging.undo(first, by=ana)
    merging.undo(second, by=ana)
    merging.undo(first, by=ana)
    assert {case.customer.name for case in Case.objects.live()} == {"Old", maya.name, "Max"}

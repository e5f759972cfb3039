"""A code, or a yes, opens no sensitive case to anybody whom nobody has named in it."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.messages import Sender
from connectors.models import Connector
from customers.models import Customer, Identity
from inbox import detaching, merging, privacy
from inbox.models import Agent, Case, Delivery, Entry, Invitation, Merge
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)

STRANGER = Sender("+14155550177", "", "")


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


@pytest.fixture
def case(maya: Any, mailbox: Connector, ana: Any) -> Any:
    """Maya's, which names Ana alone; she was given a code to go on by SMS."""
    return make.says(maya, mailbox, "My diagnosis came").case


@pytest.fixture
def code(case: Any, number: Connector, ana: Any) -> str:
    code = make.code_from(ana, case, number)
    Delivery.objects.update(state="sent")
    privacy.hide(fresh(case), "health", [ana.pk], by=ana)
    return code


@pytest.fixture
def other(number: Connector, sam: Any) -> Any:
    """A number's, which names Sam alone."""
    found = make.says(STRANGER, number, "My rash is back").case
    privacy.hide(found, "health", [sam.pk], by=sam)
    return fresh(found)


def person_of(value: str) -> Customer:
    return Identity.objects.get(value=value).customer.current()


def test_where_nobody_is_named_in_both_a_code_joins_nobody(
    code: str, case: Any, other: Any, maya: Any, number: Connector, ana: Any, sam: Any
) -> None:
    said = make.says(STRANGER, number, code)
    assert person_of(STRANGER.address) != maya
    assert said.case == other
    assert (fresh(case).named_ids, fresh(other).named_ids) == ([ana.pk], [sam.pk])
    assert not Merge.objects.exists()
    assert not Delivery.objects.filter(text__contains="answer YES").exists()


def test_the_readers_of_each_are_told_what_they_can_do_and_nobody_else(
    code: str, case: Any, other: Any, number: Connector, browser_of: Any, ana: Any, sam: Any, sue: Any
) -> None:
    said = make.says(STRANGER, number, code)
    assert said.remark.startswith("Wrote a code that was given to somebody else. Not joined:")
    for agent, seen in ((ana, case), (sam, other)):
        agent.refresh_from_db()
        page = browser_of(agent).get(f"/inbox/open/c/{seen.pk}/").content.decode()
        assert "Name the same person in both first" in page
        assert browser_of(sue).get(f"/inbox/open/c/{seen.pk}/").status_code == 404
    make.says(STRANGER, number, f"again {code}")
    assert Entry.objects.filter(event="not_joined").count() == 1


def test_who_wrote_the_code_is_not_named_to_the_readers_of_the_other(
    case: Any, mailbox: Connector, ana: Any, sam: Any
) -> None:
    written = "stranger@else.test"
    code = make.code_from(ana, case, mailbox)
    Delivery.objects.update(state="sent")
    privacy.hide(fresh(case), "health", [ana.pk], by=ana)
    theirs = make.says(Sender(written), mailbox, "My rash is back").case
    privacy.hide(theirs, "health", [sam.pk], by=sam)
    make.says(Sender(written), mailbox, code)
    told = fresh(case).timeline().get(event="not_joined")
    assert told.text.startswith("Somebody wrote the code given here. Not joined:")
    assert not [each for each in fresh(case).timeline() if written in f"{each.text} {each.remark} {each.data}"]


def test_the_same_code_joins_them_once_somebody_is_named_in_both(
    code: str, case: Any, other: Any, maya: Any, number: Connector, ana: Any, sam: Any
) -> None:
    make.says(STRANGER, number, code)
    privacy.hide(other, "health", [ana.pk, sam.pk], by=sam)
    make.says(STRANGER, number, code)
    assert person_of(STRANGER.address) == maya
    assert fresh(case).named_ids == fresh(other).named_ids == [ana.pk]


def test_somebody_who_has_left_is_nobody(
    code: str, case: Any, other: Any, maya: Any, number: Connector, ana: Any, lee: Any, sam: Any
) -> None:
    privacy.hide(fresh(case), "health", [ana.pk, lee.pk], by=ana)
    privacy.hide(other, "health", [sam.pk, lee.pk], by=sam)
    Agent.objects.filter(pk=lee.pk).update(is_active=False)
    make.says(STRANGER, number, code)
    assert person_of(STRANGER.address) != maya


def test_a_yes_joins_nobody_either(maya: Any, mailbox: Connector, number: Connector, ana: Any, sam: Any) -> None:
    jon = make.customer("Jon Hale", phone="+14155550188")
    case = make.says(maya, mailbox, "My diagnosis came").case
    code = make.code_from(ana, case, number)
    Delivery.objects.update(state="sent")
    said = make.says(jon, number, f"Maya gave me {code}")
    Delivery.objects.update(state="sent")
    privacy.hide(fresh(case), "health", [ana.pk], by=ana)
    privacy.hide(said.case, "health", [sam.pk], by=sam)
    yes = make.says(maya, mailbox, "YES")
    assert person_of("+14155550188") == jon
    assert "Not joined:" in yes.remark
    assert Identity.objects.get(value="+14155550188").shown not in yes.remark
    assert fresh(said.case).timeline().filter(event="not_joined").exists()
    assert Invitation.objects.open().exists()


def test_a_code_joins_a_sensitive_case_with_an_ordinary_one_which_is_hidden_with_it(
    code: str, case: Any, maya: Any, number: Connector, ana: Any
) -> None:
    ordinary = make.says(STRANGER, number, "My lamp").case
    make.says(STRANGER, number, code)
    assert person_of(STRANGER.address) == maya
    assert fresh(ordinary).named_ids == fresh(case).named_ids == [ana.pk]


def test_no_join_at_all_shows_it_to_who_is_not_named(case: Any, code: str, other: Any) -> None:
    with pytest.raises(merging.CannotJoin, match="nobody can see both"):
        merging.join_locked(fresh(case).customer, other.customer, by=None, reason="wrote the code")
    assert not Merge.objects.exists()


def test_an_address_is_not_given_back_by_somebody_who_may_read_only_one_of_both(
    maya: Any, mailbox: Connector, number: Connector, ana: Any, sam: Any, browser_of: Any
) -> None:
    make.says(maya, mailbox, "My diagnosis came")
    text = make.says(maya, number, "and it itches")
    detaching.detach(text.identity, by=ana)
    away = fresh(text).case
    privacy.hide(maya.cases.earliest("pk"), "health", [ana.pk], by=ana)
    assert Case.objects.filter(pk=away.pk, named_ids=None).exists()
    with pytest.raises(detaching.CannotDetach, match="only named people see"):
        detaching.give_back(fresh(text.identity), by=sam)


def test_an_ordinary_case_is_not_hidden_with_one_that_nobody_is_left_to_see(
    code: str, case: Any, maya: Any, number: Connector, ana: Any, sam: Any
) -> None:
    ordinary = make.says(STRANGER, number, "My lamp").case
    Agent.objects.filter(pk=ana.pk).update(is_active=False)
    said = make.says(STRANGER, number, code)
    assert person_of(STRANGER.address) != maya
    assert "Not joined: One of them has a sensitive case" in said.remark
    assert fresh(ordinary).named_ids is None

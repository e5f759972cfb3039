"""Resolve, reopen, give: a case is always in exactly one view, and in somebody's or in nobody's."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils.timezone import now

from inbox import merging
from inbox.locking import locked
from inbox.models import Alert, Case, Entry, Status
from inbox.models.case import AnotherIsLive
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)


def resolve(case: Any, by: Any) -> None:
    with locked(case) as current:
        current.resolve(by=by)


def reopen(case: Any, by: Any) -> None:
    with locked(case) as current:
        current.reopen(by=by)


def test_resolving_twice_is_one_event_and_one_time(maya: Any, number: Any, ana: Any, sam: Any) -> None:
    case = make.says(maya, number, "hi").case
    assert case
    resolve(case, ana)
    first = Case.objects.get(pk=case.pk).resolved_at
    resolve(case, sam)
    assert Entry.objects.filter(event="resolved").count() == 1
    assert Case.objects.get(pk=case.pk).resolved_at == first


def test_reopening_a_live_case_says_nothing(maya: Any, number: Any, ana: Any) -> None:
    case = make.says(maya, number, "hi").case
    reopen(case, ana)
    assert not Entry.objects.filter(event="reopened").exists()


def test_a_case_reopened_for_somebody_who_left_is_nobodys(maya: Any, number: Any, ana: Any) -> None:
    case = make.says(maya, number, "hi").case
    assert case
    with locked(case) as current:
        current.assign(ana, by=ana)
    resolve(case, ana)
    call_command("deactivate", ana.email)
    make.says(maya, number, "again")
    assert Case.objects.get(pk=case.pk).assignee is None


def test_a_case_reopened_for_somebody_of_another_team_now_is_nobodys(
    maya: Any, number: Any, ana: Any, billing: Any
) -> None:
    case = make.says(maya, number, "hi").case
    assert case
    with locked(case) as current:
        current.assign(ana, by=ana)
    resolve(case, ana)
    ana.teams.set([billing])
    reopen(case, None)
    assert Case.objects.get(pk=case.pk).assignee is None


def test_a_case_beside_a_live_one_cannot_be_reopened_and_says_which_it_is(
    maya: Any, number: Any, ana: Any, settings: Any
) -> None:
    settings.REOPEN_DAYS = 0
    old = make.says(maya, number, "hi").case
    resolve(old, ana)
    new = make.says(maya, number, "something else").case
    with pytest.raises(AnotherIsLive) as refused:
        reopen(old, ana)
    assert refused.value.case == new


def test_a_split_off_case_can_be_reopened_beside_the_main_one(
    maya: Any, number: Any, ana: Any, browser_of: Any
) -> None:
    case = make.says(maya, number, "main").case
    assert case
    beside = Case.objects.create(
        customer=maya,
        team=case.team,
        team_ids=case.team_ids,
        reply_token="x" * 32,
        split_off=True,
        status=Status.RESOLVED,
        is_live=False,
        resolved_at=now(),
    )
    assert browser_of(ana).post(f"/cases/{beside.pk}/reopen/").status_code == 200
    assert Case.objects.get(pk=beside.pk).is_live


def test_the_old_case_of_a_joined_person_is_reopened_as_who_they_are_today(maya: Any, number: Any, ana: Any) -> None:
    bob = make.customer("Bob Stone", phone="+14155550177")
    old = make.says(bob, number, "hi").case
    resolve(old, ana)
    merging.join(maya, bob, by=ana)
    reopen(old, ana)
    assert old
    assert Case.objects.get(pk=old.pk).customer == maya


def test_the_old_case_of_a_joined_person_is_not_reopened_beside_the_live_one(
    maya: Any, mailbox: Any, number: Any, ana: Any, browser_of: Any
) -> None:
    bob = make.customer("Bob Stone", phone="+14155550177")
    old = make.says(bob, number, "hi").case
    assert old
    resolve(old, ana)
    make.says(maya, mailbox, "hello")
    merging.join(maya, bob, by=ana)
    assert browser_of(ana).post(f"/cases/{old.pk}/reopen/").status_code == 409


def test_a_new_owner_gets_the_card_again(maya: Any, mailbox: Any, number: Any, ana: Any, sam: Any) -> None:
    make.says(maya, mailbox, "a")
    case = make.says(maya, number, "b").case
    assert case
    Alert.objects.get().see(sam)
    with locked(case) as current:
        current.assign(sam, by=ana)
    assert Alert.objects.unseen_by(sam).exists()


def test_no_case_can_be_in_no_view(maya: Any, number: Any) -> None:
    case = make.says(maya, number, "hi").case
    assert case
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(is_live=False)

"""What is sensitive stays so wherever it is put; and what was hidden only for that is seen again once it went back."""

from __future__ import annotations

from typing import Any

import pytest

from inbox import outbox, privacy, splitting
from inbox.models import Entry
from tests import make

pytestmark = pytest.mark.django_db

SECRET = "diagnosis"


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def hiding(case: Any) -> Any:
    return fresh(case).sensitive, fresh(case).named_ids


OPEN: Any = ("", None)


@pytest.fixture
def secret(maya: Any, mailbox: Any) -> Any:
    return make.says(maya, mailbox, f"My {SECRET} came", subject="Results")


@pytest.fixture
def matters(maya: Any, mailbox: Any, secret: Any, ana: Any, sam: Any) -> Any:
    """(Maya's first matter, about her health, which names Ana; her second, a lamp, which is Sam's)."""
    make.says(maya, mailbox, "and a second opinion too")
    lamp = make.says(maya, mailbox, "My lamp is broken", subject="Lamp")
    second = splitting.split(lamp.case, [lamp.pk], by=ana).to_case
    second.assign(sam, by=sam)
    privacy.hide(fresh(secret).case, "health", [ana.pk], by=ana)
    return fresh(secret).case, fresh(second)


@pytest.fixture
def moved(matters: Any, secret: Any, ana: Any) -> Any:
    return splitting.move(matters[0], [secret.pk], matters[1], by=ana)


def test_what_a_move_hid_is_seen_again_once_it_is_taken_back(
    matters: Any, moved: Any, maya: Any, number: Any, ana: Any, sam: Any
) -> None:
    health, lamp = matters
    assert hiding(lamp) == ("health", [ana.pk])
    assert fresh(lamp).assignee is None
    splitting.undo(moved, by=ana)
    assert hiding(lamp) == OPEN
    assert fresh(lamp).assignee == sam
    assert fresh(lamp).preview == "My lamp is broken"
    assert hiding(health) == ("health", [ana.pk])


def test_who_else_is_named_where_it_came_from_goes_on_seeing_that(
    matters: Any, secret: Any, ana: Any, sam: Any
) -> None:
    health, lamp = matters
    privacy.hide(health, "health", [ana.pk, sam.pk], by=ana)
    privacy.hide(lamp, "legal", [ana.pk], by=ana)
    moved = splitting.move(health, [secret.pk], lamp, by=ana)
    assert hiding(lamp) == ("legal", [ana.pk])
    assert hiding(health) == ("health", [ana.pk, sam.pk])
    splitting.undo(moved, by=ana)
    assert hiding(lamp) == ("legal", [ana.pk])
    assert hiding(health) == ("health", [ana.pk, sam.pk])


def test_ordinary_words_that_come_back_out_of_a_sensitive_case_hide_nothing(
    matters: Any, maya: Any, mailbox: Any, ana: Any
) -> None:
    health, lamp = matters
    bulb = make.says(maya, mailbox, "and its bulb", reply_tokens=[lamp.reply_token])
    assert bulb.case == lamp
    moved = splitting.move(lamp, [bulb.pk], health, by=ana)
    assert hiding(lamp) == OPEN
    splitting.undo(moved, by=ana)
    assert hiding(lamp) == OPEN
    assert hiding(health) == ("health", [ana.pk])


def test_what_somebody_decided_since_holds(matters: Any, moved: Any, ana: Any, lee: Any) -> None:
    health, lamp = matters
    privacy.hide(lamp, "legal", [ana.pk, lee.pk], by=ana)
    splitting.undo(moved, by=ana)
    assert hiding(lamp) == ("legal", sorted([ana.pk, lee.pk]))
    assert hiding(health) == ("health", [ana.pk])


def test_who_was_named_since_where_it_came_from_stays_named(matters: Any, moved: Any, ana: Any, lee: Any) -> None:
    health, lamp = matters
    privacy.hide(health, "health", [ana.pk, lee.pk], by=ana)
    splitting.undo(moved, by=ana)
    assert hiding(health) == ("health", sorted([ana.pk, lee.pk]))
    assert hiding(lamp) == OPEN


def test_what_is_hidden_does_not_go_back_to_where_everybody_sees_it_by_now(matters: Any, moved: Any, ana: Any) -> None:
    health, lamp = matters
    privacy.hide(health, "", [], by=ana)
    with pytest.raises(splitting.CannotSplit, match=f"#{lamp.pk} is sensitive and #{health.pk} is not any more"):
        splitting.undo(moved, by=ana)
    privacy.hide(lamp, "", [], by=ana)
    splitting.undo(fresh(moved), by=ana)
    assert hiding(health) == OPEN == hiding(lamp)


def test_what_was_noted_or_answered_there_meanwhile_stays_hidden(
    matters: Any, moved: Any, maya: Any, mailbox: Any, ana: Any
) -> None:
    outbox.add_note(matters[1], by=ana, text=f"Her {SECRET} is bad")
    splitting.undo(moved, by=ana)
    assert hiding(matters[1]) == ("health", [ana.pk])
    assert "stays sensitive" in Entry.objects.filter(case=matters[1], event="regrouped").latest("pk").text


def test_an_answer_of_hers_to_what_was_moved_stays_hidden_and_any_other_does_not(
    matters: Any, moved: Any, secret: Any, maya: Any, mailbox: Any, ana: Any
) -> None:
    lamp = matters[1]
    make.says(maya, mailbox, "The lamp flickers", reply_tokens=[lamp.reply_token])
    splitting.undo(moved, by=ana)
    assert hiding(lamp) == OPEN
    again = splitting.move(fresh(matters[0]), [secret.pk], fresh(lamp), by=ana)
    more = make.says(maya, mailbox, f"More of the {SECRET}", references=[fresh(secret).message_id])
    assert more.case == lamp
    splitting.undo(again, by=ana)
    assert hiding(lamp) == ("health", [ana.pk])


def test_what_a_hand_over_hid_is_seen_again_once_it_is_taken_back(
    matters: Any, secret: Any, number: Any, ana: Any, sam: Any
) -> None:
    bob = make.customer("Bob Stone", phone="+14155550188")
    theirs = make.says(bob, number, "My chair broke").case
    moved = splitting.hand_over(matters[0], [secret.pk], to=bob, by=ana)
    assert hiding(theirs) == ("health", [ana.pk])
    splitting.undo(moved, by=ana)
    assert hiding(theirs) == OPEN
    assert hiding(matters[0]) == ("health", [ana.pk])


def test_a_new_persons_case_that_was_begun_for_it_leaves_nothing_hidden_behind(
    matters: Any, secret: Any, ana: Any, lee: Any
) -> None:
    moved = splitting.hand_over(matters[0], [secret.pk], name="Bob", by=ana)
    assert hiding(moved.to_case) == ("health", [ana.pk])
    privacy.hide(matters[0], "health", [ana.pk, lee.pk], by=ana)
    splitting.undo(moved, by=ana)
    assert hiding(matters[0]) == hiding(moved.to_case) == ("health", sorted([ana.pk, lee.pk]))


def test_two_matters_that_were_joined_are_each_what_they_were_once_they_are_apart_again(
    matters: Any, ana: Any, sam: Any
) -> None:
    health, lamp = matters
    joined = splitting.rejoin(health, lamp, by=ana)
    assert hiding(health) == hiding(lamp) == ("health", [ana.pk])
    splitting.undo(joined, by=ana)
    assert hiding(health) == ("health", [ana.pk])
    assert hiding(lamp) == OPEN
    assert fresh(lamp).preview == "My lamp is broken"


def test_two_matters_that_were_named_otherwise_since_stay_as_they_are(matters: Any, ana: Any, lee: Any) -> None:
    health, lamp = matters
    joined = splitting.rejoin(health, lamp, by=ana)
    privacy.hide(health, "health", [ana.pk, lee.pk], by=ana)
    splitting.undo(joined, by=ana)
    assert hiding(health) == hiding(lamp) == ("health", sorted([ana.pk, lee.pk]))


def test_nobody_moves_anything_into_or_out_of_a_case_that_does_not_name_them(
    matters: Any, secret: Any, moved: Any, ana: Any, sam: Any
) -> None:
    health, lamp = matters
    splitting.undo(moved, by=ana)
    with pytest.raises(splitting.CannotSplit, match="only named people see"):
        splitting.move(health, [secret.pk], lamp, by=sam)
    with pytest.raises(splitting.CannotSplit, match="only named people see"):
        splitting.move(lamp, [secret.pk], health, by=sam)
    with pytest.raises(splitting.CannotSplit, match="only named people see"):
        splitting.split(health, [secret.pk], by=sam)
    with pytest.raises(splitting.CannotSplit, match="only named people see"):
        splitting.rejoin(lamp, health, by=sam)

"""Joining people over HTTP: which name holds, who may, what is refused in words, and whose a later edit is."""

from __future__ import annotations

from typing import Any

import pytest

from customers.models import Customer
from inbox import merging
from inbox.models import Agent, Case, Merge
from tests import make


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def edit(person: Customer, **fields: str) -> None:
    Customer.objects.filter(pk=person.pk).update(**fields)


@pytest.fixture
def both(maya: Any, mailbox: Any, number: Any) -> Any:
    """Maya, and somebody who may be she."""
    edit(maya, language="en", time_zone="Europe/Lisbon")
    other = make.customer("M. Ortiz", email="m@work.test", phone="+14155550177")
    edit(other, language="pt-PT", prefers="sms")
    make.says(maya, mailbox, "one")
    make.says(other, number, "two")
    return fresh(maya), fresh(other)


def test_each_field_is_chosen_and_all_are_given_back(both: Any, ana: Any, browser_of: Any) -> None:
    maya, other = both
    browser, before = browser_of(ana), list(Customer.objects.order_by("pk").values())
    page = browser.get(f"/customers/{maya.pk}/same/{other.pk}/").content.decode()
    assert 'name="field_name"' in page
    assert 'name="field_language"' in page
    assert 'name="field_time_zone"' not in page  # only one of them has one
    chosen = {"field_name": "theirs", "field_language": "mine", "reason": "She said so"}
    assert browser.post(f"/customers/{maya.pk}/same/{other.pk}/join/", chosen).status_code == 302
    now_is = fresh(maya)
    assert (now_is.name, now_is.language) == ("M. Ortiz", "en")
    assert (now_is.time_zone, now_is.prefers) == ("Europe/Lisbon", "sms")
    merge = Merge.objects.get()
    assert browser.post(f"/joins/{merge.pk}/undo/").status_code == 302
    assert list(Customer.objects.order_by("pk").values()) == before


@pytest.mark.parametrize(
    ("side", "hers", "the_others"),
    [
        ("stays", "Maya O. Cruz", "M. Ortiz"),
        ("leaves", "Maya Ortiz", "Maya O. Cruz"),
        ("both", "Maya O. Cruz", "Maya O. Cruz"),
    ],
)
def test_only_a_field_that_was_edited_since_is_asked_about(
    both: Any, ana: Any, browser_of: Any, side: str, hers: str, the_others: str
) -> None:
    maya, other = both
    merge = merging.join(maya, other, by=ana)
    edit(maya, name="Maya O. Cruz", named_by_agent=True)
    browser = browser_of(ana)
    page = browser.post(f"/joins/{merge.pk}/undo/").content.decode()
    assert "Maya O. Cruz" in page
    assert 'name="field_name"' in page
    assert 'name="field_language"' not in page
    assert fresh(merge).undone_at is None
    assert browser.post(f"/joins/{merge.pk}/undo/", {"field_name": side}).status_code == 302
    assert (fresh(maya).name, fresh(other).name) == (hers, the_others)
    assert (fresh(maya).language, fresh(maya).prefers) == ("en", "")


def test_an_inner_join_takes_its_name_out_of_the_outer_one(both: Any, ana: Any) -> None:
    maya, other = both
    third = make.customer("Cem", email="cem@x.test")
    edit(maya, name="", named_by_agent=False)
    inner = merging.join(maya, other, by=ana)
    outer = merging.join(maya, third, by=ana, theirs={"name"})
    assert fresh(maya).name == "Cem"
    assert not merging.edited_since(inner)
    merging.undo(inner, by=ana)
    assert fresh(maya).name == "Cem"
    merging.undo(outer, by=ana)
    assert [fresh(each).name for each in (maya, other, third)] == ["", "M. Ortiz", "Cem"]


def test_joining_and_taking_back_are_rights_of_their_own(both: Any, ana: Any, sue: Any, browser_of: Any) -> None:
    maya, other = both
    browser, join = browser_of(ana), f"/customers/{maya.pk}/same/{other.pk}/join/"
    Agent.objects.filter(pk=ana.pk).update(may_join=False)
    refused = browser.post(join)
    assert (refused.status_code, b"You may not join people" in refused.content) == (403, True)
    assert not Merge.objects.exists()
    Agent.objects.filter(pk=ana.pk).update(may_join=True, may_part=False)
    assert browser.post(join).status_code == 302
    merge = Merge.objects.get()
    kept = browser.post(f"/joins/{merge.pk}/undo/")
    assert (kept.status_code, b"You may not tell people apart" in kept.content) == (403, True)
    assert fresh(merge).undone_at is None
    Agent.objects.filter(pk=sue.pk).update(may_join=False, may_part=False)
    assert browser_of(sue).post(f"/joins/{merge.pk}/undo/").status_code == 302
    assert fresh(merge).undone_by == sue


def test_a_supervisor_gives_the_rights_and_sees_how_often_they_were_used(
    both: Any, ana: Any, sam: Any, sue: Any, browser_of: Any
) -> None:
    merging.undo(merging.join(*both, by=ana), by=sam)
    assert browser_of(ana).get("/agents/").status_code == 403
    assert browser_of(ana).post(f"/agents/{ana.pk}/rights/", {"may_join": "on"}).status_code == 403
    browser = browser_of(sue)
    page = " ".join(browser.get("/agents/").content.decode().split())
    assert 'Ana Duarte</th><td class="n">1</td><td class="n">1</td><td class="n">0</td>' in page
    assert 'Sam Keller</th><td class="n">0</td><td class="n">0</td><td class="n">1</td>' in page
    assert browser.post(f"/agents/{ana.pk}/rights/", {"may_part": "on"}).status_code == 302
    assert (fresh(ana).may_join, fresh(ana).may_part) == (False, True)
    assert browser.post("/agents/999999/rights/").status_code == 404


def test_nobody_is_joined_with_themselves_twice_or_with_nobody(both: Any, ana: Any, lee: Any, browser_of: Any) -> None:
    maya, other = both
    browser, pages = browser_of(ana), "/customers/{}/same/{}/join/"
    itself = browser.post(pages.format(maya.pk, maya.pk))
    assert (itself.status_code, b"already the same person" in itself.content) == (422, True)
    assert browser.post(pages.format(maya.pk, other.pk)).status_code == 302
    again = browser.post(pages.format(maya.pk, other.pk))
    assert (again.status_code, b"already the same person" in again.content) == (422, True)
    assert browser.post(pages.format(maya.pk, 999999)).status_code == 404
    assert browser_of(lee).post(pages.format(maya.pk, other.pk)).status_code == 404
    merge = Merge.objects.get()
    assert browser_of(lee).post(f"/joins/{merge.pk}/undo/").status_code == 404
    assert browser.post("/joins/999999/undo/").status_code == 404
    assert browser.post(f"/joins/{merge.pk}/undo/").status_code == 302
    assert b"undone before" in browser.post(f"/joins/{merge.pk}/undo/", follow=True).content
    assert Case.objects.live().count() == 2


def test_nobody_is_joined_with_somebody_who_was_erased(both: Any, ana: Any) -> None:
    maya, other = both
    Customer.objects.filter(pk=other.pk).update(erased_at="2026-01-01T00:00:00Z")
    with pytest.raises(merging.CannotJoin, match="erased"):
        merging.join(maya, other, by=ana)

"""To be forgotten, and not to be seen by everybody, in real windows (product.md §5, S8)."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.conftest import open_case, row
from tests.e2e.people import Somebody, somebody, taken_in
from tests.stack import Stack, until

Window = Callable[..., Page]


def found_to_be_one(stack: Stack, admin: Page, one: Somebody, other: Somebody, words: str) -> int:
    """`one` wrote `words` by mail, `other` the same and more by text; the customer that both are now, by id."""
    one.writes("email", f"My old address: {words}", subject="Broken")
    other.writes("sms", f"{words} again, from my phone")
    taken_in(stack, f"My old address: {words}")
    taken_in(stack, f"{words} again, from my phone")
    ((first, second),) = stack.rows(
        "SELECT min(id), max(id) FROM customers_customer WHERE name IN (%s, %s)", one.name, other.name
    )
    admin.goto(f"/customers/{first}/same/{second}/")
    admin.get_by_role("button", name="Yes, the same person").click()
    expect(admin.locator("#toasts")).to_contain_text("They are one person now")
    return int(first)


def erase(admin: Page, customer: int, value: str) -> None:
    admin.goto(f"/customers/{customer}/privacy/")
    address = admin.locator(".erasable > li", has_text=value)
    address.locator("summary").click()
    address.locator("input[name=why]").fill("Asked to")
    address.locator("input[name=sure]").check()
    address.get_by_role("button", name="Erase this address").click()
    expect(admin.locator("#toasts")).to_contain_text("The address is erased")


def is_gone(stack: Stack, value: str, words: str) -> None:
    """From every table in which it was, and from the raw bytes once a worker has been there."""
    assert not stack.rows("SELECT 1 FROM customers_identity WHERE value = %s", value)
    assert not stack.rows("SELECT 1 FROM inbox_entry WHERE position(%s in text || subject || quoted) > 0", words)
    query = "SELECT 1 FROM connectors_receipt WHERE position(convert_to(%s, 'UTF8') IN body) > 0"
    until(lambda: not stack.rows(query, words), "the originals are removed")
    until(lambda: not stack.rows("SELECT 1 FROM inbox_erasing"), "nothing is left to remove")


def test_s8_one_address_is_erased_after_a_join_and_the_other_is_untouched(stack: Stack, window: Window) -> None:
    one, other, admin = somebody(stack, "Ottilie Brandt"), somebody(stack, "Otti B."), window("adam")
    both = found_to_be_one(stack, admin, one, other, "the gasket leaks")
    anas = window("ana")
    open_case(anas, "Ottilie Brandt")
    expect(anas.locator("#timeline")).to_contain_text("My old address: the gasket leaks")
    erase(admin, both, one.email)
    expect(anas.locator("#timeline")).not_to_contain_text("My old address")
    expect(anas.locator("#timeline")).to_contain_text("Erased by Adam")
    expect(anas.locator("#timeline")).to_contain_text("the gasket leaks again, from my phone")
    is_gone(stack, one.email, "My old address: the gasket leaks")


def test_s8_the_join_is_taken_back_after_one_address_was_erased_and_each_keeps_their_own(
    stack: Stack, window: Window
) -> None:
    one, other, admin = somebody(stack, "Ruprecht Vane"), somebody(stack, "Ruppi V."), window("adam")
    both = found_to_be_one(stack, admin, one, other, "the hinge is loose")
    erase(admin, both, one.email)
    admin.goto(f"/customers/{both}/")
    admin.get_by_role("button", name="Not the same person").click()
    expect(admin.locator("#toasts")).to_contain_text("two people again")
    other.writes("sms", "and now it fell off, says Ruppi")
    taken_in(stack, "and now it fell off, says Ruppi")

    anas = window("ana")
    open_case(anas, "Ruppi V.")
    expect(anas.locator("#timeline")).to_contain_text("the hinge is loose again, from my phone")
    expect(anas.locator("#timeline")).to_contain_text("and now it fell off, says Ruppi")
    expect(anas.locator("#timeline .t-row.message")).to_have_count(2)
    for path in (f"/customers/{both}/", f"/customers/{both}/privacy/"):
        admin.goto(path)
        expect(admin.get_by_role("heading", level=1)).to_be_visible()
        expect(admin.locator("main")).not_to_contain_text("My old address")
        expect(admin.locator("main")).not_to_contain_text(one.email)
    ((left,),) = stack.rows("SELECT id FROM inbox_case WHERE customer_id = %s", both)
    anas.goto(f"/inbox/open/c/{left}/")
    expect(anas.locator("#timeline")).to_contain_text("Erased by Adam")
    expect(anas.locator("#timeline")).not_to_contain_text("hinge")
    is_gone(stack, one.email, "My old address: the hinge is loose")


def test_a_case_that_becomes_sensitive_leaves_the_lists_of_all_others_at_once(stack: Stack, window: Window) -> None:
    guest = somebody(stack, "Quentin Sorrel")
    guest.writes("sms", "my test results are wrong")
    anas, sams = window("ana"), window("sam")
    open_case(anas, "Quentin Sorrel")
    expect(row(sams, "Quentin Sorrel")).to_be_visible()
    anas.get_by_label("More to do with this case").click()
    anas.locator("#case-menu").get_by_text("Sensitive…").click()
    anas.locator("#sensitive-menu").get_by_text("Health").click()
    anas.locator("#sensitive-menu .button").click()
    expect(anas.locator("#case-head")).to_contain_text("Health")
    expect(row(anas, "Quentin Sorrel")).to_contain_text("Sensitive: health")
    expect(row(sams, "Quentin Sorrel")).to_have_count(0)
    guest.writes("sms", "please hurry with the results")
    expect(anas.locator("#timeline")).to_contain_text("please hurry")
    expect(sams.locator("#rows")).not_to_contain_text("results")

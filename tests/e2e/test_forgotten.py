"""To be forgotten, and not to be seen by everybody, in real windows (product.md §5, S8)."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.conftest import open_case, row
from tests.e2e.people import somebody, taken_in
from tests.stack import Stack

Window = Callable[..., Page]


def test_s8_one_address_is_erased_after_a_join_and_the_other_is_untouched(stack: Stack, window: Window) -> None:
    one, other = somebody(stack, "Ottilie Brandt"), somebody(stack, "Otti B.")
    one.writes("email", "My old address: the gasket leaks", subject="Gasket")
    other.writes("sms", "the gasket again, from my phone")
    taken_in(stack, "the gasket leaks")
    taken_in(stack, "the gasket again, from my phone")
    admin = window("adam")
    ((first, second),) = stack.rows(
        "SELECT min(id), max(id) FROM customers_customer WHERE name IN ('Ottilie Brandt', 'Otti B.')"
    )
    admin.goto(f"/customers/{first}/same/{second}/")
    admin.get_by_role("button", name="Yes, the same person").click()
    anas = window("ana")
    open_case(anas, "Ottilie Brandt")
    expect(anas.locator("#timeline")).to_contain_text("the gasket leaks")

    admin.goto(f"/customers/{first}/privacy/")
    address = admin.locator(".erasable > li", has_text=one.email)
    address.locator("summary").click()
    address.locator("input[name=why]").fill("Asked to")
    address.locator("input[name=sure]").check()
    address.get_by_role("button", name="Erase this address").click()
    expect(admin.locator("#toasts")).to_contain_text("The address is erased")

    expect(anas.locator("#timeline")).not_to_contain_text("the gasket leaks")
    expect(anas.locator("#timeline")).to_contain_text("Erased by Adam")
    expect(anas.locator("#timeline")).to_contain_text("the gasket again, from my phone")
    assert not stack.rows("SELECT 1 FROM customers_identity WHERE value = %s", one.email)
    assert not stack.rows("SELECT 1 FROM connectors_receipt WHERE position('gasket leaks'::bytea IN body) > 0")


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

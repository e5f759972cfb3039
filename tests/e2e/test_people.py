"""One person or two, one matter or two: in real windows, with the customers at the far end (product.md §5)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.conftest import open_case, row, write
from tests.e2e.people import somebody, taken_in
from tests.e2e.test_looks import STICKS_OUT, serious
from tests.stack import Stack, until

Window = Callable[..., Page]


def timeline(page: Page) -> Any:
    return page.locator("#timeline")


def message(page: Page, text: str) -> Any:
    return page.locator("#timeline .t-row.message", has_text=text)


def test_two_matters_are_parted_moved_and_joined_again_by_key_and_by_pointer(stack: Stack, window: Window) -> None:
    anas, cora = window("ana"), somebody(stack, "Cora Nilsson")
    cora.writes("email", "The shelf wobbles.", subject="The shelf")
    cora.writes("email", "Why was I charged twice?", subject="The invoice")
    taken_in(stack, "Why was I charged twice?")
    open_case(anas, "Cora Nilsson")
    anas.locator("#case-title").click()
    anas.keyboard.press("x")
    expect(anas.locator("#picking")).to_be_visible()
    box = message(anas, "Why was I charged twice?").locator(".picker-box")
    expect(box).to_be_focused()
    anas.keyboard.press("ArrowUp")
    expect(message(anas, "The shelf wobbles.").locator(".picker-box")).to_be_focused()
    anas.keyboard.press("ArrowDown")
    anas.keyboard.press("Space")
    expect(anas.locator("#picking")).to_contain_text("1 message picked")
    assert not serious(anas)
    anas.get_by_role("button", name="Make a second matter").click()
    expect(timeline(anas)).to_contain_text("moved 1 message to #")
    expect(timeline(anas)).not_to_contain_text("Why was I charged twice?")
    expect(anas.locator("#picking")).to_be_hidden()
    expect(anas.locator("#matters")).to_contain_text("Cora has two matters open")
    expect(row(anas, "Cora Nilsson")).to_have_count(2)
    expect(row(anas, "The shelf")).to_contain_text("2 matters")

    cora.writes("sms", "about the invoice: it was on Monday")
    expect(timeline(anas)).to_contain_text("about the invoice: it was on Monday")
    anas.locator("#case-title").click()
    anas.keyboard.press("m")
    expect(timeline(anas)).not_to_contain_text("about the invoice: it was on Monday")
    anas.locator("#matters").get_by_role("link", name="The invoice").click()
    expect(timeline(anas)).to_contain_text("about the invoice: it was on Monday")
    expect(timeline(anas)).to_contain_text("Why was I charged twice?")
    write(anas, "We give it back today.")
    anas.keyboard.press("Control+Enter")
    cora.gets("sms", "We give it back today.")
    anas.get_by_role("button", name=re.compile("^Resolve")).click()
    resolved = "SELECT id FROM inbox_case WHERE subject = 'The invoice' AND status = 'resolved'"
    until(lambda: stack.rows(resolved), "one of both is left")

    anas.goto("/inbox/open/")
    open_case(anas, "Cora Nilsson")
    expect(timeline(anas)).to_contain_text("The shelf wobbles.")
    expect(anas.locator("#matters")).to_be_hidden()
    anas.locator(".t-row.event", has_text="moved 1 message to #").first.get_by_role("button", name="Undo").click()
    expect(timeline(anas)).to_contain_text("Why was I charged twice?")


def test_s2_a_stranger_who_names_an_order_learns_nothing_until_a_code_comes_back(stack: Stack, window: Window) -> None:
    anas, ines = window("ana"), somebody(stack, "Ines Duarte")
    ines.writes("email", "Order #48777 never came. I live in Elm Road 4.", subject="Order #48777")
    taken_in(stack, "Order #48777 never came")
    stranger = "1002003004777001"
    stack.say("", "instagram", "hi, any news on order #48777 ?", **{"from": stranger})
    taken_in(stack, "any news on order #48777 ?")
    row(anas, "any news on order #48777 ?").click()
    expect(timeline(anas)).to_contain_text("any news on order #48777 ?")
    expect(anas.locator("#panel")).to_contain_text("Ines Duarte")
    expect(timeline(anas)).not_to_contain_text("Elm Road")
    stack.say("", "instagram", "hello?", **{"from": stranger})
    expect(timeline(anas)).to_contain_text("hello?")

    anas.locator("#invite-button").click()
    anas.locator("#invite-menu .way-row[data-channel=email]").first.click()
    expect(anas.locator("#reply-text")).not_to_have_value("")
    anas.locator("#send").click()
    told = stack.gets(stranger, "instagram", "-")["text"]
    code = re.search("[0-9A-Z]{3}-[0-9A-Z]{4}-[0-9A-Z]{3}", told)
    assert code, told
    assert "Elm Road" not in told
    ines.writes("email", f"Here is the code: {code[0]}", subject="Your code")
    taken_in(stack, "Here is the code")
    joined = "SELECT id FROM inbox_merge WHERE undone_at IS NULL AND proven_at IS NOT NULL"
    asked = "SELECT id FROM inbox_entry WHERE kind = 'reply' AND text LIKE 'Your code was used from%%'"
    until(lambda: stack.rows(joined) or stack.rows(asked), "the code counts, or whoever was told it is asked")
    if not stack.rows(joined):
        stack.gets(stranger, "instagram", "answer YES")
        stack.say("", "instagram", "yes", **{"from": stranger})
    until(lambda: stack.rows(joined), "they are one person with one case")
    anas.goto("/inbox/open/")
    open_case(anas, "Ines Duarte")
    for words in ("Order #48777 never came", "any news on order #48777 ?", "Here is the code"):
        expect(timeline(anas)).to_contain_text(words)


def test_s3_a_wrong_yes_is_taken_back_after_more_was_said_and_both_are_exact(stack: Stack, window: Window) -> None:
    anas, gil, hal = window("ana"), somebody(stack, "Gil Moreau"), somebody(stack, "Hal Brandt")
    gil.writes("email", "The kettle leaks.", subject="The kettle")
    hal.writes("sms", "my toaster is loud")
    taken_in(stack, "The kettle leaks.")
    taken_in(stack, "my toaster is loud")
    [(gils,)], [(hals,)] = (
        stack.rows("SELECT id FROM customers_customer WHERE name = %s", each.name) for each in (gil, hal)
    )
    anas.goto(f"/customers/{gils}/same/{hals}/")
    assert not serious(anas)
    anas.get_by_role("radio", name="Hal Brandt").check()
    anas.get_by_role("button", name="Yes, the same person").click()
    expect(anas.locator("#toasts")).to_contain_text("They are one person now")
    expect(anas.get_by_role("heading", level=1)).to_have_text("Hal Brandt")
    for number, (who, channel) in enumerate(
        [(gil, "email"), (hal, "sms"), (gil, "sms"), (hal, "instagram"), (hal, "email")]
    ):
        who.writes(
            channel,
            f"later words {number} of {who.name.split()[0]}",
            **({"subject": "More"} if channel == "email" else {}),
        )
        taken_in(stack, f"later words {number}")
    anas.goto("/inbox/open/")
    open_case(anas, "Hal Brandt")
    for words in ("The kettle leaks.", "my toaster is loud", "later words 3 of Hal"):
        expect(timeline(anas)).to_contain_text(words)
    anas.goto(f"/customers/{gils}/")
    anas.get_by_role("button", name="Not the same person").click()
    expect(anas.locator("#toasts")).to_contain_text("two people again")
    expect(anas.get_by_role("heading", level=1)).to_have_text("Gil Moreau")
    expect(anas.locator("main")).to_contain_text("taken back by")
    for name, own, others in (
        ("Gil Moreau", "The kettle leaks.", "of Hal"),
        ("Hal Brandt", "my toaster is loud", "of Gil"),
    ):
        anas.goto("/inbox/open/")
        open_case(anas, name)
        expect(timeline(anas)).to_contain_text(own)
        expect(timeline(anas)).not_to_contain_text(others)
        expect(anas.locator("#timeline .t-row.message")).to_have_count(3 if name == "Gil Moreau" else 4)
    [(left,)] = stack.rows("SELECT count(*) FROM inbox_merge WHERE undone_at IS NOT NULL AND survivor_id = %s", gils)
    assert left == 1


def test_a_number_that_was_handed_on_goes_to_who_writes_from_it_now(stack: Stack, window: Window) -> None:
    anas, kai = window("ana"), somebody(stack, "Kai Fuchs")
    kai.writes("email", "Where is my chair?", subject="The chair")
    taken_in(stack, "Where is my chair?")
    kai.writes("sms", "this is Lina, I have this number now")
    taken_in(stack, "I have this number now")
    open_case(anas, "Kai Fuchs")
    anas.get_by_role("button", name="More to do with this case").click()
    anas.get_by_role("button", name="Pick messages to move").click()
    message(anas, "I have this number now").locator(".words").click()
    anas.get_by_role("button", name="Somebody else wrote this…").click()
    expect(anas.locator("main")).to_contain_text("I have this number now")
    assert not serious(anas)
    anas.set_viewport_size({"width": 360, "height": 740})
    assert anas.evaluate(STICKS_OUT) == []
    anas.set_viewport_size({"width": 1440, "height": 900})
    anas.get_by_role("checkbox").check()
    anas.get_by_label("What they are called").fill("Lina Roth")
    anas.get_by_role("button", name="Somebody new wrote it").click()
    expect(anas.locator("#case-title")).to_have_text("Lina Roth")
    stack.say("", "sms", "are you there?", **{"from": kai.phone})
    expect(timeline(anas)).to_contain_text("are you there?")
    write(anas, "Hello Lina, what can we do?")
    anas.keyboard.press("Control+Enter")
    kai.gets("sms", "Hello Lina, what can we do?")
    anas.goto("/inbox/open/")
    open_case(anas, "Kai Fuchs")
    expect(timeline(anas)).not_to_contain_text("I have this number now")

"""Working through the inbox: by keyboard alone, to later and back, out of the filed mail, one person out of two."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.conftest import card, open_case, row, write
from tests.e2e.people import somebody, taken_in
from tests.stack import Stack

Window = Callable[..., Page]


CAUGHT_UP = """() => new Promise((done) => {
  document.addEventListener("caught:up", done, { once: true });
  document.dispatchEvent(new Event("visibilitychange"));
})"""


def title(page: Page) -> str:
    return page.locator("#case-title").inner_text()


def test_three_cases_are_done_without_a_mouse(stack: Stack, window: Window) -> None:
    people = [somebody(stack, name) for name in ("Xenia One", "Yorick Two", "Zelda Three")]
    for each in people:
        each.writes("email", f"A question from {each.name}", subject="A question")
        taken_in(stack, f"A question from {each.name}")
    adams = window("adam", "/inbox/open/?sort=newest")
    expect(row(adams, "Zelda Three")).to_be_visible()
    press = adams.keyboard.press
    press("j")
    press("j")
    press("k")
    expect(row(adams, "Zelda Three").locator("a")).to_be_focused()
    adams.evaluate(CAUGHT_UP)
    expect(row(adams, "Zelda Three").locator("a")).to_be_focused()
    press("Enter")
    expect(adams.locator("#case-title")).to_have_text("Zelda Three")
    press("r")
    adams.keyboard.type("Answered by hand")
    press("Escape")
    expect(adams.locator("#timeline")).to_be_focused()
    press("n")
    adams.keyboard.type("Looked it up")
    press("Control+Enter")
    expect(adams.locator("#timeline .note")).to_contain_text("Looked it up")
    press("r")
    press("Control+Enter")
    expect(adams.locator("#timeline .t-row.reply")).to_contain_text("Answered by hand")
    press("Escape")
    press("e")
    expect(adams.locator("#case-title")).to_have_text("Yorick Two")
    expect(row(adams, "Zelda Three")).to_have_count(0)
    press("s")
    expect(adams.locator("#snooze-menu .item").first).to_be_focused()
    press("Enter")
    expect(adams.locator("#case-title")).to_have_text("Xenia One")
    press("?")
    expect(adams.locator("#shortcuts")).to_be_visible()
    press("e")  # the sheet is open: nothing happens behind it
    press("Escape")
    expect(adams.locator("#shortcuts")).to_be_hidden()
    expect(adams.locator("#case-head")).to_have_attribute("data-status", "open")
    people[2].gets("email", "Answered by hand")
    assert stack.case_of("Zelda Three") is None
    assert (stack.case_of("Yorick Two") or {})["status"] == "snoozed"


def test_single_keys_can_be_switched_off(stack: Stack, window: Window) -> None:
    somebody(stack, "Quentin Vos").writes("sms", "Hello")
    adams = window("adam")
    open_case(adams, "Quentin Vos")
    adams.locator("#me").click()
    adams.get_by_label("Single-letter keys").uncheck()
    adams.keyboard.press("Escape")
    adams.reload()
    adams.locator("#timeline").focus()
    for key in "eisn?jz":
        adams.keyboard.press(key)
    expect(adams.locator("#shortcuts")).to_be_hidden()
    expect(adams.locator("#snooze-menu")).to_be_hidden()
    expect(adams.locator("#case-head")).to_have_attribute("data-status", "open")
    expect(adams.locator("#case-head")).to_contain_text("Nobody's yet")
    expect(adams.locator("#note-text")).to_be_hidden()
    adams.locator("#me").click()
    adams.get_by_label("Single-letter keys").check()
    adams.keyboard.press("Escape")
    adams.locator("#timeline").focus()
    adams.keyboard.press("i")
    expect(adams.locator("#case-head")).to_contain_text("Yours")


def test_a_snoozed_case_wakes_and_a_resolved_one_reopens_when_the_customer_writes(stack: Stack, window: Window) -> None:
    anas, rolf = window("ana"), somebody(stack, "Rolf Aas")
    rolf.writes("email", "When do you open?", subject="Opening hours")
    open_case(anas, "Rolf Aas")
    case = (stack.case_of("Rolf Aas") or {})["id"]
    anas.keyboard.press("s")
    anas.locator("#snooze-menu .item").first.click()
    expect(row(anas, "Rolf Aas")).to_have_count(0)
    anas.goto(f"/inbox/snoozed/c/{case}/")
    expect(anas.locator("#case-head")).to_contain_text("Wake")
    rolf.writes("sms", "Are you open now?")
    expect(anas.locator("#case-head")).to_have_attribute("data-status", "open")
    expect(anas.locator("#timeline")).to_contain_text("Are you open now?")
    anas.goto(f"/inbox/open/c/{case}/")
    anas.keyboard.press("e")
    expect(row(anas, "Rolf Aas")).to_have_count(0)
    anas.goto(f"/inbox/resolved/c/{case}/")
    expect(anas.locator("#case-head")).to_contain_text("Resolved")
    rolf.writes("instagram", "One more thing")
    expect(anas.locator("#case-head")).to_have_attribute("data-status", "open")
    expect(anas.locator("#timeline")).to_contain_text("One more thing")
    assert (stack.case_of("Rolf Aas") or {})["id"] == case


def test_a_newsletter_is_filed_until_somebody_says_it_is_a_person(stack: Stack, window: Window) -> None:
    anas, sara = window("ana", "/inbox/filed/"), somebody(stack, "Sara Lund")
    bulk = {"List-Unsubscribe": "<https://guests.test/out>", "Precedence": "bulk"}
    sara.writes("email", "Our autumn colours.", subject="Autumn", headers=bulk)
    taken = anas.locator(".papers li", has_text=sara.email)
    for _ in range(40):
        anas.goto("/inbox/filed/")
        if taken.count():
            break
        anas.wait_for_timeout(250)
    expect(taken).to_be_visible()
    assert stack.case_of("Sara Lund") is None
    taken.get_by_role("button", name="This is a person").click()
    expect(anas.locator("#case-title")).to_have_text("Sara Lund")
    expect(anas.locator("#toasts")).to_contain_text("It is a case now")
    sara.writes("email", "And our winter ones.", subject="Winter", headers=bulk)
    expect(anas.locator("#timeline .t-row.message")).to_have_count(2)


def test_two_cases_of_one_person_join_and_part_again(stack: Stack, window: Window) -> None:
    anas = window("ana")
    vera, unknown = somebody(stack, "Vera Holt"), "+12025559876"
    vera.writes("email", "My lamp flickers.", subject="The lamp")
    stack.say("", "sms", "the lamp is dark now", **{"from": unknown})
    taken_in(stack, "the lamp is dark now")
    open_case(anas, "Vera Holt")
    anas.get_by_role("link", name="This is the same person as…").click()
    anas.get_by_role("searchbox").fill(unknown)
    anas.get_by_role("button", name="Look").click()
    anas.locator(".people a").click()
    expect(anas.get_by_label("What happens")).to_contain_text("Both have an open case")
    anas.get_by_label("How do you know?").fill("She called us")
    anas.get_by_role("button", name="Yes, the same person").click()
    expect(anas.locator("#toasts")).to_contain_text("They are one person now")
    anas.get_by_role("link", name="The lamp").click()
    for words in ("My lamp flickers.", "the lamp is dark now"):
        expect(anas.locator("#timeline")).to_contain_text(words)
    expect(anas.locator("#panel")).to_contain_text("Joined with")
    stack.say("", "sms", "is anyone reading this", **{"from": unknown})
    expect(anas.locator("#timeline")).to_contain_text("is anyone reading this")
    expect(anas.locator("#send")).to_have_text("Send SMS to Vera")

    anas.locator("#panel").get_by_role("link", name="Take it back…").click()
    anas.get_by_role("button", name="Not the same person").click()
    expect(anas.locator("#toasts")).to_contain_text("two people again")
    anas.goto("/inbox/open/")
    open_case(anas, "Vera Holt")
    expect(anas.locator("#timeline")).to_contain_text("My lamp flickers.")
    expect(anas.locator("#timeline")).not_to_contain_text("the lamp is dark now")
    expect(anas.locator("#timeline")).not_to_contain_text("is anyone reading this")
    expect(anas.locator("#send")).to_have_text("Send email to Vera")
    row(anas, "is anyone reading this").click()
    expect(anas.locator("#timeline")).to_contain_text("the lamp is dark now")
    expect(anas.locator("#timeline")).to_contain_text("is anyone reading this")
    write(anas, "Yes, here.")
    anas.keyboard.press("Control+Enter")
    stack.gets(unknown, "sms", "Yes, here.")


def test_a_colleague_who_is_copied_in_and_answers_is_no_move(stack: Stack, window: Window) -> None:
    """From the phone page: a mail with Bob in copy; then Bob answers from his own phone."""
    anas, sue = window("ana"), somebody(stack, "Sue Ellen")
    sue.writes("email", "We need two more.", subject="Two more", cc=["Bob Lee <bob.lee@guests.test>"])
    open_case(anas, "Sue Ellen")
    write(anas, "Two more are on their way.")
    anas.locator("#send").click()
    stack.gets("bob.lee@guests.test", "email", "Two more are on their way.")
    stack.say("bob.lee@guests.test", "email", "Make it three, please.")
    expect(anas.locator("#timeline")).to_contain_text("Make it three, please.")
    expect(anas.locator("#timeline .t-row", has_text="Make it three")).to_contain_text("copied in")
    expect(anas.locator("#timeline .t-row.switch")).to_have_count(0)
    expect(card(anas)).to_have_count(0)
    expect(anas.locator("#case-head")).to_contain_text("with Bob Lee, copied on the email")

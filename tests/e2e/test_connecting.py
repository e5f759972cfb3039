"""A supervisor connects an account, sees connections break, and repairs them, without touching a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.e2e.people import somebody
from tests.stack import Stack

OUTLET = "17841405793187299"
OUTLET_MAILBOX, OUTLET_NUMBER = "outlet@northwind.test", "+14155550101"
WORKS, FAILS = ".findings > li[data-ok=yes]", ".findings > li[data-ok=no]"
PATIENCE = 45_000  # a mail to ourselves takes its time


def connector(stack: Stack, kind: str, name: str = "") -> dict[str, Any]:
    return next(
        each for each in stack.demo["connectors"] if each["kind"] == kind and (not name or each["name"] == name)
    )


def go_on(page: Page) -> None:
    page.get_by_role("button", name="Save").click()


def press_test(page: Page) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name="Test it now").click()
    expect(page.locator(".findings")).to_be_visible(timeout=PATIENCE)


def test_the_owner_of_an_account_connects_it_and_sees_a_real_message_come_in(
    window: Callable[..., Page], stack: Stack
) -> None:
    page = window("sue", "/health/")
    page.get_by_role("link", name="Connect something").click()
    page.get_by_role("link", name="Instagram").click()
    page.get_by_label("Name").fill("Outlet")
    go_on(page)
    known = connector(stack, "instagram")
    page.get_by_label("App ID").fill(known["app_id"])
    page.get_by_label("App secret").fill(known["app_secret"])
    go_on(page)
    expect(page.locator("code").first).to_contain_text("/hooks/")
    go_on(page)
    page.get_by_role("link", name="Sign in there").click()
    page.get_by_role("link", name="Allow for Northwind Outlet").click()
    expect(page.locator(WORKS)).to_have_count(6, timeout=PATIENCE)
    expect(page.locator(FAILS)).to_have_count(0)
    expect(page.locator(WORKS)).not_to_have_count(0)
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_text("For a last proof write to @northwindoutlet")).to_be_visible()
    stack.say("Jon Bell", "instagram", "Is this the outlet?", to=OUTLET)
    expect(page.get_by_text("A real message came in.")).to_be_visible()


def begin(page: Page, kind: str, address: str) -> None:
    page.get_by_role("link", name="Connect something").click()
    page.get_by_role("link", name=kind).click()
    page.get_by_label("Name").fill(f"Outlet {kind}")
    page.get_by_label("Address" if kind == "Email" else "Number").fill(address)
    go_on(page)


def go_to(page: Page, step: str) -> None:
    page.get_by_label("Steps").get_by_role("link", name=step).click()


def test_a_mailbox_is_connected_seen_broken_and_repaired(window: Callable[..., Page], stack: Stack) -> None:
    known = connector(stack, "email", "Support")
    page = window("sue", "/health/")
    begin(page, "Email", OUTLET_MAILBOX)
    go_on(page)  # a user name and a password do
    page.get_by_label("IMAP server").fill(known["imap"]["host"])
    page.get_by_label("IMAP port").fill(str(known["imap"]["port"]))
    page.get_by_label("IMAP password").fill("not the right one")
    go_on(page)
    page.get_by_label("SMTP port").fill(str(known["smtp"]["port"]))
    go_on(page)
    page.get_by_label("Begin with").select_option("all")  # also what comes before the first look into it
    go_on(page)
    press_test(page)
    expect(page.locator(FAILS)).to_have_count(2)
    expect(page.locator(FAILS).first).to_contain_text("Reading mail does not work")
    expect(page.locator(".fix").first).to_have_text("Check server, port, security, user name and password.")
    for step, password in (("Receiving", "IMAP password"), ("Sending", "SMTP password")):
        go_to(page, step)
        assert "not the right one" not in page.content()
        page.get_by_label(password).fill(known["imap"]["password"])
        go_on(page)
    page.get_by_role("link", name="Outlet Email").click()
    press_test(page)
    expect(page.locator(FAILS)).to_have_count(0)
    expect(page.locator(WORKS)).not_to_have_count(0)
    page.get_by_role("button", name="Switch it on").click()
    greta = somebody(stack, "Greta Olsen")
    greta.writes("email", "Is this the outlet's mailbox?", to=OUTLET_MAILBOX, subject="Outlet")
    expect(page.get_by_text("A real message came in.")).to_be_visible()


def test_a_number_is_connected_seen_broken_and_repaired(window: Callable[..., Page], stack: Stack) -> None:
    known = connector(stack, "sms")
    page = window("sue", "/health/")
    begin(page, "SMS", OUTLET_NUMBER)
    page.get_by_label("Account SID").fill(known["account_sid"])
    page.get_by_label("Auth token").fill(known["auth_token"])
    go_on(page)
    webhook = page.locator("code").first.inner_text()
    go_on(page)
    go_on(page)
    press_test(page)
    expect(page.locator(FAILS)).to_have_count(1)
    expect(page.locator(FAILS)).to_contain_text(f"Twilio tells nobody of messages to {OUTLET_NUMBER}, not us.")
    expect(page.locator(".fix")).to_contain_text("enter our webhook address")
    enter_at_twilio(stack, known, webhook)
    press_test(page)
    expect(page.locator(FAILS)).to_have_count(0)
    expect(page.locator(WORKS)).not_to_have_count(0)
    page.get_by_role("button", name="Switch it on").click()
    somebody(stack, "Hugo Blanc").writes("sms", "Is this the outlet's number?", to=OUTLET_NUMBER)
    expect(page.get_by_text("A real message came in.")).to_be_visible()


def enter_at_twilio(stack: Stack, known: dict[str, Any], webhook: str) -> None:
    """As the owner of the number does in Twilio's console."""
    account = f"{stack.demo['sandbox']['twilio_url']}/2010-04-01/Accounts/{known['account_sid']}"
    signed_in = (known["account_sid"], known["auth_token"])
    listed = requests.get(
        f"{account}/IncomingPhoneNumbers.json", {"PhoneNumber": OUTLET_NUMBER}, auth=signed_in, timeout=10
    )
    (number,) = listed.json()["incoming_phone_numbers"]
    path = f"{account}/IncomingPhoneNumbers/{number['sid']}.json"
    requests.post(path, {"SmsUrl": webhook}, auth=signed_in, timeout=10).raise_for_status()


@pytest.mark.parametrize(
    ("kind", "name", "step", "field", "key"),
    [
        ("sms", "Texts", "credentials", "Auth token", "auth_token"),
        ("instagram", "Instagram", "sign-in", "Access token", "access_token"),
        ("email", "Billing", "receiving", "IMAP password", "password"),
    ],
)
def test_what_is_broken_is_seen_with_what_to_do_and_repaired(
    window: Callable[..., Page], stack: Stack, kind: str, name: str, step: str, field: str, key: str
) -> None:
    known = connector(stack, kind, name)
    right = known["imap"][key] if kind == "email" else known[key]
    page = window("sue", "/health/")
    page.get_by_role("link", name=name, exact=True).click()
    address = page.url
    page.goto(f"{address}step/{step}/")
    page.get_by_label(field).fill("not the right one")
    go_on(page)
    press_test(page)
    expect(page.locator(FAILS).first.locator(".fix")).not_to_be_empty()
    page.goto(f"{address}step/{step}/")
    assert right not in page.content()
    page.get_by_label(field).fill(right)
    go_on(page)
    press_test(page)
    expect(page.locator(FAILS)).to_have_count(0)

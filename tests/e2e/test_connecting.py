"""A supervisor connects an account, sees connections break, and repairs them, without touching a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.stack import Stack

OUTLET = "17841405793187299"
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
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_text("For a last proof write to @northwindoutlet")).to_be_visible()
    stack.say("Jon Bell", "instagram", "Is this the outlet?", to=OUTLET)
    expect(page.get_by_text("A real message came in.")).to_be_visible()


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

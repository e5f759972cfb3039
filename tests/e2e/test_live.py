"""What reaches an agent who is not looking: counts, titles, notes on the desk, the wall; and without any socket."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.conftest import open_case, row
from tests.e2e.people import somebody, taken_in
from tests.stack import Stack, until

Window = Callable[..., Page]
IN_THE_BACKGROUND = """
    window.told = [];
    window.Notification = class { constructor(words) { window.told.push(words); } addEventListener() {}
        static permission = "granted"; };
    Object.defineProperty(document, "hidden", { get: () => Boolean(window.isHidden) });
    Object.defineProperty(document, "visibilityState", { get: () => (window.isHidden ? "hidden" : "visible") });
    window.hide = (now) => { window.isHidden = now; document.dispatchEvent(new Event("visibilitychange")); };
"""


def unseen(page: Page) -> int:
    return int(page.locator("#alerts-badge").get_attribute("data-count") or 0)


def test_a_move_is_counted_in_every_window_of_the_team_and_in_hidden_tabs(stack: Stack, window: Window) -> None:
    greta = somebody(stack, "Greta Moll")
    anas = window("ana", "/inbox/mine/", prepare=lambda page: page.add_init_script(IN_THE_BACKGROUND))
    sams = window("sam", "/customers/")
    before = unseen(anas), unseen(sams)
    greta.writes("email", "The zip is broken.", subject="Zip")
    taken_in(stack, "The zip is broken.")
    anas.evaluate("window.hide(true)")
    greta.writes("sms", "did you get my mail?")
    expect(anas.locator("#alerts-badge")).to_have_attribute("data-count", str(before[0] + 1))
    expect(anas).to_have_title(re.compile(rf"^\({before[0] + 1}\) Mine"))
    until(lambda: "moved from Email to SMS" in str(anas.evaluate("window.told")), "the desk note was shown")
    expect(sams.locator("#alerts-badge")).to_have_attribute("data-count", str(before[1] + 1))
    expect(sams).to_have_title(re.compile(rf"^\({before[1] + 1}\) Customers"))

    sams.goto("/alerts/")
    told = sams.locator("#alerts .move", has_text="Greta Moll")
    expect(told).to_contain_text("moved to SMS")
    greta.writes("instagram", "hello??")
    expect(told).to_contain_text("on 3 channels")
    expect(told).to_have_count(1)
    assert unseen(sams) == before[1] + 1
    told.get_by_role("button", name="Seen: Greta Moll").click()
    expect(sams.locator("#alerts-badge")).to_have_attribute("data-count", str(before[1]))
    assert unseen(anas) == before[0] + 1, "what Sam has seen is still new to Ana"


def test_the_tray_fills_while_it_is_open(stack: Stack, window: Window) -> None:
    sams, hugo = window("sam", "/alerts/"), somebody(stack, "Hugo Brun")
    hugo.writes("email", "The lid is missing.", subject="Lid")
    taken_in(stack, "The lid is missing.")
    hugo.writes("sms", "the lid!")
    sams.mouse.move(5, 5)
    expect(sams.locator("#alerts .move", has_text="Hugo Brun")).to_be_visible()


def test_without_a_socket_the_page_catches_up_by_asking(stack: Stack, window: Window) -> None:
    ilse = somebody(stack, "Ilse Kern")
    ilse.writes("email", "The first mail.", subject="Post")
    taken_in(stack, "The first mail.")

    def refuse(page: Page) -> None:
        page.clock.install()
        page.route_web_socket("**/ws/", lambda socket: socket.close())

    anas = window("ana", prepare=refuse)
    open_case(anas, "Ilse Kern")
    anas.locator("#reply-text").fill("What I type ")
    anas.clock.run_for(3000)
    expect(anas.locator("#connection")).to_have_text("Reconnecting. What you type is safe.")
    ilse.writes("sms", "And now a text.")
    taken_in(stack, "And now a text.")
    anas.clock.run_for(16_000)
    expect(anas.locator("#timeline")).to_contain_text("And now a text.")
    expect(row(anas, "Ilse Kern")).to_contain_text("moved to SMS")
    expect(anas.locator("#card.card")).to_contain_text("Ilse is on SMS now")
    expect(anas.locator("#reply-text")).to_have_value("What I type ")
    expect(anas.locator("#alerts-badge")).not_to_have_attribute("data-count", "0")


def test_the_wall_names_nobody(stack: Stack, window: Window) -> None:
    sues = window("sue", "/board/?wall=1")
    words = sues.locator("body").inner_text()
    assert "Hanna" not in words
    assert "Vogel" not in words
    somebody(stack, "Jette Lau").writes("sms", "Is anybody there?")
    taken_in(stack, "Is anybody there?")
    expect(sues.locator("body")).not_to_contain_text("Is anybody there?")
    assert sues.evaluate("getComputedStyle(document.querySelector('.wall')).colorScheme") == "dark"
    assert sues.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_phone_plays_its_story_to_the_agents_side(stack: Stack, window: Window) -> None:
    """The page on which a visitor is the customer: pick a person, play the story, see the answer come."""
    anas = window("ana")
    phone: Any = anas.context.new_page()
    phone.goto(stack.phone)
    phone.locator(".card", has_text="Kim Novak").click()
    expect(phone.locator("#owner")).to_have_text("Kim Novak")
    phone.get_by_role("tab", name="Messages").click()
    phone.locator("#text").fill("Hello from my phone")
    phone.locator("#send").click()
    expect(phone.locator("#thread .line.hers")).to_contain_text("Hello from my phone")
    expect(row(anas, "Hello from my phone")).to_be_visible()
    row(anas, "Hello from my phone").click()
    anas.locator("#reply-text").fill("Hello from the shop")
    anas.keyboard.press("Control+Enter")
    expect(phone.locator("#thread")).to_contain_text("Hello from the shop")

    phone.locator(".card", has_text="Hanna Vogel").click()
    expect(phone.locator("#owner")).to_have_text("Hanna Vogel")
    stack.say("Hanna Vogel", "instagram", "are you there?")
    phone.get_by_role("tab", name="Instagram").click()
    expect(phone.locator("#thread")).to_contain_text("are you there?")

"""A stranger who may be somebody we know: the card, its reasons, and the agent's answer."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.e2e.people import somebody, taken_in
from tests.e2e.test_looks import STICKS_OUT, serious
from tests.stack import Stack, until

Window = Callable[..., Page]


def picture(page: Page, name: str) -> None:
    """For whoever wants to look: SHOTS names a folder."""
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def met_again(stack: Stack, name: str, order: str, text: str) -> int:
    """Somebody wrote about an order by mail, and a stranger writes on Instagram. Returns the
    stranger's case; what they are called is still being asked for."""
    known = somebody(stack, name)
    known.writes("email", f"Hello, order #{order} arrived broken.\n\nBest regards\n{name}", subject=f"Order {order}")
    taken_in(stack, f"order #{order} arrived")
    stack.rows("UPDATE customers_identity SET value = value || '0' WHERE value = %s RETURNING id", known.instagram)
    known.writes("instagram", text)
    taken_in(stack, text)
    until(lambda: stack.rows("SELECT id FROM inbox_evidence WHERE value = %s", order), "they were proposed")
    [(case,)] = stack.rows("SELECT case_id FROM inbox_entry WHERE text = %s", text)
    return int(case)


def test_a_stranger_who_names_an_order_is_shown_with_the_reasons_and_joined_by_the_agent(
    stack: Stack, window: Window
) -> None:
    case = met_again(
        stack, "Tilda Swanson", "77123", "it's me, Tilda. I emailed you about order #77123, you have me under that"
    )
    page = window("ana", f"/inbox/open/c/{case}/")
    card = page.locator(".proposal")
    expect(card).to_contain_text("Tilda Swanson")
    expect(card).to_contain_text("order #77123")
    assert not serious(page)
    card.get_by_role("link", name="where", exact=True).first.click()
    marked = "[...(CSS.highlights.get('told') ?? [])].map(String).join()"
    assert page.evaluate(marked) == "77123"
    picture(page, "panel-light")
    page.emulate_media(color_scheme="dark")
    picture(page, "panel-dark")
    card.get_by_role("button", name="Same person").click()
    expect(page.locator("#case-title")).to_have_text("Tilda Swanson")
    expect(page.locator("#timeline")).to_contain_text("order #77123 arrived broken")


def test_the_queue_is_worked_on_a_phone_and_in_both_themes(stack: Stack, window: Window) -> None:
    met_again(stack, "Orla Finnegan", "77124", "Orla Finnegan here, what about order #77124?")
    page = window("sue", "/customers/review/")
    card = page.locator(".proposal", has_text="Orla Finnegan")
    expect(card).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert not serious(page)
        picture(page, f"queue-{scheme}")
    phone = window("sue", "/customers/review/", viewport={"width": 320, "height": 640}, has_touch=True)
    assert phone.evaluate(STICKS_OUT) == []
    picture(phone, "queue-phone")
    card.get_by_role("button", name="Different people").click()
    expect(page.locator(".proposal", has_text="Orla Finnegan")).to_have_count(0)


def counted(badge: Locator) -> int:
    return 0 if badge.is_hidden() else int(badge.inner_text().split()[0])


def waiting(stack: Stack) -> int:
    ((count,),) = stack.rows("SELECT count(*) FROM inbox_proposal WHERE state = 'open'")
    return int(count)


def test_the_queue_is_worked_with_keys_alone_and_the_rail_counts_along(stack: Stack, window: Window) -> None:
    stack.rows("UPDATE inbox_proposal SET state = 'dropped' RETURNING id")
    page = window("sue", "/customers/review/")
    badge = page.locator("#review-badge")
    until(lambda: page.reload() and badge.is_hidden(), "the rail has forgotten the other stories")
    met_again(stack, "Greta Thornbury", "77125", "Greta Thornbury here, what about order #77125?")
    expect(badge).to_contain_text("1")
    met_again(stack, "Piers Lockwood", "77126", "Piers Lockwood here, what about order #77126?")
    expect(badge).to_contain_text("2")
    page.reload()
    cards = page.locator(".proposals .proposal")
    expect(cards).to_have_count(2)
    assert not serious(page)
    page.keyboard.press("d")  # nobody stands on a card: nothing is answered
    for key, place in (("j", 0), ("j", 1), ("j", 1), ("k", 0), ("ArrowDown", 1), ("ArrowUp", 0)):
        page.keyboard.press(key)
        expect(cards.nth(place)).to_be_focused()
    page.keyboard.press("?")
    sheet = page.locator("#shortcuts-list")
    for words in ("Open: compare the two", "Same person", "Different people", "Ask the customer"):
        expect(sheet).to_contain_text(words)
    page.keyboard.press("Escape")
    second = cards.nth(1).get_attribute("id")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("d")
    expect(cards).to_have_count(1)
    expect(page.locator(f"#{second}")).to_be_focused()
    expect(badge).to_contain_text("1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/same/**")
    page.go_back()
    page.keyboard.press("j")
    page.keyboard.press("s")
    expect(cards).to_have_count(0)
    until(lambda: counted(badge) == waiting(stack), "the rail counts what is open, of other stories too")

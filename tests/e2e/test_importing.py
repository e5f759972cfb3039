"""A file in the browser: a bad line takes nothing, a good one goes in while the page says how far it is."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.test_looks import STICKS_OUT, serious
from tests.stack import Stack

Window = Callable[..., Page]


def choose(page: Page, text: str) -> None:
    page.locator("#source").fill("the till")
    page.locator("#file").set_input_files({"name": "people.csv", "mimeType": "text/csv", "buffer": text.encode()})
    page.get_by_role("button", name="Import").click()


def test_a_supervisor_imports_a_file_and_sees_it_go_in(stack: Stack, window: Window) -> None:
    lines = "".join(f"till-{each},Till Customer {each},till{each}@till.test,till_{each}\n" for each in range(450))
    page = window("sue", "/customers/import/")
    choose(page, f"external_id,name,email,instagram\n{lines}till-x,Kim,nothing,\n")
    expect(page.locator(".problems")).to_contain_text("Line 452")
    assert not stack.rows("SELECT id FROM customers_externalid WHERE source = 'the till' LIMIT 1")
    choose(page, f"external_id,name,email,instagram\n{lines}")
    shown = page.locator("#import")
    expect(shown).to_have_attribute("data-state", "done")
    expect(shown).to_contain_text("450 new, 0 already known.")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert not serious(page)
    page.goto("/customers/import/")
    expect(page.get_by_role("link", name="people.csv")).to_be_visible()
    phone = window("sue", "/customers/import/", viewport={"width": 320, "height": 640}, has_touch=True)
    assert phone.evaluate(STICKS_OUT) == []

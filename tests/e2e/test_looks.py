"""Nobody is shut out: axe finds nothing serious on any screen, in both themes and on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.conftest import open_case

Window = Callable[..., Page]
PAGES = [
    "/inbox/open/",
    "/inbox/filed/",
    "/alerts/",
    "/customers/",
    "/search/?q=lid",
    "/start/",
    "/board/",
    "/health/",
    "/quarantine/",
]


def serious(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_free_of_serious_findings(window: Window, theme: str) -> None:
    page = window("adam", color_scheme=theme)
    problems = {}
    for path in PAGES:
        page.goto(path)
        problems[path] = serious(page)
    assert not any(problems.values()), problems


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_open_case_is_free_of_serious_findings(window: Window, theme: str) -> None:
    page = window("ana", color_scheme=theme)
    open_case(page, "Hanna Vogel")
    assert not serious(page)


def test_a_case_fits_a_phone(window: Window) -> None:
    page = window("ana", viewport={"width": 390, "height": 844})
    open_case(page, "Hanna Vogel")
    expect(page.locator("#send")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not serious(page)


def test_single_keys_do_nothing_while_typing(window: Window) -> None:
    page = window("ana")
    open_case(page, "Hanna Vogel")
    page.locator("#reply-text").press_sequentially("erjknsz ")
    expect(page.locator("#reply-text")).to_have_value("erjknsz ")
    expect(page.locator("#case-head")).to_have_attribute("data-status", "open")

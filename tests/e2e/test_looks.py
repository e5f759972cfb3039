"""Nobody is shut out: no serious finding on any screen, in both themes, on a small phone and with large text."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserType, Page, expect

from tests.e2e.conftest import card, open_case
from tests.e2e.people import Somebody, somebody, taken_in
from tests.stack import Stack

Window = Callable[..., Page]
PAGES = [
    "/inbox/open/",
    "/inbox/filed/",
    "/alerts/",
    "/customers/",
    "/customers/1/",
    "/customers/import/",
    "/search/?q=lid",
    "/start/",
    "/board/",
    "/health/",
    "/connections/new/",
    "/quarantine/",
    "/me/password/",
]
DENSEST = ["/inbox/open/", "/alerts/", "/board/", "/health/", "/start/"]
EVERYTHING = {"rules": {"target-size": {"enabled": True}}}  # 24 px, which axe does not ask for by itself
COLOURS = {"runOnly": ["color-contrast"]}  # the rest is the same in both themes
BRIEFLY = {"resultTypes": ["violations"]}
LONG_NAME = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
LONG_WORD = "https://example.test/" + "a" * 200
STICKS_OUT = """() => {
    const wrong = [];
    for (const each of document.querySelectorAll("body *")) {
        const box = each.getBoundingClientRect();
        if (!each.checkVisibility({ visibilityProperty: true }) || !box.width || !box.height) continue;
        if (each.closest(".unseen, [aria-hidden], [popover], .skip")) continue;
        if (getComputedStyle(each).position === "absolute") continue;
        let inside = each.parentElement;
        const cuts = (one) => one === document.body || getComputedStyle(one).overflowX !== "visible";
        while (!cuts(inside)) inside = inside.parentElement;
        const { textOverflow, webkitLineClamp } = getComputedStyle(inside);
        if (textOverflow === "ellipsis" || webkitLineClamp !== "none" || inside.matches(".scrolls, pre")) continue;
        const limit = inside === document.body ? { left: 0, right: innerWidth } : inside.getBoundingClientRect();
        if (box.right > limit.right + 1 || box.left < limit.left - 1) wrong.push(each.outerHTML.slice(0, 160));
    }
    if (document.documentElement.scrollWidth > innerWidth) wrong.push("the page scrolls sideways");
    return wrong;
}"""


STILL = "() => Promise.all(document.getAnimations().map((each) => each.finished.catch(() => {})))"


def serious(page: Page, options: dict[str, Any] = EVERYTHING) -> list[str]:
    """Of the page as it stands; colours that are on their way to others would be judged in between."""
    page.evaluate(STILL)
    found = Axe().run(page, options=options | BRIEFLY).response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found if each["impact"] in ("serious", "critical")
    ]


def mover(stack: Stack, name: str) -> Somebody:
    """Somebody with a long breath who has moved, with nothing answered yet."""
    found = somebody(stack, name)
    found.writes("email", f"{name} asks: {LONG_WORD}", subject=f"About {LONG_WORD}")
    taken_in(stack, f"{name} asks:")
    found.writes("sms", "Did you look?")
    return found


def test_every_page_is_free_of_serious_findings_in_both_themes(stack: Stack, window: Window) -> None:
    page = window("adam")
    mover(stack, "Nils Frahm")
    open_case(page, "Nils Frahm")
    expect(card(page)).to_be_visible()
    problems = {}
    for path in (page.url, *PAGES):
        page.goto(path)
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        problems[path] = serious(page)
        if path in (page.url, *DENSEST):
            page.emulate_media(color_scheme="dark", reduced_motion="reduce")
            problems[f"{path} dark"] = serious(page, COLOURS)
    assert not any(problems.values()), json.dumps({path: each for path, each in problems.items() if each}, indent=1)


def test_nothing_sticks_out_of_a_small_phone(stack: Stack, window: Window) -> None:
    page = window("adam", viewport={"width": 320, "height": 640}, has_touch=True)
    mover(stack, LONG_NAME)
    open_case(page, LONG_NAME)
    expect(card(page)).to_be_visible()
    problems = {}
    for path in (page.url, *PAGES):
        page.goto(path)
        problems[path] = page.evaluate(STICKS_OUT)
    assert not any(problems.values()), json.dumps({path: each for path, each in problems.items() if each}, indent=1)


def test_text_twice_as_large_is_not_cut(
    stack: Stack, window: Window, browser_type: BrowserType, browser_type_launch_args: dict[str, Any], tmp_path: Path
) -> None:
    """As people set it in their browser."""
    cookies = window("adam", "/alerts/").context.cookies()
    large = [*browser_type_launch_args["args"], "--blink-settings=defaultFontSize=32"]
    context = browser_type.launch_persistent_context(
        tmp_path,
        base_url=stack.url,
        viewport={"width": 1440, "height": 900},
        **browser_type_launch_args | {"args": large},
    )
    context.add_cookies(cookies)  # type: ignore[arg-type]
    page, problems = context.pages[0], {}
    for path in DENSEST:
        page.goto(path)
        assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
        problems[path] = page.evaluate(STICKS_OUT)
    context.close()
    assert not any(problems.values()), json.dumps({path: each for path, each in problems.items() if each}, indent=1)


def test_a_case_is_worked_on_a_phone(stack: Stack, window: Window) -> None:
    page, ute = window("ana", viewport={"width": 390, "height": 844}, has_touch=True), somebody(stack, "Ute Lemper")
    ute.writes("email", "Is it open today?", subject="Today")
    open_case(page, "Ute Lemper")
    expect(page.locator("#send")).to_be_in_viewport()
    assert not serious(page)
    page.get_by_role("button", name="More to do with this case").click()
    page.get_by_role("button", name="Take it").click()
    expect(page.locator("#case-head")).to_contain_text("Yours")
    page.get_by_role("button", name="More to do with this case").click()
    page.get_by_role("button", name="About Ute").click()
    expect(page.locator("#panel")).to_be_in_viewport()
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="More to do with this case").click()
    page.get_by_role("button", name="Snooze…").click()
    page.locator("#snooze-menu .item").first.click()
    expect(page.locator("#case-head")).to_have_attribute("data-status", "snoozed")


def test_single_keys_do_nothing_while_typing(window: Window) -> None:
    page = window("ana")
    open_case(page, "Hanna Vogel")
    page.locator("#reply-text").press_sequentially("erjknsz ")
    expect(page.locator("#reply-text")).to_have_value("erjknsz ")
    expect(page.locator("#case-head")).to_have_attribute("data-status", "open")

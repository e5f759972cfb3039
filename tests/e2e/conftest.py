"""Real browsers on the real product: agents in windows of their own, and the customer at the far end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.stack import Stack

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")  # Debian's; else Playwright's own
expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    quiet = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    own = {"executable_path": CHROMIUM} if CHROMIUM else {}
    return {**browser_type_launch_args, **own, "args": [*quiet, *(["--no-sandbox"] if os.geteuid() == 0 else [])]}


@pytest.fixture(scope="session")
def sessions() -> dict[str, Any]:
    """Cookies of the agents who signed in already; each signs in once."""
    return {}


@pytest.fixture(scope="session")
def profiles(browser: Browser) -> Iterator[dict[str, BrowserContext]]:
    """Browser profiles that stories share: what one of them fetched, the next finds in the cache."""
    kept: dict[str, BrowserContext] = {}
    yield kept
    for each in kept.values():
        each.close()


@pytest.fixture
def window(
    browser: Browser, stack: Stack, sessions: dict[str, Any], profiles: dict[str, BrowserContext]
) -> Iterator[Callable[..., Page]]:
    """`window("ana")` is a browser window in which Ana is signed in and sees all open cases. What goes wrong in its
    scripts, against the content policy, or opens a dialog, fails the test. `prepare(page)` runs before it opens, in a
    profile of its own."""
    opened: list[Page] = []
    own: list[BrowserContext] = []
    wrong: list[str] = []

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda line: wrong.append(line.text) if "Content Security Policy" in line.text else None)
        page.on("dialog", lambda dialog: (wrong.append(f"A dialog opened: {dialog.message}"), dialog.dismiss()))

    def profile(who: str, about: dict[str, Any], is_own: bool) -> BrowserContext:
        key = f"{who} {sorted(about.items())}"
        if key in profiles and not is_own:
            return profiles[key]
        given = {"viewport": {"width": 1440, "height": 900}, "storage_state": sessions.get(who), **about}
        made = browser.new_context(base_url=stack.url, **given)
        if is_own:
            own.append(made)
        else:
            profiles[key] = made
        return made

    def open_window(
        who: str, path: str = "/inbox/open/", prepare: Callable[[Page], Any] | None = None, **about: Any
    ) -> Page:
        page = profile(who, about, is_own=prepare is not None).new_page()
        opened.append(page)
        watch(page)
        if prepare:
            prepare(page)
        if who in sessions:
            page.goto(path)
        if who not in sessions or "/sign-in/" in page.url:
            sign_in(page, stack, who, path)
            sessions[who] = page.context.storage_state()
        return page

    yield open_window
    for page in opened:
        page.close()
    for context in own:
        context.close()
    assert not wrong, wrong


def sign_in(page: Page, stack: Stack, who: str, path: str = "/inbox/open/") -> None:
    agent = next(each for each in stack.demo["agents"] if each["email"].startswith(who))
    page.goto(f"/sign-in/?next={path}")
    page.fill("input[name=email]", agent["email"])
    page.fill("input[type=password]", agent["password"])
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/sign-in/" not in url)


def row(page: Page, name: str) -> Any:
    return page.locator("#rows .row", has_text=name)


def open_case(page: Page, name: str) -> None:
    row(page, name).click()
    expect(page.locator("#case-title")).to_have_text(name)


def card(page: Page) -> Any:
    return page.locator("#card.card")


def write(page: Page, text: str) -> None:
    page.locator("#reply-text").fill(text)


def pick(page: Page, channel: str) -> None:
    """Another way to send, from the list."""
    page.locator("#picker").click()
    page.locator(f"#ways .way-row[data-channel={channel}]").click()
    expect(page.locator("#composer-bar")).to_have_attribute("data-channel", channel)

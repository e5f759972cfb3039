"""The rail's count of what is to be reviewed, while more and more comes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Page

from tests.stack import Stack, until

Window = Callable[..., Page]


def test_the_count_moves_while_news_come_faster_than_it_is_asked_for(stack: Stack, window: Window) -> None:
    sockets: list[Any] = []

    def tell(page: Page) -> None:
        page.clock.install()
        page.route_web_socket("**/ws/", lambda socket: sockets.append(socket))

    sues = window("sue", "/customers/", prepare=tell)
    until(lambda: sues.title() and sockets, "the page has its socket")
    sues.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
    with sues.expect_request("**/customers/review/count/", timeout=10_000):
        for _ in range(8):
            sockets[-1].send('{"kind": "review"}')
            sues.clock.run_for(500)

"""What the composer counts while an agent types is what the server counts, and the carrier bills."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

from connectors.adapters import ADAPTERS
from connectors.messages import Channel

TEXTS = [
    "",
    "Hello",
    "a" * 160,
    "a" * 161,
    "a" * 306,
    "a" * 307,
    "€" * 80,
    "€" * 81,
    "a" * 152 + "€" + "b" * 10,  # an escape is not torn over the edge of a part
    "ü ñ Ω Ç ~ [x]",
    "smart ’ quote",
    "non-breaking\u00a0space",
    "`",
    "😀" * 35,
    "😀" * 36,
    "x" * 66 + "😀" + "y" * 30,  # neither is an emoji
    "Grüße " * 40,
    "Привет " * 30,
    "line\nbreak\fpage",
]


def test_segments_are_counted_alike_while_typing_and_when_sending(window: Callable[..., Page]) -> None:
    count = """async texts => {
        const { room } = await import("/static/js/room.js");
        return texts.map(text => room("sms", text).words);
    }"""
    typed = window("ana").evaluate(count, TEXTS)
    limits = [ADAPTERS[Channel.SMS].limits.count(text) for text in TEXTS]
    sent = [f"{each.parts} segment{'s' if each.parts > 1 else ''} · {each.used}/{each.room}" for each in limits]
    assert dict(zip(TEXTS, typed, strict=True)) == dict(zip(TEXTS, sent, strict=True))

"""What went between the product and its providers, for a person to read, and the one way the page hears of change."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

KEPT = 500
BACKLOG = 1000


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One exchange. `toward` is who was called: `product` or `provider`; `facts` are read with dots between them."""

    id: int
    at: str
    provider: str
    toward: str
    what: str
    facts: tuple[str, ...]
    detail: str
    ok: bool


class Wire:
    def __init__(self) -> None:
        self.entries: deque[LogEntry] = deque(maxlen=KEPT)
        self.listeners: set[asyncio.Queue[dict[str, Any]]] = set()
        self.count = 0

    def log(self, provider: str, toward: str, what: str, *facts: str, detail: str = "", ok: bool = True) -> None:
        self.count += 1
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        entry = LogEntry(self.count, at, provider, toward, what, facts, detail[:300], ok)
        self.entries.append(entry)
        self.announce("log", entry=asdict(entry))

    def after(self, id: int) -> list[dict[str, Any]]:
        return [asdict(entry) for entry in self.entries if entry.id > id]

    def announce(self, event: str, **facts: Any) -> None:
        """Tell every open page. One that does not keep up loses its place and loads again."""
        for listener in tuple(self.listeners):
            try:
                listener.put_nowait({"event": event} | facts)
            except asyncio.QueueFull:
                self.listeners.discard(listener)

    @contextlib.contextmanager
    def listen(self) -> Iterator[asyncio.Queue[dict[str, Any]]]:
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(BACKLOG)
        self.listeners.add(queue)
        try:
            yield queue
        finally:
            self.listeners.discard(queue)

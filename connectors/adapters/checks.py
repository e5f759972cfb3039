"""One step of a live test, timed. What goes wrong in it is what it found out."""

from __future__ import annotations

import time
from collections.abc import Callable

from connectors.errors import ConnectorError
from connectors.messages import Check


def checked(name: str, act: Callable[[], str], *, fix: str) -> Check:
    """`act` returns what was seen, as a sentence, or raises a `ConnectorError` whose reason says what is wrong."""
    began = time.monotonic()
    try:
        words, ok = act(), True
    except ConnectorError as error:
        words, ok = error.reason, False
    return Check(name, ok, words, fix="" if ok else fix, seconds=round(time.monotonic() - began, 3))

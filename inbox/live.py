"""The one way a browser hears of anything.

`announce` → after commit → one Redis publish → one subscription per web process (hub.py) → that process's sockets.
A frame is a hint; the truth is fetched over HTTP, and a browser that missed one catches up within 30 seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction

from inbox.wake import publish


def announce(frame: Callable[[], dict[str, Any]]) -> None:
    """After commit, to every web process. The frame is made then, from what was committed, and rendered once."""
    transaction.on_commit(lambda: publish(frame()), robust=True)

"""What can become of one item. Each ends up as one line in its receipt."""

from __future__ import annotations

from typing import Any

Outcome = dict[str, Any]


def entry(pk: int, case: int | None) -> Outcome:
    return {"outcome": "entry", "entry": pk, "case": case}


def update(what: str, pk: int | None = None) -> Outcome:
    return {"outcome": "update", "what": what, "entry": pk}


def ignored(kind: str, reason: str) -> Outcome:
    return {"outcome": "ignored", "kind": kind, "reason": reason}


def erased() -> Outcome:
    return ignored("erased", "It is from before its sender asked to be forgotten.")


def not_ours() -> Outcome:
    return ignored("unknown account", "It was sent to an account that is not connected here.")


def duplicate(entry: int | None = None, case: int | None = None) -> Outcome:
    return {"outcome": "duplicate", "entry": entry, "case": case}


UNREADABLE = "It is damaged, or of a kind that is new. Take it in again after an update, or let it go."
NOBODY = "Nobody can be answered there. Read it below, then let it go."
AGAIN = "Take it in again. When that does not help, tell whoever runs Throughline."
OURS = "The fault is ours: tell whoever runs Throughline, and take it in again after the next update."


def quarantine(reason: str, excerpt: str = "", fix: str = "") -> Outcome:
    """`reason`: what happened; `fix`: what to do about it; each a sentence. `excerpt` is for whoever repairs it."""
    return {"outcome": "quarantine", "reason": reason, "fix": fix, "excerpt": excerpt[:2000]}


class Duplicate(Exception):
    """This item is here already; a message says as which entry of which case."""

    def __init__(self, entry: int | None = None, case: int | None = None) -> None:
        super().__init__("It is here already.")
        self.entry, self.case = entry, case


class NotYet(Exception):
    """It speaks of a message that has not arrived; the receipt is tried again a little later."""


class Unusable(Exception):
    """It cannot be taken in; quarantined with this sentence."""


class Forgotten(Exception):
    """It is from before its sender asked to be forgotten, and was told again."""


class TryLater(Exception):
    """Not the item is at fault but where things are kept: a full disk, a network. Its receipt waits."""

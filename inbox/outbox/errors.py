"""Why a reply was not taken. Nothing is stored then."""

from __future__ import annotations

from inbox.disclosing import Held
from inbox.models import Entry


class ReplyHeld(Exception):
    """Something newer arrived while the agent was typing; `newer` are those entries, oldest first."""

    def __init__(self, newer: list[Entry]) -> None:
        super().__init__("Something newer arrived.")
        self.newer = newer


class CannotSend(Exception):
    """The channel may not be used for this person now."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy


class WouldDisclose(Exception):
    """It is not sure whose address this is, or other people are copied in; and the reply tells what was learned
    elsewhere. `held` names each whom it would tell."""

    def __init__(self, held: list[Held]) -> None:
        super().__init__("It would tell too much.")
        self.held = held


class BadReply(Exception):
    """`field` of the form is wrong; `words` say how."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field, self.words = field, words

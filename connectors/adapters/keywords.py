"""Whole messages that are no conversation: keywords that providers act on, and answers to a campaign."""

from __future__ import annotations

import re
import unicodedata

from connectors.messages import OptOutAction

# Twilio answers a whole text that is one of these by itself, in any case of letters.
KEYWORDS = dict.fromkeys(
    ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"), OptOutAction.STOP
)
KEYWORDS |= dict.fromkeys(("start", "unstop", "yes"), OptOutAction.START)
KEYWORDS |= dict.fromkeys(("help", "info"), OptOutAction.HELP)
# "Yes" ends an opt-out, but nearly always it answers a question of ours, so it stays a person's message.
ALSO_CONVERSATION = {"yes"}


def is_to_be_filed(text: str, listed: str) -> bool:
    """Whether a whole message is one of the words, between commas, that a connection files."""
    word = _plain(text)
    return bool(word) and word not in KEYWORDS and word in {_plain(each) for each in listed.split(",")}


def check(listed: str) -> None:
    """Raises ValueError for words that have another meaning already."""
    taken = [each.strip() for each in listed.split(",") if _plain(each) in KEYWORDS]
    if taken:
        raise ValueError(f"Take out {taken[0]}: it ends or begins messages, or asks for help.")


def _plain(text: str) -> str:
    """Without its blanks and the punctuation around it: "Win!" is "win"."""
    words = " ".join(unicodedata.normalize("NFKC", text).replace("\u2019", "'").casefold().split())
    return re.sub(r"^[\W_]+|[\W_]+$", "", words)

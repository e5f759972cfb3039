"""This is the same person, and: no, it is not. Identities and cases get other pointers; nothing is destroyed."""

from inbox.merging.bringing import brought_since
from inbox.merging.fields import LABELS, Edited, Side, edited_since
from inbox.merging.joining import candidates, join, join_locked
from inbox.merging.journal import FIELDS, CannotJoin, NotAllowed, repoint
from inbox.merging.parting import undo

__all__ = [
    "FIELDS",
    "LABELS",
    "CannotJoin",
    "Edited",
    "NotAllowed",
    "Side",
    "brought_since",
    "candidates",
    "edited_since",
    "join",
    "join_locked",
    "repoint",
    "undo",
]

"""This is the same person, and: no, it is not. Identities and cases get other pointers; nothing is destroyed."""

from inbox.merging.bringing import brought_since
from inbox.merging.fields import LABELS, Edited, Side, edited_since
from inbox.merging.joining import candidates, join, join_locked, somebody_sees_both
from inbox.merging.journal import FIELDS, NOBODY_SEES_BOTH, CannotJoin, NotAllowed, repoint
from inbox.merging.parting import undo

__all__ = [
    "FIELDS",
    "LABELS",
    "NOBODY_SEES_BOTH",
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
    "somebody_sees_both",
    "undo",
]

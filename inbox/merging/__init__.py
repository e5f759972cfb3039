"""This is the same person, and: no, it is not. Identities and cases get other pointers; nothing is destroyed."""

from inbox.merging.bringing import brought_since
from inbox.merging.joining import candidates, join, join_locked
from inbox.merging.journal import CannotJoin, repoint
from inbox.merging.parting import undo

__all__ = ["CannotJoin", "brought_since", "candidates", "join", "join_locked", "repoint", "undo"]

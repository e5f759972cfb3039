"""This belongs elsewhere: messages go into another case of the same person, or to another person, and come back."""

from inbox.splitting.journal import CannotSplit
from inbox.splitting.matters import move, rejoin, split
from inbox.splitting.people import hand_over
from inbox.splitting.undoing import undo

__all__ = ["CannotSplit", "hand_over", "move", "rejoin", "split", "undo"]

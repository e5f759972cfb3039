"""Who may be the same person: traces → who shares them → what speaks for and against → a proposal to the agents.

phrases.py    how people say that something is theirs
signals.py    what the words of a message tell: addresses, orders, names, "I mailed you"
names.py      whether two names may be one person's (known.py: short forms, common names)
gathering.py  who shares a trace, by indexed look-ups
sides.py      one customer, as far as they can be known again
verdict.py    the table of weights, and what all reasons together say
told.py, likeness.py, moments.py, against.py  the reasons
weighing.py   all of them for two customers
looking.py    the worker: a message was taken in
catching_up.py  the sweeper's net
deciding.py   the agent's answer: the same person, different people, ask the customer
"""

from inbox.proposing.catching_up import catch_up, read_numbers
from inbox.proposing.deciding import CannotAsk, accept, ask, differ
from inbox.proposing.imported import propose_some
from inbox.proposing.looking import look, look_soon, look_task, propose

__all__ = [
    "CannotAsk",
    "accept",
    "ask",
    "catch_up",
    "differ",
    "look",
    "look_soon",
    "look_task",
    "propose",
    "propose_some",
    "read_numbers",
]

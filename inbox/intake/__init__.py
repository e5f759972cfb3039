"""Outside → in: receipt → items → identity → case → entry → switch → announce.

receipts.py   claims a receipt, has it parsed, and gives every item one recorded outcome
people.py     whose message it is: identity → customer, locked
messages.py   somebody wrote: which case, is it a switch, the entry
moves.py      the switch and its alert
told.py       order numbers, addresses of others: what the text tells
updates.py    what happened to messages that are here already
files.py      attachments: stored, or fetched later
"""

from inbox.intake.files import fetch_file, fetch_files
from inbox.intake.messages import block, this_is_a_person, unblock
from inbox.intake.receipts import replay, take_in, take_in_task

__all__ = [
    "block",
    "fetch_file",
    "fetch_files",
    "replay",
    "take_in",
    "take_in_task",
    "this_is_a_person",
    "unblock",
]

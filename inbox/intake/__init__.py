"""Outside → in: receipt → items → identity → case → entry → switch → announce.

receipts.py   claims a receipt, has it parsed, and records what became of it
together.py   one COMMIT for messages that came together
items.py      what becomes of one item
people.py     whose message it is: identity → customer
threads.py    which case a mail says it belongs to, and the lock
messages.py   somebody wrote: the entry, its class, who is copied in
forwarded.py  what an agent passes on
acknowledging.py  one automatic word to a customer who begins, and when not
campaigns.py  whole messages that only answer a campaign
places.py     where a person's words go: the case, its wait, its status
moves.py      the switch and its alert
told.py       order numbers, addresses of others: what the text tells
outside.py    what we wrote, as the provider tells it: ours coming back, and what was sent from elsewhere
updates.py    what people do to messages that are here already
reports.py    how what we sent fares
consents.py   STOP and START
files.py      attachments: stored, or fetched later
scanning.py   the virus scanner, if there is one
profiles.py   who somebody is who wrote under a bare id
senders.py    what an agent says of a sender: a person, blocked
"""

from inbox.intake.files import due_files, fetch_file, fetch_files
from inbox.intake.profiles import look_up_profiles
from inbox.intake.receipts import replay, take_in, take_in_each, take_in_task
from inbox.intake.senders import block, this_is_a_person, unblock

__all__ = [
    "block",
    "due_files",
    "fetch_file",
    "fetch_files",
    "look_up_profiles",
    "replay",
    "take_in",
    "take_in_each",
    "take_in_task",
    "this_is_a_person",
    "unblock",
]

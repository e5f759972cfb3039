"""What people may ask of us: to know what we know, and to be forgotten.

hanging.py    what hangs on a person, an address or a message: found by itself, so that no new table is forgotten
emptying.py   messages lose all that was said in them; that something was said stays
receipts.py   the raw bytes they came in
originals.py  these, of whoever is erased, in a worker
redacting.py  one message
erasing.py    one address, or a whole person; their tombstones
naming.py     what others' histories say of who is erased
imported.py   what files that were imported lately say of them
exporting.py  all of it in one zip
agreeing.py   what they agreed to, as an agent notes it
asking.py     requests, with a due date and a proof
keeping.py    how long messages are kept at all
hiding.py     cases that only named people see
"""

from inbox.privacy.agreeing import note_consent
from inbox.privacy.asking import NotProven, answer, close, note, prove
from inbox.privacy.erasing import erase_address, erase_person
from inbox.privacy.hiding import hide, name
from inbox.privacy.keeping import drop_rule, expire, set_rule, tidy
from inbox.privacy.redacting import StillHeld, redact

__all__ = [
    "NotProven",
    "StillHeld",
    "answer",
    "close",
    "drop_rule",
    "erase_address",
    "erase_person",
    "expire",
    "hide",
    "name",
    "note",
    "note_consent",
    "prove",
    "redact",
    "set_rule",
    "tidy",
]

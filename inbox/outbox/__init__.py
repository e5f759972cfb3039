"""In → outside: reply → deliveries → claim → send → status.

ways.py       where a customer can be written to, and why not
addressing.py where a mail goes, and who else reads it
replies.py    an agent writes: the entry and its deliveries; notes, "no reply needed"
introducing.py the first text in a case says who writes
answering.py  what a reply answers, and what is open again when it does not arrive
undoing.py    taking a reply back
starting.py   an agent writes first
composing.py  a delivery as the value an adapter sends
sending.py    claim, send, and every way that can end
"""

from inbox.outbox.addressing import Wanted, wanted
from inbox.outbox.errors import BadReply, CannotSend, ReplyHeld, WouldDisclose
from inbox.outbox.introducing import introduction
from inbox.outbox.replies import add_note, no_reply_needed, notify, reply
from inbox.outbox.sending import (
    STATES,
    clear_sessions,
    deliver,
    deliver_due,
    deliver_task,
    failed,
    look_up_lost,
    mark,
    overdue,
    send_again,
)
from inbox.outbox.starting import NeedsConfirmation, start
from inbox.outbox.undoing import undo
from inbox.outbox.ways import Option, default_option, options

__all__ = [
    "STATES",
    "BadReply",
    "CannotSend",
    "NeedsConfirmation",
    "Option",
    "ReplyHeld",
    "Wanted",
    "WouldDisclose",
    "add_note",
    "clear_sessions",
    "default_option",
    "deliver",
    "deliver_due",
    "deliver_task",
    "failed",
    "introduction",
    "look_up_lost",
    "mark",
    "no_reply_needed",
    "notify",
    "options",
    "overdue",
    "reply",
    "send_again",
    "start",
    "undo",
    "wanted",
]

"""A live test of a mailbox: both servers take our sign-in, and a mail to itself comes back with its reply token."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from connectors.adapters.checks import checked
from connectors.adapters.email import smtp
from connectors.adapters.email.authenticity import UNNAMED, a_name, server
from connectors.adapters.email.headers import Headers
from connectors.adapters.email.imap import Mailbox
from connectors.adapters.email.imap_words import folder_names
from connectors.adapters.email.message_id import message_id
from connectors.adapters.email.recipient import reply_address
from connectors.errors import ConnectorError
from connectors.messages import Account, Check, EmailHeaders, OutboundMessage, Sender

FIX = "Check server, port, security, user name and password."
PATIENCE = 30.0  # seconds for a mail to ourselves
EVERY = 1.0
LOOKED_AT = 10  # newest mails
NO_NAME = ""  # where a server begins with its results


def checks(account: Account) -> list[Check]:
    found = [
        checked("Reading mail", lambda: _read(account), fix=FIX),
        checked("Sending mail", lambda: _sign_in_to_send(account), fix=FIX),
    ]
    if all(each.ok for each in found):
        found.append(checked("Proof of senders", lambda: _proof(account), fix="Correct the name under Rules."))
        found.append(checked("Round trip", lambda: _round_trip(account), fix=_round_trip_fix(account)))
    return found


def _read(account: Account) -> str:
    """The folders, and how much of what lies there would be taken in at first."""
    start = account.options.get("start", "")
    days = int(start) if start.isdecimal() else 36_500
    count = 0
    with Mailbox.open(account) as mailbox:
        for name in folder_names(account.options):
            mailbox.select(name)
            count += mailbox.count_since((datetime.now(UTC) - timedelta(days=days)).date()) if start else 0
        sent = account.options.get("sent_folder") or mailbox.special("\\Sent")
    words = f"Signed in and opened {' and '.join(folder_names(account.options))}."
    words += f" {count:,} mails in there are taken in at first." if start else ""
    return f"{words} Sent mail is in “{sent}”." if sent and sent != "none" else words


def _sign_in_to_send(account: Account) -> str:
    smtp.sign_in(account)
    return "Signed in to the sending server."


def _proof(account: Account) -> str:
    """Which server's verdicts the newest mails bear, beside the one whose word we take."""
    with Mailbox.open(account) as mailbox:
        mailbox.select(folder_names(account.options)[0])
        tops = [Headers.parse(top) for top in mailbox.tops(LOOKED_AT)]
    judges = [server(value) for top in tops for value in top.all("authentication-results")[:1]]
    wanted = account.options.get("authserv_id", "").strip().lower()
    try:
        a_name(wanted)
    except ValueError as error:
        raise ConnectorError(f"You entered {wanted}. {error}") from error
    # Not the newest one's: a single mail may bring a verdict of its own along.
    judge = Counter(judges).most_common(1)[0][0] if judges else ""
    named = judge or f"a server that gives no name (Microsoft 365 gives none: then the name to enter is {UNNAMED})"
    if wanted and judges and (NO_NAME if wanted == UNNAMED else wanted) not in judges:
        raise ConnectorError(f"You entered {wanted}, but the mail here is judged by {named}.")
    if wanted:
        return f"What {wanted} says of a sender counts."
    if judges:
        advice = ": enter that name under Rules." if judge else "."
        return f"No sender counts as proven. The mail here is judged by {named}{advice}"
    return "No sender counts as proven: this server writes no Authentication-Results."


def _round_trip(account: Account) -> str:
    """To the address customers answer to. What comes back is removed again."""
    began, address = time.monotonic(), account.addresses[0]
    key = account.secrets.get("message_id_key", "").encode()
    sought = message_id(str(uuid4()), key, address.rpartition("@")[2])
    to = address if account.options.get("no_plus") == "yes" else reply_address(address, f"test-{uuid4().hex[:16]}")
    text = "This is a test of Throughline. It removes this mail by itself."
    smtp.send(
        account,
        OutboundMessage("", Sender(to), address, text, subject="Test", email=EmailHeaders(message_id=sought)),
    )
    with Mailbox.open(account) as mailbox:
        mailbox.select(folder_names(account.options)[0], writable=True)
        while time.monotonic() - began < PATIENCE:
            found = mailbox.find(sought)
            for uid in found:
                mailbox.remove(uid)
            if found:
                return f"A mail to {to.partition('+')[0]}… came back after {time.monotonic() - began:.1f} s."
            mailbox.wait(EVERY)
    raise ConnectorError(f"A mail to {to} was sent and did not come back within {PATIENCE:.0f} s.")


def _round_trip_fix(account: Account) -> str:
    if account.options.get("no_plus") == "yes":
        return "Look for it in the junk folder, and test again in a few minutes."
    return "Look for it in the junk folder. Where no mail to plus addresses arrives, say so under Sending."

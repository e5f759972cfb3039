"""A live test of a mailbox: both servers answer and take our sign-in."""

from __future__ import annotations

from connectors.adapters.checks import checked
from connectors.adapters.email import smtp
from connectors.adapters.email.imap import Mailbox
from connectors.messages import Account, Check

FIX = "Check server, port, security, user name and password."


def checks(account: Account) -> list[Check]:
    return [
        checked("Reading mail", lambda: _read(account), fix=FIX),
        checked("Sending mail", lambda: _sign_in_to_send(account), fix=FIX),
    ]


def _read(account: Account) -> str:
    folder = account.options.get("folder") or "INBOX"
    with Mailbox.open(account) as mailbox:
        mailbox.select(folder)
    return f"Signed in and opened {folder}."


def _sign_in_to_send(account: Account) -> str:
    smtp.sign_in(account)
    return "Signed in to the sending server."

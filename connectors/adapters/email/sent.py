"""A mail found in the mailbox's Sent folder: ours coming back, or what somebody wrote with a mail program."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from connectors.adapters.email import addresses, body, message_id, quoting, recipient
from connectors.adapters.email.classify import classify
from connectors.adapters.email.headers import Headers
from connectors.adapters.email.piece import Piece
from connectors.messages import Account, Classification, Echo, EmailHeaders, Ignored, Item, Sender


def read(root: Piece, account: Account, email: EmailHeaders, *, provider_id: str, sent_at: datetime) -> Item:
    """Told as one echo, for the first outside person it went to. `email` is what was read from its headers.

    Its provider id is the Message-ID: that is what sending remembered of our own. Some servers give mail another one.
    """
    headers = root.headers
    everybody = addresses.every(headers, "to", "cc", "bcc")
    outside = [each for each in everybody if not recipient.is_ours(each.address, account.addresses)]
    own = headers.message_ids(message_id.OWN_FIELD)
    email = replace(email, message_id=own[0]) if own else email
    if not outside:
        return Ignored("own mail", "A mail to ourselves")
    subject = headers.text("subject")
    found = body.read(root, is_reply=quoting.is_reply(subject, threaded=bool(email.in_reply_to or email.references)))
    return Echo(
        provider_id=email.message_id or provider_id,
        account_address=_our_address(headers, account),
        recipient=Sender(outside[0].address, name=outside[0].name),
        text=found.text,
        attachments=found.attachments,
        sent_at=sent_at,
        automatic=classify(headers, "", subject, ())[0] != Classification.PERSON,
        subject=subject,
        html=found.html,
        email=email,
    )


def _our_address(headers: Headers, account: Account) -> str:
    written = {sender.address.lower() for sender in addresses.every(headers, "from")}
    return next((each for each in account.addresses if each.lower() in written), account.addresses[0])

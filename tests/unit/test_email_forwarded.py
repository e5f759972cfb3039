"""What is inside a mail that was passed on, and who stands behind a form."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.adapters.email.parse import parse
from connectors.messages import Account, Authenticity, Classification, InboundMessage, Original, Sender
from tests.payloads.email.letters import SHOP, mail, message, receipt

MAYA = Sender("maya@ortiz.example", name="Maya Ortiz")
GMAIL = """Can somebody look at this?

---------- Forwarded message ---------
From: Maya Ortiz <maya@ortiz.example>
Date: Fri, Nov 21, 2025 at 4:12 PM
Subject: Where is my order?
To: <ana@shop.example>

It should be here by now.
Order 4711.
"""
OUTLOOK = """________________________________
Von: Maya Ortiz [mailto:maya@ortiz.example]
Gesendet: Freitag, 21. November 2025 16:12
An: Ana
Betreff: Where is my order?

It should be here by now.
"""
APPLE = """Begin forwarded message:

From: Maya Ortiz <maya@ortiz.example>
Subject: Where is my order?
Date: 21. November 2025 at 16:12:00 CET
To: ana@shop.example

It should be here by now.
"""


@pytest.mark.parametrize(
    ("subject", "text", "expected"),
    [
        (
            "Fwd: Where is my order?",
            GMAIL,
            Original(
                MAYA,
                "It should be here by now.\nOrder 4711.",
                "Where is my order?",
                "Can somebody look at this?",
            ),
        ),
        ("WG: Where is my order?", OUTLOOK, Original(MAYA, "It should be here by now.", "Where is my order?")),
        ("Fwd: Where is my order?", APPLE, Original(MAYA, "It should be here by now.", "Where is my order?")),
        ("Where is my order?", GMAIL, None),
        ("Fwd: hello", "Just my own words.", None),
        ("Fwd: two", GMAIL.replace("<maya@ortiz.example>", "<maya@ortiz.example>, <bob@lee.example>"), None),
        ("Fwd: nobody", GMAIL.replace("<maya@ortiz.example>", ""), None),
        ("Fwd: empty", GMAIL.partition("It should")[0], None),
    ],
)
def test_a_mail_that_was_passed_on_shows_whose_it_was_or_nobody(
    subject: str, text: str, expected: Original | None
) -> None:
    assert message(mail(f"Subject: {subject}", body=text, sender="Ana <ana@shop.example>")).original == expected


def test_a_mail_that_is_enclosed_is_the_one_that_was_passed_on() -> None:
    inner = mail("Subject: Where is it?", "Content-Type: text/plain; charset=utf-8", body="Please look.").decode()
    body = f"--b\r\n\r\nSee below.\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--b--\r\n"
    found = message(mail("Subject: Fwd: Where is it?", "Content-Type: multipart/mixed; boundary=b", body=body))
    assert found.original == Original(
        Sender("maya@ortiz.example", name="Maya"), "Please look.", "Where is it?", "See below."
    )


def through_form(*headers: str, **options: str) -> InboundMessage:
    raw = mail("Reply-To: Maya Ortiz <maya@ortiz.example>", *headers, sender="Forms <noreply@forms.example>")
    account: Account = replace(SHOP, options=options)
    (item,) = parse(replace(receipt(raw), account=account))
    assert isinstance(item, InboundMessage)
    return item


@pytest.mark.parametrize("named", ["noreply@forms.example", "other@x.example; *@forms.example"])
def test_behind_a_form_that_is_named_stands_the_person_in_reply_to(named: str) -> None:
    found = through_form("Auto-Submitted: auto-generated", forms=named)
    assert (found.sender, found.classification) == (MAYA, Classification.PERSON)
    assert found.authenticity == Authenticity.UNKNOWN
    assert found.reason == "Written into a form; noreply@forms.example passed it on"


def test_a_form_nobody_named_is_a_program_and_reply_to_is_no_sender() -> None:
    found = through_form()
    assert (found.sender.address, found.classification) == ("noreply@forms.example", Classification.AUTOMATIC)


def test_who_only_claims_to_be_the_form_makes_nobody_the_sender() -> None:
    forged = "Authentication-Results: mx.shop.example; dmarc=fail header.from=forms.example"
    proven = "Authentication-Results: mx.shop.example; dmarc=pass header.from=forms.example"
    options = {"forms": "noreply@forms.example", "authserv_id": "mx.shop.example"}
    assert through_form(forged, **options).sender.address == "noreply@forms.example"
    assert through_form(**options).sender.address == "noreply@forms.example"
    assert through_form(proven, **options).sender == MAYA

"""Mail found in the Sent folder: our own copies, and what people write with their mail program."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.adapters.email import EmailAdapter
from connectors.adapters.email.compose import compose
from connectors.adapters.email.message_id import message_id
from connectors.messages import Classification, Echo, EmailHeaders, Ignored, Item, OutboundMessage, Sender
from tests.payloads.email.letters import mail, message, receipt

OURS = message_id("00112233-4455-6677-8899-aabbccddeeff", b"key-canary", "shop.example")


def found_in(use: str, raw: bytes) -> Item:
    (item,) = EmailAdapter().parse(replace(receipt(raw), headers={"use": use}))
    return item


def sent(*headers: str, body: str = "Done.", sender: str = "Lee <support@shop.example>") -> Echo:
    item = found_in("sent", mail(*headers, body=body, sender=sender))
    assert isinstance(item, Echo)
    return item


def test_what_somebody_wrote_elsewhere_is_told_with_all_that_mail_has() -> None:
    found = sent(
        "To: Sales <sales@shop.example>, Maya Ortiz <maya@ortiz.example>", "Cc: bob@other.example", "Subject: Re: Hi",
        "Message-ID: <from-thunderbird@shop.example>", "In-Reply-To: <hi@ortiz.example>",
        sender="Lee <sales@shop.example>",
    )  # fmt: skip
    assert found.recipient == Sender("maya@ortiz.example", name="Maya Ortiz")
    assert (found.account_address, found.provider_id) == ("sales@shop.example", "from-thunderbird@shop.example")
    assert (found.text, found.subject, found.automatic) == ("Done.", "Re: Hi", False)
    assert found.email is not None
    assert found.email.in_reply_to == ("hi@ortiz.example",)
    assert [each.address for each in found.email.cc] == ["bob@other.example"]


def test_a_blind_copy_is_a_recipient_like_any_other() -> None:
    assert sent("To: support@shop.example", "Bcc: maya@ortiz.example").recipient.address == "maya@ortiz.example"


def test_our_own_copy_is_known_by_its_message_id_even_where_the_server_gave_it_another() -> None:
    reply = OutboundMessage(
        "1", Sender("maya@ortiz.example"), "support@shop.example", "Hello", email=EmailHeaders(message_id=OURS)
    )
    raw = compose(reply).as_bytes()
    assert sent_id(raw) == OURS
    assert sent_id(raw.replace(b"Message-ID: <" + OURS.encode(), b"Message-ID: <0100018f@ses.example")) == OURS


def sent_id(raw: bytes) -> str:
    item = found_in("sent", raw)
    assert isinstance(item, Echo)
    assert item.email is not None
    return item.email.message_id


def test_a_copy_that_comes_back_to_the_inbox_is_no_mail_of_a_customers() -> None:
    raw = mail("Message-ID: <0100018f@ses.example>", f"X-Throughline-Id: <{OURS}>", sender="support@shop.example")
    assert isinstance(found_in("", raw), Ignored)


@pytest.mark.parametrize(
    "header", ["Auto-Submitted: auto-replied", "List-Unsubscribe: <https://x/>", "Precedence: bulk"]
)
def test_what_a_program_sent_says_so(header: str) -> None:
    assert sent("To: maya@ortiz.example", header).automatic


def test_a_mail_to_ourselves_is_nobodys() -> None:
    raw = mail("To: sales@shop.example, support+x@shop.example", sender="support@shop.example")
    assert found_in("sent", raw) == Ignored("own mail", "A mail to ourselves")


def test_mail_from_the_junk_folder_is_filed_as_spam() -> None:
    raw = mail("To: support@shop.example", body="Hello")
    (item,) = EmailAdapter().parse(replace(receipt(raw), headers={"use": "junk"}))
    assert item == replace(
        message(raw), classification=Classification.SPAM, reason="It lay in the mailbox's junk folder"
    )

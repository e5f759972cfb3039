from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from connectors.adapters.email import message_id
from connectors.adapters.email.parse import parse
from connectors.adapters.email.piece import Piece, TooHostile
from connectors.messages import (
    Authenticity,
    Bounce,
    Classification,
    Ignored,
    InboundMessage,
    Malformed,
    RawInput,
    Sender,
)
from tests.payloads.email.letters import ARRIVED, SHOP, files, mail, message, names, payload, receipt


def test_a_plain_mail_becomes_one_message() -> None:
    found = message("plain")
    assert found.sender == Sender("maya@ortiz.example", name="Maya Ortiz")
    assert found.recipient == "support@shop.example"
    assert found.subject == "Where is my order?"
    assert found.text == "Hello,\n\norder #48213 has not come yet. Café Straße, 14:00.\n\nMaya"
    assert found.sent_at == datetime(2025, 11, 22, 9, 0, tzinfo=UTC)
    assert (found.classification, found.authenticity) == (Classification.PERSON, Authenticity.UNKNOWN)
    assert found.email is not None
    assert found.email.message_id == "plain@ortiz.example"
    assert (found.html, found.quoted, found.attachments) == ("", "", ())


def test_a_reply_carries_what_threading_needs() -> None:
    found = message("gmail_reply")
    assert found.text == "That is great, thank you ❤️"
    assert found.quoted.startswith("On Fri, Nov 21, 2025 at 4:12")
    assert found.quoted.endswith("> It left today.\n>\n> Ana")
    assert '<details class="quoted"><summary>…</summary>' in found.html
    assert found.authenticity == Authenticity.PASS
    assert found.email is not None
    assert found.email.in_reply_to == ("t.0123@shop.example",)
    assert found.email.references == ("first@mail.gmail.com", "t.0123@shop.example")
    assert found.email.reply_tokens == ("mfrggzdfmztwq2lknnwg23tpoa",)
    assert found.email.cc == (Sender("bob@lee.example", name="Bob Lee"),)
    assert found.recipient == "support@shop.example"


def test_outlooks_quote_is_folded_in_html_and_text() -> None:
    found = message("outlook_html_only_reply")
    assert found.text == "Schönen Gruß, die Rechnung fehlt."
    assert found.quoted.startswith("Von: Support <support@shop.example>")
    assert found.quoted.endswith("Anbei die Rechnung.")
    before, _, folded = found.html.partition('<details class="quoted">')
    assert "die Rechnung fehlt" in before
    assert "Anbei die Rechnung" in folded
    assert found.email is not None
    assert len(found.email.message_id) > 80


def test_apple_mail_keeps_the_text_after_the_picture() -> None:
    found = message("apple_mixed")
    assert found.text == "Before the photo\nAfter the photo"
    assert list(files(found)) == ["IMG_1.png"]


def test_an_image_is_inline_only_if_the_html_shows_it() -> None:
    found = message("inline_image")
    assert files(found)["image001.png"].content_id == "image001.png@01D2"
    assert files(found)["unused.png"].content_id == ""
    assert '<img src="cid:image001.png@01D2" alt="zip">' in found.html
    assert '<img data-src="http://cdn.example/logo.png?a=1&amp;b=2">' in found.html
    assert "nowhere" not in found.html
    assert "tracker.example" not in found.html


def test_a_mail_that_is_only_a_file_keeps_the_file() -> None:
    found = message("root_attachment")
    assert files(found)["invoice.pdf"].content == b"%PDF-1.4\n%\xc3\xa4\xc3\xbc\xc3\xb6\xc3\x9f\n"
    assert (found.text, found.remark) == ("", "No text, only attachments")


def test_an_invitation_is_not_lost() -> None:
    found = message("calendar_in_alternative")
    assert found.text == "Can we meet?"
    assert files(found)["invitation.ics"].content_type == "text/calendar"


def test_a_mail_inside_the_mail_stays_one_file_with_its_exact_bytes() -> None:
    found = message("forwarded_as_attachment")
    assert found.text == "Please see the mail below."
    inner = files(found)["Grüße-2025.eml"]
    assert inner.content is not None
    assert inner.content.startswith(b"From: Carla <carla@else.example>")
    assert b"inner.pdf" in inner.content
    assert len(found.attachments) == 1


@pytest.mark.parametrize(
    ("name", "file"),
    [("winmail", "winmail.dat"), ("signed", "smime.p7s"), ("encrypted", "encrypted.asc")],
)
def test_containers_we_do_not_open_are_kept_as_files(name: str, file: str) -> None:
    assert file in files(message(name))


def test_an_encrypted_mail_says_where_its_text_is() -> None:
    assert message("encrypted").remark == "Encrypted mail: its text is in the attachment"


def test_flowed_lines_are_joined() -> None:
    assert message("flowed").text == (
        "This is one paragraph that the program broke into two lines.\nFrom here a stuffed line.\n-- \nMaya"
    )


def test_a_file_written_into_the_text_becomes_an_attachment() -> None:
    found = message("uuencoded")
    assert files(found)["hello.txt"].content == b"hello"
    assert "begin 644" not in found.text
    assert found.text.endswith("Bye.")


@pytest.mark.parametrize(
    ("name", "subject", "text"),
    [
        ("latin1_labelled_cp1252", "“Hello”", "He said “hello” – 50 €."),
        ("gbk_labelled_gb2312", "你好，朱镕基", "我的订单在哪里？朱镕基"),
        ("iso2022jp", "注文について", "注文はどこですか。"),
        ("unknown_charset", "café", "café"),
        ("raw_8bit_headers", "Größe", "Hallo"),
        ("split_multibyte_words", "注文€", "x"),
        ("html_utf7", "<b>", "hello"),
        ("multipart_without_boundary", "Broken", "Just text, after all."),
    ],
)
def test_charsets_come_out_as_people_wrote_them(name: str, subject: str, text: str) -> None:
    found = message(name)
    assert (found.subject, found.text) == (subject, text)


def test_raw_bytes_in_a_name_are_read() -> None:
    assert message("raw_8bit_headers").sender.name == "Jörg Müller"


def test_script_hidden_in_utf7_is_gone() -> None:
    assert message("html_utf7").html.strip() == "hello"


def test_an_encoded_line_break_never_leaves_the_parser() -> None:
    found = message("header_injection")
    assert found.subject == "Hello Bcc: victim@shop.example"
    assert "\n" not in found.sender.name
    assert found.authenticity == Authenticity.FAIL


def test_hostile_file_names_are_cleaned_and_made_unique() -> None:
    assert list(files(message("hostile_names"))) == [
        "passwd",
        "shadow",
        "invfdp.exe",
        "Ärger und mehr.txt",
        "_CON.txt",
        "note.txt",
        "note (2).txt",
        "file.pdf",
    ]


def test_hidden_text_is_not_in_the_search_text() -> None:
    found = message("newsletter")
    assert "preheader" not in found.text
    assert found.text == "50 % off\n\nOnly today."


def test_answers_between_the_quoted_lines_stay_whole() -> None:
    found = message("interleaved")
    assert found.quoted == ""
    assert "Blue." in found.text
    assert "> What size?" in found.text


@pytest.mark.parametrize("name", ["two_from", "glued_from"])
def test_a_from_with_two_addresses_fails_authenticity(name: str) -> None:
    assert message(name).authenticity == Authenticity.FAIL


def test_without_a_usable_from_the_mail_goes_to_quarantine() -> None:
    (item,) = parse(receipt(payload("no_from")))
    assert isinstance(item, Malformed)
    assert item.reason == "no usable From"
    assert "Subject: Nobody" in item.excerpt


def test_an_impossible_date_falls_back_to_the_arrival() -> None:
    assert message("undisclosed_group").sent_at == ARRIVED


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Sat, 22 Nov 2025 09:00:00 +0000", datetime(2025, 11, 22, 9, 0, tzinfo=UTC)),
        ("Sat, 22 Nov 2025 10:00:00 +0100", datetime(2025, 11, 22, 10, 0, tzinfo=timezone(timedelta(hours=1)))),
        ("Fri, 21 Nov 2025 09:31:00 -0000", datetime(2025, 11, 21, 9, 31, tzinfo=UTC)),
        ("Fri, 21 Nov 2025 09:29:00 +0000", ARRIVED),
        ("Sat, 22 Nov 2025 09:31:00 +0000", ARRIVED),
        ("Thu, 01 Jan 1970 00:00:00 +0000", ARRIVED),
        ("Wed, 01 Jan 2099 00:00:00 +0000", ARRIVED),
        ("yesterday", ARRIVED),
        ("", ARRIVED),
    ],
)
def test_the_date_counts_only_if_it_is_within_the_day_before_the_arrival(date: str, expected: datetime) -> None:
    assert message(mail(f"Date: {date}")).sent_at == expected


def test_the_address_written_to_is_the_recipient() -> None:
    assert message("undisclosed_group").recipient == "sales@shop.example"
    assert message(mail("Cc: Sales <SALES+x@shop.example>")).recipient == "support@shop.example"
    hidden = mail().replace(b"To: support@shop.example", b"To: someone@else.example")
    assert message(hidden).recipient == "support@shop.example"


def test_reply_tokens_are_taken_from_every_recipient_header_but_only_on_our_addresses() -> None:
    raw = mail(
        "Delivered-To: support+r.aaaaaaaaaaaaaaaaaaaaaaaaaa@shop.example",
        "X-Original-To: SUPPORT+R.BBBBBBBBBBBBBBBBBBBBBBBBBB@SHOP.EXAMPLE",
        "Cc: support+r.cccccccccccccccccccccccccc@other.example, sales+r.dddddddddddddddddddddddddd@shop.example",
    )
    found = message(raw)
    assert found.email is not None
    assert found.email.reply_tokens == ("a" * 26, "b" * 26, "d" * 26)


def test_our_own_address_as_reply_to_is_ignored() -> None:
    found = message(mail("Reply-To: support@shop.example"))
    assert found.email is not None
    assert found.email.reply_to == ""
    other = message(mail("Reply-To: <form@else.example>"))
    assert other.email is not None
    assert other.email.reply_to == "form@else.example"


def test_the_copy_of_our_own_mail_is_ignored() -> None:
    ours = message_id.message_id("0f8fad5b-d9cb-469f-a165-70867728950e", b"key-canary", "shop.example")
    (item,) = parse(receipt(mail(f"Message-ID: <{ours}>", sender="Shop <support@shop.example>")))
    assert item == Ignored("own mail", "The copy of a mail we sent")


def test_a_forged_copy_of_our_own_mail_is_not_swallowed() -> None:
    forged = message_id.message_id("0f8fad5b-d9cb-469f-a165-70867728950e", b"guess", "shop.example")
    found = message(mail(f"Message-ID: <{forged}>", sender="Shop <support@shop.example>"))
    assert found.classification == Classification.AUTOMATIC
    assert found.reason == "Sent from our own address"


def test_our_message_ids_are_recognised_and_others_are_not() -> None:
    entry = "0f8fad5b-d9cb-469f-a165-70867728950e"
    made = message_id.message_id(entry, b"key", "Shop.Example")
    assert made.endswith("@shop.example")
    assert message_id.is_ours(made, b"key") == entry
    assert message_id.is_ours(f"<{made.upper()}>", b"key") == entry
    assert message_id.is_ours(made, b"other") is None
    assert message_id.is_ours(made.replace("0f8f", "0f8e"), b"key") is None
    assert message_id.is_ours("CAF=abc@mail.example", b"key") is None


def test_the_same_mail_fetched_twice_has_one_provider_id() -> None:
    assert message("plain").provider_id == message("plain").provider_id
    relayed = b"Received: from somewhere\r\n" + payload("plain")
    assert message(relayed).provider_id == message("plain").provider_id


def test_a_repeated_message_id_with_another_body_is_another_mail() -> None:
    first, second = mail("Message-ID: <same@x>", body="one"), mail("Message-ID: <same@x>", body="two")
    assert message(first).provider_id != message(second).provider_id


@pytest.mark.parametrize("name", ["no_message_id", "empty_message_id"])
def test_without_a_message_id_the_raw_bytes_identify_the_mail(name: str) -> None:
    found = message(name)
    assert len(found.provider_id) == 64
    assert found.email is not None
    assert found.email.message_id == ""
    assert message(b"X-Trace: 1\r\n" + payload(name)).provider_id != found.provider_id


def test_a_delivery_report_becomes_one_bounce_for_each_recipient() -> None:
    failed, late = parse(receipt(payload("dsn_postfix")))
    assert failed == Bounce(
        message_id="t.00112233445566778899aabbccddeeff.0123456789abcdef0123456789abcdef@shop.example",
        address="nobody@ortiz.example",
        permanent=True,
        reason="The address does not exist. "
        "(550 5.1.1 <nobody@ortiz.example>: Recipient address rejected: User unknown)",
        code="5.1.1",
    )
    assert isinstance(late, Bounce)
    assert not late.permanent
    assert late.reason == "The receiving mail server could not be reached; it is still being tried."


@pytest.mark.parametrize(
    ("name", "message_id_", "code"),
    [("bounce_exim", "t.aa@shop.example", "5.2.2"), ("bounce_qmail", "t.bb@shop.example", "5.1.1")],
)
def test_bounces_of_older_mail_systems_are_understood(name: str, message_id_: str, code: str) -> None:
    (bounce,) = parse(receipt(payload(name)))
    assert isinstance(bounce, Bounce)
    assert (bounce.message_id, bounce.address, bounce.code) == (message_id_, "gone@ortiz.example", code)


PASTED = """I tried to write to you and got this. I need my order 1234!

This message was created automatically by mail delivery software.

  support@shop.example
    host mx.shop.example: 550 5.2.2 mailbox full
"""


@pytest.mark.parametrize("header", ["Message-ID: <1@ortiz.example>", "X-Failed-Recipients: support@shop.example"])
def test_a_report_that_a_customer_pastes_or_forges_is_the_customers_mail(header: str) -> None:
    found = message(mail(header, body=PASTED))
    assert (found.classification, found.sender.address) == (Classification.PERSON, "maya@ortiz.example")
    assert "I need my order 1234!" in found.text


REPORTED = """--b

I wrote to you and got this. I need my order 1234!
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.ortiz.example

Final-Recipient: rfc822; support@shop.example
Action: failed
Status: 5.2.2
--b--
"""


def test_a_report_among_the_files_of_a_customers_mail_leaves_it_the_customers() -> None:
    found = message(mail("Content-Type: multipart/mixed; boundary=b", body=REPORTED))
    assert (found.classification, found.sender.address) == (Classification.PERSON, "maya@ortiz.example")
    assert "I need my order 1234!" in found.text


def test_a_mail_server_may_wrap_its_report() -> None:
    raw = mail("Content-Type: multipart/mixed; boundary=b", body=REPORTED, sender="postmaster@exim.example")
    (found,) = parse(receipt(raw))
    assert isinstance(found, Bounce)
    assert found.code == "5.2.2"


@pytest.mark.parametrize(
    ("sender", "header"),
    [("postmaster@exim.example", "X: y"), ("Robot <robot@exim.example>", "Return-Path: <>"), ("<>", "X: y")],
)
def test_a_plain_report_is_a_mail_servers(sender: str, header: str) -> None:
    (found,) = parse(receipt(mail(header, body=PASTED, sender=sender)))
    assert isinstance(found, Bounce)
    assert (found.message_id, found.code) == ("", "5.2.2")


def test_a_report_brings_its_mail_along_for_the_case_that_it_is_about_none_of_ours() -> None:
    failed, late = parse(receipt(payload("dsn_postfix")))
    assert isinstance(failed, Bounce)
    assert isinstance(late, Bounce)
    assert failed.mail is late.mail
    assert failed.mail is not None
    assert failed.mail.sender.address == "MAILER-DAEMON@mx.shop.example"
    assert (failed.mail.classification, failed.mail.reason) == (
        Classification.BOUNCE,
        "A mail server says something could not be delivered",
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("dsn_delivered", "A mail server says our mail went through"),
        ("mdn", "A mail program says our mail was displayed or deleted"),
    ],
)
def test_notices_that_need_nobody_are_filed(name: str, reason: str) -> None:
    found = message(name)
    assert (found.classification, found.reason) == (Classification.AUTOMATIC, reason)
    assert found.is_auto_reply


def test_a_bounce_that_names_nothing_is_filed_as_one() -> None:
    assert message("dsn_no_to_header").classification == Classification.BOUNCE


def test_html_that_is_too_much_becomes_text_and_a_file() -> None:
    body = "<p>word <a href='http://x'>link</a></p>\n" * 6000
    found = message(mail("Content-Type: text/html", body=body))
    assert found.html == ""
    assert found.text.startswith("word link")
    assert files(found)["message.html"].content_type == "text/html"


def test_an_excuse_for_a_text_part_is_not_the_text() -> None:
    raw = mail(
        "Content-Type: multipart/alternative; boundary=b",
        body="--b\r\n\r\nYour program cannot show HTML.\r\n"
        "--b\r\nContent-Type: text/html\r\n\r\n<p>Real words</p>\r\n--b--",
    )
    assert message(raw).text == "Real words"


def test_an_empty_text_part_gives_way_to_html() -> None:
    raw = mail(
        "Content-Type: multipart/alternative; boundary=b",
        body="--b\r\n\r\n \r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Real words</p>\r\n--b--",
    )
    assert message(raw).text == "Real words"


def test_nul_bytes_and_lone_surrogates_are_gone_everywhere() -> None:
    raw = mail("Subject: a=?utf-8?Q?=00?=b\x00", "Content-Type: text/html", body="<p>x\x00y\udcff</p>")
    found = message(raw)
    for text in (found.subject, found.text, found.html, found.sender.name):
        assert "\x00" not in text
        text.encode()


def bomb(header: str) -> bytes:
    return mail(header)


DEEP = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(2000))
POISON: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "only newlines": lambda: b"\r\n" * 1000,
    "binary": lambda: bytes(range(256)) * 1000,
    "content type with 40,000 parameters": lambda: bomb("Content-Type: text/plain" + "; a=b" * 40000),
    "continued parameters just under the cap": lambda: bomb(
        "Content-Type: text/plain" + "".join(f"; filename*{n}*=a" for n in range(900))
    ),
    "40,000 continued parameters": lambda: bomb(
        "Content-Disposition: attachment" + "".join(f"; filename*{n}*=a" for n in range(40000))
    ),
    "subject of 40,000 encoded words": lambda: bomb("Subject: " + "=?utf-8?Q?a?= " * 40000),
    "encoded words just under the cap": lambda: bomb("Subject: " + "=?x?Q?=FF?= " * 1300),
    "40,000 recipients": lambda: bomb("Cc: " + "a@b.example, " * 40000),
    "recipients just under the cap": lambda: bomb("Cc: " + "a@b, " * 3000),
    "10,000 headers": lambda: bomb("\r\n".join(f"X-{n}: y" for n in range(10000))),
    "headers just under the cap": lambda: bomb("\r\n".join(f"X-{n}: y" for n in range(5000))),
    "50,000 parts": lambda: mail(
        "Content-Type: multipart/mixed; boundary=b", body="--b\r\n\r\nx\r\n" * 50000 + "--b--"
    ),
    "1,000 parts of 15 KB headers": lambda: mail(
        "Content-Type: multipart/mixed; boundary=b", body=("--b\r\nX: " + "y" * 15000 + "\r\n\r\nx\r\n") * 1000
    ),
    "999 parts": lambda: mail("Content-Type: multipart/mixed; boundary=b", body="--b\r\n\r\nx\r\n" * 998 + "--b--"),
    "nested 2,000 deep": lambda: b"From: a@b.example\r\n" + DEEP.encode(),
    "nested 49 deep": lambda: b"From: a@b.example\r\n" + DEEP.encode().split(b"--b49")[0],
    "messages nested 1,000 deep": lambda: (
        b"From: a@b.example\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 1000 + b"x"
    ),
    "from of nested comments": lambda: mail(sender="(" * 10000),
    "from of one quote": lambda: mail(sender='"'),
    "from of quotes": lambda: mail(sender='"' * 15000 + "a@b.example"),
    "from of colons": lambda: mail(sender="mailto:" * 2000 + "a@b.example"),
    "from of brackets": lambda: mail(sender="<" * 15000 + "a@b.example"),
    "message id of brackets": lambda: bomb("Message-ID: " + "<" * 15000),
    "references of 15 KB": lambda: bomb("References: " + "<a@b>" * 3000),
    "authentication results of semicolons": lambda: bomb("Authentication-Results: mx.shop.example" + ";(((a=b" * 2000),
    "attribution words, 20 KB": lambda: bomb("Subject: Re: x\r\nIn-Reply-To: <a@b>") + b"On x " * 4000,
    "attribution words, 1 MiB": lambda: bomb("Subject: Re: x\r\nIn-Reply-To: <a@b>") + b"On x " * 210000,
    "attribution lines": lambda: bomb("Subject: Re: x\r\nIn-Reply-To: <a@b>") + b"On x wrote:\r\n" * 50000,
    "a million quote marks": lambda: bomb("Subject: Re: x\r\nIn-Reply-To: <a@b>") + b">" * 1000000,
    "a million quoted lines": lambda: bomb("Subject: Re: x\r\nIn-Reply-To: <a@b>") + b">\r\n" * 1000000,
    "100,000 lines": lambda: mail(body="a line of some words\r\n" * 100000),
    "unclosed tags": lambda: mail("Content-Type: text/html", body="<div><b><table><tr><td>" * 10000),
    "deep divs": lambda: mail("Content-Type: text/html", body="<div>" * 100000 + "x"),
    "blockquotes": lambda: mail(
        "Content-Type: text/html", "In-Reply-To: <a@b>", body="x<blockquote type=cite>" * 20000 + "x"
    ),
    "attributes": lambda: mail("Content-Type: text/html", body="<p " + "a=b " * 200000 + ">x"),
    "one style of 500 KB": lambda: mail("Content-Type: text/html", body=f"<p style='{'color:red;' * 50000}'>x"),
    "1 MB of entities": lambda: mail("Content-Type: text/html", body="&amp;" * 200000),
    "many images": lambda: mail("Content-Type: text/html", body="<img src=http://x/y.png width=1>" * 30000),
    "nested tables": lambda: mail("Content-Type: text/html", body="<table><tr><td>" * 250 + "x"),
    "comments in html": lambda: mail("Content-Type: text/html", body="<!--" * 200000),
    "uuencode without end": lambda: mail(body="begin 644 x\r\n" * 30000),
    "27 MB attachment": lambda: mail(
        "Content-Type: application/octet-stream",
        "Content-Transfer-Encoding: base64",
        body=("QUFB" * 19 + "\r\n") * 350000,
    ),
    "lone carriage returns": lambda: b"From: a@b.example\rSubject: x\r\rbody" + b"\r" * 100000,
    "boundary of blanks": lambda: mail('Content-Type: multipart/mixed; boundary="   "', body="--\r\n" * 100000),
    "base64 rubbish": lambda: mail("Content-Transfer-Encoding: base64", body="=!" * 500000),
    "quoted-printable rubbish": lambda: mail("Content-Transfer-Encoding: quoted-printable", body="=\r" * 500000),
    "undecodable charset, 1 MB": lambda: mail("Content-Type: text/plain; charset=x-none") + b"\xff\xfe\x81" * 330000,
}  # fmt: skip


@pytest.mark.parametrize("name", POISON)
def test_no_poison_takes_longer_than_two_seconds_or_raises(name: str) -> None:
    raw = POISON[name]()
    started = time.process_time()
    items = parse(receipt(raw))
    assert time.process_time() - started < 2
    assert len(items) == 1
    assert isinstance(items[0], InboundMessage | Malformed)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("subject of 40,000 encoded words", "more than 64 KiB of headers"),
        ("50,000 parts", "more than 1,000 parts"),
        ("1,000 parts of 15 KB headers", "more than 256 KiB of headers over all parts"),
        ("nested 2,000 deep", "parts nested more than 50 deep"),
    ],
)
def test_a_mail_over_a_cap_says_which(name: str, reason: str) -> None:
    with pytest.raises(TooHostile) as caught:
        Piece.parse(POISON[name]())
    assert caught.value.reason == reason


def test_one_long_header_and_a_huge_mail_are_over_a_cap() -> None:
    with pytest.raises(TooHostile, match="a header of more than 16 KiB"):
        Piece.parse(mail("X-Long: " + "a\r\n b" * 5000))
    with pytest.raises(TooHostile, match="more than 40 MB"):
        Piece.parse(b"x" * (41 * 1024 * 1024))


@pytest.mark.parametrize("name", ["999 parts", "nested 49 deep", "headers just under the cap", "27 MB attachment"])
def test_what_is_under_the_caps_is_read(name: str) -> None:
    assert isinstance(parse(receipt(POISON[name]()))[0], InboundMessage)


@pytest.mark.parametrize("name", names())
def test_every_payload_is_under_the_caps(name: str) -> None:
    Piece.parse(payload(name))


@pytest.mark.parametrize("name", names())
def test_flipped_and_missing_bytes_never_raise(name: str) -> None:
    chance = random.Random(name)
    original = payload(name)
    for _ in range(60):
        raw = bytearray(original)
        for _ in range(chance.randint(1, 20)):
            match chance.randint(0, 3):
                case 0:
                    raw[chance.randrange(len(raw))] = chance.randrange(256)
                case 1:
                    del raw[chance.randrange(len(raw) - 1)]
                case 2:
                    raw.insert(chance.randrange(len(raw)), chance.choice(b'\r\n\x00"<>=?;:()@\\\xff'))
                case _:
                    start = chance.randrange(len(raw))
                    raw[start:start] = raw[start : start + chance.randint(1, 60)]
        for item in parse(RawInput(bytes(raw), {}, ARRIVED, SHOP)):
            if isinstance(item, InboundMessage):
                f"{item.subject}{item.text}{item.quoted}{item.html}{item.sender.name}{item.reason}".encode()
                assert "\x00" not in item.text + item.html + item.subject

from __future__ import annotations

import pytest

from connectors.adapters.email.authenticity import judge
from connectors.adapters.email.headers import Headers
from connectors.adapters.email.message_id import message_id
from connectors.messages import Authenticity, Classification
from tests.payloads.email.letters import mail, message

PERSON, AUTOMATIC, BULK = Classification.PERSON, Classification.AUTOMATIC, Classification.BULK
PASS, UNKNOWN, FAIL = Authenticity.PASS, Authenticity.UNKNOWN, Authenticity.FAIL


@pytest.mark.parametrize(
    ("name", "classification", "reason"),
    [
        ("plain", PERSON, ""),
        ("gmail_reply", PERSON, ""),
        ("google_group_support", PERSON, ""),
        ("newsletter", BULK, "Sent to many (Precedence: bulk)"),
        ("out_of_office", AUTOMATIC, "Sent by a program (Auto-Submitted: auto-replied)"),
        ("order_mail", AUTOMATIC, "Sent from an address nobody reads (no-reply@)"),
        ("spam", Classification.SPAM, "The mail server marked it as spam"),
        ("dsn_no_to_header", Classification.BOUNCE, "A mail server says something could not be delivered"),
    ],
)
def test_a_mail_is_classed_with_a_reason_in_words(name: str, classification: Classification, reason: str) -> None:
    found = message(name)
    assert (found.classification, found.reason) == (classification, reason)


@pytest.mark.parametrize(
    ("header", "classification"),
    [
        ("Auto-Submitted: no", PERSON),
        ("Auto-Submitted: No (really)", PERSON),
        ("Auto-Submitted: auto-generated; type=x", AUTOMATIC),
        ("X-Auto-Response-Suppress: DR, OOF, AutoReply", AUTOMATIC),
        ("X-Auto-Response-Suppress: None", PERSON),
        ("X-Autoreply: yes", AUTOMATIC),
        ("X-Autorespond:", AUTOMATIC),
        ("Precedence: auto_reply", AUTOMATIC),
        ("Precedence: list", BULK),
        ("Precedence: first-class", PERSON),
        ("List-Unsubscribe: <https://x.example>", BULK),
        ("Feedback-ID: 1:2:3:x", PERSON),
        ("Return-Path: <>", AUTOMATIC),
        ("Return-Path: <maya@ortiz.example>", PERSON),
        ("X-Spam-Status: Yes, score=9", Classification.SPAM),
        ("X-Spam-Status: No, score=0", PERSON),
        ("X-Loop: yes", AUTOMATIC),
        ("Precedence: bulk", BULK),
    ],
)
def test_headers_that_programs_write_are_understood(header: str, classification: Classification) -> None:
    assert message(mail(header)).classification == classification


OURS = message_id("0f8fad5b-d9cb-469f-a165-70867728950e", b"key-canary", "shop.example")
PREFIXED = ["Automatic reply: Hi", "Automatische Antwort: Hi", "Réponse automatique : Hi", "自動応答: Hi"]
AWAY = [
    "Abwesenheit am Liefertag, bitte neuer Termin", "Out of office chairs? When back in stock",
    "Absence du bureau le 3 mars",
]  # fmt: skip


@pytest.mark.parametrize("subject", [*PREFIXED, *AWAY])
def test_a_subject_alone_files_nobodys_mail_but_is_not_answered_by_a_program(subject: str) -> None:
    found = message(mail(f"Subject: {subject}"))
    assert (found.classification, found.is_auto_reply, found.may_be_automatic) == (PERSON, False, True)


@pytest.mark.parametrize(
    "subject", ["Auto: Kratzer an der Tuer", "Auto reply does not work", "The out of office party"]
)
def test_words_that_people_write_are_no_sign_of_a_program(subject: str) -> None:
    found = message(mail(f"Subject: {subject}"))
    assert (found.classification, found.is_auto_reply, found.may_be_automatic) == (PERSON, False, False)


@pytest.mark.parametrize(
    "sign",
    ["Auto-Submitted: auto-generated", "Precedence: bulk", "X-Auto-Response-Suppress: DR", "Return-Path: <>"],
)
@pytest.mark.parametrize("subject", [PREFIXED[0], AWAY[0]])
def test_a_subject_and_a_header_that_programs_write_are_an_automatic_reply(sign: str, subject: str) -> None:
    found = message(mail(sign, f"Subject: {subject}"))
    assert (found.classification, found.reason) == (AUTOMATIC, "An automatic reply, by its subject and headers")
    assert found.is_auto_reply


@pytest.mark.parametrize("field", ["In-Reply-To", "References"])
@pytest.mark.parametrize(
    ("subject", "classification"),
    [
        *((each, AUTOMATIC) for each in PREFIXED),
        *((each, PERSON) for each in AWAY),
        ("Re: Automatic reply: Hi", PERSON),
    ],
)
def test_an_answer_to_us_under_words_that_only_programs_write_is_an_automatic_reply(
    field: str, subject: str, classification: Classification
) -> None:
    assert message(mail(f"{field}: <{OURS}>", f"Subject: {subject}")).classification == classification
    assert message(mail(f"{field}: <1@else.example>", f"Subject: {subject}")).classification == PERSON


@pytest.mark.parametrize(
    ("sender", "classification"),
    [
        ("no-reply@x.example", AUTOMATIC),
        ("NoReply@x.example", AUTOMATIC),
        ("do-not-reply@x.example", AUTOMATIC),
        ("orders.noreply@x.example", AUTOMATIC),
        ("bounces+1=2@x.example", AUTOMATIC),
        ("notifications@x.example", AUTOMATIC),
        ("owner-list@x.example", AUTOMATIC),
        ("postmaster@x.example", AUTOMATIC),
        ("norelyea@x.example", PERSON),
        ("information@x.example", PERSON),
        ("requester@x.example", PERSON),
    ],
)
def test_addresses_nobody_reads_are_not_people(sender: str, classification: Classification) -> None:
    assert message(mail(sender=sender)).classification == classification


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (["mx.shop.example; dmarc=pass header.from=ortiz.example"], PASS),
        (["MX.shop.example 1; dmarc=pass (p=none) header.from=ORTIZ.example"], PASS),
        (["mx.shop.example; dkim=pass header.d=ortiz.example"], PASS),
        (["mx.shop.example; dkim=pass header.i=@mail.ortiz.example"], UNKNOWN),
        (["mx.shop.example; dkim/1=fail header.d=a.example; dkim=pass header.d=ortiz.example"], PASS),
        (["mx.shop.example; dkim=pass header.d=evil.example; spf=pass smtp.mailfrom=x@evil.example"], UNKNOWN),
        (["mx.shop.example; dmarc=pass header.from=evil.example"], UNKNOWN),
        (["mx.shop.example; dmarc=fail header.from=ortiz.example; dkim=pass header.d=ortiz.example"], FAIL),
        (["mx.shop.example; spf=fail smtp.mailfrom=ortiz.example"], FAIL),
        (["mx.shop.example; spf=softfail smtp.mailfrom=ortiz.example"], UNKNOWN),
        (["mx.shop.example; spf=fail smtp.mailfrom=list.example; dkim=pass header.d=ortiz.example"], PASS),
        (["mx.shop.example; none"], UNKNOWN),
        (["mx.evil.example; dmarc=pass header.from=ortiz.example"], UNKNOWN),
        (["mx.shop.example; dmarc=fail", "mx.shop.example; dmarc=pass header.from=ortiz.example"], FAIL),
        (["mx.evil.example (mx.shop.example); dmarc=pass header.from=ortiz.example"], UNKNOWN),
        (["mx.shop.example; x=y (; dmarc=pass header.from=ortiz.example)"], UNKNOWN),
        (["mx.shop.example; compauth=fail reason=001"], FAIL),
        (["mx.shop.example; dkim=pass header.d=example"], UNKNOWN),
        ([], UNKNOWN),
        ([""], UNKNOWN),
        ([";;;="], UNKNOWN),
    ],
)
def test_only_our_own_servers_verdict_for_this_very_domain_counts(results: list[str], expected: Authenticity) -> None:
    headers = Headers([("Authentication-Results", value) for value in results])
    assert judge(headers, "maya@ortiz.example", "mx.shop.example") == expected


@pytest.mark.parametrize(
    "mail_from",
    [
        'spf=pass smtp.mailfrom="; dmarc=pass header.from=ortiz.example; x="@evil.example',
        r'spf=pass smtp.mailfrom="a\"; dmarc=pass header.from=ortiz.example; \"b"@evil.example',
        'spf=pass (domain of "x); dmarc=pass header.from=ortiz.example; (y"@evil.example designates it)',
    ],
)
def test_what_a_sender_writes_into_the_verdict_is_no_verdict(mail_from: str) -> None:
    headers = Headers([("Authentication-Results", f"mx.shop.example; {mail_from}")])
    assert judge(headers, "maya@ortiz.example", "mx.shop.example") == UNKNOWN


@pytest.mark.parametrize(
    "signer",
    [
        'dkim=pass header.i="a header.d=ortiz.example b"@evil.example header.s=s',
        'dkim=pass header.d=evil.example header.i="header.d=ortiz.example "@evil.example',
        "spf=pass (a (b) ; dmarc=pass header.from=ortiz.example and) smtp.mailfrom=evil.example",
    ],
)
def test_what_a_signer_calls_itself_proves_nobody_else(signer: str) -> None:
    headers = Headers([("Authentication-Results", f"mx.shop.example; {signer}")])
    assert judge(headers, "maya@ortiz.example", "mx.shop.example") == UNKNOWN


@pytest.mark.parametrize("broken", ['reason="', "(", "spf=none )", "\\" + '"\\' * 5000])
def test_a_verdict_that_cannot_be_read_leaves_no_room_for_another(broken: str) -> None:
    values = [f"mx.shop.example; dmarc=none {broken}", "mx.shop.example; dmarc=pass header.from=ortiz.example"]
    headers = Headers([("Authentication-Results", value) for value in values])
    assert judge(headers, "maya@ortiz.example", "mx.shop.example") == UNKNOWN


@pytest.mark.parametrize(
    "mail_from",
    [
        'dmarc=fail header.from=ortiz.example; spf=pass smtp.mailfrom=";"@evil.example',
        'dkim=pass header.i="("@evil.example; dmarc=fail; spf=pass smtp.mailfrom=")"@evil.example',
        r'dkim=pass header.i="\"("@evil.example; dmarc=fail (p=none \) x); spf=pass smtp.mailfrom=")"@evil.example',
    ],
)
def test_a_sender_cannot_hide_that_our_server_does_not_believe_them(mail_from: str) -> None:
    headers = Headers([("Authentication-Results", f"mx.shop.example; {mail_from}")])
    assert judge(headers, "maya@ortiz.example", "mx.shop.example") == FAIL


PROVEN = (
    "spf=pass (sender IP is 192.0.2.7) smtp.mailfrom=ortiz.example; dkim=pass (signature was verified)"
    " header.d=ortiz.example;dmarc=pass action=none header.from=ortiz.example;compauth=pass reason=100"
)
UNPROVEN = "spf=none (sender IP is 192.0.2.7) smtp.mailfrom=evil.example; dkim=none (message not signed) header.d=none"


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([PROVEN], PASS),
        ([f"\t{PROVEN}"], PASS),
        ([PROVEN, "mx.evil.example; dmarc=fail"], PASS),
        ([UNPROVEN], UNKNOWN),
        ([UNPROVEN, PROVEN], UNKNOWN),
        (["mx.evil.example; dmarc=pass header.from=ortiz.example"], UNKNOWN),
        (["mx.gateway.example; none", PROVEN], UNKNOWN),
        (["mx.gateway.example;", PROVEN], UNKNOWN),
        (["(spf=pass) mx.evil.example; dmarc=pass header.from=ortiz.example"], UNKNOWN),
        (["microsoft365; dmarc=pass header.from=ortiz.example"], UNKNOWN),
        (["", PROVEN], UNKNOWN),
        (["spf=fail smtp.mailfrom=ortiz.example; dkim=none; dmarc=fail header.from=ortiz.example"], FAIL),
        ([], UNKNOWN),
    ],
)
@pytest.mark.parametrize("entered", ["microsoft365", "Microsoft365"])
def test_at_microsoft_the_topmost_verdict_counts_and_only_if_it_names_no_server(
    results: list[str], expected: Authenticity, entered: str
) -> None:
    headers = Headers([("Authentication-Results", value) for value in results])
    assert judge(headers, "maya@ortiz.example", entered) == expected


def test_a_result_that_was_entered_for_a_name_makes_nobody_believed() -> None:
    headers = Headers([("Authentication-Results", value) for value in (UNPROVEN, PROVEN)])
    assert judge(headers, "maya@ortiz.example", "spf=pass") == UNKNOWN


def test_without_a_configured_server_nobody_is_believed() -> None:
    headers = Headers([("Authentication-Results", "mx.shop.example; dmarc=pass header.from=ortiz.example")])
    assert judge(headers, "maya@ortiz.example", "") == UNKNOWN

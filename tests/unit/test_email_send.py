from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from pytest_django import Settings

from connectors.adapters.email import EmailAdapter, smtp, unsubscribing
from connectors.adapters.email.compose import compose, recipients
from connectors.adapters.email.imap import Mailbox
from connectors.errors import FetchFailed, Forged, SendFailed, SendUnknown
from connectors.messages import (
    Account,
    Attachment,
    DeliveryStatus,
    EmailHeaders,
    OutboundFile,
    OutboundMessage,
    Sender,
    Sent,
)
from tests.payloads.email.letters import message as parsed
from tests.payloads.email.servers import PASSWORD, USER, Imap, certificate, server_context, smtp_server

OWN_ID = "t.0f8fad5bd9cb469fa16570867728950e.0123456789abcdef0123456789abcdef@shop.example"
REPLY = OutboundMessage(
    delivery="5f0c",
    to=Sender("maya@ortiz.example", name="Maya Ortiz"),
    sender="support@shop.example",
    sender_name="Ana at Shop",
    subject="Re: Where is my order?",
    text="It left today.\n.\nAna",
    quoted="On 22/11/2025 09:00, Maya wrote:\n> Where is my order?",
    email=EmailHeaders(
        message_id=OWN_ID,
        in_reply_to=("plain@ortiz.example",),
        references=("first@ortiz.example", "plain@ortiz.example"),
        reply_to="support+r.mfrggzdfmztwq2lknnwg23tpoa@shop.example",
        cc=(Sender("bob@lee.example", name="Bob Lee"),),
        bcc=(Sender("archive@shop.example"),),
    ),
)


@dataclass
class Server:
    """What aiosmtpd asks for each command, and what it was given."""

    rcpt: dict[str, str] = field(default_factory=dict)
    mail: dict[str, str] = field(default_factory=dict)
    data: str = "250 OK"
    cut: str = ""
    received: list[tuple[str, list[str], bytes]] = field(default_factory=list)

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.cut == "MAIL":
            server.transport.abort()
        address = address or "<>"
        if address in self.mail:
            return self.mail[address]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address in self.rcpt:
            return self.rcpt[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.received.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        if self.cut == "DATA":
            server.transport.abort()
        return self.data


@dataclass
class Stage:
    server: Server
    account: Account

    def send(self, message: OutboundMessage = REPLY) -> Sent:
        return EmailAdapter().send(self.account, message)

    def refused(self, message: OutboundMessage = REPLY) -> SendFailed:
        with pytest.raises(SendFailed) as caught:
            self.send(message)
        return caught.value

    def with_secret(self, **secrets: str) -> Stage:
        return Stage(self.server, replace(self.account, secrets={**self.account.secrets, **secrets}))


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=["starttls", "ssl"])
def stage(request: pytest.FixtureRequest, pem: Path, settings: Settings) -> Iterator[Stage]:
    yield from _stage(pem, settings, request.param)


@pytest.fixture
def smtp_stage(pem: Path, settings: Settings) -> Iterator[Stage]:
    yield from _stage(pem, settings, "starttls")


def _stage(pem: Path, settings: Settings, security: str) -> Iterator[Stage]:
    settings.ALLOW_PRIVATE_HOSTS, settings.MAIL_CA_FILE = True, str(pem)
    server = Server()
    with smtp_server(server, server_context(pem), implicit=security == "ssl") as port:
        secrets = {
            "smtp_host": "127.0.0.1", "smtp_port": str(port), "smtp_security": security,
            "smtp_username": USER, "smtp_password": PASSWORD,
        }  # fmt: skip
        yield Stage(server, Account("1", ("support@shop.example",), secrets=secrets))


def read(raw: bytes) -> EmailMessage:
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def composed(message: OutboundMessage) -> EmailMessage:
    return read(compose(message).as_bytes())


def test_a_reply_arrives_with_everything_threading_needs(stage: Stage) -> None:
    assert stage.send() == Sent(OWN_ID, DeliveryStatus.SENT)
    sender, people, raw = stage.server.received[0]
    assert sender == "support@shop.example"
    assert people == ["maya@ortiz.example", "bob@lee.example", "archive@shop.example"]
    mail = read(raw)
    assert mail["From"] == "Ana at Shop <support@shop.example>"
    assert mail["To"] == "Maya Ortiz <maya@ortiz.example>"
    assert mail["Cc"] == "Bob Lee <bob@lee.example>"
    assert mail["Bcc"] is None
    assert b"archive@" not in raw
    assert mail["Message-ID"] == f"<{OWN_ID}>"
    assert mail["In-Reply-To"] == "<plain@ortiz.example>"
    assert mail["References"] == "<first@ortiz.example> <plain@ortiz.example>"
    assert mail["Reply-To"] == "Ana at Shop <support+r.mfrggzdfmztwq2lknnwg23tpoa@shop.example>"
    assert mail["Auto-Submitted"] is None
    assert mail.get_content().replace("\r\n", "\n") == (
        "It left today.\n.\nAna\n\nOn 22/11/2025 09:00, Maya wrote:\n> Where is my order?\n"
    )


def test_copies_that_are_refused_are_named_and_the_rest_arrives(smtp_stage: Stage) -> None:
    smtp_stage.server.rcpt = {"bob@lee.example": "550 5.1.1 No such user"}
    sent = smtp_stage.send()
    assert list(sent.refused) == ["bob@lee.example"]
    assert sent.refused["bob@lee.example"].startswith("The mail server says there is no such address: bob@lee.example.")
    assert smtp_stage.server.received[0][1] == ["maya@ortiz.example", "archive@shop.example"]


def test_when_the_customer_is_refused_nobody_gets_the_mail(smtp_stage: Stage) -> None:
    smtp_stage.server.rcpt = {"maya@ortiz.example": "550 5.1.1 No such user"}
    failed = smtp_stage.refused()
    assert (failed.permanent, failed.code) == (True, "5.1.1")
    assert "maya@ortiz.example" in failed.reason
    assert smtp_stage.server.received == []


@pytest.mark.parametrize(
    ("answer", "permanent", "words"),
    [
        ("450 4.7.1 Greylisted", False, "does not take"),
        ("451 Try later", False, "does not take"),
        ("452 4.2.2 Over quota", False, "is full"),
        ("550 no", True, "no such address"),
        ("550 5.7.1 Spam", True, "by its rules"),
        ("552 5.2.2 Full", True, "is full"),
        ("554 Rejected", True, "by its rules"),
    ],
)
def test_a_refused_recipient_is_explained_in_words(smtp_stage: Stage, answer: str, permanent: bool, words: str) -> None:
    smtp_stage.server.rcpt = {"maya@ortiz.example": answer}
    failed = smtp_stage.refused()
    assert failed.permanent is permanent
    assert (failed.retry_after is None) is permanent
    assert words in failed.reason
    assert not failed.refused


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [("554 5.7.1 Looks like spam", True), ("451 4.3.0 Later", False), ("552 5.3.4 Too big", True), ("421 Bye", False)],
)
def test_a_mail_refused_after_the_data_is_not_sent(smtp_stage: Stage, answer: str, permanent: bool) -> None:
    smtp_stage.server.data = answer
    assert smtp_stage.refused().permanent is permanent


def test_a_wrong_password_is_told_from_other_trouble_and_fails_no_mail(stage: Stage) -> None:
    failed = stage.with_secret(smtp_password="wrong").refused()
    assert (failed.permanent, failed.refused, failed.code) == (False, True, "535")
    assert failed.reason == "127.0.0.1 does not accept this user name and password."


def test_a_connection_lost_before_the_mail_was_given_may_be_tried_again(smtp_stage: Stage) -> None:
    smtp_stage.server.cut = "MAIL"
    assert not smtp_stage.refused().permanent


def test_a_connection_lost_after_the_final_dot_is_unknown(stage: Stage) -> None:
    stage.server.cut = "DATA"
    with pytest.raises(SendUnknown):
        stage.send()
    assert len(stage.server.received) == 1
    assert EmailAdapter().look_up(stage.account, REPLY) is None


def test_an_answer_to_the_dot_that_nobody_can_read_is_unknown(smtp_stage: Stage) -> None:
    smtp_stage.server.data = "OK queued"
    with pytest.raises(SendUnknown):
        smtp_stage.send()


def test_a_server_that_never_answers_the_dot_is_unknown(smtp_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "ACCEPT_SECONDS", 0.2)

    async def silence(*_: object) -> str:
        import asyncio

        await asyncio.Event().wait()
        return "250 never"

    monkeypatch.setattr(smtp_stage.server, "handle_DATA", silence)
    with pytest.raises(SendUnknown):
        smtp_stage.send()


def test_a_server_that_is_not_there_may_be_tried_again(smtp_stage: Stage) -> None:
    failed = smtp_stage.with_secret(smtp_port="1").refused()
    assert (failed.permanent, failed.code) == (False, "connect")
    assert failed.reason == "The mail server 127.0.0.1 does not answer on port 1."


def test_an_unknown_certificate_is_refused(smtp_stage: Stage, settings: Settings) -> None:
    settings.MAIL_CA_FILE = ""
    assert "certificate" in smtp_stage.refused().reason


def test_our_own_network_is_refused_unless_allowed(smtp_stage: Stage, settings: Settings) -> None:
    settings.ALLOW_PRIVATE_HOSTS = False
    failed = smtp_stage.with_secret(smtp_port="587").refused()
    assert failed.permanent
    assert "inside our own network" in failed.reason
    assert "Port 6379" in smtp_stage.with_secret(smtp_port="6379").refused().reason


def test_a_mail_larger_than_the_server_takes_is_not_even_offered(smtp_stage: Stage) -> None:
    huge = OutboundFile("big.bin", "application/octet-stream", 15_000_000, content=b"\x00" * 15_000_000)
    failed = smtp_stage.refused(replace(REPLY, files=(huge,)))
    assert failed.permanent
    assert failed.reason == "The mail is too large: 127.0.0.1 takes at most 20 MB."


def test_an_automatic_mail_has_the_null_sender_and_says_so(smtp_stage: Stage) -> None:
    smtp_stage.send(replace(REPLY, automatic=True))
    sender, _, raw = smtp_stage.server.received[0]
    assert sender == "<>"
    assert read(raw)["Auto-Submitted"] == "auto-replied"


def test_where_the_null_sender_is_refused_our_address_is_used(smtp_stage: Stage) -> None:
    smtp_stage.server.mail = {"<>": "553 Sender required"}
    smtp_stage.send(replace(REPLY, automatic=True))
    assert smtp_stage.server.received[0][0] == "support@shop.example"


def test_the_password_is_in_no_error(smtp_stage: Stage) -> None:
    failed = smtp_stage.with_secret(smtp_password="wrong-canary").refused()
    assert "canary" not in f"{failed!r}{failed.__cause__!r}"


INJECTIONS = ["x\r\nBcc: spy@evil.example", "x\nBcc: spy@evil.example\n\nbody", "x\x00\x85y\u2028Bcc: z", "\r\n\r\n"]


@pytest.mark.parametrize("value", INJECTIONS)
def test_no_value_becomes_a_header_of_its_own(value: str) -> None:
    mail = composed(
        replace(
            REPLY,
            subject=value,
            sender_name=value,
            to=Sender("maya@ortiz.example", name=value),
            files=(OutboundFile(value, value, 1, content=b"x"),),
            email=EmailHeaders(
                message_id=OWN_ID,
                in_reply_to=(value,),
                references=(value, "ok@x.example"),
                cc=(Sender("bob@lee.example", name=value),),
            ),
        )
    )
    assert mail["Bcc"] is None
    assert mail["In-Reply-To"] is None
    assert mail["References"] == "<ok@x.example>"
    assert [item.addr_spec for item in mail["Cc"].addresses] == ["bob@lee.example"]


@hypothesis(deadline=None)
@given(subject=st.text(max_size=200), name=st.text(max_size=100), text=st.text(max_size=500))
def test_any_text_can_be_sent_and_is_read_back(subject: str, name: str, text: str) -> None:
    mail = compose(replace(REPLY, subject=subject, sender_name=name, text=text, quoted="", html=""))
    raw = mail.as_bytes()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    raw.decode("ascii")
    again = read(raw)
    assert again["Message-ID"] == f"<{OWN_ID}>"
    assert [item.addr_spec for item in again["From"].addresses] == ["support@shop.example"]


@pytest.mark.parametrize("address", ["maya@ortiz.example\r\nRCPT TO:<x@y.example>", "maya", "a@b c", "<a@b>", ""])
def test_an_impossible_address_fails_before_any_connection(address: str) -> None:
    with pytest.raises(SendFailed) as caught:
        EmailAdapter().send(Account("1", ()), replace(REPLY, to=Sender(address)))
    assert (caught.value.permanent, caught.value.code) == (True, "address")


def test_international_domains_travel_in_ascii_and_such_names_are_refused() -> None:
    mail = composed(replace(REPLY, to=Sender("jörg@münchen.example".replace("jörg", "j"), name="Jörg, Müller")))
    assert [item.addr_spec for item in mail["To"].addresses] == ["j@xn--mnchen-3ya.example"]
    assert mail["To"].addresses[0].display_name == "Jörg, Müller"
    with pytest.raises(SendFailed, match="letters before the @"):
        compose(replace(REPLY, to=Sender("jörg@ortiz.example")))


def test_long_message_ids_are_not_encoded() -> None:
    long = "AM0PR01MB" + "1234567890" * 12 + "@prod.exchangelabs.example"
    raw = compose(replace(REPLY, email=EmailHeaders(message_id=OWN_ID, in_reply_to=(long,), references=(long,) * 2)))
    assert b"In-Reply-To: <" + long.encode() + b">\r\n" in raw.as_bytes()


def test_encoded_words_stay_short() -> None:
    raw = compose(replace(REPLY, subject="Größe " * 60)).as_bytes()
    head = raw.partition(b"\r\n\r\n")[0]
    assert all(len(word) <= 75 for word in head.split() if word.startswith(b"=?"))
    assert read(raw)["Subject"].startswith("Größe Größe")


def test_references_are_capped_at_the_first_two_and_the_last() -> None:
    ids = tuple(f"{n}@x.example" for n in range(40))
    mail = composed(replace(REPLY, email=EmailHeaders(message_id=OWN_ID, references=ids)))
    assert mail["References"].split() == [f"<{n}@x.example>" for n in (0, 1, *range(22, 40))]


def test_html_and_files_are_arranged_as_mail_programs_expect() -> None:
    files = (
        OutboundFile("Rechnung ä.pdf", "application/pdf", 4, content=b"%PDF"),
        OutboundFile("mail.eml", "message/rfc822", 4, content=b"From"),
    )
    mail = composed(replace(REPLY, html="<p>It left <b>today</b>.</p>", files=files))
    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "application/pdf",
        "application/octet-stream",
    ]  # fmt: skip
    assert [part.get_filename() for part in mail.iter_attachments()] == ["Rechnung ä.pdf", "mail.eml"]
    html = mail.get_body(("html",))
    assert html is not None
    assert "&gt; Where is my order?" in html.get_content()


PNG = b"\x89PNG\r\n\x1a\n"


def test_pictures_are_shown_below_the_text_and_other_files_hang_on() -> None:
    files = (
        OutboundFile("the label.png", "image/png", len(PNG), content=PNG),
        OutboundFile("form.pdf", "application/pdf", 4, content=b"%PDF"),
        OutboundFile("huge.jpg", "image/jpeg", 6_000_000, content=b"jpg"),
    )
    text = "See <here>: https://shop.example/a?b=1&c=2."
    mail = composed(replace(REPLY, text=text, files=files))
    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds == [
        "multipart/mixed", "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png",
        "application/pdf", "image/jpeg",
    ]  # fmt: skip
    html = mail.get_body(("html",))
    assert html is not None
    link = "https://shop.example/a?b=1&amp;c=2"
    assert f'See &lt;here&gt;: <a href="{link}">{link}</a>.' in html.get_content()
    assert '<img src="cid:picture-1@throughline" alt="the label.png"' in html.get_content()
    found = parsed(mail.as_bytes())
    assert found.text == text
    inline = {each.name: each.content_id for each in found.attachments}
    assert inline == {"the label.png": "picture-1@throughline", "form.pdf": "", "huge.jpg": ""}


def test_a_mailboxs_signature_stands_between_the_text_and_what_is_quoted(smtp_stage: Stage) -> None:
    signed = replace(smtp_stage.account, options={"signature": "Northwind\r\n+1 415 555 0100"})
    EmailAdapter().send(signed, REPLY)
    EmailAdapter().send(signed, replace(REPLY, automatic=True))
    sent = (read(raw).get_content() for _, _, raw in smtp_stage.server.received)
    human, automatic = (text.replace("\r\n", "\n") for text in sent)
    start = human.index("\n\n-- \nNorthwind\n+1 415 555 0100\n\n")
    assert human.index("It left today") < start < human.index("> Where is my order?")
    assert "Northwind" not in automatic


def test_without_plus_addresses_answers_come_to_the_plain_one(smtp_stage: Stage) -> None:
    assert REPLY.email is not None
    assert REPLY.email.reply_to
    EmailAdapter().send(replace(smtp_stage.account, options={"no_plus": "yes"}), REPLY)
    ((_, _, raw),) = smtp_stage.server.received
    assert read(raw)["Reply-To"] is None


def test_automatic_mail_can_be_unsubscribed_from_and_an_answer_of_a_persons_cannot() -> None:
    delivery, long = str(uuid4()), f"{'department-' * 5}@shop.example"
    assert REPLY.email is not None
    headers = replace(REPLY.email, unsubscribe=unsubscribing.subject(delivery, b"seal"))
    automatic = replace(REPLY, automatic=True, sender=long, email=headers)
    lines = compose(automatic).as_bytes().decode().split("\r\n")
    link = next(line for line in lines if line.startswith("List-Unsubscribe: "))
    address, _, subject = link.rstrip(">").partition("?subject=")
    assert address == f"List-Unsubscribe: <mailto:{long}"
    assert unsubscribing.asked(unquote(subject), b"seal") == delivery
    assert unsubscribing.asked(unquote(subject), b"another") == ""
    assert "List-Unsubscribe" not in composed(replace(automatic, automatic=False))


def test_a_mail_of_unknown_fate_is_found_in_the_sent_folder_or_nobody_can_tell(pem: Path, settings: Settings) -> None:
    settings.ALLOW_PRIVATE_HOSTS, settings.MAIL_CA_FILE = True, str(pem)
    server = Imap(server_context(pem))
    try:
        secrets = {
            "imap_host": "127.0.0.1", "imap_port": str(server.port), "imap_username": USER, "imap_password": PASSWORD,
        }  # fmt: skip
        mine = Account("1", ("support@shop.example",), secrets=secrets)
        assert EmailAdapter().look_up(mine, REPLY) is None
        with Mailbox.open(mine) as mailbox:
            mailbox._connection.folder.create("Sent")
            mailbox._connection.append(compose(REPLY).as_bytes(), "Sent")
        assert EmailAdapter().look_up(mine, REPLY) == Sent(OWN_ID)
        assert EmailAdapter().look_up(mine, replace(REPLY, email=EmailHeaders(message_id="other@x"))) is None
        unreachable = replace(mine, secrets={**secrets, "imap_password": "wrong"})
        assert EmailAdapter().look_up(unreachable, REPLY) is None
    finally:
        server.stop()


def test_what_we_send_we_can_read() -> None:
    found = parsed(compose(replace(REPLY, sender="ana@else.example", text="Grüße 😀\n" + "x" * 2000)).as_bytes())
    assert found.text.startswith("Grüße 😀\n" + "x" * 2000)
    assert found.quoted == "On 22/11/2025 09:00, Maya wrote:\n> Where is my order?"


def test_a_file_without_content_fails_in_words() -> None:
    with pytest.raises(SendFailed, match=r'The file "a\.pdf" could not be read'):
        compose(replace(REPLY, files=(OutboundFile("a.pdf", "application/pdf", 1),)))


def test_nobody_gets_a_mail_twice() -> None:
    copied = EmailHeaders(message_id=OWN_ID, to=(Sender("MAYA@ortiz.example"),), cc=(Sender("b@x.example"),) * 2)
    people = recipients(replace(REPLY, email=copied))
    assert [person.address for person in people] == ["maya@ortiz.example", "b@x.example"]


def test_the_page_of_the_adapter() -> None:
    adapter = EmailAdapter()
    with pytest.raises(Forged):
        adapter.verify(b"", {}, [])
    with pytest.raises(FetchFailed):
        adapter.fetch_media(Account("1", ()), Attachment("a"))
    kept = Attachment("a", content=b"x")
    assert adapter.fetch_media(Account("1", ()), kept) is kept
    assert adapter.limits.split("any text") == ["any text"]
    assert adapter.profile(Account("1", ()), "a@b.example") is None

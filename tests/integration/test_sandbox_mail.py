"""Real SMTP and IMAP: raw smtplib and imaplib against the sandbox, byte for byte."""

from __future__ import annotations

import asyncio
import email
import imaplib
import smtplib
import ssl
from collections.abc import AsyncIterator
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest
import pytest_asyncio
from imap_tools import MailBox

from tests.integration.sandbox_stage import JON, MAYA, SUPPORT, SUPPORT_PASSWORD, Stage, on_stage

MAYA_MAIL, MAYA_PASSWORD = MAYA["email"], MAYA["email_password"]


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with on_stage(tmp_path) as stage:
        yield stage


def trust(stage: Stage) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=stage.folder / "tls" / "ca.pem")


def mail(sender: str = MAYA_MAIL, to: str = SUPPORT, text: str = "The lid is cracked.\n") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, "Broken lid"
    made["Message-ID"] = "<one@ortiz.example>"
    made.set_content(text)
    return made


def smtp(stage: Stage, user: str = "", password: str = "") -> smtplib.SMTP:
    client = smtplib.SMTP("127.0.0.1", stage.sandbox.config.smtp_port, timeout=10)
    client.starttls(context=trust(stage))
    if user:
        client.login(user, password)
    return client


def imap(stage: Stage, user: str = SUPPORT, password: str = SUPPORT_PASSWORD) -> imaplib.IMAP4_SSL:
    client = imaplib.IMAP4_SSL("127.0.0.1", stage.sandbox.config.imap_port, ssl_context=trust(stage), timeout=10)
    client.login(user, password)
    client.select("INBOX")
    return client


def fetched(stage: Stage, user: str = SUPPORT, password: str = SUPPORT_PASSWORD) -> list[bytes]:
    client = imap(stage, user, password)
    _, found = client.uid("SEARCH", "ALL")
    mails = []
    for uid in found[0].split():
        _, answer = client.uid("FETCH", uid, "(UID FLAGS RFC822.SIZE INTERNALDATE BODY.PEEK[])")
        mails.append(answer[0][1])
        assert f"RFC822.SIZE {len(answer[0][1])}".encode() in answer[0][0]
    client.logout()
    return mails


async def submit(
    stage: Stage, made: EmailMessage, user: str = "", password: str = "", envelope: str = "", to: str = ""
) -> dict[str, tuple[int, bytes]]:
    def work() -> dict[str, tuple[int, bytes]]:
        with smtp(stage, user, password) as client:
            return client.send_message(made, from_addr=envelope or None, to_addrs=to.split(",") if to else None)

    return await asyncio.to_thread(work)


def verdict(raw: bytes) -> str:
    (header,) = email.message_from_bytes(raw, policy=policy.default).get_all("Authentication-Results")
    assert header.startswith("sandbox.test; ")
    return str(header).partition("dmarc=")[2].split()[0]


async def test_a_customer_who_signs_in_writes_to_us_and_the_mail_vouches_for_her(stage: Stage) -> None:
    await submit(stage, mail(), MAYA_MAIL, MAYA_PASSWORD)
    (raw,) = await asyncio.to_thread(fetched, stage)
    assert verdict(raw) == "pass"
    assert raw.endswith(b"\r\n\r\nThe lid is cracked.\r\n")
    assert b"Delivered-To: support@shop.example\r\n" in raw


async def test_mail_in_her_name_without_her_password_fails(stage: Stage) -> None:
    await submit(stage, mail(), envelope="someone@else.example")
    await submit(stage, mail(), JON["email"], JON["email_password"], envelope=JON["email"])
    assert [verdict(raw) for raw in await asyncio.to_thread(fetched, stage)] == ["fail", "fail"]


async def test_a_verdict_that_came_with_the_mail_is_removed(stage: Stage) -> None:
    forged = mail()
    forged["Authentication-Results"] = "sandbox.test; dmarc=pass header.from=ortiz.example"
    forged["Authentication-Results"] = "mx.elsewhere.example; dmarc=pass"
    await submit(stage, forged, envelope="someone@else.example")
    (raw,) = await asyncio.to_thread(fetched, stage)
    assert raw.count(b"dmarc=pass") == 1
    assert b"sandbox.test; dmarc=fail" in raw


async def test_a_stranger_is_neither_vouched_for_nor_refused_and_gets_an_answer(stage: Stage) -> None:
    await submit(stage, mail("Ada Fox <ada@fox.example>"))
    (raw,) = await asyncio.to_thread(fetched, stage)
    assert verdict(raw) == "none"
    await submit(stage, mail(SUPPORT, "ada@fox.example", "Hello Ada"), SUPPORT, SUPPORT_PASSWORD)
    inbox = await stage.inbox("ada@fox.example")
    assert (inbox["person"]["name"], inbox["email"][0]["text"]) == ("Ada Fox", "Hello Ada")


async def test_one_must_sign_in_to_send_as_an_account(stage: Stage) -> None:
    with pytest.raises(smtplib.SMTPSenderRefused) as caught:
        await submit(stage, mail(SUPPORT, MAYA_MAIL))
    assert caught.value.smtp_code == 530
    with pytest.raises(smtplib.SMTPSenderRefused) as caught:
        await submit(stage, mail(SUPPORT, MAYA_MAIL), MAYA_MAIL, MAYA_PASSWORD)
    assert caught.value.smtp_code == 553


async def test_a_wrong_password_is_refused(stage: Stage) -> None:
    with pytest.raises(smtplib.SMTPAuthenticationError):
        await submit(stage, mail(), MAYA_MAIL, "wrong")
    with pytest.raises(imaplib.IMAP4.error):
        await asyncio.to_thread(imap, stage, MAYA_MAIL, "wrong")


async def test_a_password_is_not_taken_in_the_clear(stage: Stage) -> None:
    def work() -> None:
        with smtplib.SMTP("127.0.0.1", stage.sandbox.config.smtp_port, timeout=10) as client:
            client.login(MAYA_MAIL, MAYA_PASSWORD)

    with pytest.raises(smtplib.SMTPNotSupportedError):
        await asyncio.to_thread(work)


async def test_unknown_recipients_are_refused_one_by_one(stage: Stage) -> None:
    made = mail(SUPPORT, MAYA_MAIL)
    refused = await submit(stage, made, SUPPORT, SUPPORT_PASSWORD, to=f"{MAYA_MAIL},nobody@ortiz.example")
    assert {address: code for address, (code, _) in refused.items()} == {"nobody@ortiz.example": 550}
    assert len((await stage.inbox())["email"]) == 1
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        await submit(stage, made, SUPPORT, SUPPORT_PASSWORD, to="nobody@ortiz.example")


async def test_plus_addresses_reach_the_mailbox_and_keep_their_token(stage: Stage) -> None:
    await submit(stage, mail(to="Support+r.k7q2@Shop.example"), MAYA_MAIL, MAYA_PASSWORD)
    (raw,) = await asyncio.to_thread(fetched, stage)
    assert b"Delivered-To: Support+r.k7q2@Shop.example" in raw


async def test_bytes_come_out_as_they_went_in(stage: Stage) -> None:
    body = b"From the start\r\n.a dot\r\n" + "Grüße".encode("latin-1") + b"\r\n" + b"x" * 3000 + b"\r\n"
    raw = b"From: maya@ortiz.example\r\nTo: support@shop.example\r\nMessage-ID: <>\r\n\r\n" + body

    def work() -> None:
        with smtp(stage, MAYA_MAIL, MAYA_PASSWORD) as client:
            client.sendmail(MAYA_MAIL, [SUPPORT], raw)

    await asyncio.to_thread(work)
    (arrived,) = await asyncio.to_thread(fetched, stage)
    assert arrived.endswith(raw)


async def test_idle_wakes_when_mail_comes(stage: Stage) -> None:
    idling, loop = asyncio.Event(), asyncio.get_running_loop()

    def work() -> list[str]:
        box = MailBox("127.0.0.1", stage.sandbox.config.imap_port, ssl_context=trust(stage))
        with box.login(SUPPORT, SUPPORT_PASSWORD) as mailbox:
            mailbox.idle.start()
            loop.call_soon_threadsafe(idling.set)
            answers = mailbox.idle.poll(timeout=10)
            mailbox.idle.stop()
            assert any(b"EXISTS" in answer for answer in answers)
            return [message.subject for message in mailbox.fetch(mark_seen=False)]

    waiting = asyncio.create_task(asyncio.to_thread(work))
    await idling.wait()
    await stage.say("email", "Hello", subject="Wake up")
    assert await waiting == ["Wake up"]


async def test_mail_uids_and_flags_survive_a_restart(tmp_path: Path) -> None:
    def seen(stage: Stage) -> tuple[bytes, list[bytes]]:
        client = imap(stage)
        _, validity = client.response("UIDVALIDITY")
        _, found = client.uid("SEARCH", "ALL")
        _, flags = client.uid("FETCH", found[0].split()[0], "(FLAGS)")
        client.uid("STORE", found[0].split()[0], "+FLAGS", "(\\Seen \\Flagged)")
        client.logout()
        return validity[0], [found[0], flags[0]]

    async with on_stage(tmp_path) as stage:
        for number in range(3):
            await stage.say("email", f"Mail {number}", subject=f"Mail {number}")
        validity, (found, flags) = await asyncio.to_thread(seen, stage)
        assert b"Seen" not in flags
    async with on_stage(tmp_path) as stage:
        again, (still, flags) = await asyncio.to_thread(seen, stage)
        assert (again, still) == (validity, found)
        assert b"\\Seen" in flags
        assert b"\\Flagged" in flags


async def test_a_removed_uid_is_never_given_again(tmp_path: Path) -> None:
    def remove(stage: Stage) -> None:
        client = imap(stage)
        client.uid("STORE", "1", "+FLAGS", "(\\Deleted)")
        client.expunge()
        client.logout()

    async with on_stage(tmp_path) as stage:
        await stage.say("email", subject="First")
        await asyncio.to_thread(remove, stage)
    async with on_stage(tmp_path) as stage:
        await stage.say("email", subject="Second")
        assert [one.uid for one in stage.sandbox.post_office.accounts[SUPPORT].mailboxes.inbox.mails()] == [2]


async def test_folders_can_be_made_and_mail_moved_and_appended(tmp_path: Path) -> None:
    def work(stage: Stage) -> bytes:
        client = imap(stage)
        client.create("Handled")
        client.append("INBOX", "", imaplib.Time2Internaldate(1790000000), mail("eve@far.example").as_bytes())
        client.noop()
        client.uid("MOVE", "1", "Handled")
        client.select("Handled")
        _, found = client.uid("FETCH", "1", "(INTERNALDATE BODY.PEEK[HEADER])")
        client.logout()
        return bytes(found[0][0] + found[0][1])

    async with on_stage(tmp_path) as stage:
        assert b"Sep-2026" in await asyncio.to_thread(work, stage)
        assert stage.sandbox.people.by_email("eve@far.example") is not None
    async with on_stage(tmp_path) as stage:
        folders = stage.sandbox.post_office.accounts[SUPPORT].mailboxes
        assert folders.inbox.mails() == []
        assert (await folders.get_mailbox("Handled")).mails()[0].uid == 1


async def test_hostile_headers_do_not_stop_the_mailbox(stage: Stage) -> None:
    poison = [
        b'From: "\r\nMessage-ID: <>\r\nTo: unlisted-recipients:; (no To-header)\r\n\r\nx\r\n',
        b"From: " + b"(" * 12000 + b"\r\nSubject: deep\r\n\r\nx\r\n",
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\nContent-Type: multipart/mixed\r\n\r\n" * 3000,
    ]

    def work() -> None:
        for raw in poison:
            with smtp(stage) as client:
                client.sendmail("x@far.example", [SUPPORT], raw)

    await asyncio.to_thread(work)
    await stage.say("email", "Fine", subject="Fine")
    arrived = await asyncio.to_thread(fetched, stage)
    assert [raw.endswith(sent) for raw, sent in zip(arrived, poison, strict=False)] == [True] * 3
    assert b"Subject: Fine" in arrived[3]


async def test_the_phone_answers_the_last_mail_at_its_reply_to(stage: Stage) -> None:
    ours = mail(f"Ana <{SUPPORT}>", MAYA_MAIL, "Which colour do you want?")
    ours["Reply-To"], ours["References"] = "support+r.token@shop.example", "<zero@ortiz.example>"
    await submit(stage, ours, SUPPORT, SUPPORT_PASSWORD)
    said = await stage.say("email", "The blue one", cc=["Bob Lee <bob@lee.example>"])
    raw = (await asyncio.to_thread(fetched, stage))[-1]
    reply = email.message_from_bytes(raw, policy=policy.default)
    assert (reply["To"], reply["Subject"]) == ("support+r.token@shop.example", "Re: Broken lid")
    assert reply["In-Reply-To"] == "<one@ortiz.example>"
    assert reply["References"] == "<zero@ortiz.example> <one@ortiz.example>"
    assert reply["Message-ID"] == f"<{said['id']}>"
    assert "> Which colour do you want?" in reply.get_content()
    assert verdict(raw) == "pass"
    received, sent = (await stage.inbox())["email"]
    assert (received["direction"], sent["direction"], sent["text"]) == ("received", "sent", "The blue one")
    assert len((await stage.inbox("Bob Lee"))["email"]) == 1


@pytest.mark.parametrize(
    ("letter", "header", "value"),
    [
        ("newsletter", "Precedence", "bulk"),
        ("out_of_office", "Auto-Submitted", "auto-replied"),
        ("order", "Auto-Submitted", "auto-generated"),
    ],
)
async def test_letters_that_no_person_wrote_say_so(stage: Stage, letter: str, header: str, value: str) -> None:
    await stage.say("email", "", letter=letter)
    (raw,) = await asyncio.to_thread(fetched, stage)
    assert email.message_from_bytes(raw)[header] == value


async def test_forged_old_and_late_mail_can_be_made(stage: Stage) -> None:
    await stage.say("email", "I am Maya", subject="Forged", forged=True)
    await stage.say("email", "Late", subject="Late", late_hours=3)
    raws = await asyncio.to_thread(fetched, stage)
    late = email.message_from_bytes(raws[1], policy=policy.default)
    delay = stage.sandbox.post_office.accounts[SUPPORT].mailboxes.inbox.mails()[1].internal_date - late["Date"].datetime
    assert verdict(raws[0]) == "fail"
    assert round(delay.total_seconds() / 3600) == 3


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("429", smtplib.SMTPRecipientsRefused),
        ("refuse", smtplib.SMTPRecipientsRefused),
        ("500", smtplib.SMTPDataError),
        ("hang_after_accept", smtplib.SMTPServerDisconnected),
    ],
)
async def test_smtp_faults_pass(stage: Stage, fault: str, error: type[Exception]) -> None:
    await stage.post("faults", provider="smtp", fault=fault, times=1)
    with pytest.raises(error):
        await submit(stage, mail(SUPPORT, MAYA_MAIL), SUPPORT, SUPPORT_PASSWORD)
    assert len((await stage.inbox())["email"]) == (fault == "hang_after_accept")
    await submit(stage, mail(SUPPORT, MAYA_MAIL), SUPPORT, SUPPORT_PASSWORD)


@pytest.mark.parametrize(("fault", "words"), [("429", "LIMIT"), ("refuse", "AUTHENTICATIONFAILED"), ("500", "UNAVAIL")])
async def test_imap_faults_pass(stage: Stage, fault: str, words: str) -> None:
    times = 1
    await stage.post("faults", provider="imap", fault=fault, times=times)
    with pytest.raises(imaplib.IMAP4.error, match=words if fault != "500" else None):
        await asyncio.to_thread(imap, stage)
    assert (await asyncio.to_thread(fetched, stage)) == []


async def test_the_certificate_is_made_once_and_is_good_for_the_names_of_loopback(stage: Stage) -> None:
    from connectors.sandbox.certificates import ensure

    before = (stage.folder / "tls" / "server.pem").read_bytes()
    ca_file, cert_file, key_file = ensure(stage.folder / "tls")
    assert cert_file.read_bytes() == before
    assert key_file.stat().st_mode & 0o777 == 0o600
    context = ssl.create_default_context(cafile=ca_file)
    context.verify_flags |= ssl.VERIFY_X509_STRICT

    def work() -> bytes:
        client = imaplib.IMAP4_SSL("localhost", stage.sandbox.config.imap_port, ssl_context=context, timeout=10)
        return bytes(client.welcome)

    assert b"sandbox.test ready" in await asyncio.to_thread(work)

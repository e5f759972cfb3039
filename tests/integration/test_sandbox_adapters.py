"""Our own adapters speaking to the sandbox over the wire: the two halves of every provider fit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest_asyncio
from pytest_django import Settings

from connectors.adapters.base import Adapter
from connectors.adapters.email import imap
from connectors.adapters.email.adapter import EmailAdapter
from connectors.adapters.instagram import InstagramAdapter
from connectors.adapters.twilio import TwilioAdapter
from connectors.errors import SendFailed, SendUnknown
from connectors.messages import (
    Account,
    Authenticity,
    DeliveryStatus,
    Echo,
    EmailHeaders,
    InboundMessage,
    Item,
    OptOut,
    OutboundMessage,
    RawInput,
    Read,
    Sender,
    Status,
)
from tests.integration.sandbox_stage import (
    ACCESS_TOKEN,
    ACCOUNT,
    APP_SECRET,
    AUTH_TOKEN,
    MAYA,
    NUMBER,
    SHOP,
    SUPPORT,
    SUPPORT_PASSWORD,
    Call,
    Stage,
    on_stage,
)


@pytest_asyncio.fixture
async def stage(tmp_path: Path, settings: Settings) -> AsyncIterator[Stage]:
    async with on_stage(tmp_path) as stage:
        settings.TWILIO_API_URL = settings.GRAPH_API_URL = stage.url
        settings.ALLOW_PRIVATE_HOSTS = True
        settings.MAIL_CA_FILE = str(tmp_path / "tls" / "ca.pem")
        yield stage


def texts(stage: Stage) -> Account:
    secrets = {"account_sid": ACCOUNT, "auth_token": AUTH_TOKEN}
    return Account("1", (NUMBER,), secrets, webhook_url=f"{stage.product.url}hooks/sms/")


def instagram(stage: Stage) -> Account:
    secrets = {"app_secret": APP_SECRET, "access_token": ACCESS_TOKEN, "verify_token": "verify"}
    return Account("2", (SHOP,), secrets, webhook_url=f"{stage.product.url}hooks/instagram/")


def mailbox(stage: Stage) -> Account:
    login = {"host": "127.0.0.1", "username": SUPPORT, "password": SUPPORT_PASSWORD}
    secrets = {f"{kind}_{key}": value for kind in ("imap", "smtp") for key, value in login.items()}
    secrets |= {"imap_port": str(stage.sandbox.config.imap_port), "imap_security": "ssl", "message_id_key": "k" * 32}
    secrets |= {"smtp_port": str(stage.sandbox.config.smtp_port), "smtp_security": "starttls"}
    return Account("3", (SUPPORT,), secrets, {"authserv_id": "sandbox.test"})


def taken_in(adapter: Adapter, call: Call, account: Account) -> list[Item]:
    query = call.path.partition("?")[2]
    headers = call.headers | {"x-query-string": query}
    adapter.verify(call.body, headers, [account])
    return adapter.parse(RawInput(call.body, headers, datetime.now(UTC), account))


def message(to: str, sender: str, text: str, **more: object) -> OutboundMessage:
    return OutboundMessage(  # type: ignore[arg-type]
        delivery="7f3c", to=Sender(to), sender=sender, text=text, created_at=datetime.now(UTC), **more
    )


async def failure(work: Callable[[], object]) -> SendFailed | SendUnknown:
    try:
        await asyncio.to_thread(work)
    except (SendFailed, SendUnknown) as error:
        return error
    raise AssertionError("It was sent.")


async def test_a_text_with_a_photo_is_verified_parsed_and_its_photo_fetched(stage: Stage) -> None:
    adapter, account = TwilioAdapter(), texts(stage)
    said = await stage.say("sms", "Look 😀", files=1)
    (item,) = taken_in(adapter, stage.product.calls[0], account)
    assert isinstance(item, InboundMessage)
    assert (item.provider_id, item.sender.address, item.text) == (said["id"], MAYA["phone"], "Look 😀")
    file = await asyncio.to_thread(adapter.fetch_media, account, item.attachments[0])
    assert file.content is not None
    assert (file.content_type, file.content[:2]) == ("image/jpeg", b"\xff\xd8")


async def test_a_text_we_send_is_reported_delivered_and_stop_is_understood(stage: Stage) -> None:
    adapter, account = TwilioAdapter(), texts(stage)
    callback = f"{account.webhook_url}?delivery=7f3c"
    out = message(MAYA["phone"], NUMBER, "Hello", status_callback=callback)
    sent = await asyncio.to_thread(adapter.send, account, out)
    calls = await stage.product.until(lambda calls: len(calls) == 3)
    statuses = [item for call in calls for item in taken_in(adapter, call, account)]
    assert all(isinstance(one, Status) and one.provider_id == sent.provider_id for one in statuses)
    assert isinstance(statuses[-1], Status)
    assert (statuses[-1].status, statuses[-1].delivery) == (DeliveryStatus.DELIVERED, "7f3c")
    await stage.say("sms", "STOP")
    assert any(isinstance(item, OptOut) for item in taken_in(adapter, stage.product.calls[-1], account))
    refused = await failure(lambda: adapter.send(account, out))
    assert isinstance(refused, SendFailed)
    assert (refused.opted_out, refused.code) == (True, "21610")


async def test_a_text_accepted_before_the_line_broke_is_found_again(stage: Stage) -> None:
    adapter, account = TwilioAdapter(), texts(stage)
    out = message(MAYA["phone"], NUMBER, "Only once", status_callback=f"{account.webhook_url}?delivery=7f3c")
    await stage.post("faults", provider="twilio", fault="hang_after_accept", times=1)
    assert isinstance(await failure(lambda: adapter.send(account, out)), SendUnknown)
    found = await asyncio.to_thread(adapter.look_up, account, out)
    assert found is not None
    assert found.provider_id in stage.sandbox.twilio.texts


async def test_a_direct_message_goes_both_ways(stage: Stage) -> None:
    adapter, account = InstagramAdapter(), instagram(stage)
    said = await stage.say("instagram", "Grüße 👍", files=1)
    (item,) = taken_in(adapter, stage.product.calls[0], account)
    assert isinstance(item, InboundMessage)
    assert (item.provider_id, item.text, item.sender.address) == (said["id"], "Grüße 👍", MAYA["instagram_id"])
    file = await asyncio.to_thread(adapter.fetch_media, account, item.attachments[0])
    assert file.content_type == "image/jpeg"
    sent = await asyncio.to_thread(adapter.send, account, message(MAYA["instagram_id"], SHOP, "Back on Friday"))
    calls = await stage.product.until(lambda calls: len(calls) == 2)
    (echo,) = taken_in(adapter, calls[1], account)
    assert isinstance(echo, Echo)
    assert echo.provider_id == sent.provider_id
    await stage.post("read", customer=0, channel="instagram")
    (read,) = taken_in(adapter, stage.product.calls[2], account)
    assert isinstance(read, Read)
    assert read.provider_id == sent.provider_id
    profile = await asyncio.to_thread(adapter.profile, account, MAYA["instagram_id"])
    assert profile is not None
    assert (profile.name, profile.handle.lstrip("@")) == ("Maya Ortiz", "maya.ortz")


async def test_metas_refusals_are_understood(stage: Stage) -> None:
    adapter, account = InstagramAdapter(), instagram(stage)
    out = message(MAYA["instagram_id"], SHOP, "Hello")
    await stage.say("instagram", age_hours=25)
    closed = await failure(lambda: adapter.send(account, out))
    await stage.post("faults", provider="graph", fault="bad_token", times=1)
    ended = await failure(lambda: adapter.send(account, out))
    assert isinstance(closed, SendFailed)
    assert (closed.code, closed.permanent) == ("10/2534022", True)
    assert isinstance(ended, SendFailed)
    assert ended.reconnect
    await stage.say("instagram", "Back")
    await stage.post("faults", provider="graph", fault="hang_after_accept", times=1)
    assert isinstance(await failure(lambda: adapter.send(account, out)), SendUnknown)
    assert await asyncio.to_thread(adapter.look_up, account, out) is not None


async def test_mail_is_idled_for_fetched_and_vouched_for(stage: Stage) -> None:
    account, idling, loop = mailbox(stage), asyncio.Event(), asyncio.get_running_loop()

    def wait() -> list[imap.RawMail]:
        with imap.Mailbox.open(account) as box:
            validity = box.select("INBOX")
            assert validity
            loop.call_soon_threadsafe(idling.set)
            box.wait(10)
            return list(box.fetch(0))

    waiting = asyncio.create_task(asyncio.to_thread(wait))
    await idling.wait()
    said = await stage.say("email", "The lid is cracked.", subject="Broken lid", cc=["Bob Lee <bob@lee.example>"])
    (raw,) = await waiting
    received = RawInput(raw.body, {}, raw.internaldate, account)
    (item,) = await asyncio.to_thread(EmailAdapter().parse, received)
    assert isinstance(item, InboundMessage)
    assert (item.subject, item.text.strip(), item.authenticity) == (
        "Broken lid",
        "The lid is cracked.",
        Authenticity.PASS,
    )
    assert item.email is not None
    assert item.email.message_id == said["id"]


async def test_mail_we_send_is_answered_from_the_phone(stage: Stage) -> None:
    adapter, account = EmailAdapter(), mailbox(stage)
    headers = EmailHeaders(message_id="t.1@shop.example", reply_to="support+r.abcdefghijklmnopqrstuvwxyz@shop.example")
    out = message(MAYA["email"], SUPPORT, "Which colour?", subject="Your mug", email=headers)
    await asyncio.to_thread(adapter.send, account, out)
    (received,) = (await stage.inbox())["email"]
    assert (received["subject"], received["text"]) == ("Your mug", "Which colour?")
    await stage.say("email", "Blue")
    (mail,) = stage.sandbox.post_office.accounts[SUPPORT].mailboxes.inbox.mails()
    (item,) = await asyncio.to_thread(adapter.parse, RawInput(mail.raw(), {}, mail.internal_date, account))
    assert isinstance(item, InboundMessage)
    assert item.email is not None
    assert (item.text.strip(), item.email.in_reply_to, item.email.reply_tokens) == (
        "Blue",
        (received["id"],),
        ("abcdefghijklmnopqrstuvwxyz",),
    )
    refused = await failure(lambda: adapter.send(account, message("nobody@ortiz.example", SUPPORT, "Hello")))
    assert isinstance(refused, SendFailed)
    assert refused.permanent


async def test_the_live_test_of_the_demos_mailbox_is_green(stage: Stage) -> None:
    found = await asyncio.to_thread(EmailAdapter().check, mailbox(stage))
    assert [each.name for each in found if each.ok] == [
        "Reading mail", "Sending mail", "Proof of senders", "Round trip",
    ], found  # fmt: skip

"""WhatsApp in the sandbox, met by our adapter over real HTTP: both ways, hidden numbers, the window, what is seen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from pytest_django import Settings

from connectors.adapters import ADAPTERS
from connectors.errors import SendFailed
from connectors.messages import (
    Account,
    Channel,
    DeliveryStatus,
    InboundMessage,
    Item,
    OutboundFile,
    OutboundMessage,
    RawInput,
    Sender,
    Sent,
    Status,
)
from tests.integration.sandbox_stage import (
    ACCOUNT,
    AUTH_TOKEN,
    MAYA,
    NUMBER,
    WHATSAPP_NUMBER,
    Call,
    Stage,
    on_stage,
)

WHATSAPP = ADAPTERS[Channel.WHATSAPP]


@pytest_asyncio.fixture
async def stage(tmp_path: Path, settings: Settings) -> AsyncIterator[Stage]:
    async with on_stage(tmp_path) as stage:
        settings.TWILIO_API_URL = stage.url
        settings.ALLOW_PRIVATE_HOSTS = True
        yield stage


def ours(stage: Stage) -> Account:
    secrets = {"account_sid": ACCOUNT, "auth_token": AUTH_TOKEN}
    return Account("1", (WHATSAPP_NUMBER,), secrets, webhook_url=f"{stage.product.url}hooks/whatsapp/")


def take_in(stage: Stage, call: Call) -> list[Item]:
    headers = call.headers | {"x-query-string": call.path.partition("?")[2]}
    WHATSAPP.verify(call.body, headers, (ours(stage),))
    return WHATSAPP.parse(RawInput(call.body, headers, datetime.now(UTC), ours(stage)))


async def said(stage: Stage, text: str = "Hola", **more: object) -> InboundMessage:
    await stage.say("whatsapp", text, **more)
    (message,) = take_in(stage, stage.product.calls[-1])
    assert isinstance(message, InboundMessage)
    return message


async def send(stage: Stage, text: str = "Sale hoy.", to: str = MAYA["phone"], **more: object) -> Sent:
    callback = f"{stage.product.url}hooks/whatsapp/?delivery=7f3c"
    message = OutboundMessage(
        "7f3c", Sender(to), WHATSAPP_NUMBER, text, status_callback=callback, created_at=datetime.now(UTC), **more
    )
    return await asyncio.to_thread(WHATSAPP.send, ours(stage), message)


async def statuses(stage: Stage, count: int) -> list[Status]:
    def told() -> list[Call]:
        return [call for call in stage.product.calls if "delivery=7f3c" in call.path]

    await stage.product.until(lambda _: len(told()) >= count)
    found = [item for call in told() for item in take_in(stage, call)]
    return [item for item in found if isinstance(item, Status)]


async def test_a_customer_writes_and_is_answered(stage: Stage) -> None:
    message = await said(stage, "¿Dónde está? 😀")
    assert (message.sender.address, message.sender.name) == (MAYA["phone"], MAYA["name"])
    assert (message.recipient, message.text) == (WHATSAPP_NUMBER, "¿Dónde está? 😀")
    await send(stage)
    assert [each.status for each in await statuses(stage, 3)][-1] is DeliveryStatus.DELIVERED
    inbox = await stage.inbox(MAYA["name"])
    assert [(one["direction"], one["text"]) for one in inbox["whatsapp"]] == [
        ("sent", "¿Dónde está? 😀"),
        ("received", "Sale hoy."),
    ]
    assert inbox["sms"] == []


async def test_we_are_told_when_it_was_read(stage: Stage) -> None:
    await said(stage)
    await send(stage)
    await statuses(stage, 3)
    await stage.post("read", customer=MAYA["name"], channel="whatsapp")
    assert (await statuses(stage, 4))[-1].status is DeliveryStatus.READ


async def test_who_hides_the_number_can_be_answered(stage: Stage) -> None:
    shown = await said(stage)
    hidden = await said(stage, "sin número", hide_number=True)
    assert hidden.sender.address.startswith("US.")
    assert ("whatsapp", hidden.sender.address) in shown.sender.also
    await send(stage, to=hidden.sender.address)
    await statuses(stage, 3)
    assert len((await stage.inbox(MAYA["name"]))["whatsapp"]) == 3


async def test_24_hours_later_it_is_taken_and_then_refused(stage: Stage) -> None:
    await said(stage, age_hours=25)
    await send(stage)
    last = (await statuses(stage, 3))[-1]
    assert (last.status, last.code) == (DeliveryStatus.FAILED, "63016")
    assert "24 hours" in last.reason


async def test_a_picture_goes_both_ways(stage: Stage) -> None:
    message = await said(stage, "", files=1)
    fetched = await asyncio.to_thread(WHATSAPP.fetch_media, ours(stage), message.attachments[0])
    assert fetched.content_type == "image/jpeg"
    await send(stage, text="", files=(OutboundFile("a.jpg", "image/jpeg", 8, url=f"{stage.product.url}picture.jpg"),))
    assert (await statuses(stage, 3))[-1].status is DeliveryStatus.DELIVERED


async def test_a_stop_word_is_answered_by_nobody(stage: Stage) -> None:
    await said(stage, "stop")
    assert len((await stage.inbox(MAYA["name"]))["whatsapp"]) == 1


async def test_a_text_cannot_go_to_a_whatsapp_address(stage: Stage) -> None:
    account = Account("2", (NUMBER,), {"account_sid": ACCOUNT, "auth_token": AUTH_TOKEN})
    message = OutboundMessage("7f3c", Sender(f"whatsapp:{MAYA['phone']}"), NUMBER, "Hi")
    with pytest.raises(SendFailed):
        await asyncio.to_thread(ADAPTERS[Channel.SMS].send, account, message)


async def test_what_no_webhook_told_is_found_in_the_list(stage: Stage) -> None:
    await stage.post("faults", provider="webhooks", fault="lost", times=1)
    await stage.say("whatsapp", "Is anybody there?")
    await stage.say("sms", "A text is not of this list")
    since = datetime.now(UTC) - timedelta(hours=1)
    found = (await asyncio.to_thread(WHATSAPP.recent, ours(stage), since, (), lambda ids: ())).missed
    items = [item for each in found for item in WHATSAPP.parse(RawInput(each.body, each.headers, since, ours(stage)))]
    assert [item.text for item in items if isinstance(item, InboundMessage)] == ["Is anybody there?"]

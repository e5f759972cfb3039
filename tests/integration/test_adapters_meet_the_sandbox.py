"""Our adapters and the far end, which know nothing of each other, over real HTTP."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from pytest_django import Settings

from connectors.adapters import ADAPTERS
from connectors.adapters.instagram import recent, subscription
from connectors.errors import ConnectionLost, Forged, SendFailed, SendUnknown
from connectors.messages import (
    Account,
    Channel,
    DeliveryStatus,
    Echo,
    InboundMessage,
    Item,
    OutboundFile,
    OutboundMessage,
    Profile,
    RawInput,
    Reaction,
    Read,
    Sender,
    Sent,
    Status,
    Unsend,
)
from tests.integration.sandbox_stage import (
    ACCESS_TOKEN,
    ACCOUNT,
    APP_ID,
    APP_SECRET,
    AUTH_TOKEN,
    MAYA,
    NUMBER,
    SHOP,
    Call,
    Stage,
    on_stage,
)

SMS, INSTAGRAM = ADAPTERS[Channel.SMS], ADAPTERS[Channel.INSTAGRAM]


@pytest_asyncio.fixture
async def stage(tmp_path: Path, settings: Settings) -> AsyncIterator[Stage]:
    async with on_stage(tmp_path) as stage:
        settings.TWILIO_API_URL = settings.GRAPH_API_URL = stage.url
        settings.FACEBOOK_API_URL = settings.FACEBOOK_SIGN_IN_URL = stage.url
        settings.INSTAGRAM_SIGN_IN_URL = settings.INSTAGRAM_CODE_URL = stage.url
        settings.GRAPH_API_VERSION = "v25.0"
        settings.ALLOW_PRIVATE_HOSTS = True
        yield stage


def account(stage: Stage, channel: Channel) -> Account:
    if channel is Channel.SMS:
        secrets = {"account_sid": ACCOUNT, "auth_token": AUTH_TOKEN}
        return Account("1", (NUMBER,), secrets, webhook_url=f"{stage.product.url}hooks/sms/")
    return Account("2", (SHOP,), {"app_secret": APP_SECRET, "access_token": ACCESS_TOKEN, "verify_token": "verify"})


def take_in(stage: Stage, channel: Channel, call: Call) -> Sequence[Item]:
    ours = account(stage, channel)
    headers = call.headers | {"x-query-string": call.path.partition("?")[2]}
    ADAPTERS[channel].verify(call.body, headers, (ours,))
    with pytest.raises(Forged):
        ADAPTERS[channel].verify(call.body + b" ", headers, (ours,))
    return ADAPTERS[channel].parse(RawInput(call.body, headers, datetime.now(UTC), ours))


def reply(stage: Stage, channel: Channel, text: str = "Back on Friday! 🙏", **more: Any) -> OutboundMessage:
    to = MAYA["phone"] if channel is Channel.SMS else MAYA["instagram_id"]
    sender = NUMBER if channel is Channel.SMS else SHOP
    made = {"created_at": datetime.now(UTC), **more}
    return OutboundMessage("7f3c", to=Sender(to), sender=sender, text=text, **made)


async def send(stage: Stage, channel: Channel, message: OutboundMessage) -> Sent:
    return await asyncio.to_thread(ADAPTERS[channel].send, account(stage, channel), message)


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.INSTAGRAM])
async def test_what_a_customer_writes_arrives_genuine_and_whole(stage: Stage, channel: Channel) -> None:
    said = await stage.say(channel.value, "Where is it? 😀 Grüße ")
    (message,) = take_in(stage, channel, stage.product.calls[-1])
    assert isinstance(message, InboundMessage)
    assert (message.provider_id, message.text) == (said["id"], "Where is it? 😀 Grüße ")
    assert message.recipient == (NUMBER if channel is Channel.SMS else SHOP)


async def test_a_text_goes_out_and_its_statuses_name_the_delivery(stage: Stage) -> None:
    callback = f"{stage.product.url}hooks/sms/?delivery=7f3c"
    sent = await send(stage, Channel.SMS, reply(stage, Channel.SMS, status_callback=callback))
    calls = await stage.product.until(lambda calls: len(calls) == 3)
    statuses = [item for call in calls for item in take_in(stage, Channel.SMS, call)]
    assert all(isinstance(status, Status) for status in statuses)
    assert {(status.provider_id, status.delivery) for status in statuses if isinstance(status, Status)} == {
        (sent.provider_id, "7f3c")
    }
    assert isinstance(statuses[-1], Status)
    assert statuses[-1].status is DeliveryStatus.DELIVERED


async def test_an_instagram_reply_goes_out_and_comes_back_as_an_echo(stage: Stage) -> None:
    await stage.say("instagram")
    sent = await send(stage, Channel.INSTAGRAM, reply(stage, Channel.INSTAGRAM))
    calls = await stage.product.until(lambda calls: len(calls) >= 2)
    echoes = [item for call in calls for item in take_in(stage, Channel.INSTAGRAM, call) if isinstance(item, Echo)]
    assert [(echo.provider_id, echo.text, echo.recipient.address) for echo in echoes] == [
        (sent.provider_id, "Back on Friday! 🙏", MAYA["instagram_id"])
    ]


async def test_a_picture_goes_out_on_both(stage: Stage) -> None:
    await stage.say("instagram")
    picture = OutboundFile("a.jpg", "image/jpeg", 8, url=f"{stage.product.url}picture.jpg")
    for channel in (Channel.SMS, Channel.INSTAGRAM):
        await send(stage, channel, reply(stage, channel, text="", files=(picture,)))


async def test_an_answer_after_the_window_closed_is_refused_in_words(stage: Stage) -> None:
    await stage.say("instagram")
    await stage.post("faults", provider="graph", fault="window_closed", times=1)
    with pytest.raises(SendFailed) as caught:
        await send(stage, Channel.INSTAGRAM, reply(stage, Channel.INSTAGRAM))
    assert (caught.value.permanent, caught.value.code) == (True, "10/2534022")


async def test_a_customer_who_texts_stop_is_opted_out_at_the_far_end_too(stage: Stage) -> None:
    await stage.say("sms", "STOP")
    with pytest.raises(SendFailed) as caught:
        await send(stage, Channel.SMS, reply(stage, Channel.SMS))
    assert caught.value.opted_out


@pytest.mark.parametrize(("channel", "provider"), [(Channel.SMS, "twilio"), (Channel.INSTAGRAM, "graph")])
async def test_a_far_end_that_hangs_up_after_taking_a_message_is_looked_up(
    stage: Stage, channel: Channel, provider: str
) -> None:
    await stage.say(channel.value)
    await stage.post("faults", provider=provider, fault="hang_after_accept", times=1)
    message = reply(stage, channel)
    with pytest.raises(SendUnknown):
        await send(stage, channel, message)
    found = await asyncio.to_thread(ADAPTERS[channel].look_up, account(stage, channel), message)
    assert found is not None
    other = reply(stage, channel, text="Something we never sent")
    assert await asyncio.to_thread(ADAPTERS[channel].look_up, account(stage, channel), other) is None


@pytest.mark.parametrize(("channel", "provider"), [(Channel.SMS, "twilio"), (Channel.INSTAGRAM, "graph")])
@pytest.mark.parametrize(("fault", "error"), [("429", SendFailed), ("500", SendUnknown), ("bad_token", SendFailed)])
async def test_the_far_ends_faults_are_told_apart(
    stage: Stage, channel: Channel, provider: str, fault: str, error: type[SendFailed | SendUnknown]
) -> None:
    await stage.say(channel.value)
    await stage.post("faults", provider=provider, fault=fault, times=1)
    with pytest.raises(error) as caught:
        await send(stage, channel, reply(stage, channel))
    if isinstance(caught.value, SendFailed):
        assert (caught.value.permanent, caught.value.reconnect) == ((fault != "429"), (fault == "bad_token"))


async def test_seen_reactions_and_unsent_messages_are_understood(stage: Stage) -> None:
    said = await stage.say("instagram")
    sent = await send(stage, Channel.INSTAGRAM, reply(stage, Channel.INSTAGRAM))
    await stage.post("react", customer="Maya Ortiz", id=sent.provider_id, emoji="❤️")
    await stage.post("read", customer="Maya Ortiz", channel="instagram")
    await stage.post("unsend", customer="Maya Ortiz", id=said["id"])
    calls = await stage.product.until(lambda calls: len(calls) >= 5)
    items = [item for call in calls for item in take_in(stage, Channel.INSTAGRAM, call)]
    (reaction,) = [item for item in items if isinstance(item, Reaction)]
    (read,) = [item for item in items if isinstance(item, Read)]
    assert (reaction.provider_id, reaction.emoji) == (sent.provider_id, "❤️")
    assert read.provider_id == sent.provider_id
    assert Unsend(said["id"], SHOP) in items


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.INSTAGRAM])
async def test_a_picture_comes_in_from_both(stage: Stage, channel: Channel) -> None:
    await stage.say(channel.value, "Look", files=1)
    (message,) = take_in(stage, channel, stage.product.calls[-1])
    assert isinstance(message, InboundMessage)
    (attachment,) = message.attachments
    fetched = await asyncio.to_thread(ADAPTERS[channel].fetch_media, account(stage, channel), attachment)
    assert fetched.content
    assert fetched.content_type.startswith("image/")


async def test_instagram_tells_who_a_person_is(stage: Stage) -> None:
    await stage.say("instagram")
    found = await asyncio.to_thread(INSTAGRAM.profile, account(stage, Channel.INSTAGRAM), MAYA["instagram_id"])
    assert found == Profile("Maya Ortiz", "maya.ortz")


@pytest.mark.parametrize("flavour", ["instagram", "page"])
async def test_the_owner_of_an_account_lets_us_in(stage: Stage, flavour: str) -> None:
    ours = Account("2", (), {"app_secret": APP_SECRET}, {"app_id": APP_ID, "flavour": flavour})
    back = f"{stage.product.url}hooks/back/"
    asked = INSTAGRAM.sign_in_url(ours, back, "a-state")
    async with stage.session.get(asked) as page:
        (link,) = re.findall(r'href="(/oauth/allow[^"]*)"', await page.text())
    async with stage.session.get(f"{stage.url}{html.unescape(link)}", allow_redirects=False) as answer:
        came = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert came["state"] == ["a-state"]
    (grant,) = await asyncio.to_thread(INSTAGRAM.grants, ours, came["code"][0], back)
    assert (grant.address, grant.name) == (SHOP, "theshop")
    with pytest.raises(ConnectionLost):
        await asyncio.to_thread(INSTAGRAM.grants, ours, came["code"][0], back)
    signed_in = Account("2", (grant.address,), dict(grant.secrets), dict(grant.options))
    fields = await asyncio.to_thread(subscription.subscribe, signed_in)
    assert "messages" in fields
    assert await asyncio.to_thread(subscription.subscribed, signed_in) == sorted(fields)


async def test_who_says_no_at_the_far_end_comes_back_without_a_code(stage: Stage) -> None:
    ours = Account("2", (), {"app_secret": APP_SECRET}, {"app_id": APP_ID})
    async with stage.session.get(INSTAGRAM.sign_in_url(ours, f"{stage.product.url}back/", "s")) as page:
        text = html.unescape(await page.text())
    assert f"{stage.product.url}back/?error=access_denied&error_reason=user_denied&state=s" in text


async def test_a_sign_in_is_renewed_but_not_within_its_first_day(stage: Stage) -> None:
    renewal = await asyncio.to_thread(INSTAGRAM.renew, account(stage, Channel.INSTAGRAM))
    assert renewal is not None
    newer = Account("2", (SHOP,), dict(renewal.secrets))
    with pytest.raises(ConnectionLost) as caught:
        await asyncio.to_thread(INSTAGRAM.renew, newer)
    assert not caught.value.reconnect
    assert {check.name: check.ok for check in await asyncio.to_thread(INSTAGRAM.check, newer)}["Sign-in"]


async def test_what_no_webhook_told_is_found_in_the_conversations(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "PAUSE_SECONDS", 0)
    began = datetime.now(UTC) - timedelta(seconds=5)
    await stage.post("faults", provider="webhooks", fault="lost")
    said = await stage.say("instagram", "Is the red one back? 🙏")
    ours = account(stage, Channel.INSTAGRAM)
    (missed,) = (await asyncio.to_thread(INSTAGRAM.recent, ours, began, (), lambda ids: ())).missed
    (item,) = INSTAGRAM.parse(RawInput(missed.body, missed.headers, datetime.now(UTC), ours))
    assert isinstance(item, InboundMessage)
    assert (item.provider_id, item.text) == (said["id"], "Is the red one back? 🙏")
    later = datetime.now(UTC) + timedelta(seconds=5)
    assert (await asyncio.to_thread(INSTAGRAM.recent, ours, later, (), lambda ids: ())).missed == []


async def test_a_hundred_texts_of_an_hour_without_us_are_all_found_in_order(stage: Stage) -> None:
    await stage.post("faults", provider="webhooks", fault="lost")
    for number in range(100):
        await stage.say("sms", f"Text {number}", age_hours=1 - number / 100)
    since = datetime.now(UTC) - timedelta(hours=2)
    found = (await asyncio.to_thread(SMS.recent, account(stage, Channel.SMS), since, (), lambda ids: ())).missed
    ours = account(stage, Channel.SMS)
    items = [item for each in found for item in SMS.parse(RawInput(each.body, each.headers, since, ours))]
    assert [item.text for item in items if isinstance(item, InboundMessage)] == [f"Text {n}" for n in range(100)]

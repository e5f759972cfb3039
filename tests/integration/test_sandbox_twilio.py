"""The far end of SMS, driven by the official SDK."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
import requests
from aiohttp import web
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from tests.integration.sandbox_stage import ACCOUNT, AUTH_TOKEN, MAYA, NUMBER, Stage, on_stage

PHONE = MAYA["phone"]


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with on_stage(tmp_path) as stage:
        yield stage


def client(stage: Stage, token: str = AUTH_TOKEN) -> Client:
    made = Client(ACCOUNT, token)
    made.api.base_url = stage.url
    return made


async def send(stage: Stage, **fields: object) -> str:
    message = {"to": PHONE, "from_": NUMBER, "body": "On its way."} | fields
    sent = await asyncio.to_thread(client(stage).messages.create, **message)
    assert sent.status == "queued"
    return str(sent.sid)


async def refusal(stage: Stage, token: str = AUTH_TOKEN, **fields: object) -> tuple[int, int]:
    message = {"to": PHONE, "from_": NUMBER, "body": "On its way."} | fields
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(client(stage, token).messages.create, **message)
    return caught.value.status, caught.value.code


async def test_a_webhook_that_is_entered_at_a_number_gets_its_texts_from_then_on(stage: Stage) -> None:
    (number,) = await asyncio.to_thread(client(stage).incoming_phone_numbers.list, phone_number=NUMBER)
    url = f"{stage.product.url}hooks/entered/"
    changed = await asyncio.to_thread(number.update, sms_url=url)
    assert (changed.phone_number, changed.sms_url) == (NUMBER, url)
    await stage.say("sms", "Is it here?")
    (call,) = stage.product.calls
    assert call.path == "/hooks/entered/"
    assert RequestValidator(AUTH_TOKEN).validate(url, call.form, call.headers["x-twilio-signature"])
    with pytest.raises(TwilioRestException) as elsewhere:
        await asyncio.to_thread(number.update, sms_url="https://northwind.test/hooks/")
    assert elsewhere.value.code == 21502


async def test_a_text_reaches_the_product_with_a_signature_the_sdk_accepts(stage: Stage) -> None:
    said = await stage.say("sms", "Where is it? 😀 ")
    assert said["webhook_status"] == 200
    (call,) = stage.product.calls
    validator = RequestValidator(AUTH_TOKEN)
    url = f"{stage.product.url}hooks/sms/"
    assert validator.validate(url, call.form, call.headers["x-twilio-signature"])
    assert not validator.validate(url, call.form | {"Body": "Where is it? 😀"}, call.headers["x-twilio-signature"])
    assert call.form["MessageSid"] == said["id"]
    assert call.form["Body"] == "Where is it? 😀 "
    assert (call.form["From"], call.form["To"], call.form["AccountSid"]) == (PHONE, NUMBER, ACCOUNT)


async def test_a_reply_is_queued_sent_and_delivered_and_is_on_the_phone(stage: Stage) -> None:
    callback = f"{stage.product.url}hooks/status/?delivery=7f3c"
    sid = await send(stage, status_callback=callback)
    calls = await stage.product.until(lambda calls: len(calls) == 3)
    assert [call.form["MessageStatus"] for call in calls] == ["queued", "sent", "delivered"]
    assert {call.form["MessageSid"] for call in calls} == {sid}
    for call in calls:
        assert RequestValidator(AUTH_TOKEN).validate(callback, call.form, call.headers["x-twilio-signature"])
    (received,) = (await stage.inbox())["sms"]
    assert (received["text"], received["direction"], received["from"]) == ("On its way.", "received", NUMBER)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": "415 555"}, 21211),
        ({"to": "+15005550009"}, 21614),
        ({"from_": "+14155550999"}, 21606),
        ({"from_": "Shop"}, 21212),
        ({"to": NUMBER}, 21266),
        ({"body": ""}, 21619),
        ({"body": "x" * 1601}, 21617),
        ({"media_url": ["ftp://127.0.0.1/a.jpg"]}, 21620),
        ({"media_url": ["http://127.0.0.1/a.jpg"] * 11}, 21623),
    ],
)
async def test_what_twilio_refuses_is_refused_with_its_code(stage: Stage, fields: dict[str, object], code: int) -> None:
    assert await refusal(stage, **fields) == (400, code)


async def test_a_wrong_password_is_refused(stage: Stage) -> None:
    assert await refusal(stage, token="c" * 32) == (401, 20003)


async def test_an_unknown_message_is_not_found(stage: Stage) -> None:
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(client(stage).messages("SM" + "0" * 32).fetch)
    assert (caught.value.status, caught.value.code) == (404, 20404)


async def test_stop_is_answered_by_twilio_and_blocks_until_start(stage: Stage) -> None:
    assert (await stage.say("sms", " Stop "))["webhook_status"] == 200
    assert await refusal(stage) == (400, 21610)
    assert "unsubscribed" in (await stage.inbox())["sms"][-1]["text"]
    await stage.say("sms", "START")
    assert await send(stage)


async def test_a_sentence_with_stop_in_it_is_not_a_keyword(stage: Stage) -> None:
    await stage.say("sms", "please stop the order")
    assert await send(stage)


async def test_photos_arrive_as_media_behind_a_password_and_a_redirect(stage: Stage) -> None:
    said = await stage.say("sms", "", files=2)
    (call,) = stage.product.calls
    assert said["id"].startswith("MM")
    assert (call.form["NumMedia"], call.form["Body"]) == ("2", "")
    url = call.form["MediaUrl1"]
    refused = await asyncio.to_thread(requests.get, url, timeout=5)
    redirect = await asyncio.to_thread(requests.get, url, auth=(ACCOUNT, AUTH_TOKEN), timeout=5, allow_redirects=False)
    picture = await asyncio.to_thread(requests.get, url, auth=(ACCOUNT, AUTH_TOKEN), timeout=5)
    assert (refused.status_code, redirect.status_code) == (401, 307)
    assert picture.headers["Content-Type"] == call.form["MediaContentType1"] == "image/jpeg"
    assert picture.content.startswith(b"\xff\xd8")


async def test_a_picture_we_send_is_fetched_and_shown(stage: Stage) -> None:
    await send(stage, media_url=[f"{stage.product.url}picture.jpg"])
    await stage.until_logged("GET media 200")
    await asyncio.gather(*stage.sandbox.webhooks.tasks)
    (received,) = (await stage.inbox())["sms"]
    async with stage.session.get(stage.url + received["files"][0]["url"]) as response:
        assert await response.read() == b"\xff\xd8\xff\xe0jpeg"


async def test_a_picture_that_cannot_be_fetched_fails_the_message(stage: Stage) -> None:
    callback = f"{stage.product.url}hooks/status/"
    await send(stage, media_url=[f"{stage.product.url}gone.jpg"], status_callback=callback)
    calls = await stage.product.until(lambda calls: calls and calls[-1].form["MessageStatus"] == "failed")
    assert calls[-1].form["ErrorCode"] == "11200"


async def test_sent_and_received_messages_can_be_looked_up(stage: Stage) -> None:
    said = await stage.say("sms", "Hi")
    sid = await send(stage)
    since = datetime.now(UTC) - timedelta(minutes=1)
    list_messages = client(stage).messages.list
    outgoing = await asyncio.to_thread(list_messages, to=PHONE, date_sent_after=since)
    incoming = await asyncio.to_thread(list_messages, to=NUMBER, limit=5)
    future = await asyncio.to_thread(list_messages, to=PHONE, date_sent_after=since + timedelta(hours=1))
    assert [one.sid for one in outgoing] == [sid]
    assert [(one.sid, one.direction) for one in incoming] == [(said["id"], "inbound")]
    assert future == []


async def test_the_list_is_paged(stage: Stage) -> None:
    for number in range(5):
        await stage.say("sms", f"Text {number}")
    found = await asyncio.to_thread(client(stage).messages.list, to=NUMBER, page_size=2)
    assert [one.body for one in found] == [f"Text {number}" for number in (4, 3, 2, 1, 0)]


async def test_too_many_requests_and_trouble_pass_after_their_times(stage: Stage) -> None:
    await stage.post("faults", provider="twilio", fault="429", times=1)
    assert await refusal(stage) == (429, 20429)
    await stage.post("faults", provider="twilio", fault="500", times=1)
    assert await refusal(stage) == (500, 20500)
    assert await send(stage)


async def test_hanging_up_after_accepting_leaves_a_message_that_can_be_looked_up(stage: Stage) -> None:
    await stage.post("faults", provider="twilio", fault="hang_after_accept", times=1)
    with pytest.raises(requests.ConnectionError):
        await asyncio.to_thread(client(stage).messages.create, to=PHONE, from_=NUMBER, body="Once")
    found = await asyncio.to_thread(client(stage).messages.list, to=PHONE)
    assert [one.body for one in found] == ["Once"]


async def test_statuses_can_come_in_the_wrong_order(stage: Stage) -> None:
    await stage.post("faults", provider="webhooks", fault="out_of_order_status", times=1)
    await send(stage, status_callback=f"{stage.product.url}hooks/status/")
    calls = await stage.product.until(lambda calls: len(calls) == 3)
    assert [call.form["MessageStatus"] for call in calls] == ["delivered", "sent", "queued"]


async def test_a_webhook_can_come_a_hundred_times(stage: Stage) -> None:
    await stage.post("faults", provider="webhooks", fault="duplicate_webhook", times=1, copies=100)
    await stage.say("sms", "Once")
    assert len({call.body for call in stage.product.calls}) == 1
    assert len(stage.product.calls) == 100


async def test_a_landline_is_accepted_and_then_undelivered(stage: Stage) -> None:
    await stage.post("faults", provider="twilio", fault="undelivered", times=1)
    await send(stage, status_callback=f"{stage.product.url}hooks/status/")
    calls = await stage.product.until(lambda calls: len(calls) == 3)
    assert (calls[-1].form["MessageStatus"], calls[-1].form["ErrorCode"]) == ("undelivered", "30006")
    assert (await stage.inbox())["sms"] == []


async def test_a_webhook_that_fails_is_not_repeated(stage: Stage) -> None:
    stage.product.answers = [web.Response(status=500)]
    assert (await stage.say("sms"))["webhook_status"] == 500
    assert len(stage.product.calls) == 1
    assert not stage.sandbox.webhooks.tasks


async def test_a_webhook_answered_with_plain_text_is_texted_to_the_customer_as_the_real_one_does(stage: Stage) -> None:
    stage.product.content_type, stage.product.text = "text/plain", "ok"
    await stage.say("sms")
    assert (await stage.inbox())["sms"][-1]["text"] == "ok"


async def test_somebody_elses_phone_is_somebody_else_and_gets_the_answer(stage: Stage) -> None:
    await stage.say("sms", "Maya here, on a friend's phone", **{"from": "+12125550147"})
    await send(stage, to="+12125550147", body="Hello")
    await asyncio.gather(*stage.sandbox.webhooks.tasks)
    assert [one["direction"] for one in (await stage.inbox("+12125550147"))["sms"]] == ["sent", "received"]
    assert (await stage.inbox())["sms"] == []


async def test_texts_and_opt_outs_survive_a_restart(tmp_path: Path) -> None:
    async with on_stage(tmp_path) as stage:
        await send(stage, body="Remember me")
        await asyncio.gather(*stage.sandbox.webhooks.tasks)
        await stage.say("sms", "STOP")
    async with on_stage(tmp_path) as stage:
        assert (await stage.inbox())["sms"][0]["text"] == "Remember me"
        assert await refusal(stage) == (400, 21610)

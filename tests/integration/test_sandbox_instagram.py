"""The far end of Instagram: webhooks as Meta signs them, the Send API as Meta refuses it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from connectors.sandbox import webhooks
from tests.integration.sandbox_stage import APP_SECRET, MAYA, SHOP, Stage, on_stage

MAYA_ID = MAYA["instagram_id"]


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with on_stage(tmp_path) as stage:
        yield stage


async def send(stage: Stage, message: Any = None, **more: Any) -> tuple[int, Any]:
    body = {"recipient": {"id": MAYA_ID}, "message": message or {"text": "Back on Friday"}} | more
    return await stage.graph("POST", "me/messages", json=body)


def code(answer: tuple[int, Any]) -> tuple[int, int, int]:
    status, body = answer
    return status, body["error"]["code"], body["error"].get("error_subcode", 0)


async def test_a_message_is_signed_over_metas_escaped_bytes(stage: Stage) -> None:
    said = await stage.say("instagram", "Grüße 👍 a/b")
    (call,) = stage.product.calls
    assert b"Gr\\u00fc\\u00dfe \\ud83d\\udc4d a\\/b" in call.body
    signature = hmac.new(APP_SECRET.encode(), call.body, hashlib.sha256).hexdigest()
    assert call.headers["x-hub-signature-256"] == f"sha256={signature}"
    assert call.json["object"] == "instagram"
    assert call.item["message"] == {"mid": said["id"], "text": "Grüße 👍 a/b"}
    assert (call.item["sender"]["id"], call.item["recipient"]["id"]) == (MAYA_ID, SHOP)


def test_the_signature_is_the_one_of_the_reference_vector() -> None:
    body = (
        b'{"object":"instagram","entry":[{"id":"17841400000000001","time":1790000000000,"messaging":[{"message":'
        b'{"mid":"m","text":"Gr\\u00fc\\u00dfe \\ud83d\\udc4d"}}]}]}'
    )
    assert webhooks.meta_body(json.loads(body)) == body
    expected = "sha256=74f31147df7861d3038c6be3c9b8105c86f7f38812f26ba29be40b3268bcbf4c"
    assert webhooks.meta_signature("appsecret123", body) == expected


async def test_a_reply_is_on_the_phone_and_comes_back_as_an_echo(stage: Stage) -> None:
    await stage.say("instagram", "Is the red one back?")
    status, body = await send(stage)
    assert (status, body["recipient_id"]) == (200, MAYA_ID)
    calls = await stage.product.until(lambda calls: len(calls) == 2)
    item = calls[1].item
    assert item["message"] == {"mid": body["message_id"], "is_echo": True, "text": "Back on Friday"}
    assert (item["sender"]["id"], item["recipient"]["id"]) == (SHOP, MAYA_ID)
    assert [one["text"] for one in (await stage.inbox())["instagram"]] == ["Is the red one back?", "Back on Friday"]


@pytest.mark.parametrize(
    ("message", "more", "expected"),
    [
        ({"text": "ä" * 501}, {}, (400, 100, 0)),
        ({"text": "Hi"}, {"recipient": {"id": "maya.ortz"}}, (400, 100, 2534014)),
        ({"text": "Hi"}, {"recipient": {"id": SHOP}}, (400, 100, 2534014)),
        ({"text": "Hi"}, {"tag": "ACCOUNT_UPDATE"}, (400, 100, 0)),
        ({"text": "Hi"}, {"sender_action": "typing_on"}, (400, 100, 2018014)),
        ({"attachment": {"type": "hologram"}}, {}, (400, 100, 2534015)),
        ({"attachment": {"type": "image", "payload": {"url": "http://127.0.0.1:1/x"}}}, {}, (400, 100, 2018008)),
    ],
)
async def test_what_meta_refuses_is_refused_with_its_code(
    stage: Stage, message: Any, more: dict[str, Any], expected: tuple[int, int, int]
) -> None:
    await stage.say("instagram")
    assert code(await send(stage, message, **more)) == expected


async def test_a_thousand_bytes_fit(stage: Stage) -> None:
    assert (await send(stage, {"text": "ä" * 500}))[0] == 200


async def test_a_wrong_token_is_refused(stage: Stage) -> None:
    assert code(await stage.graph("GET", "me", token="other")) == (401, 190, 0)


async def test_after_24_hours_the_window_is_closed_and_a_human_agent_has_7_days(stage: Stage) -> None:
    await stage.say("instagram", age_hours=25)
    assert code(await send(stage)) == (400, 10, 2534022)
    assert (await send(stage, tag="HUMAN_AGENT", messaging_type="MESSAGE_TAG"))[0] == 200
    await stage.say("instagram", "I am back")
    assert (await send(stage))[0] == 200


async def test_after_7_days_not_even_a_human_agent_may_write(stage: Stage) -> None:
    await stage.say("instagram", age_hours=24 * 7 + 1)
    assert code(await send(stage, tag="HUMAN_AGENT")) == (400, 10, 2534022)


async def test_the_customer_opening_the_thread_is_told_as_seen_once(stage: Stage) -> None:
    await stage.say("instagram")
    _, sent = await send(stage)
    await stage.product.until(lambda calls: len(calls) == 2)
    answer = await stage.post("read", customer=0, channel="instagram")
    again = await stage.post("read", customer=0, channel="instagram")
    assert stage.product.calls[2].item["read"] == {"mid": sent["message_id"]}
    assert (answer["webhook_status"], again["webhook_status"]) == (200, None)


async def test_a_reaction_is_told_and_taken_back(stage: Stage) -> None:
    _, sent = await send(stage)
    await stage.product.until(lambda calls: len(calls) == 1)
    await stage.post("react", customer=0, emoji="❤️")
    await stage.post("react", customer=0, emoji="")
    first, second = (call.item["reaction"] for call in stage.product.calls[1:])
    assert first == {"mid": sent["message_id"], "action": "react", "reaction": "love", "emoji": "❤️"}
    assert second == {"mid": sent["message_id"], "action": "unreact"}


async def test_an_unsent_message_is_told_and_gone(stage: Stage) -> None:
    said = await stage.say("instagram", "Oops")
    await stage.post("unsend", customer="@maya.ortz")
    assert stage.product.calls[1].item["message"] == {"mid": said["id"], "is_deleted": True}
    assert (await stage.inbox())["instagram"] == []
    assert code(await stage.graph("GET", said["id"])) == (400, 9000001, 0)


async def test_photos_come_as_links_of_the_content_network(stage: Stage) -> None:
    await stage.say("instagram", "Look", files=2)
    message = stage.product.calls[0].item["message"]
    assert [one["type"] for one in message["attachments"]] == ["image", "image"]
    async with stage.session.get(message["attachments"][0]["payload"]["url"]) as response:
        assert response.content_type == "image/jpeg"
        assert (await response.read()).startswith(b"\xff\xd8")


async def test_a_picture_we_send_is_on_the_phone(stage: Stage) -> None:
    attachment = {"type": "image", "payload": {"url": f"{stage.product.url}picture.jpg"}}
    assert (await send(stage, {"attachment": attachment}))[0] == 200
    (received,) = (await stage.inbox())["instagram"]
    assert received["files"][0]["type"] == "image/jpeg"


async def test_the_account_the_person_and_the_thread_can_be_looked_up(stage: Stage) -> None:
    said = await stage.say("instagram", "First")
    _, sent = await send(stage)
    _, me = await stage.graph("GET", "me", params={"fields": "user_id,username"})
    _, person = await stage.graph("GET", MAYA_ID, params={"fields": "name,username"})
    _, found = await stage.graph("GET", f"{SHOP}/conversations", params={"user_id": MAYA_ID})
    fields = "messages{id,created_time,from,to,message}"
    _, thread = await stage.graph("GET", found["data"][0]["id"], params={"fields": fields})
    assert me["user_id"] == SHOP != me["id"]
    assert person == {"id": MAYA_ID, "name": "Maya Ortiz", "username": "maya.ortz"}
    assert [one["id"] for one in thread["messages"]["data"]] == [sent["message_id"], said["id"]]
    assert thread["messages"]["data"][0]["from"] == {"id": SHOP}
    assert code(await stage.graph("GET", "1002003004009999")) == (400, 100, 2534014)
    assert code(await stage.graph("GET", "nothing")) == (400, 100, 33)


async def test_faults_are_metas_words_for_them(stage: Stage) -> None:
    for fault, expected in [("429", (400, 613, 2534040)), ("500", (500, 2, 0)), ("bad_token", (401, 190, 463))]:
        await stage.post("faults", provider="graph", fault=fault, times=1)
        assert code(await send(stage)) == expected
    await stage.post("faults", provider="graph", fault="window_closed", times=1)
    assert code(await send(stage)) == (400, 10, 2534022)
    assert (await send(stage))[0] == 200


async def test_hanging_up_after_accepting_sends_the_echo_all_the_same(stage: Stage) -> None:
    await stage.post("faults", provider="graph", fault="hang_after_accept", times=1)
    with pytest.raises(aiohttp.ClientError):
        await send(stage)
    calls = await stage.product.until(lambda calls: len(calls) == 1)
    assert calls[0].item["message"]["is_echo"]


async def test_a_webhook_the_product_fails_to_take_is_repeated_until_it_is_taken(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "META_RETRIES", (0.01, 0.01, 0.01))
    stage.product.answers = [web.Response(status=500), web.Response(status=503)]
    said = await stage.say("instagram")
    assert said["webhook_status"] == 500
    await stage.product.until(lambda calls: len(calls) == 3)
    await asyncio.gather(*stage.sandbox.webhooks.tasks)
    assert len({call.body for call in stage.product.calls}) == 1
    assert len(stage.product.calls) == 3


async def test_a_product_that_is_down_is_written_on_the_wire(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "META_RETRIES", (0.01,))
    monkeypatch.setattr(stage.sandbox.webhooks, "session", aiohttp.ClientSession(connector=NobodyThere()))
    said = await stage.say("instagram")
    assert said["webhook_status"] == 0
    await stage.until_logged("nobody answered")
    await stage.until_logged("gave up")


class NobodyThere(aiohttp.TCPConnector):
    async def connect(self, *arguments: Any, **options: Any) -> Any:
        raise ConnectionRefusedError


async def test_messages_survive_a_restart(tmp_path: Path) -> None:
    async with on_stage(tmp_path) as stage:
        await stage.say("instagram", "Before", age_hours=25)
        await stage.product.until(lambda calls: len(calls) == 1)
    async with on_stage(tmp_path) as stage:
        assert [one["text"] for one in (await stage.inbox())["instagram"]] == ["Before"]
        assert code(await send(stage)) == (400, 10, 2534022)

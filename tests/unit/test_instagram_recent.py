"""What Meta failed to tell, found in the conversations and told as the webhook that should have come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from pytest_django import Settings

from connectors.adapters.instagram import InstagramAdapter, recent
from connectors.errors import ConnectionLost
from connectors.messages import Account, Echo, InboundMessage, Item, RawInput

OURS, OURS_SCOPED, HER = "17841405793187218", "9784140579318721", "1002003004005006"
ACCOUNT = Account("1", (OURS,), {"access_token": "token"}, {"app_user_id": OURS_SCOPED, "username": "shop"})
SINCE = datetime(2026, 9, 30, 12, 0, tzinfo=UTC)
GRAPH = "https://graph.test/v25.0"
ADAPTER = InstagramAdapter()
PHOTO = "https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=1&signature=a"


@pytest.fixture(autouse=True)
def graph(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.GRAPH_API_URL, settings.GRAPH_API_VERSION = "https://graph.test", "v25.0"
    settings.FACEBOOK_API_URL = "https://pages.test"
    monkeypatch.setattr(recent, "PAUSE_SECONDS", 0)


@pytest.fixture
def api() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def listed(mid: str = "m1", at: str = "2026-09-30T12:05:00+0000", ours: str = "", **more: Any) -> dict[str, Any]:
    us, her = {"id": ours or OURS, "username": "shop"}, {"id": HER, "username": "maya"}
    sides = {"from": us, "to": {"data": [her]}} if ours else {"from": her, "to": {"data": [us]}}
    return {"id": mid, "created_time": at, **sides, "message": "Is it back?", **more}


def conversations(api: responses.RequestsMock, *found: tuple[str, str, list[dict[str, Any]]]) -> None:
    data = [{"id": name, "updated_time": at} for name, at, _ in found]
    api.get(f"{GRAPH}/me/conversations", json={"data": data})
    for name, _, messages in found:
        if messages:
            api.get(f"{GRAPH}/{name}", json={"id": name, "messages": {"data": messages}})


def items(api: responses.RequestsMock, *messages: dict[str, Any], account: Account = ACCOUNT) -> list[Item]:
    conversations(api, ("c1", "2026-09-30T12:05:00+0000", list(messages)))
    found = ADAPTER.recent(account, SINCE)
    received = datetime(2026, 9, 30, 13, 0, tzinfo=UTC)
    return [item for each in found for item in ADAPTER.parse(RawInput(each.body, each.headers, received, account))]


def test_a_message_nobody_told_us_of_reads_like_any_other(api: responses.RequestsMock) -> None:
    (item,) = items(api, listed())
    assert isinstance(item, InboundMessage)
    assert (item.provider_id, item.text, item.recipient) == ("m1", "Is it back?", OURS)
    assert (item.sender.address, item.sender.scope, item.sender.handle) == (HER, OURS, "maya")
    assert item.sent_at == datetime(2026, 9, 30, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize("ours", [OURS, OURS_SCOPED, "somebody-else-by-id-but-our-name"])
def test_what_we_wrote_from_the_phone_is_an_echo_by_whichever_id_meta_names_us(
    api: responses.RequestsMock, ours: str
) -> None:
    (item,) = items(api, listed(ours=ours))
    assert isinstance(item, Echo)
    assert (item.account_address, item.recipient.address) == (OURS, HER)


def test_the_oldest_comes_first_and_what_is_older_than_asked_does_not_come(api: responses.RequestsMock) -> None:
    found = items(
        api,
        listed("m3", "2026-09-30T12:07:00+0000"),
        listed("m2", "2026-09-30T12:06:00+0000"),
        listed("m1", "2026-09-30T11:59:59+0000"),
    )
    assert [getattr(item, "provider_id", "") for item in found] == ["m2", "m3"]


def test_a_conversation_that_slept_since_is_not_asked_for(api: responses.RequestsMock) -> None:
    conversations(api, ("c1", "2026-09-30T11:00:00+0000", []), ("c2", "2026-09-30T12:05:00+0000", [listed()]))
    assert [each.provider_id for each in ADAPTER.recent(ACCOUNT, SINCE)] == ["m1"]
    query = parse_qs(urlsplit(str(api.calls[1].request.url)).query)
    assert query["platform"] == ["instagram"]


def test_all_pages_are_read_until_one_holds_nothing_new(api: responses.RequestsMock) -> None:
    def page(after: str, *updated: str) -> None:
        data = [{"id": f"c{at[-7:-5]}", "updated_time": at} for at in updated]
        paging = {"cursors": {"after": after}, "next": "https://graph.test/next"}
        api.get(f"{GRAPH}/me/conversations", json={"data": data, "paging": paging})

    page("first", "2026-09-30T12:05:03+0000")
    page("second", "2026-09-30T12:05:02+0000", "2026-09-30T11:00:00+0000")
    page("third", "2026-09-30T10:00:00+0000")
    for name in ("c03", "c02"):
        api.get(f"{GRAPH}/{name}", json={"id": name, "messages": {"data": [listed(f"m-{name}")]}})
    assert [each.provider_id for each in ADAPTER.recent(ACCOUNT, SINCE)] == ["m-c03", "m-c02"]
    cursors = [parse_qs(urlsplit(str(call.request.url)).query).get("after") for call in api.calls]
    assert [each for each in cursors if each] == [["first"], ["second"]]


def test_what_came_with_it_comes_too(api: responses.RequestsMock) -> None:
    data = [{"image_data": {"url": PHOTO}}, {"video_data": {"url": PHOTO}}, {"file_url": PHOTO}]
    (item,) = items(
        api,
        listed(
            attachments={"data": data},
            shares={"data": [{"link": "https://www.instagram.com/p/abc/"}]},
            reply_to={"mid": "m0"},
        ),
    )
    assert isinstance(item, InboundMessage)
    assert [each.content_type.partition("/")[0] for each in item.attachments] == ["image", "video", "application"]
    assert "https://www.instagram.com/p/abc/" in item.text
    assert item.in_reply_to == "m0"


def test_a_story_is_a_link_that_is_not_kept(api: responses.RequestsMock) -> None:
    mention, answer = items(
        api,
        listed("m1", message="", story={"mention": {"link": PHOTO, "id": "s1"}}),
        listed("m2", story={"reply_to": {"link": PHOTO, "id": "s1"}}),
    )
    assert isinstance(mention, InboundMessage)
    assert isinstance(answer, InboundMessage)
    assert [each.keep for each in (*mention.attachments, *answer.attachments)] == [False, False]
    assert (mention.remark, answer.remark) == ("Mentioned you in their story", "Replied to your story")


def test_what_cannot_be_shown_leaves_a_line(api: responses.RequestsMock) -> None:
    (item,) = items(api, listed(message="", is_unsupported=True))
    assert isinstance(item, InboundMessage)
    assert "does not hand out" in item.text


@pytest.mark.parametrize(
    "broken",
    [{"id": ""}, {"from": {}}, {"created_time": "yesterday"}, {"from": {"id": OURS}, "to": {"data": [{"id": OURS}]}}],
)
def test_what_cannot_be_told_is_left_out(api: responses.RequestsMock, broken: dict[str, Any]) -> None:
    assert items(api, listed() | broken) == []


@pytest.mark.parametrize(("fields", "calls"), [(["messages"], ["GET", "GET"]), ([], ["GET", "POST", "GET"])])
def test_meta_is_made_to_tell_again_when_it_stopped(
    api: responses.RequestsMock, fields: list[str], calls: list[str]
) -> None:
    api.get(f"{GRAPH}/me/subscribed_apps", json={"data": [{"subscribed_fields": fields}]})
    if not fields:
        api.post(f"{GRAPH}/me/subscribed_apps", json={"success": True})
    api.get(f"{GRAPH}/me/conversations", json={"data": []})
    assert ADAPTER.recent(ACCOUNT, SINCE) == []
    assert [call.request.method for call in api.calls] == calls


def test_a_page_is_asked_where_pages_live(api: responses.RequestsMock) -> None:
    api.get("https://pages.test/v25.0/me/conversations", json={"data": []})
    assert ADAPTER.recent(replace(ACCOUNT, options={"flavour": "page"}), SINCE) == []


@pytest.mark.parametrize(
    ("answer", "reconnect"),
    [
        ({"status": 400, "json": {"error": {"code": 190}}}, True),
        ({"status": 400, "json": {"error": {"code": 613}}}, False),
        ({"status": 502, "body": "<html>"}, False),
        ({"body": responses.ConnectionError("gone")}, False),
    ],
)
def test_a_refusal_says_whether_a_person_is_needed(
    api: responses.RequestsMock, answer: dict[str, Any], reconnect: bool
) -> None:
    api.get(f"{GRAPH}/me/conversations", **answer)
    with pytest.raises(ConnectionLost) as caught:
        ADAPTER.recent(ACCOUNT, SINCE)
    assert caught.value.reconnect is reconnect

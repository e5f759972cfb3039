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
from connectors.messages import MOST_TRIES, Account, Echo, Heard, InboundMessage, Item, RawInput, Skipped

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


def missed() -> list[str]:
    return [each.provider_id for each in heard().missed]


def heard(*skipped: Skipped, account: Account = ACCOUNT) -> Heard:
    return ADAPTER.recent(account, SINCE, skipped, lambda ids: set())


def refusal(code: int, subcode: int = 0, status: int = 400) -> dict[str, Any]:
    return {"status": status, "json": {"error": {"code": code, "error_subcode": subcode, "message": "No."}}}


def several(api: responses.RequestsMock, **answers: dict[str, Any]) -> None:
    """Conversations that all changed, by name, with what Meta answers when one of them is asked for."""
    data = [{"id": name, "updated_time": "2026-09-30T12:05:00+0000"} for name in answers]
    api.get(f"{GRAPH}/me/conversations", json={"data": data})
    for name, answer in answers.items():
        api.get(f"{GRAPH}/{name}", **answer)


def holds(*messages: dict[str, Any]) -> dict[str, Any]:
    return {"json": {"messages": {"data": list(messages)}}}


def items(api: responses.RequestsMock, *messages: dict[str, Any], account: Account = ACCOUNT) -> list[Item]:
    conversations(api, ("c1", "2026-09-30T12:05:00+0000", list(messages)))
    found = heard(account=account).missed
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
    assert missed() == ["m1"]
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
    assert missed() == ["m-c03", "m-c02"]
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
    assert missed() == []
    assert [call.request.method for call in api.calls] == calls


def test_a_page_is_asked_where_pages_live(api: responses.RequestsMock) -> None:
    api.get("https://pages.test/v25.0/me/conversations", json={"data": []})
    assert heard(account=replace(ACCOUNT, options={"flavour": "page"})).missed == []


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
        heard()
    assert caught.value.reconnect is reconnect


@pytest.mark.parametrize(
    "answer",
    [
        refusal(100, 33),
        refusal(9000001),
        refusal(10),
        refusal(200, 2534041),
        refusal(2, status=500),
        {"status": 502, "body": "<html>"},
        {"body": responses.ConnectionError("gone")},
    ],
)
def test_one_conversation_that_is_not_shown_keeps_no_other_from_us(
    api: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    several(api, c1=holds(listed("m1")), c2=answer, c3=holds(listed("m3")))
    found = heard()
    assert [each.provider_id for each in found.missed] == ["m1", "m3"]
    assert [(each.name, each.since, each.tries) for each in found.skipped] == [("c2", SINCE, 1)]
    assert found.trouble is None


def test_when_a_message_was_written_is_told(api: responses.RequestsMock) -> None:
    several(api, c1=holds(listed()))
    assert [each.at for each in heard().missed] == [datetime(2026, 9, 30, 12, 5, tzinfo=UTC)]


def test_what_was_not_shown_is_asked_for_again_from_where_it_was_left(api: responses.RequestsMock) -> None:
    earlier = datetime(2026, 9, 29, tzinfo=UTC)
    several(api)
    api.get(f"{GRAPH}/c2", **holds(listed("m2", "2026-09-29T12:00:00+0000"), listed("m0", "2026-09-28T12:00:00+0000")))
    api.get(f"{GRAPH}/c4", **refusal(100, 33))
    found = heard(Skipped("c2", earlier, "No.", 3), Skipped("c4", earlier, "No.", 3))
    assert [each.provider_id for each in found.missed] == ["m2"]
    assert [(each.name, each.since, each.tries) for each in found.skipped] == [("c4", earlier, 4)]


def test_what_was_asked_for_often_is_asked_for_when_it_changes(api: responses.RequestsMock) -> None:
    earlier = datetime(2026, 9, 29, tzinfo=UTC)
    several(api, c2=holds(listed("m2", "2026-09-29T12:00:00+0000")))
    given_up = [Skipped(name, earlier, "No.", MOST_TRIES) for name in ("c2", "c4")]
    found = heard(*given_up)
    assert [each.provider_id for each in found.missed] == ["m2"]
    assert list(found.skipped) == [given_up[1]]


@pytest.mark.parametrize(
    ("code", "reconnect"), [(4, False), (17, False), (32, False), (613, False), (80002, False), (190, True)]
)
def test_what_is_not_about_one_conversation_ends_the_asking_and_keeps_what_was_found(
    api: responses.RequestsMock, code: int, reconnect: bool
) -> None:
    several(api, c1=holds(listed("m1")), c2=refusal(code))
    found = heard()
    assert [each.provider_id for each in found.missed] == ["m1"]
    assert found.skipped == []
    assert found.trouble is not None
    assert found.trouble.reconnect is reconnect


@pytest.mark.parametrize(("answer", "reconnect"), [(refusal(2, status=500), False), (refusal(10), True)])
def test_three_refusals_in_a_row_are_about_all_of_them(
    api: responses.RequestsMock, answer: dict[str, Any], reconnect: bool
) -> None:
    several(api, c1=answer, c2=answer, c3=answer)
    found = heard(Skipped("c4", SINCE, "No."))
    assert [each.name for each in found.skipped] == ["c4", "c1", "c2", "c3"]
    assert found.trouble is not None
    assert found.trouble.reconnect is reconnect


def test_known_refusals_do_not_keep_the_others_from_us(api: responses.RequestsMock) -> None:
    bad = {name: refusal(10) for name in ("c1", "c2", "c3", "c4")}
    several(api, **bad, c5=holds(listed("m5")))
    found = heard(*[Skipped(name, SINCE, "No.") for name in bad])
    assert [each.provider_id for each in found.missed] == ["m5"]
    assert [each.tries for each in found.skipped] == [2, 2, 2, 2]
    assert found.trouble is None

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import responses
from pytest_django import Settings

from connectors.adapters.instagram import InstagramAdapter
from connectors.adapters.instagram.errors import TROUBLES
from connectors.errors import SendFailed, SendUnknown
from connectors.messages import Account, DeliveryStatus, OutboundFile, OutboundMessage, Profile, Sender, Sent

OURS, HER = "17841405793187218", "1002003004005006"
GRAPH = "http://127.0.0.1:4020"
MESSAGES = f"{GRAPH}/v25.0/me/messages"
CONVERSATIONS = f"{GRAPH}/v25.0/me/conversations"
ACCOUNT = Account("1", (OURS,), secrets={"access_token": "IGtoken"})
HUMAN = replace(ACCOUNT, options={"human_agent": "yes"})
MADE_AT = datetime(2026, 9, 30, 12, 0, 0, 400_000, tzinfo=UTC)
MESSAGE = OutboundMessage(
    delivery="5f0c", to=Sender(HER, scope=OURS), sender=OURS, text="Back on Friday! 🙏", created_at=MADE_AT
)
PHOTO = OutboundFile("a.jpg", "image/jpeg", 2_000_000, url="https://desk.example.com/files/a")


@pytest.fixture(autouse=True)
def graph(settings: Settings) -> None:
    settings.GRAPH_API_URL = GRAPH
    settings.GRAPH_API_VERSION = "v25.0"


@pytest.fixture
def api() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def send(message: OutboundMessage = MESSAGE, account: Account = ACCOUNT) -> Sent:
    return InstagramAdapter().send(account, message)


def accept(api: responses.RequestsMock) -> None:
    api.post(MESSAGES, json={"recipient_id": HER, "message_id": "aWdfout"})


def document(api: responses.RequestsMock) -> dict[str, Any]:
    body = api.calls[0].request.body
    assert isinstance(body, bytes)
    found: dict[str, Any] = json.loads(body)
    return found


def error(code: int, subcode: int = 0) -> dict[str, Any]:
    return {"error": {"message": "No", "type": "OAuthException", "code": code, "error_subcode": subcode}}


def refuse(api: responses.RequestsMock, code: int, subcode: int = 0, status: int = 400, **more: Any) -> SendFailed:
    api.post(MESSAGES, status=status, json=error(code, subcode), **more)
    with pytest.raises(SendFailed) as caught:
        send()
    return caught.value


def test_a_text_goes_to_the_person_with_our_token(api: responses.RequestsMock) -> None:
    accept(api)
    assert send() == Sent("aWdfout", DeliveryStatus.SENT)
    assert document(api) == {"recipient": {"id": HER}, "message": {"text": "Back on Friday! 🙏"}}
    assert api.calls[0].request.headers["Authorization"] == "Bearer IGtoken"
    assert api.calls[0].request.req_kwargs["timeout"] == (5, 15)


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [("image/png", "image"), ("video/mp4", "video"), ("audio/mp4", "audio"), ("application/pdf", "file")],
)
def test_a_file_goes_by_its_address_and_kind(api: responses.RequestsMock, content_type: str, kind: str) -> None:
    accept(api)
    send(replace(MESSAGE, text="", files=(replace(PHOTO, content_type=content_type),)))
    assert document(api)["message"] == {"attachment": {"type": kind, "payload": {"url": PHOTO.url}}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"content_type": "application/zip", "name": "a.zip"}, "not a.zip"),
        ({"content_type": "audio/ogg", "name": "a.ogg"}, "not a.ogg"),
        ({"size": 9_000_000}, "larger than the 8 MB"),
        ({"content_type": "video/mp4", "size": 30_000_000}, "larger than the 25 MB"),
        ({"url": ""}, "no public address"),
    ],
)
def test_a_file_instagram_would_not_take_never_leaves(
    api: responses.RequestsMock, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(SendFailed, match=words) as caught:
        send(replace(MESSAGE, text="", files=(replace(PHOTO, **change),)))
    assert caught.value.permanent


@pytest.mark.parametrize("files", [(PHOTO,), (PHOTO, PHOTO)])
def test_text_and_files_together_are_refused_rather_than_cut(
    api: responses.RequestsMock, files: tuple[OutboundFile, ...]
) -> None:
    with pytest.raises(SendFailed):
        send(replace(MESSAGE, files=files))
    assert InstagramAdapter().limits.files_apart


@pytest.mark.parametrize(
    ("age", "account", "automatic", "is_tagged"),
    [
        (timedelta(hours=23), HUMAN, False, False),
        (timedelta(hours=25), HUMAN, False, True),
        (timedelta(days=6, hours=23), HUMAN, False, True),
        (timedelta(days=7, hours=1), HUMAN, False, False),
        (timedelta(hours=25), HUMAN, True, False),
        (timedelta(hours=25), ACCOUNT, False, False),
        (timedelta(hours=25), replace(ACCOUNT, options={"human_agent": "no"}), False, False),
    ],
)
def test_the_human_agent_tag_is_used_for_a_persons_words_between_a_day_and_a_week(
    api: responses.RequestsMock, age: timedelta, account: Account, automatic: bool, is_tagged: bool
) -> None:
    accept(api)
    send(replace(MESSAGE, last_inbound_at=datetime.now(UTC) - age, automatic=automatic), account)
    tags = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"} if is_tagged else {}
    assert {name: value for name, value in document(api).items() if name not in {"recipient", "message"}} == tags


@pytest.mark.parametrize(
    ("code", "subcode", "words"),
    [
        (10, 2534022, "too long ago"),
        (10, 2018278, "too long ago"),
        (100, 2534014, "does not know this person"),
        (100, 2018001, "does not know this person"),
        (100, 2018008, "could not use the file"),
        (551, 1545041, "cannot receive"),
        (2018300, 0, "Another app"),
        (100, 2534037, "Another app"),
    ],
)
def test_a_final_refusal_says_why_in_words(api: responses.RequestsMock, code: int, subcode: int, words: str) -> None:
    failed = refuse(api, code, subcode)
    assert failed.permanent
    assert not failed.reconnect
    assert words in failed.reason
    assert failed.code == (f"{code}/{subcode}" if subcode else str(code))


@pytest.mark.parametrize(
    ("code", "subcode"), [(190, 0), (190, 463), (190, 460), (10, 0), (10, 2534077), (200, 2534041)]
)
def test_a_dead_sign_in_or_lost_permission_needs_a_person(api: responses.RequestsMock, code: int, subcode: int) -> None:
    failed = refuse(api, code, subcode)
    assert (failed.permanent, failed.reconnect) == (True, True)


@pytest.mark.parametrize("code", [4, 17, 32, 613, 80002])
@pytest.mark.parametrize("status", [400, 429, 503])
def test_a_holds_all_message_was_not_sent_and_is_tried_again(
    api: responses.RequestsMock, code: int, status: int
) -> None:
    failed = refuse(api, code, status=status)
    assert (failed.permanent, failed.retry_after) == (False, 60)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-Business-Use-Case-Usage": '{"1":[{"type":"m","estimated_time_to_regain_access":19}]}'}, 19 * 60),
        ({"Retry-After": "7"}, 7),
        ({"X-Business-Use-Case-Usage": "nonsense"}, 60),
        ({"X-Business-Use-Case-Usage": "[1]"}, 60),
        ({"X-Business-Use-Case-Usage": "{}"}, 60),
    ],
)
def test_a_holds_all_message_waits_as_long_as_meta_says(
    api: responses.RequestsMock, headers: dict[str, str], seconds: int
) -> None:
    assert refuse(api, 613, 2534040, headers=headers).retry_after == seconds


def test_too_many_requests_without_a_code_are_tried_again(api: responses.RequestsMock) -> None:
    assert not refuse(api, 0, status=429).permanent


def test_a_code_nobody_wrote_a_sentence_for_is_shown_in_metas_words(api: responses.RequestsMock) -> None:
    assert refuse(api, 12345, 6).reason == "Instagram refused the message: No (error 12345/6)."


def test_a_passing_failure_is_tried_again(api: responses.RequestsMock) -> None:
    assert not refuse(api, 2).permanent


def test_every_sentence_ends() -> None:
    assert all(trouble.reason.endswith(".") for trouble in TROUBLES.values())


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 400, "json": error(1, 1357046)},
        {"status": 400, "json": error(1, 99)},
        {"status": 500, "json": error(2)},
        {"status": 500, "json": error(190)},
        {"status": 502, "body": "<html>Bad gateway</html>"},
        {"status": 200, "body": "not json"},
        {"status": 200, "json": []},
        {"status": 200, "json": {"recipient_id": HER}},
    ],
)
def test_a_failure_of_metas_or_an_unreadable_answer_leaves_the_fate_unknown(
    api: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    api.post(MESSAGES, **answer)
    with pytest.raises(SendUnknown):
        send()


@pytest.mark.parametrize(
    "accident",
    [requests.ReadTimeout("read"), requests.ConnectionError(("Connection aborted.", "Remote end closed connection"))],
)
def test_a_connection_lost_after_sending_leaves_the_fate_unknown(
    api: responses.RequestsMock, accident: Exception
) -> None:
    api.post(MESSAGES, body=accident)
    with pytest.raises(SendUnknown):
        send()


def test_a_message_that_never_left_may_be_tried_again(settings: Settings, unused_tcp_port: int) -> None:
    settings.GRAPH_API_URL = f"http://127.0.0.1:{unused_tcp_port}"
    with pytest.raises(SendFailed) as caught:
        send()
    assert not caught.value.permanent


def test_a_redirect_is_not_followed_with_the_token(api: responses.RequestsMock) -> None:
    api.post(MESSAGES, status=302, headers={"Location": "https://evil.example/"})
    with pytest.raises(SendFailed):
        send()


def test_without_a_token_nothing_is_sent(api: responses.RequestsMock) -> None:
    with pytest.raises(SendFailed) as caught:
        send(account=Account("1", (OURS,)))
    assert caught.value.reconnect


def listed(**changes: Any) -> dict[str, Any]:
    return {
        "id": "aWdfout",
        "created_time": "2026-09-30T12:00:00+0000",
        "from": {"id": OURS, "username": "throughline"},
        "message": "Back on Friday! 🙏",
    } | changes


def look_up(api: responses.RequestsMock, *messages: dict[str, Any], message: OutboundMessage = MESSAGE) -> Sent | None:
    api.get(CONVERSATIONS, json={"data": [{"id": "aWdfconversation"}]})
    api.get(f"{GRAPH}/v25.0/aWdfconversation", json={"id": "x", "messages": {"data": list(messages)}})
    return InstagramAdapter().look_up(ACCOUNT, message)


def test_a_look_up_finds_the_same_words_in_the_conversation(api: responses.RequestsMock) -> None:
    assert look_up(api, listed(id="other", message="Something else"), listed()) == Sent("aWdfout")
    assert api.calls[0].request.params == {"platform": "instagram", "user_id": HER}
    assert api.calls[1].request.params == {"fields": "messages{id,created_time,from,to,message}"}


@pytest.mark.parametrize(
    "change",
    [
        {"message": "Back on Monday!"},
        {"from": {"id": HER}},
        {"from": None},
        {"created_time": "2026-09-30T11:59:59+0000"},
        {"created_time": "yesterday"},
        {"id": ""},
    ],
)
def test_a_look_up_takes_no_other_message_for_it(api: responses.RequestsMock, change: dict[str, Any]) -> None:
    assert look_up(api, listed(**change)) is None


def test_a_look_up_cannot_tell_one_file_from_another(api: responses.RequestsMock) -> None:
    assert InstagramAdapter().look_up(ACCOUNT, replace(MESSAGE, text="", files=(PHOTO,))) is None


def test_a_look_up_that_fails_says_nothing(api: responses.RequestsMock) -> None:
    api.get(CONVERSATIONS, status=400, json=error(190))
    assert InstagramAdapter().look_up(ACCOUNT, MESSAGE) is None
    api.replace("GET", CONVERSATIONS, body=requests.ReadTimeout("read"))
    assert InstagramAdapter().look_up(ACCOUNT, MESSAGE) is None


def test_a_profile_is_a_name_and_a_handle(api: responses.RequestsMock) -> None:
    api.get(f"{GRAPH}/v25.0/{HER}", json={"id": HER, "name": "Maya Ortiz", "username": "maya"})
    assert InstagramAdapter().profile(ACCOUNT, HER) == Profile("Maya Ortiz", "maya")
    assert api.calls[0].request.params == {"fields": "name,username"}


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 400, "json": error(230)},
        {"status": 200, "json": {"id": HER, "name": None}},
        {"status": 502, "body": "bad"},
        {"body": requests.ReadTimeout("read")},
    ],
)
def test_a_profile_that_is_not_told_is_none(api: responses.RequestsMock, answer: dict[str, Any]) -> None:
    api.get(f"{GRAPH}/v25.0/{HER}", **answer)
    assert InstagramAdapter().profile(ACCOUNT, HER) is None


def test_an_address_that_is_no_id_never_becomes_a_path(api: responses.RequestsMock) -> None:
    assert InstagramAdapter().profile(ACCOUNT, "me/accounts?x=") is None


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({}, 0),
        ({"X-App-Usage": '{"call_count": 94, "total_time": 12}'}, 0),
        ({"X-App-Usage": '{"call_count": 12, "total_cputime": 97.5}'}, 60),
        ({"X-Business-Use-Case-Usage": '{"1784": [{"type": "messaging", "call_count": 96}]}'}, 60),
        ({"X-App-Usage": "[1]", "X-Business-Use-Case-Usage": "nonsense"}, 0),
    ],
)
def test_a_limit_that_is_near_asks_for_a_pause(
    api: responses.RequestsMock, headers: dict[str, str], pause: int
) -> None:
    api.post(MESSAGES, json={"recipient_id": HER, "message_id": "aWdfout"}, headers=headers)
    assert send().pause == pause


@pytest.mark.parametrize(
    ("code", "subcode", "holds_all"),
    [(613, 2534040, True), (4, 0, True), (613, 1996, True), (2, 0, False), (190, 0, False)],
)
def test_asking_too_much_holds_the_whole_account(
    api: responses.RequestsMock, code: int, subcode: int, holds_all: bool
) -> None:
    assert refuse(api, code, subcode).holds_all is holds_all

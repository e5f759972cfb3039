"""What Twilio lists and no webhook told: asked for by number, told as the webhook that should have come."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests
import responses
from pytest_django import Settings

from connectors.adapters import media
from connectors.adapters.twilio import TwilioAdapter
from connectors.errors import ConnectionLost, FetchFailed
from connectors.messages import Account, Echo, InboundMessage, Item, Known, Missed, OptOut, RawInput
from tests.unit.test_media import PNG

ACCOUNT_SID = "AC" + "a" * 32
API = "http://127.0.0.1:4010"
MESSAGES = f"{API}/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
OURS, THEIRS = "+15551239999", "+15551230001"
ACCOUNT = Account("1", (OURS,), secrets={"account_sid": ACCOUNT_SID, "auth_token": "token"})
NOW = datetime.now(UTC).replace(microsecond=0)
SINCE = NOW - timedelta(hours=1)


@pytest.fixture
def api(settings: Settings) -> Iterator[responses.RequestsMock]:
    settings.TWILIO_API_URL = API
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def message(number: int, body: str, *, minutes: int = 30, **changes: Any) -> dict[str, Any]:
    return {
        "sid": f"SM{number:032x}",
        "account_sid": ACCOUNT_SID,
        "from": THEIRS,
        "to": OURS,
        "body": body,
        "status": "received",
        "direction": "inbound",
        "num_media": "0",
        "date_sent": format_datetime(NOW - timedelta(minutes=minutes)),
        "date_created": format_datetime(NOW - timedelta(minutes=minutes)),
    } | changes


def sent(number: int, body: str, **changes: Any) -> dict[str, Any]:
    ours = {"from": OURS, "to": THEIRS, "status": "delivered", "direction": "outbound-api"}
    return message(number, body, **{**ours, **changes})


def lists(api: responses.RequestsMock, *messages: dict[str, Any]) -> None:
    """As Twilio does: filtered by To or From, newest first."""

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        asked = request.params  # type: ignore[attr-defined]
        found = [
            each
            for each in messages
            if asked.get("To", each["to"]) == each["to"] and asked.get("From", each["from"]) == each["from"]
        ]
        return 200, {}, requests.compat.json.dumps({"messages": found, "next_page_uri": None, "page": 0})

    api.add_callback(responses.GET, MESSAGES, answer, content_type="application/json")


def nothing(ids: Collection[str]) -> set[str]:
    return set()


def media_of(number: int) -> str:
    return MESSAGES.replace("Messages.json", f"Messages/SM{number:032x}/Media.json")


def pictures_of(api: responses.RequestsMock, number: int, *types: str) -> None:
    """Two pictures, or files of these types."""
    media = [
        {"sid": f"ME{n:032x}", "parent_sid": f"SM{number:032x}", "account_sid": ACCOUNT_SID, "content_type": each}
        for n, each in enumerate(types or ("image/png", "image/png"), start=1)
    ]
    api.get(media_of(number), json={"media_list": media, "next_page_uri": None, "page": 0})


def recent(account: Account = ACCOUNT, known: Known = nothing) -> Sequence[Missed]:
    heard = TwilioAdapter().recent(account, SINCE, (), known)
    assert (heard.skipped, heard.trouble) == ((), None)
    return heard.missed


def items(account: Account = ACCOUNT) -> list[Item]:
    adapter = TwilioAdapter()
    return [item for each in recent(account) for item in adapter.parse(RawInput(each.body, each.headers, NOW, account))]


def test_a_text_found_later_is_what_its_webhook_would_have_been(api: responses.RequestsMock) -> None:
    lists(api, message(1, "Where is my order? 😀 "))
    (found,) = items()
    assert isinstance(found, InboundMessage)
    assert (found.provider_id, found.text) == (f"SM{1:032x}", "Where is my order? 😀 ")
    assert (found.sender.address, found.recipient) == (THEIRS, OURS)
    assert found.sent_at == NOW - timedelta(minutes=30)


def test_twilio_is_asked_for_each_number_both_ways_since_then(api: responses.RequestsMock) -> None:
    lists(api)
    recent(Account("1", (OURS, "+15551238888"), ACCOUNT.secrets))
    asked = [call.request.params for call in api.calls]
    assert [params.get("To") for params in asked if "To" in params] == [OURS, "+15551238888"]
    assert [params.get("From") for params in asked if "From" in params] == [OURS, "+15551238888"]
    assert {params["DateSent>"] for params in asked} == {SINCE.isoformat().replace("+00:00", "Z")}


def test_what_was_found_is_told_in_the_order_it_was_said(api: responses.RequestsMock) -> None:
    lists(api, message(3, "third", minutes=1), message(2, "second", minutes=20), message(1, "first", minutes=40))
    assert [each.text for each in items() if isinstance(each, InboundMessage)] == ["first", "second", "third"]


def test_a_missed_stop_is_an_opt_out_still(api: responses.RequestsMock) -> None:
    lists(api, message(1, "STOP"))
    assert isinstance(items()[0], OptOut)


def test_pictures_of_a_message_found_later_have_their_addresses(api: responses.RequestsMock) -> None:
    lists(api, message(7, "", num_media="2"))
    pictures_of(api, 7)
    (found,) = items()
    assert isinstance(found, InboundMessage)
    assert [each.url for each in found.attachments] == [
        f"{API}/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/SM{7:032x}/Media/ME{n:032x}" for n in (1, 2)
    ]


@pytest.mark.parametrize(
    "answer", [{"status": 500}, {"status": 404, "json": {"code": 20404}}, {"body": requests.ReadTimeout("read")}]
)
def test_files_that_twilio_does_not_tell_of_hold_up_no_message(
    api: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    lists(
        api, message(1, "Look", minutes=3, num_media="1"), message(2, "and", minutes=2, num_media="2"), message(3, "?")
    )
    api.get(media_of(1), **answer)
    found = [each for each in items() if isinstance(each, InboundMessage)]
    assert [(each.text, len(each.attachments)) for each in found] == [("?", 0), ("Look", 1), ("and", 2)]
    assert sum("Media.json" in str(call.request.url) for call in api.calls) == 1  # not asked for again and again
    pictures_of(api, 2, "application/smil", "image/png")
    asked: list[str] = []
    monkeypatch.setattr(media, "fetch", lambda url, **_: asked.append(url) or media.File(PNG, "image/png", "a.png"))
    layout, shown = found[2].attachments
    assert TwilioAdapter().fetch_media(ACCOUNT, shown).content == PNG
    assert asked == [media_of(2).replace(".json", f"/ME{2:032x}")]
    with pytest.raises(FetchFailed) as caught:
        TwilioAdapter().fetch_media(ACCOUNT, layout)
    assert caught.value.permanent


def test_files_twilio_still_does_not_tell_of_are_asked_for_again(api: responses.RequestsMock) -> None:
    lists(api, message(1, "Look", num_media="1"))
    api.get(media_of(1), status=503)
    (found,) = items()
    assert isinstance(found, InboundMessage)
    with pytest.raises(FetchFailed) as caught:
        TwilioAdapter().fetch_media(ACCOUNT, found.attachments[0])
    assert not caught.value.permanent


def test_nothing_more_is_asked_about_a_message_that_is_here(api: responses.RequestsMock) -> None:
    lists(api, message(1, "Look", num_media="1"), message(2, "New"))
    assert [each.provider_id for each in recent(known=lambda ids: {f"SM{1:032x}"})] == [f"SM{2:032x}"]


def test_when_it_was_written_is_told(api: responses.RequestsMock) -> None:
    lists(api, message(1, "Hello", minutes=50))
    assert [each.at for each in recent()] == [NOW - timedelta(minutes=50)]


def test_the_words_of_a_trial_account_are_not_ours(api: responses.RequestsMock) -> None:
    lists(api, sent(1, "Sent from your Twilio trial account - It left today."))
    (found,) = items()
    assert isinstance(found, Echo)
    assert found.text == "It left today."


def test_what_somebody_sent_from_elsewhere_is_an_echo_of_a_person(api: responses.RequestsMock) -> None:
    lists(api, sent(1, "I'll send a new mug today. Ana"))
    (found,) = items()
    assert isinstance(found, Echo)
    assert (found.account_address, found.recipient.address, found.automatic) == (OURS, THEIRS, False)


@pytest.mark.parametrize(
    ("body", "more"),
    [
        ("Your Northwind code is 482135.", {}),
        ("G-991823 is your verification code", {}),
        ("20 % off everything today! Reply STOP to end.", {}),
        ("You have successfully been unsubscribed.", {"direction": "outbound-reply"}),
    ],
)
def test_codes_campaigns_and_twilios_own_answers_are_automatic(
    api: responses.RequestsMock, body: str, more: dict[str, str]
) -> None:
    lists(api, sent(1, body, **more))
    (found,) = items()
    assert isinstance(found, Echo)
    assert found.automatic


def test_the_same_words_to_three_people_are_automatic(api: responses.RequestsMock) -> None:
    people = [
        sent(n, f"Hi {name}, order {n}123 has left our house and arrives within three working days.", to=f"+1555123{n}")
        for n, name in [(1001, "Maya"), (1002, "Jon"), (1003, "Priya")]
    ]
    lists(api, *people)
    assert all(isinstance(each, Echo) and each.automatic for each in items())


def test_a_number_other_programs_send_from_is_never_taken_for_a_person(api: responses.RequestsMock) -> None:
    lists(api, sent(1, "I'll look into it."))
    (found,) = items(Account("1", (OURS,), ACCOUNT.secrets, {"other_programs": "yes"}))
    assert isinstance(found, Echo)
    assert found.automatic


@pytest.mark.parametrize("change", [{"status": "failed"}, {"status": "queued"}, {"minutes": -30}])
def test_what_did_not_arrive_or_is_just_leaving_is_not_told(
    api: responses.RequestsMock, change: dict[str, Any]
) -> None:
    lists(api, sent(1, "Hello", **change))
    assert recent() == []


def test_a_text_still_being_received_is_found_the_next_time(api: responses.RequestsMock) -> None:
    lists(api, message(1, "He", status="receiving"))
    assert recent() == []


def test_nobody_can_pretend_in_a_webhook_to_have_been_found() -> None:
    """Only the receipt's header says so, and a webhook's headers are not kept."""
    body = (
        f"MessageSid=SM1&From=%2B15551230001&To=%2B15551239999&Body=Hi&Direction=outbound-api&AccountSid={ACCOUNT_SID}"
    )
    (found,) = TwilioAdapter().parse(RawInput(body.encode(), {}, NOW, ACCOUNT))
    assert isinstance(found, InboundMessage)


def test_refused_credentials_ask_for_a_person(api: responses.RequestsMock) -> None:
    api.get(MESSAGES, status=401, json={"code": 20003, "message": "Authenticate", "status": 401})
    with pytest.raises(ConnectionLost) as caught:
        recent()
    assert caught.value.reconnect


@pytest.mark.parametrize(
    "answer", [{"status": 503}, {"status": 429}, {"body": requests.ReadTimeout("read")}, {"body": "no json"}]
)
def test_trouble_while_asking_passes(api: responses.RequestsMock, answer: dict[str, Any]) -> None:
    api.get(MESSAGES, **answer)
    with pytest.raises(ConnectionLost) as caught:
        recent()
    assert not caught.value.reconnect

"""Being allowed to speak for an account, staying so, and hearing of its messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from pytest_django import Settings

from connectors.adapters.instagram import InstagramAdapter, subscription
from connectors.adapters.instagram.signed_request import whose
from connectors.errors import ConnectionLost, Forged
from connectors.messages import Account, Grant, Renewal

OURS = "17841405793187218"
BACK = "https://help.example/connections/signed-in/"
APP = Account("1", (), {"app_secret": "the-secret another"}, {"app_id": "990001"})
PAGE_APP = replace(APP, options={"app_id": "990002", "flavour": "page"})
SCOPES = "instagram_business_basic,instagram_business_manage_messages"
PAGE_SCOPES = (
    "instagram_basic",
    "instagram_manage_messages",
    "pages_manage_metadata",
    "pages_show_list",
    "pages_messaging",
    "pages_read_engagement",
)
ADAPTER = InstagramAdapter()
CODE, EXCHANGE, REFRESH = (
    "https://code.test/oauth/access_token",
    "https://graph.test/access_token",
    "https://graph.test/refresh_access_token",
)
ME = "https://graph.test/v25.0/me"
SUBSCRIBED = "https://graph.test/v25.0/me/subscribed_apps"
PAGES = "https://pages.test/v25.0"


@pytest.fixture(autouse=True)
def hosts(settings: Settings) -> None:
    settings.GRAPH_API_URL, settings.GRAPH_API_VERSION = "https://graph.test", "v25.0"
    settings.FACEBOOK_API_URL, settings.FACEBOOK_SIGN_IN_URL = "https://pages.test", "https://facebook.test"
    settings.INSTAGRAM_SIGN_IN_URL, settings.INSTAGRAM_CODE_URL = "https://instagram.test", "https://code.test"


@pytest.fixture
def api() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def days(number: float) -> str:
    return (datetime.now(UTC) + timedelta(days=number)).isoformat(timespec="seconds")


def query(call: Any) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(call.request.url).query).items()}


# Leaving for Meta


def test_the_owner_is_sent_to_instagram_with_what_we_ask_for() -> None:
    asked = urlsplit(ADAPTER.sign_in_url(APP, BACK, "a-state"))
    assert f"{asked.scheme}://{asked.netloc}{asked.path}" == "https://instagram.test/oauth/authorize"
    assert {name: values[0] for name, values in parse_qs(asked.query).items()} == {
        "client_id": "990001",
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": SCOPES,
        "state": "a-state",
    }


def test_the_owner_of_a_page_is_sent_to_facebook() -> None:
    asked = ADAPTER.sign_in_url(PAGE_APP, BACK, "a-state")
    assert asked.startswith("https://facebook.test/v25.0/dialog/oauth?")
    assert "pages_messaging" in asked


def test_without_an_app_there_is_nowhere_to_go() -> None:
    assert ADAPTER.sign_in_url(replace(APP, options={}), BACK, "a-state") == ""


# Coming back, Instagram's own sign-in


def short(api: responses.RequestsMock, **change: Any) -> None:
    token = {"access_token": "short", "user_id": 9784140579318721, "permissions": SCOPES} | change
    api.post(CODE, json={"data": [token]})


def long(api: responses.RequestsMock) -> None:
    api.get(EXCHANGE, json={"access_token": "long", "token_type": "bearer", "expires_in": 5183944})


def me(api: responses.RequestsMock, **change: Any) -> None:
    api.get(ME, json={"user_id": OURS, "id": "9784140579318721", "username": "shop", "name": "The Shop"} | change)


def test_a_code_becomes_a_sign_in_of_60_days(api: responses.RequestsMock) -> None:
    short(api)
    long(api)
    me(api)
    (grant,) = ADAPTER.grants(APP, "the-code#_", BACK)
    assert parse_qs(api.calls[0].request.body) == {
        "client_id": ["990001"],
        "client_secret": ["the-secret"],
        "grant_type": ["authorization_code"],
        "redirect_uri": [BACK],
        "code": ["the-code"],
    }
    assert query(api.calls[1]) == {
        "grant_type": "ig_exchange_token",
        "client_secret": "the-secret",
        "access_token": "short",
    }
    assert api.calls[2].request.headers["Authorization"] == "Bearer long"
    assert (grant.address, grant.name, grant.secrets) == (OURS, "shop", {"access_token": "long"})
    assert grant.options["app_user_id"] == "9784140579318721"
    assert grant.options["username"] == "shop"
    assert days(59) < grant.options["access_token_expires_at"] < days(61)
    assert "long" not in repr(grant)


def test_both_shapes_of_the_token_answer_and_of_me_are_read(api: responses.RequestsMock) -> None:
    api.post(CODE, json={"access_token": "short", "user_id": "9784", "permissions": SCOPES.split(",")})
    long(api)
    api.get(ME, json={"data": [{"user_id": int(OURS), "username": "shop"}]})
    (grant,) = ADAPTER.grants(APP, "the-code", BACK)
    assert (grant.address, grant.options["app_user_id"]) == (OURS, "9784")


def test_a_permission_that_was_unticked_is_named(api: responses.RequestsMock) -> None:
    short(api, permissions="instagram_business_basic")
    with pytest.raises(ConnectionLost, match="instagram_business_manage_messages is missing"):
        ADAPTER.grants(APP, "the-code", BACK)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            {"status": 400, "json": {"error_type": "OAuthException", "code": 400, "error_message": "Code was used"}},
            "Code was used",
        ),
        ({"status": 400, "json": {"error": {"code": 190, "message": "x"}}}, "no longer accepts our sign-in"),
        ({"status": 502, "body": "<html>"}, "it answered 502"),
        ({"json": {"nothing": 1}}, "without a token"),
        ({"body": responses.ConnectionError("gone")}, "did not answer"),
    ],
)
def test_a_code_that_opens_nothing_is_one_sentence(
    api: responses.RequestsMock, answer: dict[str, Any], words: str
) -> None:
    api.post(CODE, **answer)
    with pytest.raises(ConnectionLost, match=words):
        ADAPTER.grants(APP, "the-code", BACK)


def test_a_private_account_is_none_we_can_speak_for(api: responses.RequestsMock) -> None:
    short(api)
    long(api)
    me(api, user_id=None)
    with pytest.raises(ConnectionLost, match="business or creator account"):
        ADAPTER.grants(APP, "the-code", BACK)


# Coming back, Facebook's


def pages(api: responses.RequestsMock, *found: dict[str, Any], allowed: tuple[str, ...] = PAGE_SCOPES) -> None:
    api.get(f"{PAGES}/oauth/access_token", json={"access_token": "short"})
    api.get(f"{PAGES}/oauth/access_token", json={"access_token": "long", "expires_in": 5183944})
    api.get(
        f"{PAGES}/me/permissions",
        json={"data": [{"permission": each, "status": "granted"} for each in allowed]},
    )
    if allowed == PAGE_SCOPES:
        api.get(f"{PAGES}/me", json={"id": "5551"})
        api.get(f"{PAGES}/me/accounts", json={"data": list(found)})


def test_each_page_with_an_instagram_account_is_offered(api: responses.RequestsMock) -> None:
    linked = {"id": OURS, "username": "shop"}
    pages(
        api,
        {"id": "77", "name": "Shop page", "access_token": "page-token", "instagram_business_account": linked},
        {"id": "78", "name": "No Instagram", "access_token": "page-token"},
    )
    (grant,) = ADAPTER.grants(PAGE_APP, "the-code", BACK)
    assert query(api.calls[1])["fb_exchange_token"] == "short"
    assert (grant.address, grant.name, grant.secrets["access_token"]) == (OURS, "shop", "page-token")
    assert (grant.options["flavour"], grant.options["page_id"]) == ("page", "77")
    assert "access_token_expires_at" not in grant.options


def test_a_person_without_such_a_page_is_told_what_to_do(api: responses.RequestsMock) -> None:
    pages(api, {"id": "78", "name": "No Instagram", "access_token": "page-token"})
    with pytest.raises(ConnectionLost, match="Link one in the page's settings"):
        ADAPTER.grants(PAGE_APP, "the-code", BACK)


def test_a_declined_permission_of_facebook_is_named(api: responses.RequestsMock) -> None:
    pages(api, allowed=PAGE_SCOPES[:-1])
    with pytest.raises(ConnectionLost, match="pages_read_engagement is missing"):
        ADAPTER.grants(PAGE_APP, "the-code", BACK)


# Staying signed in


def signed_in(ends: str = "", since: str = "", **more: str) -> Account:
    options = {"access_token_expires_at": ends, "signed_in_at": since, **more}
    return Account("1", (OURS,), {"access_token": "old"}, options)


def test_a_sign_in_is_renewed_when_ten_days_are_left(api: responses.RequestsMock) -> None:
    api.get(REFRESH, json={"access_token": "newer", "token_type": "bearer", "expires_in": 5183944})
    renewal = ADAPTER.renew(signed_in(days(9), days(-51)))
    assert renewal is not None
    assert renewal.secrets == {"access_token": "newer"}
    assert days(59) < renewal.options["access_token_expires_at"] < days(61)
    assert query(api.calls[0]) == {"grant_type": "ig_refresh_token", "access_token": "old"}


def test_a_sign_in_whose_end_nobody_knows_is_renewed_to_learn_it(api: responses.RequestsMock) -> None:
    api.get(REFRESH, json={"access_token": "newer"})
    assert isinstance(ADAPTER.renew(signed_in()), Renewal)


@pytest.mark.parametrize(
    "account",
    [
        signed_in(days(40), days(-20)),
        signed_in(days(0.9), days(-0.5)),  # Meta renews nothing younger than a day
        signed_in(since=days(-0.5)),
        signed_in(days(3), days(-57), flavour="page"),
        replace(signed_in(days(3)), secrets={}),
    ],
)
def test_nothing_is_asked_before_it_is_due(api: responses.RequestsMock, account: Account) -> None:
    assert ADAPTER.renew(account) is None


@pytest.mark.parametrize(
    ("answer", "reconnect"),
    [
        ({"status": 400, "json": {"error": {"code": 190, "error_subcode": 463}}}, True),
        ({"status": 400, "json": {"error": {"code": 10}}}, False),
        ({"status": 400, "json": {"error": {"code": 4}}}, False),
        ({"status": 500, "body": "oops"}, False),
        ({"body": responses.ConnectionError("gone")}, False),
    ],
)
def test_a_renewal_that_fails_says_whether_a_person_is_needed(
    api: responses.RequestsMock, answer: dict[str, Any], reconnect: bool
) -> None:
    api.get(REFRESH, **answer)
    with pytest.raises(ConnectionLost) as caught:
        ADAPTER.renew(signed_in(days(5), days(-55)))
    assert caught.value.reconnect is reconnect


# Hearing of messages


def test_everything_we_understand_is_subscribed_in_one_call(api: responses.RequestsMock) -> None:
    api.post(SUBSCRIBED, json={"success": True})
    assert "messages" in subscription.subscribe(signed_in())
    assert query(api.calls[0])["subscribed_fields"].startswith("messages,message_reactions,messaging_postbacks")


def test_a_name_meta_does_not_know_spoils_only_itself(api: responses.RequestsMock) -> None:
    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        fields = parse_qs(urlsplit(request.url).query)["subscribed_fields"][0]
        if "message_echoes" in fields:
            return 400, {}, '{"error": {"code": 100, "message": "Param subscribed_fields is invalid"}}'
        return 200, {}, '{"success": true}'

    api.add_callback(responses.POST, SUBSCRIBED, callback=answer)
    taken = subscription.subscribe(signed_in())
    assert "messages" in taken
    assert "message_echoes" not in taken
    assert len(taken) == len(subscription.FIELDS) - 1


def test_without_messages_a_subscription_is_none(api: responses.RequestsMock) -> None:
    api.post(SUBSCRIBED, status=400, json={"error": {"code": 100}})
    with pytest.raises(ConnectionLost, match="hear of messages"):
        subscription.subscribe(signed_in())


def test_a_dead_token_is_not_tried_field_by_field(api: responses.RequestsMock) -> None:
    api.post(SUBSCRIBED, status=400, json={"error": {"code": 190}})
    with pytest.raises(ConnectionLost) as caught:
        subscription.subscribe(signed_in())
    assert caught.value.reconnect
    assert len(api.calls) == 1


def test_a_page_is_subscribed_by_a_name_that_pages_know(api: responses.RequestsMock) -> None:
    api.post(f"{PAGES}/me/subscribed_apps", json={"success": True})
    assert subscription.subscribe(signed_in(flavour="page")) == ["messages"]


@pytest.mark.parametrize("listed", [["messages", "messaging_seen"], [{"name": "messages"}, {"name": "messaging_seen"}]])
def test_what_is_subscribed_is_read_in_both_shapes(api: responses.RequestsMock, listed: list[Any]) -> None:
    api.get(SUBSCRIBED, json={"data": [{"id": "1", "subscribed_fields": listed}]})
    assert subscription.subscribed(signed_in()) == ["messages", "messaging_seen"]


# Leaving for good

VECTOR = (
    "1K9O742Jn-OHS5KOq_Gp2YpdA8hOmyQy8BUHhQ8J-Jo."
    "eyJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsImlzc3VlZF9hdCI6MTc5MDAwMDAwMCwidXNlcl9pZCI6IjE3ODQxNDAwMDAwMDAwMDAxIn0"
)


def test_a_signed_request_names_the_owner() -> None:
    assert whose(VECTOR, [Account("1", (), {"app_secret": "other appsecret123"})]) == "17841400000000001"


@pytest.mark.parametrize("signed", [VECTOR[:-1], "A" + VECTOR, VECTOR.replace(".", "", 1), "", ".", VECTOR + "."])
def test_a_request_that_is_not_signed_so_is_forged(signed: str) -> None:
    with pytest.raises(Forged):
        whose(signed, [Account("1", (), {"app_secret": "appsecret123"})])


def test_a_grant_keeps_its_token_to_itself() -> None:
    assert "the-token" not in repr(Grant("1", "shop", {"access_token": "the-token"}))

"""The live test of an account, against Meta's answers and our own address."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from django.utils.timezone import now
from pytest_django import Settings

from connectors.adapters.instagram import InstagramAdapter
from connectors.messages import Account, Check, Ignored, RawInput

OURS = "17841405793187218"
HOOK = "https://help.example/hooks/token/"
ACCOUNT = Account(
    "1",
    (OURS,),
    {"app_secret": "s3cret-one s3cret-two", "verify_token": "v3rify", "access_token": "t0ken"},
    {"username": "shop"},
    webhook_url=HOOK,
)
GRAPH = "https://graph.test/v25.0"
ADAPTER = InstagramAdapter()


@pytest.fixture(autouse=True)
def graph(settings: Settings) -> None:
    settings.GRAPH_API_URL, settings.GRAPH_API_VERSION = "https://graph.test", "v25.0"
    settings.FACEBOOK_API_URL = "https://pages.test"


@pytest.fixture
def api() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def answers(api: responses.RequestsMock, base: str = GRAPH, **change: Any) -> None:
    """All is well, but for what is changed: keyword arguments of `responses` by what is asked."""
    api.get(f"{base}/me", **change.get("me", {"json": {"user_id": OURS, "username": "shop"}}))
    api.get(f"{base}/me/conversations", **change.get("conversations", {"json": {"data": []}}))
    fields = {"data": [{"subscribed_fields": ["messages", "messaging_seen"]}]}
    api.get(f"{base}/me/subscribed_apps", **change.get("subscribed", {"json": fields}))
    api.post(f"{base}/me/subscribed_apps", json={"success": True})
    if "hook" in change:
        api.get(HOOK, **change["hook"])
        api.post(HOOK, **change["hook"])
    else:
        api.add_callback(responses.GET, HOOK, callback=_shake_hands)
        api.post(HOOK, body="EVENT_RECEIVED")


def _shake_hands(request: Any) -> tuple[int, dict[str, str], str]:
    query = parse_qs(urlsplit(request.url).query)
    ok = query["hub.verify_token"] == ["v3rify"] and query["hub.mode"] == ["subscribe"]
    return (200, {}, query["hub.challenge"][0]) if ok else (403, {}, "")


def found(account: Account = ACCOUNT) -> dict[str, Check]:
    return {check.name: check for check in ADAPTER.check(account)}


def test_all_is_well(api: responses.RequestsMock) -> None:
    answers(api)
    checks = found()
    assert all(check.ok for check in checks.values())
    assert list(checks) == ["Sign-in", "Reading messages", "Subscription", "Handshake", "Webhook"]
    assert checks["Sign-in"].words == "Signed in as @shop."
    assert not any(check.fix for check in checks.values())


def test_what_is_posted_to_ourselves_is_signed_and_of_no_interest(api: responses.RequestsMock) -> None:
    answers(api)
    found()
    posted = next(call.request for call in api.calls if call.request.method == "POST")
    headers = {name.lower(): value for name, value in posted.headers.items()}
    ADAPTER.verify(posted.body, headers, [ACCOUNT])
    (item,) = ADAPTER.parse(RawInput(posted.body, {}, now(), ACCOUNT))
    assert isinstance(item, Ignored)
    assert json.loads(posted.body)["entry"][0]["id"] == "0"


def test_being_signed_in_as_another_account_is_no_sign_in(api: responses.RequestsMock) -> None:
    answers(api, me={"json": {"user_id": "17841405793180000", "username": "other"}})
    check = found()["Sign-in"]
    assert (check.ok, check.words) == (False, "We are signed in as another account (other).")
    assert "Sign in" in check.fix


def test_a_page_is_known_by_the_account_linked_to_it(api: responses.RequestsMock) -> None:
    linked = {"name": "Shop page", "instagram_business_account": {"id": OURS, "username": "shop"}}
    answers(api, "https://pages.test/v25.0", me={"json": linked})
    assert all(check.ok for check in found(replace(ACCOUNT, options={"flavour": "page"})).values())


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        ({"me": {"status": 400, "json": {"error": {"code": 190}}}}, "Sign-in", "no longer accepts"),
        ({"me": {"body": responses.ConnectionError("x")}}, "Sign-in", "could not be reached"),
        (
            {"conversations": {"status": 403, "json": {"error": {"code": 200, "error_subcode": 2534041}}}},
            "Reading messages",
            "switched off",
        ),
        ({"subscribed": {"status": 400, "json": {"error": {"code": 10}}}}, "Subscription", "took away"),
        ({"hook": {"status": 404, "body": "none"}}, "Handshake", "answered 404"),
        ({"hook": {"status": 403, "body": ""}}, "Webhook", "with 403"),
        ({"hook": {"body": responses.ConnectionError("x")}}, "Webhook", "cannot be reached from here"),
    ],
)
def test_each_thing_that_is_wrong_is_named_with_what_to_do(
    api: responses.RequestsMock, change: dict[str, Any], name: str, words: str
) -> None:
    answers(api, **change)
    check = found()[name]
    assert not check.ok
    assert words in check.words
    assert check.fix


def test_a_subscription_that_was_lost_is_made_again(api: responses.RequestsMock) -> None:
    answers(api, subscribed={"json": {"data": []}})
    check = found()["Subscription"]
    assert check.ok
    assert check.words.startswith("Instagram did not tell us of messages; now it does: messages")


def test_no_secret_is_in_what_was_found(api: responses.RequestsMock) -> None:
    answers(api, hook={"status": 500, "body": "oops"}, me={"status": 400, "json": {"error": {"code": 190}}})
    said = repr(ADAPTER.check(ACCOUNT))
    assert not any(secret in said for secret in ("s3cret", "v3rify", "t0ken"))

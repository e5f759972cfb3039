"""The owner of an Instagram account takes back their permission, or wants what we keep of it deleted."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from django.test import Client

from connectors.models import Connector
from tests import make

pytestmark = pytest.mark.django_db
OWNER = "9784140500000001"


def signed(person: str = OWNER, *, secret: str = "appsecret123", algorithm: str = "HMAC-SHA256") -> dict[str, str]:
    document = json.dumps({"algorithm": algorithm, "issued_at": 1790000000, "user_id": person}).encode()
    payload = base64.urlsafe_b64encode(document).rstrip(b"=")
    signature = base64.urlsafe_b64encode(hmac.digest(secret.encode(), payload, hashlib.sha256)).rstrip(b"=")
    return {"signed_request": f"{signature.decode()}.{payload.decode()}"}


@pytest.fixture
def theirs(account: Connector) -> Connector:
    account.keep({}, {"app_user_id": OWNER, "username": "shop", "app_id": "1"})
    return account


def test_an_owner_who_takes_back_the_permission_stops_sending_not_receiving(theirs: Connector, client: Client) -> None:
    assert client.post(f"/hooks/{theirs.token}/deauthorised/", signed()).status_code == 200
    theirs.refresh_from_db()
    assert theirs.needs_reconnect
    assert theirs.is_active
    assert "took back our permission" in theirs.failure


def test_what_we_keep_of_the_owner_is_deleted_and_a_page_says_so(theirs: Connector, client: Client) -> None:
    answer = client.post(f"/hooks/{theirs.token}/deletion/", signed()).json()
    assert answer["confirmation_code"] in answer["url"]
    theirs.refresh_from_db()
    assert theirs.credentials["access_token"] == ""
    assert theirs.options == {"app_user_id": "", "username": "", "app_id": "1"}
    page = client.get(answer["url"].removeprefix("http://testserver"))
    assert "we deleted the sign-in of your Instagram account" in page.content.decode()
    assert client.get("/deletions/guessed/").status_code == 404


def test_all_connections_of_that_owner_and_app_are_meant_and_no_other(theirs: Connector, client: Client) -> None:
    second = make.instagram_account(theirs.team, "17841405793187219")
    second.keep({}, {"app_user_id": OWNER})
    others = make.instagram_account(theirs.team, "17841405793187220")
    client.post(f"/hooks/{theirs.token}/deauthorised/", signed())
    stopped = set(Connector.objects.filter(needs_reconnect=True).values_list("pk", flat=True))
    assert stopped == {theirs.pk, second.pk}
    assert others.pk not in stopped


def test_the_owner_may_be_named_by_the_id_that_webhooks_carry(theirs: Connector, client: Client) -> None:
    client.post(f"/hooks/{theirs.token}/deauthorised/", signed(make.INSTAGRAM_ACCOUNT))
    theirs.refresh_from_db()
    assert theirs.needs_reconnect


@pytest.mark.parametrize("path", ["deauthorised", "deletion"])
@pytest.mark.parametrize(
    "form",
    [
        {},
        {"signed_request": "nothing"},
        {"signed_request": "é.é"},
        {"signed_request": "AAAA.e30"},
        signed(secret="another"),
        signed(algorithm="none"),
        signed(""),
    ],
)
def test_what_meta_did_not_sign_changes_nothing(
    theirs: Connector, client: Client, path: str, form: dict[str, str]
) -> None:
    assert client.post(f"/hooks/{theirs.token}/{path}/", form).status_code == 403
    theirs.refresh_from_db()
    assert (theirs.needs_reconnect, theirs.credentials["access_token"]) == (False, "token")


def test_only_an_instagram_account_has_an_owner_at_meta(number: Any, client: Client) -> None:
    assert client.post(f"/hooks/{number.token}/deletion/", signed()).status_code == 404

"""Connecting a mailbox, a number and an account in the browser; testing, breaking and repairing them there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from django.db import connection
from django.test import Client
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.errors import ConnectionLost
from connectors.messages import Account, Channel, Check, Grant, Renewal
from connectors.models import Connector, Receipt
from inbox import checking, renewing
from inbox.models import Audit
from inbox.views.connections import connection_of
from tests import make

pytestmark = pytest.mark.django_db

RECEIVING = {
    "imap_host": "mail.northwind.test",
    "imap_port": "993",
    "imap_security": "ssl",
    "imap_username": "",
    "imap_password": "an-imap-password",
}


@pytest.fixture
def tab(sue: Any, browser_of: Any) -> Client:
    return browser_of(sue)


@pytest.fixture
def begun(tab: Client, support: Any) -> Connector:
    """A mailbox of which only name and team are known."""
    given = {"name": "Help", "team": support.pk, "addresses": "Help@Northwind.test"}
    answer = tab.post("/connections/new/email/", given)
    connector = Connector.objects.get()
    assert answer.headers["Location"] == f"/connections/{connector.pk}/step/sign-in/"
    return connector


@pytest.fixture
def far_end(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the live test of the next connection finds."""

    def finds(kind: str, *found: Check) -> None:
        monkeypatch.setattr(ADAPTERS[Channel(kind)], "check", lambda account: list(found), raising=True)

    return finds


def text(tab: Client, path: str, status: int = 200) -> str:
    answer = tab.get(path)
    assert answer.status_code == status
    return answer.content.decode()


def test_every_kind_of_connection_is_offered(tab: Client) -> None:
    html = text(tab, "/connections/new/")
    for kind in Channel:
        assert f"/connections/new/{kind.value}/" in html
        assert tab.get(f"/connections/new/{kind.value}/").status_code == 200
    assert tab.get("/connections/new/pigeon/").status_code == 404


def test_a_mailbox_is_set_up_step_by_step_and_works_only_at_the_end(tab: Client, begun: Connector) -> None:
    assert (begun.addresses, begun.is_active, begun.is_set_up) == (["help@northwind.test"], False, False)
    page = f"/connections/{begun.pk}/"
    answer = tab.post(f"{page}step/sign-in/", {"oauth_provider": ""})
    assert answer.headers["Location"] == f"{page}step/receiving/"
    answer = tab.post(f"{page}step/receiving/", RECEIVING)
    assert answer.headers["Location"] == f"{page}step/sending/"
    begun.refresh_from_db()
    assert begun.credentials["imap_username"] == "help@northwind.test"
    assert tab.post(f"{page}finish/").headers["Location"] == page
    assert "Something is still missing: Sending" in text(tab, page)
    tab.post(f"{page}step/sending/", {"smtp_port": "587", "smtp_security": "starttls"})
    tab.post(f"{page}step/rules/", {"authserv_id": "mail.northwind.test"})
    begun.refresh_from_db()
    assert begun.credentials["smtp_host"] == "mail.northwind.test"
    assert begun.credentials["smtp_password"] == "an-imap-password"
    assert begun.options["authserv_id"] == "mail.northwind.test"
    assert not begun.is_active
    tab.post(f"{page}finish/")
    begun.refresh_from_db()
    assert begun.is_active
    assert begun.is_set_up


def test_a_result_that_was_entered_for_the_servers_name_is_asked_for_again(tab: Client, begun: Connector) -> None:
    page = f"/connections/{begun.pk}/step/rules/"
    answer = tab.post(page, {"authserv_id": "spf=pass"})
    assert b"That is a result and no server" in answer.content
    assert b"enter microsoft365." in answer.content
    assert tab.post(page, {"authserv_id": "microsoft365"}).status_code == 302


def test_hours_that_nobody_can_read_are_asked_for_again(tab: Client, begun: Connector) -> None:
    page = f"/connections/{begun.pk}/step/rules/"
    answer = tab.post(page, {"acknowledgement": "We are back at nine.", "open_hours": "Mon-Fri 9 to 5"})
    assert answer.status_code == 422
    assert "Write it like this: Mon-Fri 9:00-17:30" in answer.content.decode()
    assert "We are back at nine." in answer.content.decode()
    assert tab.post(page, {"open_hours": "Mon-Fri 9:00-17:00"}).status_code == 302


def test_who_changed_what_is_noted_and_never_what_was_typed(tab: Client, begun: Connector) -> None:
    page = f"/connections/{begun.pk}/"
    tab.post(f"{page}step/receiving/", RECEIVING)
    tab.post(f"{page}step/receiving/", RECEIVING | {"imap_port": "143"})
    tab.post(f"{page}step/receiving/", RECEIVING | {"imap_port": "143"})
    tab.post(f"/health/{begun.pk}/pause/")
    noted = list(Audit.objects.filter(act="connect").order_by("pk").values_list("why", flat=True))
    assert noted[0].endswith(": begun")
    assert "IMAP password" in noted[1]
    assert noted[2].endswith(": Receiving: IMAP port")
    assert noted[3].endswith(": paused")
    assert len(noted) == 4
    assert "an-imap-password" not in "".join(noted)


def test_what_is_half_done_is_listed_and_can_be_gone_on_with_or_dropped(tab: Client, begun: Connector) -> None:
    html = text(tab, "/health/")
    assert "not finished yet" in html
    assert f"/connections/{begun.pk}/" in html
    assert "Receiving" in text(tab, f"/connections/{begun.pk}/")
    tab.post(f"/connections/{begun.pk}/forget/")
    assert not Connector.objects.exists()


def test_a_finished_connection_is_paused_but_never_dropped(tab: Client, number: Connector) -> None:
    assert tab.post(f"/connections/{number.pk}/forget/").status_code == 404
    assert Connector.objects.exists()


def test_a_secret_is_never_shown_again_and_an_empty_field_keeps_it(tab: Client, number: Connector) -> None:
    page = f"/connections/{number.pk}/step/credentials/"
    html = text(tab, page)
    assert "a-twilio-token" not in html
    assert make.ACCOUNT_SID in html
    assert "Kept. Type a new one to replace it." in html
    tab.post(page, {"account_sid": make.ACCOUNT_SID, "auth_token": ""})
    number.refresh_from_db()
    assert number.credentials["auth_token"] == "a-twilio-token"
    tab.post(page, {"account_sid": make.ACCOUNT_SID, "auth_token": "another-token"})
    number.refresh_from_db()
    assert number.credentials["auth_token"] == "another-token"
    for path in ("", "step/basics/", "step/webhook/", "findings/"):
        assert "another-token" not in text(tab, f"/connections/{number.pk}/{path}")


def test_a_mailbox_at_google_is_signed_in_to_there_and_needs_no_password(tab: Client, begun: Connector) -> None:
    page = f"/connections/{begun.pk}/"
    assert "Sign in there" not in text(tab, f"{page}step/sign-in/")
    tab.post(
        f"{page}step/sign-in/", {"oauth_provider": "google", "oauth_client_id": "our-app", "oauth_client_secret": "s"}
    )
    assert "Sign in there" in text(tab, f"{page}step/sign-in/")
    away = tab.get(f"{page}sign-in/").headers["Location"]
    assert away.startswith("https://accounts.google.com/o/oauth2/v2/auth?client_id=our-app&")
    (state,) = parse_qs(urlsplit(away).query)["state"]
    with responses.RequestsMock() as google:
        google.post(
            "https://oauth2.googleapis.com/token",
            json={"access_token": "an-access", "refresh_token": "a-refresh", "expires_in": 3599},
        )
        tab.get("/connections/signed-in/", {"state": state, "code": "c0de"})
    begun.refresh_from_db()
    assert begun.credentials["imap_host"] == "imap.gmail.com"
    assert begun.credentials["oauth_refresh_token"] == "a-refresh"
    assert "an-access" not in text(tab, page)
    assert "smtp.gmail.com" in text(tab, f"{page}step/sending/")
    tab.post(f"{page}step/sending/", {"smtp_host": "smtp.gmail.com", "smtp_port": "587", "smtp_security": "starttls"})
    tab.post(f"{page}finish/")
    begun.refresh_from_db()
    assert begun.is_set_up


def test_secrets_are_encrypted_in_the_database(tab: Client, begun: Connector) -> None:
    tab.post(f"/connections/{begun.pk}/step/receiving/", RECEIVING)
    with connection.cursor() as cursor:
        cursor.execute("SELECT credentials::text || options::text FROM connectors_connector")
        (kept,) = cursor.fetchone()
    assert "an-imap-password" not in bytes.fromhex(kept[2 : kept.index("{")]).decode()


def test_a_form_with_a_mistake_comes_back_with_the_words_typed_but_no_secret(tab: Client, begun: Connector) -> None:
    answer = tab.post(f"/connections/{begun.pk}/step/receiving/", {**RECEIVING, "imap_host": ""})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "IMAP server is missing." in html
    assert "an-imap-password" not in html


@pytest.mark.parametrize(
    ("addresses", "words"),
    [("", "Give at least one address."), ("+14155550100", "+14155550100 is connected already."), ("12", "not a valid")],
)
def test_an_address_is_connected_once_and_must_be_one(
    tab: Client, number: Connector, support: Any, addresses: str, words: str
) -> None:
    given = {"name": "More texts", "team": support.pk, "addresses": addresses}
    answer = tab.post("/connections/new/sms/", given)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert Connector.objects.count() == 1


def test_a_number_shows_its_webhook_address(tab: Client, number: Connector) -> None:
    assert number.webhook_url in text(tab, f"/connections/{number.pk}/step/webhook/")


def test_an_account_gets_a_verify_token_of_its_own(tab: Client, support: Any) -> None:
    tab.post("/connections/new/instagram/", {"name": "Shop", "team": support.pk})
    connector = Connector.objects.get()
    assert connector.addresses == []
    assert connector.credentials["verify_token"] in text(tab, f"/connections/{connector.pk}/step/webhook/")
    assert connector.credentials["verify_token"] not in text(tab, f"/connections/{connector.pk}/")
    assert "Shop" in text(tab, "/health/")


# The live test


def test_a_test_says_what_works_what_does_not_how_long_it_took_and_what_to_do(
    tab: Client, number: Connector, far_end: Any
) -> None:
    far_end(
        "sms",
        Check("Sign-in", True, "Twilio knows us.", seconds=0.042),
        Check("Webhook", False, "Twilio posts elsewhere.", fix="Enter our address there.", seconds=1.25),
    )
    tab.post(f"/connections/{number.pk}/test/")
    assert "hx-trigger" in text(tab, f"/connections/{number.pk}/findings/")
    assert checking.due() == [number.pk]
    checking.check(number.pk)
    assert checking.due() == []
    html = text(tab, f"/connections/{number.pk}/")
    for words in ("Twilio knows us.", "42 ms", "Twilio posts elsewhere.", "Enter our address there.", "1.2 s"):
        assert words in html
    assert "hx-trigger" not in text(tab, f"/connections/{number.pk}/findings/")


def test_a_test_that_finds_all_well_ends_old_failures_and_waits_for_a_real_message(
    tab: Client, number: Connector, maya: Any, far_end: Any
) -> None:
    Connector.objects.update(needs_reconnect=True, failure="Twilio refuses us.", failing_side="out")
    far_end("sms", Check("Sign-in", True, "Twilio knows us."))
    tab.post(f"/connections/{number.pk}/test/")
    checking.check(number.pk)
    number.refresh_from_db()
    assert (number.needs_reconnect, number.failure) == (False, "")
    html = text(tab, f"/connections/{number.pk}/findings/")
    assert "For a last proof write to +14155550100" in html
    assert "every 3s" in html
    entry = make.says(maya, number, "Is this on?")
    Receipt.store(number, b"x", headers={})
    Receipt.objects.get().finish([{"outcome": "entry", "entry": entry.pk, "case": entry.case_id}])
    html = text(tab, f"/connections/{number.pk}/findings/")
    assert "A real message came in." in html
    assert f"/inbox/open/c/{entry.case_id}/" in html


def test_a_test_that_finds_something_wrong_leaves_the_failure_standing(number: Connector, far_end: Any) -> None:
    Connector.objects.update(needs_reconnect=True)
    far_end("sms", Check("Sign-in", False, "Twilio does not know us.", fix="Copy the token."))
    checking.ask(number)
    checking.check(number.pk)
    number.refresh_from_db()
    assert number.needs_reconnect


def test_a_test_that_breaks_says_so(number: Connector, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(account: Account) -> list[Check]:
        raise RuntimeError

    monkeypatch.setattr(ADAPTERS[Channel.SMS], "check", breaks)
    checking.ask(number)
    assert [each.words for each in checking.check(number.pk)] == ["The test itself broke."]


def test_a_test_goes_on_with_what_it_posted_to_us(account: Connector, monkeypatch: pytest.MonkeyPatch) -> None:
    def posts(of: Account) -> list[Check]:
        Receipt.store(account, b'{"object":"instagram","entry":[{"id":"0","changes":[]}]}', headers={})
        return [Check("Webhook", True, "Taken.")]

    monkeypatch.setattr(ADAPTERS[Channel.INSTAGRAM], "check", posts)
    checking.ask(account)
    assert [each.name for each in checking.check(account.pk)] == ["Webhook", "Taking in"]
    assert Receipt.objects.get().outcomes[0]["kind"] == "dashboard test"


def test_changing_what_was_wrong_lets_it_be_tried_anew(tab: Client, number: Connector) -> None:
    Connector.objects.update(needs_reconnect=True, failure="Twilio refuses us.", failing_side="out")
    tab.post(f"/connections/{number.pk}/step/credentials/", {"account_sid": make.ACCOUNT_SID, "auth_token": "right"})
    number.refresh_from_db()
    assert connection_of(number).words == "nothing heard yet"


# Renewing


@pytest.fixture
def renewal(monkeypatch: pytest.MonkeyPatch) -> Any:
    def is_answered(answer: Renewal | ConnectionLost | None) -> None:
        def renew(account: Account) -> Renewal | None:
            if isinstance(answer, ConnectionLost):
                raise answer
            return answer

        monkeypatch.setattr(ADAPTERS[Channel.INSTAGRAM], "renew", renew)

    return is_answered


def test_a_sign_in_is_renewed_once_and_everything_else_stays(account: Connector, renewal: Any) -> None:
    renewal(Renewal({"access_token": "newer"}, {"access_token_expires_at": "2027-01-01T00:00:00+00:00"}))
    assert renewing.due() == [account.pk]
    assert renewing.renew(account.pk)
    assert renewing.due() == []
    account.refresh_from_db()
    assert account.credentials == {"app_secret": "appsecret123", "verify_token": "verify-me", "access_token": "newer"}
    assert account.options["access_token_expires_at"].startswith("2027")


def test_a_sign_in_that_cannot_be_renewed_is_said_and_tried_again(account: Connector, renewal: Any) -> None:
    renewal(ConnectionLost("Instagram does not answer."))
    assert not renewing.renew(account.pk)
    account.refresh_from_db()
    assert (account.failure, account.needs_reconnect) == ("Instagram does not answer.", False)
    Connector.objects.update(renew_at=now() - timedelta(seconds=1))
    assert renewing.due() == [account.pk]


def test_a_dead_sign_in_is_not_tried_again(account: Connector, renewal: Any) -> None:
    renewal(ConnectionLost("It has ended.", reconnect=True))
    renewing.renew(account.pk)
    Connector.objects.update(renew_at=None)
    assert renewing.due() == []


def test_supervisors_are_told_on_every_page_before_a_sign_in_ends(
    account: Connector, sue: Any, ana: Any, browser_of: Any
) -> None:
    Connector.objects.update(options={"access_token_expires_at": (now() + timedelta(days=6, hours=1)).isoformat()})
    assert "sign-in ends in 6 days" in browser_of(sue).get("/customers/").content.decode()
    assert "sign-in ends" not in browser_of(ana).get("/customers/").content.decode()


# Signing in at the provider


@pytest.fixture
def instagram(tab: Client, support: Any) -> Connector:
    tab.post("/connections/new/instagram/", {"name": "Shop", "team": support.pk})
    connector = Connector.objects.get()
    given = {"flavour": "instagram", "app_id": "990001", "app_secret": "appsecret123"}
    tab.post(f"/connections/{connector.pk}/step/app/", given)
    connector.refresh_from_db()
    return connector


@pytest.fixture
def granted(monkeypatch: pytest.MonkeyPatch) -> Any:
    calls: list[tuple[str, str]] = []

    def are(*grants: Grant) -> list[tuple[str, str]]:
        def answer(account: Account, code: str, redirect: str) -> list[Grant]:
            calls.append((code, redirect))
            return list(grants)

        monkeypatch.setattr(ADAPTERS[Channel.INSTAGRAM], "grants", answer)
        return calls

    return are


SHOP = Grant("17841405793187218", "shop", {"access_token": "the-token"}, {"username": "shop", "flavour": "page"})


def state_of(tab: Client, connector: Connector) -> str:
    leaving = tab.get(f"/connections/{connector.pk}/sign-in/")
    assert leaving.status_code == 302
    return leaving.headers["Location"].split("state=")[1].split("&")[0]


def test_who_signs_in_there_comes_back_connected_and_is_tested(tab: Client, instagram: Connector, granted: Any) -> None:
    calls = granted(SHOP)
    state = state_of(tab, instagram)
    answer = tab.get("/connections/signed-in/", {"code": "abc#_", "state": state})
    assert answer.headers["Location"] == f"/connections/{instagram.pk}/"
    assert calls == [("abc#_", "http://testserver/connections/signed-in/")]
    instagram.refresh_from_db()
    assert instagram.addresses == ["17841405793187218"]
    assert instagram.credentials["access_token"] == "the-token"
    assert checking.due() == [instagram.pk]


def test_an_answer_is_taken_once_and_only_with_the_state_it_was_asked_with(
    tab: Client, instagram: Connector, granted: Any, browser_of: Any, adam: Any
) -> None:
    calls = granted(SHOP)
    state = state_of(tab, instagram)
    assert browser_of(adam).get("/connections/signed-in/", {"code": "abc", "state": state}).status_code == 302
    tab.get("/connections/signed-in/", {"code": "abc", "state": "another"})
    tab.get("/connections/signed-in/", {"code": "abc", "state": state})  # used up by the wrong one
    assert calls == []
    state = state_of(tab, instagram)
    tab.get("/connections/signed-in/", {"code": "abc", "state": state})
    tab.get("/connections/signed-in/", {"code": "abc", "state": state})
    assert len(calls) == 1


def test_who_says_no_there_changes_nothing(tab: Client, instagram: Connector, granted: Any) -> None:
    calls = granted(SHOP)
    refused = {"error": "access_denied", "error_description": "The user denied your request."}
    tab.get("/connections/signed-in/", refused | {"state": state_of(tab, instagram)})
    assert calls == []
    page = text(tab, f"/connections/{instagram.pk}/")
    assert "You were not signed in: The user denied your request. Nothing was changed." in page


def test_of_several_accounts_one_is_chosen_and_no_token_waits_in_the_open(
    tab: Client, instagram: Connector, granted: Any
) -> None:
    granted(replace(SHOP, address="17841405793180000", name="other"), SHOP)
    answer = tab.get("/connections/signed-in/", {"code": "abc", "state": state_of(tab, instagram)})
    assert "the-token" not in answer.content.decode()
    assert "the-token" not in str(dict(tab.session))
    tab.post(f"/connections/{instagram.pk}/account/", {"address": SHOP.address})
    instagram.refresh_from_db()
    assert instagram.addresses == [SHOP.address]
    tab.post(f"/connections/{instagram.pk}/account/", {"address": "17841405793180000"})
    instagram.refresh_from_db()
    assert instagram.addresses == [SHOP.address]


def test_an_account_is_connected_only_once(tab: Client, account: Connector, granted: Any, support: Any) -> None:
    tab.post("/connections/new/instagram/", {"name": "Again", "team": support.pk})
    again = Connector.objects.get(name="Again")
    tab.post(f"/connections/{again.pk}/step/app/", {"flavour": "page", "app_id": "1", "app_secret": "s"})
    granted(SHOP)
    tab.get("/connections/signed-in/", {"code": "abc", "state": state_of(tab, again)})
    again.refresh_from_db()
    assert again.addresses == []
    assert "is connected already" in text(tab, "/health/")


def test_signing_in_as_somebody_else_does_not_turn_one_account_into_another(
    tab: Client, account: Connector, granted: Any
) -> None:
    Connector.objects.update(options={"app_id": "1"})
    granted(replace(SHOP, address="17841405793180000", name="other"))
    tab.get("/connections/signed-in/", {"code": "abc", "state": state_of(tab, account)})
    account.refresh_from_db()
    assert account.addresses == [make.INSTAGRAM_ACCOUNT]
    assert account.credentials["access_token"] == "token"
    assert "this connection is for another account" in text(tab, "/health/")


def test_without_an_app_id_there_is_no_way_to_sign_in_there(tab: Client, account: Connector) -> None:
    assert tab.get(f"/connections/{account.pk}/sign-in/").headers["Location"] == f"/connections/{account.pk}/"


# The health page


def test_the_health_page_tells_queue_errors_lag_and_when_a_sign_in_ends(
    tab: Client, number: Connector, account: Connector, maya: Any, ana: Any
) -> None:
    entry = make.says(maya, number, "Hello")
    reply = make.answers(ana, entry.case, "Hello Maya")
    reply.deliveries.update(state="failed")
    make.answers(ana, entry.case, "Hello again")
    Receipt.store(number, b"1", headers={})
    Receipt.objects.get().finish([{"outcome": "entry", "entry": entry.pk, "case": entry.case_id}])
    Receipt.objects.update(received_at=now() - timedelta(seconds=2))
    Receipt.store(number, b"2", headers={})
    Connector.objects.filter(pk=account.pk).update(
        options={"access_token_expires_at": (now() + timedelta(days=40)).isoformat()}
    )
    html = text(tab, "/health/")
    assert "1 in, 1 out" in html
    assert "33 %" in html
    assert "1 not sent, 0 set aside" in html
    assert "2.0 s" in html
    assert html.count("never</span>") == 1

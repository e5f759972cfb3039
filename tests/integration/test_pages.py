"""The other pages: signing in, alerts, customers, quarantine, filed mail, a new conversation, health, errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils.timezone import now

from connectors.messages import Sender
from connectors.models import Connector, Receipt
from customers.models import Customer, Identity
from inbox import merging
from inbox.locking import locked
from inbox.models import Alert, Case, Delivery, Entry, EntryKind, Merge
from inbox.models.sign_in import MOST_PER_PERSON, MOST_PER_PLACE, SignInAttempt
from inbox.views.snapshot import kept
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_board() -> Iterator[None]:
    kept.forget()
    yield
    kept.forget()


def sign_in(client: Client, email: str, password: str, **more: Any) -> Any:
    return client.post("/sign-in/", {"email": email, "password": password}, **more)


# Signing in


def test_an_agent_signs_in_with_a_new_session_and_goes_where_they_wanted(ana: Any, client: Client) -> None:
    client.get("/sign-in/?next=/customers/")
    before = client.cookies.get("sessionid")
    answer = client.post(
        "/sign-in/", {"email": "Ana@Throughline.test", "password": make.PASSWORD, "next": "/customers/"}
    )
    assert answer["Location"] == "/customers/"
    assert before is None  # a stranger costs no session row
    assert client.get("/customers/").status_code == 200


def test_an_old_session_key_is_never_taken_over(ana: Any, client: Client) -> None:
    session = client.session
    session["x"] = 1
    session.save()
    client.cookies["sessionid"] = session.session_key
    sign_in(client, ana.email, make.PASSWORD)
    assert client.cookies["sessionid"].value != session.session_key


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(ana: Any, client: Client) -> None:
    wrong = sign_in(client, ana.email, "not the password")
    unknown = sign_in(client, "nobody@throughline.test", "not the password")
    off = make.agent("Old Hand", ana.teams.first())
    off.is_active = False
    off.save()
    gone = sign_in(client, off.email, make.PASSWORD)
    texts = [re.sub(r'value="[^"]*"', "", each.content.decode()) for each in (wrong, unknown, gone)]
    assert {each.status_code for each in (wrong, unknown, gone)} == {422}
    assert texts[0] == texts[1] == texts[2]


@pytest.mark.parametrize(
    "wanted", ["//evil.test/", "https://evil.test/", "\\\\evil.test", "/\\evil.test", "javascript:1"]
)
def test_nobody_is_sent_elsewhere_after_signing_in(ana: Any, client: Client, wanted: str) -> None:
    answer = client.post("/sign-in/", {"email": ana.email, "password": make.PASSWORD, "next": wanted})
    assert answer["Location"] == "/"


def test_guessing_is_stopped_even_with_the_right_password_and_only_for_that_place(ana: Any, client: Client) -> None:
    for _ in range(MOST_PER_PERSON):
        assert sign_in(client, ana.email, "guess").status_code == 422
    assert sign_in(client, ana.email, make.PASSWORD).status_code == 429
    assert sign_in(client, ana.email, make.PASSWORD, REMOTE_ADDR="10.9.8.7").status_code == 302


def test_what_a_client_claims_about_its_address_counts_for_nothing(ana: Any, client: Client) -> None:
    for number in range(MOST_PER_PERSON):
        sign_in(client, ana.email, "guess", headers={"X-Forwarded-For": f"10.0.0.{number}"})
    assert sign_in(client, ana.email, make.PASSWORD, headers={"X-Forwarded-For": "10.1.1.1"}).status_code == 429


def test_behind_a_proxy_the_address_it_saw_counts(ana: Any, client: Client, settings: Any) -> None:
    settings.BEHIND_TLS_PROXY = True
    for number in range(MOST_PER_PERSON):
        sign_in(client, ana.email, "guess", headers={"X-Forwarded-For": f"10.0.0.{number}, 203.0.113.5"})
    assert sign_in(client, ana.email, make.PASSWORD, headers={"X-Forwarded-For": "203.0.113.5"}).status_code == 429
    assert sign_in(client, ana.email, make.PASSWORD, headers={"X-Forwarded-For": "203.0.113.6"}).status_code == 302


def test_trying_many_addresses_from_one_place_is_stopped_too(db: None) -> None:
    allowed = [SignInAttempt.is_allowed(f"a{number}@b.test", "10.0.0.1") for number in range(MOST_PER_PLACE + 3)]
    assert allowed.count(True) == MOST_PER_PLACE


def test_the_count_ends_with_success_and_with_time(ana: Any, client: Client) -> None:
    for _ in range(MOST_PER_PERSON - 1):
        sign_in(client, ana.email, "guess")
    assert sign_in(client, ana.email, make.PASSWORD).status_code == 302
    fresh = Client()
    assert sign_in(fresh, ana.email, "guess").status_code == 422
    for _ in range(MOST_PER_PERSON):
        sign_in(fresh, ana.email, "guess")
    SignInAttempt.objects.update(since=now() - timedelta(minutes=16))
    assert sign_in(fresh, ana.email, make.PASSWORD).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_forty_guesses_at_once_are_forty_guesses() -> None:
    def guess(_: int) -> bool:
        try:
            return SignInAttempt.is_allowed("ana@throughline.test", "10.0.0.1")
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(guess, range(40))) == MOST_PER_PERSON


def test_signing_out_needs_a_post_and_tells_the_open_sockets(
    ana: Any, browser_of: Any, heard: list[dict[str, Any]], django_capture_on_commit_callbacks: Any
) -> None:
    browser = browser_of(ana)
    assert browser.get("/sign-out/").status_code == 405
    with django_capture_on_commit_callbacks(execute=True):
        assert browser.post("/sign-out/")["Location"] == "/sign-in/"
    assert {"kind": "agent", "agent": ana.pk} in heard
    assert browser.get("/customers/").status_code == 302


def test_a_new_password_ends_all_other_sessions(ana: Any, client: Client) -> None:
    sign_in(client, ana.email, make.PASSWORD)
    elsewhere = Client()
    sign_in(elsewhere, ana.email, make.PASSWORD)
    given = {"old_password": make.PASSWORD, "new_password1": "a fine new one 42", "new_password2": "a fine new one 42"}
    assert client.post("/me/password/", given | {"old_password": "wrong"}).status_code == 422
    assert client.post("/me/password/", given).status_code == 302
    assert client.get("/customers/").status_code == 200
    assert elsewhere.get("/customers/").status_code == 302


# Alerts


def moved(person: Customer, mailbox: Connector, number: Connector) -> Case:
    make.says(person, mailbox, "My order is broken")
    case = make.says(person, number, "hello? did you get my mail?").case
    assert case is not None
    return case


def test_alerts_are_grouped_by_whose_they_are_and_who_has_looked(
    ana: Any, sam: Any, maya: Any, mailbox: Any, number: Any, browser_of: Any
) -> None:
    case = moved(maya, mailbox, number)
    browser = browser_of(ana)
    assert "Your team’s, nobody has looked" in browser.get("/alerts/").content.decode()
    Alert.objects.get().see(sam)
    assert "a colleague has looked" in browser.get("/alerts/").content.decode()
    with locked(case) as current:
        current.assign(ana, by=ana)
    html = browser.get("/alerts/").content.decode()
    assert "Yours" in html
    assert re.search(r"Maya is on SMS now\. The email from \d\d:\d\d has no answer yet\.", html)
    browser.post(f"/alerts/{Alert.objects.get().pk}/seen/")
    html = browser.get("/alerts/").content.decode()
    assert "Seen today" in html
    assert "Nobody has moved without you noticing." in html


def test_an_alert_of_another_team_is_neither_shown_nor_touched(
    lee: Any, maya: Any, mailbox: Any, number: Any, browser_of: Any
) -> None:
    moved(maya, mailbox, number)
    alert = Alert.objects.get()
    assert "Maya" not in browser_of(lee).get("/alerts/").content.decode()
    assert browser_of(lee).post(f"/alerts/{alert.pk}/seen/").status_code == 404
    assert not alert.seen.exists()


def test_all_alerts_can_be_seen_at_once(ana: Any, maya: Any, mailbox: Any, number: Any, browser_of: Any) -> None:
    moved(maya, mailbox, number)
    browser = browser_of(ana)
    assert 'data-count="1"' in browser.get("/alerts/count/").content.decode()
    browser.post("/alerts/seen/")
    assert 'data-count=""' in browser.get("/alerts/count/").content.decode()


# Customers


def test_customers_are_found_by_name_address_handle_and_number_as_people_type_them(
    ana: Any, maya: Any, mailbox: Any, browser_of: Any
) -> None:
    make.says(maya, mailbox, "Hello")
    maya.identities.filter(kind="instagram").update(handle="maya.ortz")
    browser = browser_of(ana)
    for query in ("ortiz", "MAYA", "maya@ort", "@maya.ortz", "+1 (415) 555-2671", "415 555 2671", "2671"):
        assert f"/customers/{maya.pk}/" in browser.get("/customers/", {"q": query}).content.decode(), query
    for query in ("nobody", "%", "_", "\\", "9999", "\x00'"):
        assert (
            f'href="/customers/{maya.pk}/"' not in browser.get("/customers/", {"q": query}).content.decode()
            or query == "\x00'"
        )


def test_a_customer_is_seen_only_through_a_case_one_may_see(
    ana: Any, lee: Any, sue: Any, maya: Any, mailbox: Any, billing_mailbox: Any, browser_of: Any
) -> None:
    case = make.says(maya, mailbox, "Hello").case
    assert case is not None
    assert browser_of(ana).get(f"/customers/{maya.pk}/").status_code == 200
    for address in (f"/customers/{maya.pk}/", f"/customers/{maya.pk}/same/", f"/customers/{maya.pk}/same/{maya.pk}/"):
        assert browser_of(lee).get(address).status_code == 404
    assert "Maya" not in browser_of(lee).get("/customers/", {"q": "maya"}).content.decode()
    identity = maya.identities.first()
    for address in (
        f"/customers/{maya.pk}/name/",
        f"/customers/{maya.pk}/same/{maya.pk}/join/",
        f"/identities/{identity.pk}/block/",
    ):
        assert browser_of(lee).post(address).status_code == 404
    with locked(case) as current:
        current.resolve(by=ana)
    make.says(maya, billing_mailbox, "My invoice is wrong")
    html = browser_of(lee).get(f"/customers/{maya.pk}/").content.decode()
    assert browser_of(sue).get(f"/customers/{maya.pk}/").status_code == 200
    assert "Maya Ortiz" in html


def test_joining_is_previewed_done_by_post_and_taken_back(
    ana: Any, maya: Any, mailbox: Any, number: Any, browser_of: Any
) -> None:
    make.says(maya, mailbox, "My order is broken")
    stranger = make.says(Sender("+14155550123", "", ""), number, "it is me, Maya").case
    assert stranger is not None
    other = stranger.customer
    browser = browser_of(ana)
    assert (
        f"/customers/{maya.pk}/same/{other.pk}/" in browser.get(f"/customers/{maya.pk}/same/?q=0123").content.decode()
    )
    preview = browser.get(f"/customers/{maya.pk}/same/{other.pk}/").content.decode()
    assert "become one" in preview
    assert browser.get(f"/customers/{maya.pk}/same/{other.pk}/join/").status_code == 405
    browser.post(f"/customers/{maya.pk}/same/{other.pk}/join/", {"reason": "she said so"})
    assert browser.get(f"/customers/{other.pk}/")["Location"] == f"/customers/{maya.pk}/"
    page = browser.get(f"/customers/{maya.pk}/").content.decode()
    assert "she said so" in page
    assert "0123" in page
    merge = Merge.objects.get()
    browser.post(f"/joins/{merge.pk}/undo/")
    assert browser.get(f"/customers/{other.pk}/").status_code == 200
    assert "taken back by Ana D." in browser.get(f"/customers/{maya.pk}/").content.decode()
    browser.post(f"/joins/{merge.pk}/undo/")
    assert "This was undone before." in browser.get(f"/customers/{maya.pk}/").content.decode()


def test_joining_the_same_person_twice_says_so(ana: Any, maya: Any, mailbox: Any, browser_of: Any) -> None:
    make.says(maya, mailbox, "Hello")
    answer = browser_of(ana).post(f"/customers/{maya.pk}/same/{maya.pk}/join/")
    assert answer.status_code == 422
    assert "already the same person" in answer.content.decode()


def test_nobody_undoes_a_join_of_people_they_cannot_see(
    ana: Any, lee: Any, maya: Any, mailbox: Any, number: Any, browser_of: Any
) -> None:
    make.says(maya, mailbox, "Hello")
    other = make.customer("M", phone="+14155550123")
    make.says(other, number, "Hello")
    merge = merging.join(maya, other, by=ana)
    assert browser_of(lee).post(f"/joins/{merge.pk}/undo/").status_code == 404
    merge.refresh_from_db()
    assert merge.undone_at is None


def test_a_hostile_name_stays_text_everywhere(ana: Any, maya: Any, mailbox: Any, browser_of: Any) -> None:
    make.says(maya, mailbox, "Hello")
    browser = browser_of(ana)
    browser.post(f"/customers/{maya.pk}/name/", {"name": '<img src=x onerror="alert(1)">'})
    for address in ("/customers/", f"/customers/{maya.pk}/", f"/customers/{maya.pk}/same/?q=img"):
        assert "<img src=x" not in browser.get(address).content.decode()


def test_customers_page_by_page(sue: Any, mailbox: Any, browser_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inbox.views.customer.PAGE", 2)
    for name in ("Ann", "Ann", "Bob", "Cy", "Dee"):
        make.customer(name, email=f"{Customer.objects.count()}@mail.test")
    browser, seen, address = browser_of(sue), [], "/customers/"
    while address:
        html = browser.get(address).content.decode()
        seen += re.findall(r'class="whole" href="/customers/(\d+)/"', html)
        more = re.search(r'href="(\?after=\d+)"', html)
        address = f"/customers/{more.group(1)}" if more else ""
    assert len(seen) == len(set(seen)) == 5
    assert browser.get("/customers/?after=x").status_code == 404


def test_one_page_of_customers_costs_few_queries(
    ana: Any, mailbox: Any, browser_of: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        make.says(make.customer(f"Person {number}", email=f"p{number}@mail.test"), mailbox, "Hello")
    browser = browser_of(ana)
    with django_assert_max_num_queries(8):
        browser.get("/customers/")


# Filed mail


@pytest.fixture
def newsletter(mailbox: Any) -> Entry:
    entry = make.says(Sender("news@shop.test", "", "Shop"), mailbox, "Our catalogue", classification="bulk")
    assert entry.kind == EntryKind.FILED
    return entry


def test_filed_mail_becomes_a_case_when_somebody_says_it_is_a_person(
    ana: Any, newsletter: Entry, mailbox: Any, browser_of: Any
) -> None:
    browser = browser_of(ana)
    html = browser.get("/inbox/filed/").content.decode()
    assert "Our catalogue" in html
    answer = browser.post(f"/filed/{newsletter.pk}/person/")
    case = Case.objects.get()
    assert answer["Location"] == f"/inbox/open/c/{case.pk}/"
    assert "Our catalogue" not in browser.get("/inbox/filed/").content.decode()
    again = browser.post(f"/filed/{newsletter.pk}/person/")
    assert again["Location"] == "/inbox/filed/"
    assert Case.objects.count() == 1


def test_filed_mail_of_another_team_is_not_shown_nor_touched(lee: Any, newsletter: Entry, browser_of: Any) -> None:
    browser = browser_of(lee)
    assert "Our catalogue" not in browser.get("/inbox/filed/").content.decode()
    assert browser.post(f"/filed/{newsletter.pk}/person/").status_code == 404
    assert browser.post(f"/identities/{newsletter.identity_id}/block/").status_code == 404


def test_an_address_is_blocked_and_unblocked(ana: Any, newsletter: Entry, browser_of: Any) -> None:
    browser = browser_of(ana)
    browser.post(f"/identities/{newsletter.identity_id}/block/", {"from": "filed"})
    assert Identity.objects.get(pk=newsletter.identity_id).blocked_at
    assert "blocked" in browser.get("/inbox/filed/").content.decode()
    browser.post(f"/identities/{newsletter.identity_id}/unblock/")
    assert Identity.objects.get(pk=newsletter.identity_id).blocked_at is None


def test_filed_mail_is_narrowed_by_kind(ana: Any, newsletter: Entry, browser_of: Any) -> None:
    browser = browser_of(ana)
    assert "Our catalogue" in browser.get("/inbox/filed/?class=bulk").content.decode()
    assert "Our catalogue" not in browser.get("/inbox/filed/?class=spam").content.decode()
    assert browser.get("/inbox/filed/?class=person").status_code == 404
    assert browser.get("/inbox/filed/?before=x").status_code == 404


@pytest.fixture
def poison(number: Any) -> Receipt:
    Receipt.store(number, b"From=&To=%2B14155550100&Body=<script>alert(1)</script>", headers={})
    receipt = Receipt.objects.get()
    receipt.finish([{"outcome": "quarantine", "reason": "It has no sender."}], "It has no sender.")
    return receipt


# Health


def test_the_connections_page_is_for_supervisors_and_shows_no_secret(
    ana: Any, sue: Any, adam: Any, mailbox: Any, number: Any, browser_of: Any
) -> None:
    assert browser_of(ana).get("/health/").status_code == 403
    assert browser_of(ana).post(f"/health/{number.pk}/pause/").status_code == 403
    for agent in (sue, adam):
        html = browser_of(agent).get("/health/").content.decode()
        assert "support@northwind.test" in html
        assert "a-twilio-token" not in html


def test_a_connection_is_paused_and_resumed(adam: Any, number: Any, browser_of: Any) -> None:
    browser = browser_of(adam)
    browser.post(f"/health/{number.pk}/pause/")
    number.refresh_from_db()
    assert not number.is_active
    assert number.credentials["auth_token"] == "a-twilio-token"
    assert "paused" in browser.get("/health/").content.decode()
    browser.post(f"/health/{number.pk}/resume/")
    number.refresh_from_db()
    assert number.is_active


def test_healthz_tells_progress_and_nothing_else(client: Client, number: Any) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, json.loads(answer.content)["ok"]) == (200, True)
    Receipt.store(number, b"x", headers={})
    Receipt.objects.update(next_attempt_at=now() - timedelta(minutes=3))
    answer = client.get("/healthz")
    assert answer.status_code == 503
    facts = json.loads(answer.content)
    assert facts["oldest_received_seconds"] >= 180
    assert set(facts) == {"ok", "database", "oldest_received_seconds", "oldest_unsent_seconds"}


# A new conversation


def test_a_first_text_is_confirmed_before_it_is_sent(ana: Any, number: Any, browser_of: Any) -> None:
    browser = browser_of(ana)
    given = {"connector": number.pk, "address": "+1 415 555 0177", "text": "Your parcel is at the door.", "name": "Kim"}
    asked = browser.post("/start/", given)
    assert asked.status_code == 200
    assert "has never texted us" in asked.content.decode()
    assert "Your parcel is at the door." in asked.content.decode()
    assert not Case.objects.exists()
    sent = browser.post("/start/", given | {"confirmed": "1"})
    case = Case.objects.get()
    assert sent["Location"] == f"/inbox/open/c/{case.pk}/"
    assert Delivery.objects.get().identity.value == "+14155550177"
    assert case.customer.name == "Kim"


def test_a_first_mail_goes_out_with_its_subject(ana: Any, mailbox: Any, browser_of: Any) -> None:
    given = {"connector": mailbox.pk, "address": "kim@novak.test", "subject": "Your parcel", "text": "It is here."}
    browser_of(ana).post("/start/", given)
    case = Case.objects.get()
    assert (case.subject, case.entries.get(kind=EntryKind.REPLY).text) == ("Your parcel", "It is here.")


def test_a_bad_address_is_named_at_its_field_and_the_text_is_kept(ana: Any, mailbox: Any, browser_of: Any) -> None:
    answer = browser_of(ana).post("/start/", {"connector": mailbox.pk, "address": "not one", "text": "Keep me"})
    assert answer.status_code == 422
    html = answer.content.decode()
    assert 'id="address-error"' in html
    assert "Keep me" in html


def test_nobody_writes_from_another_teams_mailbox_or_first_on_instagram(
    ana: Any, mailbox: Any, billing_mailbox: Any, account: Any, browser_of: Any
) -> None:
    browser = browser_of(ana)
    html = browser.get("/start/").content.decode()
    assert "support@northwind.test" in html
    assert "billing@northwind.test" not in html
    assert 'data-kind="instagram"' not in html
    for connector in (billing_mailbox, account):
        given = {"connector": connector.pk, "address": "kim@novak.test", "text": "Hello"}
        assert browser.post("/start/", given).status_code == 422
    assert not Case.objects.exists()


# Errors


def test_errors_say_what_to_do_and_keep_the_code_small(ana: Any, browser_of: Any, client: Client) -> None:
    missing = browser_of(ana).get("/customers/987654/")
    assert missing.status_code == 404
    assert "There is nothing here." in missing.content.decode()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ana)
    stale = browser.post("/alerts/seen/")
    assert stale.status_code == 403
    assert "We couldn’t save this." in stale.content.decode()
    assert "There is nothing here." in client.get("/nothing/").content.decode()


def test_a_crash_is_told_without_templates_that_could_crash_again(ana: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("inbox.views.customer.visible", broken)
    browser = Client(raise_request_exception=False)
    browser.force_login(ana)
    answer = browser.get("/customers/")
    assert answer.status_code == 500
    assert "Something of ours went wrong." in answer.content.decode()
    assert "boom" not in answer.content.decode()


def test_no_page_of_ours_breaks_its_content_policy(
    adam: Any, maya: Any, mailbox: Any, poison: Receipt, browser_of: Any
) -> None:
    make.says(maya, mailbox, "Hello")
    browser = browser_of(adam)
    for address in (
        "/alerts/",
        "/health/",
        "/quarantine/",
        f"/quarantine/{poison.pk}/",
        "/inbox/filed/",
        "/customers/",
        f"/customers/{maya.pk}/",
        "/start/",
        "/me/password/",
    ):
        html = browser.get(address).content.decode()
        assert "style=" not in html, address
        assert "<script>" not in html, address
        assert not re.search(r"<[^>]+\son\w+=", html), address

"""The inbox in the browser, asked for as a browser does: list, case, composer, drafts, files, search, catching up."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.timezone import now

from inbox import outbox
from inbox.locking import locked
from inbox.models import Attachment, Case, Delivery, Draft, Entry, EntryKind, Fact, Reading, State, Status
from inbox.views.inbox import PAGE
from tests import make

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(autouse=True)
def _time_to_undo(settings: Any) -> None:
    settings.UNDO_SECONDS = 5


def case_of(customer: Any) -> Case:
    return Case.objects.get(customer=customer, is_live=True)


def key_for(case: Case, channel: str) -> str:
    return next(way.key for way in outbox.options(case) if way.channel == channel)


def newest(case: Case) -> int:
    return case.entries.order_by("-pk").values_list("pk", flat=True)[0]


# The list


def test_the_list_of_a_view_pages_without_losing_or_repeating_a_row(
    browser_of: Any, ana: Any, mailbox: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(PAGE + 5):
        make.says(make.customer(f"Person {number}", email=f"p{number}@people.test"), mailbox, f"Hello {number}")
    client = browser_of(ana)
    for sort in ("longest", "newest"):
        with django_assert_max_num_queries(14):
            first = client.get(f"/inbox/unassigned/?sort={sort}").content.decode()
        after = (
            first.split("&amp;after=")[-1].split('"')[0]
            if "&amp;after=" in first
            else first.split("&after=")[1].split('"')[0]
        )
        second = client.get(f"/inbox/unassigned/rows/?sort={sort}&after={after}", **HTMX).content.decode()
        ids = [part.split('"')[0] for part in (first + second).split('id="row-')[1:]]
        assert len(ids) == len(set(ids)) == PAGE + 5


def test_longest_waiting_comes_first_and_answered_cases_come_last(
    browser_of: Any, ana: Any, mailbox: Any, number: Any
) -> None:
    people = [make.customer(name, email=f"{name}@people.test") for name in ("one", "two", "three")]
    for person in people:
        make.says(person, mailbox, "Hello")
        with locked(case_of(person)) as case:
            case.assign(ana, by=ana)
    make.answers(ana, case_of(people[0]), "Done")
    html = browser_of(ana).get("/inbox/mine/?sort=longest").content.decode()
    places = [html.index(f'id="row-{case_of(person).pk}"') for person in people]
    assert places[1] < places[2] < places[0]


def test_a_row_is_unread_until_this_agent_opens_the_case(
    browser_of: Any, ana: Any, sam: Any, maya: Any, mailbox: Any
) -> None:
    make.says(maya, mailbox, "Hello")
    case = case_of(maya)
    client = browser_of(ana)
    assert f'<li class="row unread" id="row-{case.pk}"' in client.get("/inbox/unassigned/").content.decode()
    client.get(f"/inbox/unassigned/c/{case.pk}/", **HTMX)
    assert f'<li class="row" id="row-{case.pk}"' in client.get("/inbox/unassigned/").content.decode()
    assert not Reading.objects.filter(agent=sam).exists()


def test_cases_of_other_teams_are_neither_listed_nor_opened(
    browser_of: Any, ana: Any, lee: Any, maya: Any, mailbox: Any
) -> None:
    make.says(maya, mailbox, "Hello")
    case = case_of(maya)
    outsider = browser_of(lee)
    assert f"row-{case.pk}" not in outsider.get("/inbox/open/").content.decode()
    assert outsider.get(f"/inbox/open/c/{case.pk}/").status_code == 404
    for verb in ("take", "resolve", "reopen", "wake", "no-reply-needed", "reply", "note", "draft", "snooze", "facts"):
        assert outsider.post(f"/cases/{case.pk}/{verb}/").status_code == 404, verb
    entry = newest(case)
    for address in (f"/entries/{entry}/body/", f"/entries/{entry}/original/", f"/cases/{case.pk}/entries/{entry}/"):
        assert outsider.get(address).status_code == 404, address


def test_two_agents_who_take_the_next_one_get_different_customers(
    browser_of: Any, ana: Any, sam: Any, maya: Any, mailbox: Any
) -> None:
    make.says(maya, mailbox, "First")
    make.says(make.customer("Jon", email="jon@people.test"), mailbox, "Second")
    went = [browser_of(agent).post("/inbox/unassigned/take/", **HTMX)["HX-Redirect"] for agent in (ana, sam)]
    assert went[0] == f"/inbox/mine/c/{case_of(maya).pk}/"
    assert went[0] != went[1]


# One case


def test_the_open_case_costs_a_bounded_number_of_queries(
    browser_of: Any, ana: Any, maya: Any, mailbox: Any, number: Any, django_assert_max_num_queries: Any
) -> None:
    for turn in range(60):
        make.says(maya, number if turn % 5 == 4 else mailbox, f"Line {turn}")
    case, client = case_of(maya), browser_of(ana)
    with django_assert_max_num_queries(48):
        html = client.get(f"/inbox/unassigned/c/{case.pk}/", **HTMX).content.decode()
    assert html.count("t-row message") == PAGE - html.count("t-row event")
    oldest = min(int(part.split('"')[0]) for part in html.split('data-entry="')[1:])
    earlier = client.get(f"/cases/{case.pk}/timeline/?before={oldest}", **HTMX).content.decode()
    shown = {part.split('"')[0] for part in (html + earlier).split('id="entry-')[1:]}
    assert len(shown) == case.entries.count()


def test_a_move_bends_the_line_and_leaves_a_loose_end(
    browser_of: Any, ana: Any, maya: Any, mailbox: Any, number: Any
) -> None:
    make.says(maya, mailbox, "Broken again")
    make.says(maya, number, "did you get my email?")
    html = browser_of(ana).get(f"/inbox/unassigned/c/{case_of(maya).pk}/").content.decode()
    assert "Moved from Email to SMS" in html
    assert html.count("data-open ") == 2 or html.count(" data-open") == 2
    assert "This also answers" in html
    assert "Send SMS to Maya" in html


def test_an_agent_who_resolves_sees_the_case_leave_and_can_reopen_it(
    browser_of: Any, ana: Any, maya: Any, mailbox: Any
) -> None:
    make.says(maya, mailbox, "Hello")
    case, client = case_of(maya), browser_of(ana)
    answer = client.post(f"/cases/{case.pk}/resolve/", **HTMX)
    assert json.loads(answer["HX-Trigger"]) == {"case-left": {"case": case.pk}}
    client.post(f"/cases/{case.pk}/reopen/", **HTMX)
    assert Case.objects.get(pk=case.pk).is_live


def test_reopening_beside_a_live_case_points_to_the_live_one(
    browser_of: Any, ana: Any, maya: Any, mailbox: Any
) -> None:
    make.says(maya, mailbox, "Old")
    old, client = case_of(maya), browser_of(ana)
    client.post(f"/cases/{old.pk}/resolve/", **HTMX)
    Case.objects.filter(pk=old.pk).update(resolved_at=now() - timedelta(days=30))
    make.says(maya, mailbox, "New")
    answer = client.post(f"/cases/{old.pk}/reopen/", **HTMX)
    assert answer.status_code == 409
    assert f"/inbox/open/c/{case_of(maya).pk}/" in answer.content.decode()


@pytest.mark.parametrize(
    ("until", "words"), [("", "Choose until when."), ("2020-01-01T09:00", "passed already"), ("soon", "Give a day")]
)
def test_a_snooze_without_a_good_time_is_explained(
    browser_of: Any, ana: Any, maya: Any, mailbox: Any, until: str, words: str
) -> None:
    make.says(maya, mailbox, "Hello")
    answer = browser_of(ana).post(f"/cases/{case_of(maya).pk}/snooze/", {"until": until}, **HTMX)
    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_a_snoozed_case_sleeps_and_is_woken(browser_of: Any, ana: Any, maya: Any, mailbox: Any) -> None:
    make.says(maya, mailbox, "Hello")
    case, client = case_of(maya), browser_of(ana)
    client.post(f"/cases/{case.pk}/snooze/", {"until": (now() + timedelta(hours=3)).isoformat()}, **HTMX)
    assert Case.objects.get(pk=case.pk).status == Status.SNOOZED
    client.post(f"/cases/{case.pk}/wake/", **HTMX)
    assert Case.objects.get(pk=case.pk).status == Status.OPEN


def test_a_case_is_given_only_to_somebody_of_its_teams(
    browser_of: Any, ana: Any, sam: Any, lee: Any, maya: Any, mailbox: Any
) -> None:
    make.says(maya, mailbox, "Hello")
    case, client = case_of(maya), browser_of(ana)
    assert client.post(f"/cases/{case.pk}/assign/", {"agent": lee.pk}, **HTMX).status_code == 422
    client.post(f"/cases/{case.pk}/assign/", {"agent": sam.pk}, **HTMX)
    assert Case.objects.get(pk=case.pk).assignee == sam


def test_a_pinned_fact_is_kept_with_its_message(browser_of: Any, ana: Any, maya: Any, mailbox: Any) -> None:
    make.says(maya, mailbox, "I need it on Saturday")
    case, client = case_of(maya), browser_of(ana)
    client.post(f"/cases/{case.pk}/facts/", {"entry": newest(case), "value": "needs it Saturday"}, **HTMX)
    fact = Fact.objects.get(value="needs it Saturday")
    assert fact.pinned_by == ana
    client.post(f"/cases/{case.pk}/facts/{fact.pk}/unpin/", **HTMX)
    assert not Fact.objects.exists()


# Writing


def test_a_reply_answers_on_the_channel_that_was_picked_and_ties_what_was_ticked(
    browser_of: Any, ana: Any, maya: Any, mailbox: Any, number: Any
) -> None:
    mail = make.says(maya, mailbox, "Broken again")
    make.says(maya, number, "did you get my email?")
    case, client = case_of(maya), browser_of(ana)
    Draft.objects.create(case=case, agent=ana, channel="sms", text="Refunding it now")
    answer = client.post(
        f"/cases/{case.pk}/reply/",
        {
            "option": key_for(case, "sms"),
            "text": "Refunding it now",
            "seen": newest(case),
            "also_answers": str(mail.pk),
        },
        **HTMX,
    )
    assert answer.status_code == 200
    assert "reply-kept" in json.loads(answer["HX-Trigger"])
    assert "Sending in a moment" in answer.content.decode()
    assert not case.open_entries().exists()
    assert not Draft.objects.exists()


def test_a_reply_is_held_when_something_newer_arrived_and_goes_when_told_to(
    browser_of: Any, ana: Any, maya: Any, mailbox: Any, number: Any
) -> None:
    make.says(maya, mailbox, "Hello")
    case, client = case_of(maya), browser_of(ana)
    form = {"option": key_for(case, "email"), "text": "On its way", "seen": newest(case)}
    make.says(maya, number, "never mind")
    held = client.post(f"/cases/{case.pk}/reply/", form, **HTMX)
    assert held.status_code == 409
    assert "Maya wrote again while you were typing." in held.content.decode()
    assert not Delivery.objects.exists()
    assert client.post(f"/cases/{case.pk}/reply/", {**form, "send_anyway": "1"}, **HTMX).status_code == 200


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"text": "Hello"}, "There is no way to write"),
        ({"text": "Hello", "option": "999-999"}, "does not belong"),
        ({"text": "   ", "option": "own"}, "Write something first."),
        ({"text": "x" * 60_000, "option": "own"}, "60,000 characters"),
    ],
)
def test_a_reply_that_cannot_go_says_why(
    browser_of: Any, ana: Any, maya: Any, mailbox: Any, form: dict[str, str], words: str
) -> None:
    make.says(maya, mailbox, "Hello")
    case = case_of(maya)
    if form.get("option") == "own":
        form = {**form, "option": key_for(case, "email")}
    answer = browser_of(ana).post(f"/cases/{case.pk}/reply/", {**form, "seen": newest(case)}, **HTMX)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert 'id="composer-error"' in answer.content.decode()


def test_undo_gives_the_text_back(browser_of: Any, ana: Any, sam: Any, maya: Any, mailbox: Any) -> None:
    make.says(maya, mailbox, "Hello")
    case, client = case_of(maya), browser_of(ana)
    client.post(
        f"/cases/{case.pk}/reply/",
        {"option": key_for(case, "email"), "text": "Too early", "seen": newest(case)},
        **HTMX,
    )
    sent = Entry.objects.get(kind=EntryKind.REPLY)
    assert browser_of(sam).post(f"/entries/{sent.pk}/undo/", **HTMX).status_code == 404
    answer = client.post(f"/entries/{sent.pk}/undo/", **HTMX)
    assert json.loads(answer["HX-Trigger"])["text-back"]["text"] == "Too early"
    assert Delivery.objects.get().state == State.CANCELLED
    Delivery.objects.update(state=State.SENT)
    assert "says" in json.loads(client.post(f"/entries/{sent.pk}/undo/", **HTMX)["HX-Trigger"])


def test_a_draft_follows_the_agent_to_another_channel_and_survives_sign_out(
    browser_of: Any, ana: Any, sam: Any, maya: Any, mailbox: Any, number: Any
) -> None:
    make.says(maya, mailbox, "Hello")
    case, client = case_of(maya), browser_of(ana)
    client.post(f"/cases/{case.pk}/draft/", {"channel": "email", "text": "Dear Maya"}, **HTMX)
    client.post(f"/cases/{case.pk}/draft/", {"channel": "sms", "text": "Hi Maya"}, **HTMX)
    client.post(f"/cases/{case.pk}/draft/", {"channel": "note", "text": "she is upset"}, **HTMX)
    client.logout()
    assert client.post(f"/cases/{case.pk}/draft/", {"channel": "sms", "text": "x"}, **HTMX).status_code == 401
    html = browser_of(ana).get(f"/inbox/unassigned/c/{case.pk}/").content.decode()
    assert ">Hi Maya</textarea>" in html
    assert ">she is upset</textarea>" in html
    assert "Dear Maya" not in html
    assert "Draft:" in html
    assert "Hi Maya" not in browser_of(sam).get(f"/inbox/unassigned/c/{case.pk}/").content.decode()


def test_a_note_never_has_a_delivery(browser_of: Any, ana: Any, maya: Any, mailbox: Any) -> None:
    make.says(maya, mailbox, "Hello")
    case = case_of(maya)
    answer = browser_of(ana).post(f"/cases/{case.pk}/note/", {"note": "Be kind"}, **HTMX)
    assert "only your team sees this" in answer.content.decode()
    assert not Delivery.objects.exists()


# Files and mail bodies


def test_a_file_waits_in_the_draft_and_leaves_by_a_link_that_asks_nobody_who_they_are(
    browser_of: Any, ana: Any, lee: Any, maya: Any, mailbox: Any, settings: Any, tmp_path: Any
) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path}},
    }
    make.says(maya, mailbox, "Hello")
    case, client = case_of(maya), browser_of(ana)
    upload = SimpleUploadedFile("<b>.html", b"<html><script>alert(1)</script>", "text/html")
    client.post(f"/cases/{case.pk}/draft/files/", {"channel": "email", "file": upload}, **HTMX)
    file = Attachment.objects.get()
    link = client.get(f"/attachments/{file.uuid}/")["Location"]
    assert link.startswith("/files/")
    answer = Client().get(link)
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Type"] == "application/octet-stream"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert browser_of(lee).get(f"/attachments/{file.uuid}/").status_code == 404
    assert Client().get("/files/forged/").status_code == 404
    assert Client().get("/media/forged/").status_code == 404
    client.post(f"/cases/{case.pk}/draft/files/{file.pk}/drop/", **HTMX)
    assert not Attachment.objects.exists()


def test_a_mail_body_has_its_own_policy_and_no_remote_image_until_asked(
    browser_of: Any, ana: Any, maya: Any, mailbox: Any
) -> None:
    mail = make.says(maya, mailbox, "Look")
    Entry.objects.filter(pk=mail.pk).update(html='<h1>Look</h1><img data-src="https://tracker.test/p.gif">')
    client = browser_of(ana)
    closed = client.get(f"/entries/{mail.pk}/body/")
    assert "default-src 'none'" in closed["Content-Security-Policy"]
    assert "https:" not in closed["Content-Security-Policy"]
    assert ' src="https://tracker.test' not in closed.content.decode()
    opened = client.get(f"/entries/{mail.pk}/body/?images=1")
    assert "https:" in opened["Content-Security-Policy"]
    assert 'src="https://tracker.test/p.gif"' in opened.content.decode()
    page = client.get(f"/inbox/unassigned/c/{mail.case_id}/").content.decode()
    assert 'sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"' in page


def test_customers_words_are_never_markup(browser_of: Any, ana: Any, maya: Any, number: Any) -> None:
    make.says(maya, number, '<script>alert(1)</script> see https://x.test/?a=1&b=2 "><img src=x>')
    html = browser_of(ana).get(f"/inbox/unassigned/c/{case_of(maya).pk}/").content.decode()
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert 'href="https://x.test/?a=1&amp;b=2"' in html


# Catching up and searching


def test_what_changed_is_fetched_by_time_and_too_much_is_read_anew(
    browser_of: Any, ana: Any, maya: Any, mailbox: Any, number: Any
) -> None:
    client = browser_of(ana)
    since = now().isoformat()
    make.says(maya, mailbox, "Hello")
    case = case_of(maya)
    answer = client.get("/inbox/unassigned/changes/", {"since": since})
    assert f'id="row-{case.pk}"' in answer.content.decode()
    assert answer["X-Server-Time"] > since
    assert client.get("/inbox/unassigned/changes/").status_code == 205
    shown = newest(case)
    make.says(maya, number, "Anybody?")
    news = client.get(f"/cases/{case.pk}/changes/", HTTP_X_NEWEST=str(shown), HTTP_X_SINCE=now().isoformat())
    html = news.content.decode()
    assert f'id="entry-{newest(case)}"' in html
    assert "Moved from Email to SMS" in html
    assert "<textarea" not in html


@pytest.mark.parametrize("query", ["Maya", "maya@ortiz", "2671", "teapot", '"broken teapot"'])
def test_search_finds_by_name_address_number_and_words(
    browser_of: Any, ana: Any, lee: Any, maya: Any, mailbox: Any, query: str
) -> None:
    make.says(maya, mailbox, "My broken teapot")
    assert "Maya Ortiz" in browser_of(ana).get("/search/", {"q": query}).content.decode()
    assert "Maya Ortiz" not in browser_of(lee).get("/search/", {"q": query}).content.decode()


@pytest.mark.parametrize("query", ["'", '"', "' OR 1=1 --", "\x00", "&|!", "x" * 5000, "#999999999999"])
def test_search_survives_anything(browser_of: Any, ana: Any, query: str) -> None:
    assert browser_of(ana).get("/search/", {"q": query}).status_code == 200


# The agent


def test_presence_and_looks_are_the_agents_own(browser_of: Any, ana: Any) -> None:
    client = browser_of(ana)
    client.post("/me/presence/", {"presence": "away"}, **HTMX)
    client.post("/me/looks/", {"theme": "dark", "density": "compact"}, **HTMX)
    ana.refresh_from_db()
    assert (ana.presence, ana.theme, ana.density, ana.single_keys) == ("away", "dark", "compact", False)
    late = client.post("/me/presence/", {"presence": "off", "off_until": "2020-01-01T09:00"}, **HTMX)
    assert late.status_code == 422


@pytest.mark.parametrize(
    "address", ["/", "/inbox/mine/", "/inbox/open/c/1/", "/search/", "/cases/1/changes/", "/entries/1/body/"]
)
def test_a_stranger_is_sent_to_the_sign_in_page(client: Client, address: str) -> None:
    assert client.get(address)["Location"].startswith("/sign-in/")
    fragment = client.get(address, **HTMX)
    assert fragment.status_code == 401
    assert fragment["HX-Redirect"].startswith("/sign-in/")


def test_pages_are_kept_by_no_cache(browser_of: Any, ana: Any) -> None:
    assert browser_of(ana).get("/inbox/mine/")["Cache-Control"] == "no-store"

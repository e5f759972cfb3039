"""What supervisors and admins do about privacy, over HTTP: ask, prove, export, erase, read the audit."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils.timezone import now

from connectors.messages import Attachment as File
from connectors.messages import Sender
from inbox import privacy
from inbox.models import Act, Audit, Entry, PrivacyRequest, Wish
from tests import make

pytestmark = pytest.mark.django_db

SURE = {"why": "They asked for it", "sure": "1"}


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


@pytest.fixture
def entry(maya: Any, mailbox: Any, number: Any, account: Any) -> Any:
    make.says(maya, number, "My secret by text")
    make.says(maya, account, "My photo", files=[File(name="../lid.png", content=b"\x89PNG bytes")])
    return make.says(maya, mailbox, "My secret by mail, order #48213", subject="The lid")


# Erasing one message


def test_a_supervisor_erases_a_message_from_the_open_case(entry: Any, browser_of: Any, sue: Any) -> None:
    client, case = browser_of(sue), entry.case
    assert f"/entries/{entry.pk}/erase/" in client.get(f"/inbox/open/c/{case.pk}/").content.decode()
    assert (
        "Erase this message"
        in client.get(f"/entries/{entry.pk}/erase/", headers={"HX-Request": "true"}).content.decode()
    )
    answer = client.post(f"/entries/{entry.pk}/erase/", {"why": "A card"}, headers={"HX-Request": "true"})
    page = client.get(f"/inbox/open/c/{case.pk}/").content.decode()
    assert answer.status_code == 200
    assert "Erased by Sue Berger" in answer.content.decode()
    assert "My secret by mail" not in page
    assert "My secret by text" in page
    assert Audit.objects.get(act=Act.REDACT).why == "A card"


def test_an_agent_may_not_and_sees_no_button(entry: Any, browser_of: Any, ana: Any) -> None:
    client = browser_of(ana)
    assert "/erase/" not in client.get(f"/inbox/open/c/{entry.case_id}/").content.decode()
    assert client.post(f"/entries/{entry.pk}/erase/").status_code == 403
    assert fresh(entry).text


def test_who_may_is_a_setting(entry: Any, browser_of: Any, ana: Any, settings: Any) -> None:
    settings.RIGHTS = {**settings.RIGHTS, "redact": "agent"}
    assert browser_of(ana).post(f"/entries/{entry.pk}/erase/").status_code == 302
    assert not fresh(entry).text


def test_what_was_erased_has_no_source_and_no_body(entry: Any, browser_of: Any, sue: Any) -> None:
    client = browser_of(sue)
    client.post(f"/entries/{entry.pk}/erase/")
    assert client.get(f"/entries/{entry.pk}/original/").status_code == 404
    assert b"secret" not in client.get(f"/entries/{entry.pk}/body/").content


def test_filed_mail_is_erased_on_its_page(mailbox: Any, browser_of: Any, sue: Any, ana: Any) -> None:
    said = make.says(Sender("shop@x.test"), mailbox, "My secret", subject="Secret", classification="bulk")
    assert "Erase…" not in browser_of(ana).get("/inbox/filed/").content.decode()
    client = browser_of(sue)
    assert "Erase…" in client.get("/inbox/filed/").content.decode()
    assert client.post(f"/entries/{said.pk}/erase/", {"why": "A card"})["Location"] == "/inbox/filed/"
    page = client.get("/inbox/filed/").content.decode()
    assert "Erased by Sue Berger" in page
    assert "ecret" not in page


# Access


def test_nothing_is_exported_before_it_is_known_who_asks(
    maya: Any, entry: Any, browser_of: Any, sue: Any, adam: Any
) -> None:
    browser_of(sue).post(f"/customers/{maya.pk}/privacy/ask/", {"wish": "access"})
    asked = PrivacyRequest.objects.get()
    assert timedelta(days=29) < asked.due_at - now() < timedelta(days=31)
    refused = browser_of(adam).post(f"/privacy/requests/{asked.pk}/export/", follow=True)
    assert "Note first how you know" in refused.content.decode()
    assert fresh(asked).done_at is None


def test_the_export_holds_every_channel_and_every_file(
    maya: Any, entry: Any, browser_of: Any, sue: Any, adam: Any, ana: Any
) -> None:
    make.answers(ana, entry.case, "Our answer", channel="email")
    browser_of(sue).post(f"/customers/{maya.pk}/privacy/ask/", {"wish": "access"})
    asked = PrivacyRequest.objects.get()
    browser_of(sue).post(f"/privacy/requests/{asked.pk}/prove/", {"proof": "Answered from the address on record"})
    answer = browser_of(adam).post(f"/privacy/requests/{asked.pk}/export/")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    person, case = (json.loads(archive.read(name)) for name in ("person.json", f"cases/{entry.case_id}.json"))
    assert {each["value"] for each in person["addresses"]} == {"maya@ortiz.test", "+14155552671", "1002003004005001"}
    told = [each["text"] for each in case["messages"] if each.get("text")]
    assert {"My secret by mail, order #48213", "My secret by text", "My photo", "Our answer"} <= set(told)
    (file,) = (name for name in archive.namelist() if name.startswith("files/"))
    assert ".." not in file.replace("..", "", 0).split("/")
    assert archive.read(file) == b"\x89PNG bytes"
    assert "reply_token" not in archive.read(f"cases/{entry.case_id}.json").decode()
    assert fresh(asked).done_by == adam
    assert Audit.objects.get(act=Act.EXPORT).why == "Answered from the address on record"


def test_the_export_tells_nothing_of_other_people(
    maya: Any, entry: Any, mailbox: Any, browser_of: Any, adam: Any
) -> None:
    bob = make.customer("Bob Stone", email="bob@stone.test")
    make.says(bob, mailbox, "Maya's order was #48213")
    call_command("export_person", str(maya.pk), "--proof", "known by voice", "--to", "/dev/null")
    client = browser_of(adam)
    asked = PrivacyRequest.objects.get()
    answer = client.post(f"/privacy/requests/{asked.pk}/export/")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert not any(b"Bob" in archive.read(name) or b"bob@" in archive.read(name) for name in archive.namelist())


def test_what_only_named_people_see_is_exported_by_one_of_them(
    maya: Any, entry: Any, browser_of: Any, ana: Any, adam: Any
) -> None:
    privacy.hide(fresh(entry.case).current(), "health", [ana.pk], by=ana)
    asked = privacy.note(maya, Wish.ACCESS, by=adam)
    privacy.prove(asked, "Came by", by=adam)
    refused = browser_of(adam).post(f"/privacy/requests/{asked.pk}/export/", follow=True)
    assert "Name yourself there first." in refused.content.decode()
    privacy.name(fresh(entry.case).current(), adam, by=adam, why="They asked for it")
    assert browser_of(adam).post(f"/privacy/requests/{asked.pk}/export/")["Content-Type"] == "application/zip"


def test_what_was_closed_is_not_exported(maya: Any, entry: Any, browser_of: Any, adam: Any) -> None:
    asked = privacy.note(maya, Wish.ACCESS, by=adam)
    privacy.prove(asked, "Came by", by=adam)
    privacy.close(asked, "It was somebody else", by=adam)
    refused = browser_of(adam).post(f"/privacy/requests/{asked.pk}/export/", follow=True)
    assert "closed without an answer" in refused.content.decode()


def test_asking_twice_does_not_buy_time(maya: Any, browser_of: Any, sue: Any) -> None:
    for _ in range(2):
        browser_of(sue).post(f"/customers/{maya.pk}/privacy/ask/", {"wish": "erasure"})
    assert PrivacyRequest.objects.count() == 1


def test_a_request_is_closed_with_a_reason(maya: Any, browser_of: Any, sue: Any) -> None:
    client = browser_of(sue)
    client.post(f"/customers/{maya.pk}/privacy/ask/", {"wish": "erasure"})
    asked = PrivacyRequest.objects.get()
    client.post(f"/privacy/requests/{asked.pk}/close/", {"why": " "})
    assert fresh(asked).done_at is None
    client.post(f"/privacy/requests/{asked.pk}/close/", {"why": "It was somebody else"})
    assert (fresh(asked).outcome, fresh(asked).done_by) == ("It was somebody else", sue)


def test_what_is_asked_stands_in_one_list_the_most_urgent_first(
    maya: Any, browser_of: Any, sue: Any, mailbox: Any
) -> None:
    bob = make.customer("Bob Stone", email="bob@stone.test")
    PrivacyRequest.objects.create(customer=maya, wish="access", due_at=now() + timedelta(days=9))
    PrivacyRequest.objects.create(customer=bob, wish="erasure", due_at=now() - timedelta(days=1))
    page = browser_of(sue).get("/privacy/").content.decode()
    assert page.index("Bob Stone") < page.index("Maya Ortiz")
    assert "was due" in page


# Erasing a person


def test_an_admin_erases_a_person_with_a_reason_and_a_tick(
    maya: Any, entry: Any, browser_of: Any, adam: Any, sue: Any
) -> None:
    browser_of(sue).post(f"/customers/{maya.pk}/privacy/ask/", {"wish": "erasure"})
    client, path = browser_of(adam), f"/customers/{maya.pk}/privacy/erase/"
    assert client.post(path, {"sure": "1"}).status_code == 422
    assert client.post(path, {"why": "They asked"}).status_code == 422
    assert fresh(entry).text
    done = client.post(path, SURE, follow=True).content.decode()
    assert "Nothing of this person is left" in done
    assert not Entry.objects.exclude(text="").filter(kind="message").exists()
    assert PrivacyRequest.objects.get().outcome == "erased"
    assert client.get(f"/inbox/resolved/c/{entry.case_id}/").status_code == 200
    assert client.get(f"/customers/{maya.pk}/").status_code == 200


def test_an_admin_erases_one_address(maya: Any, entry: Any, browser_of: Any, adam: Any) -> None:
    path = f"/customers/{maya.pk}/privacy/addresses/{entry.identity_id}/erase/"
    assert browser_of(adam).post(path, SURE).status_code == 302
    page = browser_of(adam).get(f"/inbox/open/c/{entry.case_id}/").content.decode()
    assert "My secret by mail" not in page
    assert "My secret by text" in page


def test_an_address_of_somebody_else_is_not_erased_by_this_way(
    maya: Any, entry: Any, browser_of: Any, adam: Any
) -> None:
    bob = make.customer("Bob Stone", email="bob@stone.test")
    path = f"/customers/{bob.pk}/privacy/addresses/{entry.identity_id}/erase/"
    assert browser_of(adam).post(path, SURE).status_code == 404
    assert fresh(entry).text


@pytest.mark.parametrize("what", ["erase/", "addresses/{}/erase/"])
def test_a_supervisor_erases_nobody(what: str, maya: Any, entry: Any, browser_of: Any, sue: Any) -> None:
    path = f"/customers/{maya.pk}/privacy/{what.format(entry.identity_id)}"
    assert browser_of(sue).post(path, SURE).status_code == 403
    assert fresh(entry).text


# The audit


def test_an_admin_reads_the_audit_and_narrows_it(maya: Any, entry: Any, browser_of: Any, adam: Any, sue: Any) -> None:
    browser_of(sue).post(f"/entries/{entry.pk}/erase/", {"why": "A card number"})
    client = browser_of(adam)
    assert "A card number" in client.get("/privacy/audit/").content.decode()
    assert "A card number" in client.get(f"/privacy/audit/?act=redact&by={sue.pk}").content.decode()
    assert "A card number" not in client.get(f"/privacy/audit/?by={adam.pk}").content.decode()
    assert client.get("/privacy/audit/?act=nonsense").status_code == 404
    assert browser_of(sue).get("/privacy/audit/").status_code == 403


# At a terminal


def test_a_person_is_exported_and_erased_at_a_terminal(maya: Any, entry: Any, tmp_path: Any) -> None:
    place = tmp_path / "maya.zip"
    call_command("export_person", "maya@ortiz.test", "--proof", "Came by in person", "--to", str(place))
    assert "person.json" in zipfile.ZipFile(place).namelist()
    call_command("erase_person", "maya@ortiz.test", "--why", "Asked to", "--yes")
    assert not fresh(entry).text
    assert set(Audit.objects.values_list("act", flat=True)) == {"ask", "prove", "export", "erase_person"}

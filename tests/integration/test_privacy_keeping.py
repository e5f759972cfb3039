"""What is too old is erased by rule, per connection, per team or for all; in small batches, never in a live case."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from connectors.messages import Sender
from connectors.models import Receipt
from inbox import privacy
from inbox.models import Act, Audit, Case, Entry, RetentionRule
from inbox.privacy import keeping
from tests import make

pytestmark = pytest.mark.django_db


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def resolved(case: Case, by: Any, days: int) -> None:
    """Everything in it was said so many days ago."""
    case.refresh_from_db()
    case.resolve(by=by)
    then = now() - timedelta(days=days)
    Entry.objects.filter(case=case).update(created_at=then)
    Case.objects.filter(pk=case.pk).update(resolved_at=then)


@pytest.fixture
def old(maya: Any, mailbox: Any, ana: Any) -> Any:
    said = make.says(maya, mailbox, "Long ago", subject="Old")
    said.case.record(Entry(kind="note", text="A note", agent=ana, author=ana.name))
    resolved(said.case, ana, 400)
    return said


def test_nothing_goes_without_a_rule(old: Any) -> None:
    assert privacy.expire() == 0
    assert fresh(old).text == "Long ago"


def test_what_is_too_old_goes_with_its_notes_and_what_its_case_was_called(old: Any, adam: Any) -> None:
    privacy.set_rule(None, None, 365, by=adam)
    assert privacy.expire()
    assert not Entry.objects.exclude(text="").filter(kind__in=["message", "note"]).exists()
    assert (fresh(old).erased_at is not None, fresh(old.case).subject) == (True, "")
    assert privacy.expire() == 0
    assert Audit.objects.get(act=Act.EXPIRE).found["entries"] >= 2


def test_what_is_younger_stays(old: Any, adam: Any) -> None:
    privacy.set_rule(None, None, 500, by=adam)
    assert privacy.expire() == 0


def test_a_live_case_stays_whole_however_old(maya: Any, mailbox: Any, ana: Any, adam: Any) -> None:
    said = make.says(maya, mailbox, "Still waiting")
    Entry.objects.update(created_at=now() - timedelta(days=999))
    privacy.set_rule(None, None, 30, by=adam)
    assert privacy.expire() == 0
    assert fresh(said).text


def test_what_was_joined_with_a_live_case_stays(old: Any, number: Any, ana: Any, adam: Any, maya: Any) -> None:
    live = make.says(maya, number, "New").case
    Case.objects.filter(pk=old.case_id).update(merged_into=live)
    privacy.set_rule(None, None, 30, by=adam)
    assert privacy.expire() == 0


def test_the_narrowest_rule_holds(old: Any, mailbox: Any, number: Any, support: Any, ana: Any, adam: Any) -> None:
    bob = make.customer("Bob Stone", phone="+14155550123")
    text = make.says(bob, number, "A text of long ago")
    resolved(text.case, ana, 400)
    privacy.set_rule(None, None, 10, by=adam)
    privacy.set_rule(support, None, 1000, by=adam)
    assert privacy.expire() == 0
    privacy.set_rule(None, number, 100, by=adam)
    assert privacy.expire()
    assert (fresh(text).text, fresh(old).text) == ("", "Long ago")


def test_it_goes_batch_by_batch(old: Any, mailbox: Any, ana: Any, adam: Any, monkeypatch: Any) -> None:
    for name in ("bob", "kim"):
        resolved(make.says(Sender(f"{name}@x.test"), mailbox, "Long ago").case, ana, 400)
    monkeypatch.setattr(keeping, "BATCH", 1)
    privacy.set_rule(None, None, 365, by=adam)
    rounds = 0
    while privacy.expire():
        rounds += 1
    assert rounds == 3
    assert not Entry.objects.filter(text="Long ago").exists()


def test_a_batch_goes_on_where_the_last_one_ended_and_reads_no_receipts_twice(
    old: Any, mailbox: Any, ana: Any, adam: Any, monkeypatch: Any
) -> None:
    resolved(make.says(Sender("bob@x.test"), mailbox, "Long ago").case, ana, 400)
    monkeypatch.setattr(keeping, "BATCH", 1)
    privacy.set_rule(None, mailbox, 365, by=adam)
    with CaptureQueriesContext(connection) as captured:
        while privacy.expire():
            pass
    assert not any("jsonb_array_elements" in each["sql"] for each in captured)
    places = [each["sql"].partition('"inbox_entry"."id" > ')[2].split(" ")[0] for each in captured]
    assert len({place for place in places if place.strip("()").isdigit()}) == 3


def test_the_sweeper_looks_once_an_hour_when_nothing_is_too_old(old: Any, adam: Any, monkeypatch: Any) -> None:
    clock = [1000.0]
    monkeypatch.setattr(keeping, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(keeping, "_next", {"told since": 0.0, "too old": 0.0})
    assert privacy.tidy() == 0
    privacy.set_rule(None, None, 365, by=adam)
    assert privacy.tidy() == 0
    clock[0] += 3601
    assert privacy.tidy()


def test_filed_mail_and_raw_bytes_go_too(mailbox: Any, adam: Any) -> None:
    filed = make.says(Sender("shop@x.test"), mailbox, "A newsletter", classification="bulk")
    Entry.objects.update(created_at=now() - timedelta(days=40))
    raw = Receipt.store(mailbox, b"ignored", headers={}, at=now() - timedelta(days=40))
    Receipt.objects.filter(pk=raw).update(state="done")
    privacy.set_rule(None, mailbox, 30, by=adam)
    privacy.expire()
    assert fresh(filed).text == ""
    assert bytes(Receipt.objects.get(pk=raw).body) == b""


def test_an_admin_makes_and_drops_a_rule(browser_of: Any, adam: Any, sue: Any, mailbox: Any) -> None:
    client, asked = browser_of(adam), {"whose": f"connector-{mailbox.pk}", "days": "90", "sure": "1"}
    assert browser_of(sue).post("/privacy/keeping/add/", asked).status_code == 403
    for wrong in ({"days": "0"}, {"whose": "team-999"}, {"sure": ""}):
        assert client.post("/privacy/keeping/add/", {**asked, **wrong}).status_code == 422
    assert client.post("/privacy/keeping/add/", asked).status_code == 302
    assert "90 days" in client.get("/privacy/keeping/").content.decode()
    client.post(f"/privacy/keeping/{RetentionRule.objects.get().pk}/drop/")
    assert not RetentionRule.objects.exists()
    assert Audit.objects.filter(act=Act.RETAIN).count() == 2

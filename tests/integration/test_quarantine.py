"""The quarantine: said in words, narrowed, taken in again or let go by one or by all, and never a page of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from connectors.models import Connector, Receipt, ReceiptState
from inbox import sweeping
from inbox.models import Case, EntryKind
from inbox.views.quarantine import alarm
from inbox.views.snapshot import kept
from tests import make
from tests.integration.test_webhooks import direct_message, said, work

pytestmark = pytest.mark.django_db(transaction=True)

POISON = b"From=&To=%2B14155550100&Body=<script>alert(1)</script>\x00\xff\x1b[31m"


def good(number: int = 1) -> bytes:
    sid = f"SM{number:032}"
    fields = f"MessageSid={sid}&AccountSid={make.ACCOUNT_SID}&From=%2B1415555{number:04}&To=%2B14155550100&Body=Hello"
    return fields.encode()


def aside(connector: Connector, body: bytes, reason: str = "It has no sender.", *, days: int = 0) -> Receipt:
    pk = Receipt.store(connector, body, headers={"content-type": "text/plain"}, at=now() - timedelta(days=days))
    receipt = Receipt.objects.get(pk=pk)
    receipt.finish([{"outcome": "quarantine", "reason": reason, "fix": "Let it go.", "excerpt": "<b>x</b>"}], reason)
    return receipt


@pytest.fixture
def poison(number: Any) -> Receipt:
    return aside(number, POISON)


def page(browser: Any, query: str = "") -> str:
    return str(browser.get(f"/quarantine/{query}").content.decode())


def test_quarantine_is_for_supervisors(ana: Any, sue: Any, poison: Receipt, browser_of: Any) -> None:
    for address in ("/quarantine/", f"/quarantine/{poison.pk}/", f"/quarantine/{poison.pk}/raw/"):
        assert browser_of(ana).get(address).status_code == 403
        assert browser_of(sue).get(address).status_code == 200
    for act in (f"{poison.pk}/replay", f"{poison.pk}/discard", "replay", "discard"):
        assert browser_of(ana).post(f"/quarantine/{act}/").status_code == 403
    assert Receipt.objects.get().state == ReceiptState.QUARANTINED


def test_raw_input_can_be_read_and_saved_and_is_never_a_page(sue: Any, poison: Receipt, browser_of: Any) -> None:
    html = page(browser_of(sue), f"{poison.pk}/")
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;␀\\xff␛[31m" in html
    raw = browser_of(sue).get(f"/quarantine/{poison.pk}/raw/")
    assert raw.content == POISON
    assert raw["Content-Type"] == "text/plain; charset=utf-8"
    assert raw["X-Content-Type-Options"] == "nosniff"
    assert raw["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_what_went_wrong_is_said_with_what_to_do(account: Any, sue: Any, browser_of: Any) -> None:
    direct_message(account, [{"sender": "nonsense", "message": 7}])
    work()
    problem = Receipt.objects.get().outcomes[0]
    html = page(browser_of(sue), f"{Receipt.objects.get().pk}/")
    assert problem["reason"].endswith(".")
    assert problem["fix"] in html


def test_a_receipt_that_is_understood_now_leaves_quarantine(
    sue: Any, number: Any, poison: Receipt, browser_of: Any
) -> None:
    Receipt.objects.filter(pk=poison.pk).update(body=good())
    answer = browser_of(sue).post(f"/quarantine/{poison.pk}/replay/")
    case = Case.objects.get()
    assert answer["Location"] == f"/inbox/open/c/{case.pk}/"
    assert Receipt.objects.get().state == ReceiptState.DONE
    browser_of(sue).post(f"/quarantine/{poison.pk}/replay/")
    assert case.entries.filter(kind=EntryKind.MESSAGE).count() == 1


def test_letting_go_needs_a_reason_and_is_signed(sue: Any, poison: Receipt, browser_of: Any) -> None:
    browser = browser_of(sue)
    browser.post(f"/quarantine/{poison.pk}/discard/", {"reason": "  "})
    assert Receipt.objects.get().state == ReceiptState.QUARANTINED
    browser.post(f"/quarantine/{poison.pk}/discard/", {"reason": "A test of ours"})
    poison.refresh_from_db()
    assert (poison.state, poison.reason) == (ReceiptState.DISCARDED, "It has no sender.")
    assert [(line["by"], line["did"], line["words"]) for line in poison.journal] == [
        ("Sue Berger", "let it go", "A test of ours")
    ]
    assert "Sue Berger</b> let it go: A test of ours" in page(browser, f"{poison.pk}/")


def test_what_was_let_go_is_still_here_and_can_come_back(
    sue: Any, adam: Any, number: Any, poison: Receipt, browser_of: Any
) -> None:
    browser_of(sue).post(f"/quarantine/{poison.pk}/discard/", {"reason": "A test of ours"})
    assert f'href="/quarantine/{poison.pk}/"' not in page(browser_of(sue))
    assert f'href="/quarantine/{poison.pk}/"' in page(browser_of(sue), "?kept_as=let-go")
    Receipt.objects.filter(pk=poison.pk).update(body=good())
    browser_of(adam).post(f"/quarantine/{poison.pk}/replay/")
    poison.refresh_from_db()
    assert poison.state == ReceiptState.DONE
    assert [line["by"] for line in poison.journal] == ["Sue Berger", "Adam Reyes"]
    assert browser_of(sue).get(f"/quarantine/{poison.pk}/").status_code == 200, "its story can still be read"


def test_ordinary_input_is_not_readable_through_quarantine(sue: Any, number: Any, browser_of: Any) -> None:
    Receipt.store(number, b"From=%2B1&Body=private", headers={})
    receipt = Receipt.objects.get()
    receipt.finish([{"outcome": "entry", "entry": 1, "case": 1}])
    assert browser_of(sue).get(f"/quarantine/{receipt.pk}/").status_code == 404
    assert browser_of(sue).get(f"/quarantine/{receipt.pk}/raw/").status_code == 404
    browser_of(sue).post("/quarantine/replay/")
    assert Receipt.objects.get().state == ReceiptState.DONE


# Narrowing


@pytest.fixture
def several(number: Any, mailbox: Any) -> dict[str, Receipt]:
    return {
        "text": aside(number, b"1", "It is of a kind we do not know: fax."),
        "other text": aside(number, b"2", "It is of a kind we do not know: telex.", days=3),
        "mail": aside(mailbox, b"3", "It names no sender.; It is too large.", days=10),
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"text", "other text", "mail"}),
        ("?cause=It+is+of+a+kind+we+do+not+know", {"text", "other text"}),
        ("?cause=It+names+no+sender.", {"mail"}),
        ("?age=hour", {"text"}),
        ("?age=week", {"text", "other text"}),
        ("?age=older", {"mail"}),
        ("?age=older&cause=It+is+of+a+kind+we+do+not+know", set()),
    ],
)
def test_it_can_be_narrowed(
    query: str, found: set[str], several: dict[str, Receipt], sue: Any, browser_of: Any
) -> None:
    html = page(browser_of(sue), query)
    assert {name for name, receipt in several.items() if f'href="/quarantine/{receipt.pk}/"' in html} == found


def test_it_can_be_narrowed_to_one_connection(
    several: dict[str, Receipt], sue: Any, number: Any, browser_of: Any
) -> None:
    html = page(browser_of(sue), f"?connector={number.pk}")
    assert f'href="/quarantine/{several["text"].pk}/"' in html
    assert f'href="/quarantine/{several["mail"].pk}/"' not in html


@pytest.mark.parametrize("query", ["?connector=x", "?age=century", "?kept_as=x", "?before=x", "?connector=-1"])
def test_what_nothing_can_be_narrowed_to_is_not_found(query: str, sue: Any, browser_of: Any) -> None:
    assert browser_of(sue).get(f"/quarantine/{query}").status_code == 404


def test_a_strange_cause_finds_nothing_and_breaks_nothing(poison: Receipt, sue: Any, browser_of: Any) -> None:
    assert "Nothing here fits" in page(browser_of(sue), "?cause='%3B--<script>")


# All at once


def test_everything_that_is_shown_can_be_taken_in_again(sue: Any, number: Any, mailbox: Any, browser_of: Any) -> None:
    for each in (1, 2, 3):
        aside(number, good(each), "It could not be read.")
    stays = aside(mailbox, b"x", "Another thing.")
    browser_of(sue).post("/quarantine/replay/", {"cause": "It could not be read."})
    sweeping.receipts()
    assert Case.objects.count() == 3
    assert list(Receipt.objects.quarantined().values_list("pk", flat=True)) == [stays.pk]
    assert Receipt.objects.get(pk=stays.pk).journal == []


def test_what_is_still_not_understood_comes_back(sue: Any, poison: Receipt, browser_of: Any) -> None:
    browser_of(sue).post("/quarantine/replay/")
    assert not Receipt.objects.quarantined().exists()
    sweeping.receipts()
    assert Receipt.objects.get().state == ReceiptState.QUARANTINED
    assert [line["did"] for line in Receipt.objects.get().journal] == ["took it in again"]


def test_everything_that_is_shown_can_be_let_go_with_one_reason(
    several: dict[str, Receipt], sue: Any, browser_of: Any
) -> None:
    browser = browser_of(sue)
    browser.post("/quarantine/discard/", {"age": "older", "reason": ""})
    assert Receipt.objects.quarantined().count() == 3
    browser.post("/quarantine/discard/", {"age": "older", "reason": "Old tests"})
    gone = Receipt.objects.discarded().get()
    assert (gone.pk, gone.journal[0]["words"]) == (several["mail"].pk, "Old tests")


def test_a_long_quarantine_has_pages(number: Any, sue: Any, browser_of: Any) -> None:
    for each in range(52):
        aside(number, str(each).encode())
    first = page(browser_of(sue), "?age=hour")
    oldest = Receipt.objects.order_by("pk")[2].pk
    assert f"?age=hour&amp;before={oldest}" in first
    assert "all 52" in first
    assert f'href="/quarantine/{oldest - 1}/"' in page(browser_of(sue), f"?age=hour&before={oldest}")


# The alarm


def test_it_rings_while_it_grows(several: dict[str, Receipt], number: Any, sue: Any, browser_of: Any) -> None:
    rings = alarm()
    assert rings
    assert (rings.count, rings.cause) == ("3", "It is of a kind we do not know")
    kept.forget()
    for address in ("/quarantine/", "/board/", "/health/"):
        assert "within the last hour" in browser_of(sue).get(address).content.decode(), address
    Receipt.objects.update(done_at=now() - timedelta(hours=2))
    kept.forget()
    assert alarm() is None
    for address in ("/quarantine/", "/board/", "/health/"):
        assert "within the last hour" not in browser_of(sue).get(address).content.decode(), address


def test_a_new_one_is_told_to_the_open_boards(account: Any, heard: list[dict[str, Any]]) -> None:
    direct_message(account, [said(account, "m1", "one"), {"sender": "nonsense", "message": 7}])
    work()
    assert {"kind": "board"} in heard


# At a terminal


def test_the_command_takes_in_what_is_named_or_all(number: Any, capsys: Any) -> None:
    one, two, bad = aside(number, good(1)), aside(number, good(2)), aside(number, POISON)
    call_command("replay", str(one.pk))
    assert Receipt.objects.get(pk=one.pk).state == ReceiptState.DONE
    assert Receipt.objects.get(pk=two.pk).state == ReceiptState.QUARANTINED
    call_command("replay", "--all")
    assert Receipt.objects.get(pk=two.pk).state == ReceiptState.DONE
    said = capsys.readouterr().out
    assert "1 of 2 were taken in." in said
    assert f"Still in quarantine: {bad.pk}." in said
    assert Receipt.objects.get(pk=two.pk).journal[0]["by"] == "manage.py replay"


def test_the_command_wants_to_know_which(number: Any) -> None:
    with pytest.raises(CommandError, match="Name the receipts"):
        call_command("replay")

"""One person over all channels: what is known, what was said, and who may see it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.utils.timezone import now

from connectors.messages import Sender
from connectors.models import Connector
from customers.clocks import local_time, zone_of
from customers.models import (
    Consent,
    Customer,
    Event,
    ExternalId,
    Identity,
    IdentityLink,
    Order,
    PinnedNote,
    Relationship,
)
from inbox import merging, outbox
from inbox.locking import locked
from tests import make

pytestmark = pytest.mark.django_db


def page_of(browser: Any, person: Customer, query: str = "") -> str:
    html: str = browser.get(f"/customers/{person.pk}/{query}").content.decode()
    return html


def test_every_section_says_what_is_known(
    ana: Any, maya: Customer, mailbox: Connector, number: Connector, browser_of: Any
) -> None:
    mail = make.says(maya, mailbox, "The mug is broken", subject="Mug")
    make.says(maya, number, "hello?")
    outbox.add_note(mail.case, by=ana, text="Second breakage")
    phone = maya.identities.get(kind="phone")
    Consent.objects.create(identity=phone, sender=str(number.uuid), state="opted_out", words="STOP")
    ExternalId.objects.create(customer=maya, source="shop", value="C-1001")
    Order.objects.create(customer=maya, source="shop", number="48213", amount=Decimal("12.50"), currency="EUR")
    Event.objects.create(customer=maya, source="shop", name="Subscription paused")
    page = page_of(browser_of(ana), maya)
    for words in (
        "The mug is broken",
        "Moved from Email to SMS",
        "Second breakage",
        "Opted out",
        "STOP",
        "C-1001",
        "#48213",
        "12.50 EUR",
        "Subscription paused",
        'data-assurance="proven"',
        'data-assurance="observed"',
        "Whose address was when",
    ):
        assert words in page, words


def test_who_wants_no_marketing_has_not_opted_in_to_answers_again(
    ana: Any, maya: Customer, mailbox: Connector, number: Connector, browser_of: Any
) -> None:
    make.says(maya, mailbox, "hi")
    said = {"identity": maya.identities.get(kind="phone"), "sender": str(number.uuid)}
    Consent.objects.create(**said, state="opted_out")
    Consent.objects.create(**said, state="explicit", purpose="marketing")
    assert "opted out of Texts " in page_of(browser_of(ana), maya)
    Consent.objects.create(**said, state="opted_out", purpose="marketing")
    assert "opted out of marketing by Texts " in page_of(browser_of(ana), maya)


def test_whom_an_agent_may_not_see_is_somebody_else(
    lee: Any, sue: Any, maya: Customer, mailbox: Connector, billing_mailbox: Connector, browser_of: Any
) -> None:
    jon = make.customer("Jon Bell", email="jon@bell.test")
    make.says(jon, billing_mailbox, "hi")
    make.says(maya, mailbox, "hi")
    phone = maya.identities.get(kind="phone")
    IdentityLink.objects.filter(identity=phone).update(revoked_at=now())
    phone.customer = jon
    phone.save()
    IdentityLink.objects.create(identity=phone, customer=jon, reason="imported")
    Relationship.objects.create(customer=jon, other=maya, role="partner")
    page = page_of(browser_of(lee), jon)
    assert page.count("somebody else") == 3
    assert "Maya" not in page
    assert "Maya" in page_of(browser_of(sue), jon)


def test_what_agents_note_is_shown_and_removed(ana: Any, maya: Customer, mailbox: Connector, browser_of: Any) -> None:
    case, browser = make.says(maya, mailbox, "hi").case, browser_of(ana)
    browser.post(f"/customers/{maya.pk}/notes/", {"text": "Call her\nafter six"})
    browser.post(f"/customers/{maya.pk}/attributes/", {"name": "Plan", "value": "platinum"})
    browser.post(f"/customers/{maya.pk}/attributes/", {"name": "Plan", "value": "silver"})
    browser.post(f"/customers/{maya.pk}/about/", {"language": "pt", "time_zone": "Europe/Lisbon", "prefers": "sms"})
    page = page_of(browser, maya)
    for words in ("after six", "silver", "Europe/Lisbon", "in Lisbon", "as they told us"):
        assert words in page, words
    assert "platinum" not in page
    desk = browser.get(f"/inbox/open/c/{case.pk}/").content.decode()
    assert "after six" in desk
    assert "in Lisbon" in desk
    browser.post(f"/customers/{maya.pk}/notes/{PinnedNote.objects.get().pk}/take-down/")
    browser.post(f"/customers/{maya.pk}/attributes/{maya.attributes.get().pk}/remove/")
    page = page_of(browser, maya)
    assert "after six" not in page
    assert "silver" not in page
    browser.post(f"/customers/{maya.pk}/about/", {"time_zone": "Mars/Base"})
    maya.refresh_from_db()
    assert maya.time_zone == "Europe/Lisbon"


def test_people_who_belong_together_stay_two_people(
    ana: Any, maya: Customer, mailbox: Connector, browser_of: Any
) -> None:
    jon = make.customer("Jon Bell", email="jon@bell.test")
    make.says(maya, mailbox, "hi")
    make.says(jon, mailbox, "My secret plan")
    browser = browser_of(ana)
    assert "Jon Bell" in browser.get(f"/customers/{maya.pk}/related/?q=jon").content.decode()
    browser.post(f"/customers/{maya.pk}/related/{jon.pk}/", {"role": "assistant"})
    page = page_of(browser, maya)
    assert "Jon Bell" in page
    assert "assistant" in page
    assert "secret plan" not in page
    assert "Jon is their assistant" in page_of(browser, jon)
    browser.post(f"/customers/{maya.pk}/related/{maya.pk}/", {"role": "self"})
    browser.post(f"/customers/{jon.pk}/related/{Relationship.objects.get().pk}/remove/")
    assert not Relationship.objects.exists()


def test_what_was_said_of_two_who_were_joined_is_read_together_and_parts_again(
    ana: Any, maya: Customer, mailbox: Connector, browser_of: Any
) -> None:
    other = make.customer("M. Ortiz", email="mo@ortiz.test")
    make.says(maya, mailbox, "hi")
    PinnedNote.objects.create(customer=other, text="Deaf in one ear", made_by=ana)
    merge = merging.join(maya, other, by=ana)
    assert "Deaf in one ear" in page_of(browser_of(ana), maya)
    merging.undo(merge, by=ana)
    assert "Deaf in one ear" not in page_of(browser_of(ana), maya)


def test_other_teams_words_are_not_in_the_lanes(
    ana: Any, lee: Any, maya: Customer, mailbox: Connector, billing_mailbox: Connector, browser_of: Any
) -> None:
    first = make.says(maya, mailbox, "For support only")
    with_support = first.case

    with locked(with_support) as case:
        case.resolve(by=ana)
    with time_machine.travel(now() + timedelta(days=30)):
        make.says(maya, billing_mailbox, "For billing only")
        page = page_of(browser_of(lee), maya)
    assert "For billing only" in page
    assert "For support only" not in page


def test_a_long_history_is_read_page_by_page(
    ana: Any, maya: Customer, number: Connector, browser_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inbox.views.timeline.PAGE", 5)
    for count in range(9):
        make.says(maya, number, f"Line {count:03}.")
    page = page_of(browser_of(ana), maya)
    said = page.split('id="said"')[1].split("</section>")[0]
    assert "Line 008." in said
    assert "Line 003." not in said
    earlier = page.split('earlier" href="')[1].split('"')[0].split("#")[0]
    page = browser_of(ana).get(earlier).content.decode()
    assert "Line 003." in page
    assert "Back to the newest" in page


def test_where_they_mostly_write_is_what_they_prefer(
    ana: Any, maya: Customer, mailbox: Connector, number: Connector, browser_of: Any
) -> None:
    make.says(maya, mailbox, "hi")
    make.says(maya, number, "one")
    assert "Prefers" not in page_of(browser_of(ana), maya).split("Known of")[0]
    make.says(maya, number, "two")
    assert "2 of their last 3 messages" in page_of(browser_of(ana), maya)


def test_an_address_that_is_silent_for_long_may_have_changed_hands(
    ana: Any, maya: Customer, number: Connector, browser_of: Any
) -> None:
    case = make.says(maya, number, "hi").case
    Identity.objects.filter(kind="phone").update(last_inbound_at=now() - timedelta(days=200))
    desk = browser_of(ana).get(f"/inbox/open/c/{case.pk}/").content.decode()
    assert "it may have changed hands" in desk
    assert "it may have changed hands" in page_of(browser_of(ana), maya)


def test_what_an_account_was_called_before_is_kept(ana: Any, account: Connector, browser_of: Any) -> None:
    scope = account.addresses[0]
    entry = make.says(Sender("1002003004005001", scope, "Maya", "maya.ortz"), account, "hi")
    make.says(Sender("1002003004005001", scope, "Maya", "maya.ortiz"), account, "new name")
    make.says(Sender("1002003004005001", scope, "Maya", "maya.ortiz"), account, "same name")
    assert [each.handle for each in entry.identity.earlier_handles.all()] == ["maya.ortz"]
    assert "@maya.ortz until" in page_of(browser_of(ana), entry.case.customer)


@pytest.mark.parametrize(
    ("known", "numbers", "zone"),
    [
        ("Europe/Lisbon", ["+14155552671"], "Europe/Lisbon"),
        ("", ["+14155552671"], "America/Los_Angeles"),
        ("", ["+14155552671", "+442079460958"], ""),
        ("", ["+351912345678"], ""),  # a country with several
        ("Mars/Base", [], ""),
        ("", ["72345"], ""),
    ],
)
def test_the_clock_is_where_they_are_or_nowhere(known: str, numbers: list[str], zone: str) -> None:
    assert zone_of(known, numbers) == zone


def test_the_clock_says_the_day_when_it_is_another_one() -> None:
    at = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert local_time("Europe/Lisbon", at) == "23:30 in Lisbon"
    assert local_time("Asia/Tokyo", at) == "Mon 08:30 in Tokyo"
    assert local_time("", at) == ""

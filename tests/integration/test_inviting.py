"""Going on elsewhere, our side: the code is in what leaves and nowhere else."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client

from connectors.messages import Sender
from customers.models import Identity
from inbox import codes, inviting, merging, outbox
from inbox.models import Case, Delivery, Draft, Entry, Invitation
from inbox.outbox.composing import compose
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def case(maya: Any, mailbox: Any, number: Any) -> Case:
    case = make.says(maya, mailbox, "Where is my parcel?").case
    assert case
    return case


def invite(browser: Client, case: Case, connector: Any, channel: str = "email") -> str:
    answer = browser.post(f"/cases/{case.pk}/invite/code/", {"to": connector.pk, "from": channel})
    assert answer.status_code == 200
    return answer.content.decode()


def leaves(entry: Entry) -> str:
    return "".join(compose(each).text for each in entry.deliveries.order_by("part"))


def test_the_menu_offers_the_other_channels_of_the_team(case: Case, number: Any, ana: Any, browser_of: Any) -> None:
    page = browser_of(ana).get(f"/cases/{case.pk}/invite/?from=email").content.decode()
    assert number.address in page
    assert "support@northwind.test" not in page, "they write there already"


def test_a_reply_tells_the_code_that_its_text_only_marks(case: Case, number: Any, ana: Any, browser_of: Any) -> None:
    words = invite(browser_of(ana), case, number)
    assert codes.written_in(words) == []
    reply = make.answers(ana, case, f"Hi Maya. {words}")
    invitation = Invitation.objects.get()
    assert codes.written_in(leaves(reply)) == codes.written_in(invitation.spelled)
    assert f"/go-on/{invitation.spelled}/" in leaves(reply)
    for stored in (*Entry.objects.values_list("text", flat=True), *Delivery.objects.values_list("text", flat=True)):
        assert codes.written_in(stored) == []


def test_colleagues_see_that_a_code_was_told_and_not_which(
    case: Case, number: Any, ana: Any, sam: Any, browser_of: Any
) -> None:
    make.answers(ana, case, invite(browser_of(ana), case, number))
    page = browser_of(sam).get(f"/inbox/open/c/{case.pk}/").content.decode()
    assert "[code]" in page
    assert Invitation.objects.get().mark not in page
    assert "<code-" not in Case.objects.get(pk=case.pk).preview


def test_a_code_counts_from_when_it_is_told(case: Case, number: Any, ana: Any, browser_of: Any) -> None:
    words = invite(browser_of(ana), case, number)
    assert not Invitation.objects.open().exists()
    reply = make.answers(ana, case, words)
    assert Invitation.objects.open().get().told_in == reply


def test_a_code_that_was_taken_back_with_its_reply_does_not_count(
    case: Case, number: Any, ana: Any, browser_of: Any, settings: Any
) -> None:
    settings.UNDO_SECONDS = 30
    reply = make.answers(ana, case, invite(browser_of(ana), case, number))
    outbox.undo(reply, by=ana)
    assert not Invitation.objects.open().exists()
    again = make.answers(ana, case, Draft.objects.get().text)
    assert Invitation.objects.open().get().told_in == again
    assert codes.written_in(leaves(again))


def test_a_mark_of_another_case_is_not_sent_as_it_stands(
    case: Case, mailbox: Any, number: Any, ana: Any, browser_of: Any
) -> None:
    jon = make.customer("Jon Hale", email="jon@hale.test")
    other = make.says(jon, mailbox, "hi").case
    words = invite(browser_of(ana), case, number)
    with pytest.raises(outbox.BadReply, match="another case"):
        make.answers(ana, other, words)


def test_a_text_is_as_long_with_its_mark_as_with_its_code(case: Case, number: Any, ana: Any, browser_of: Any) -> None:
    words = invite(browser_of(ana), case, number, "sms")
    reply = make.answers(ana, case, words)
    assert len(leaves(reply)) == len(words)


def test_an_account_is_named_as_a_customer_finds_it(case: Case, account: Any, ana: Any, browser_of: Any) -> None:
    assert account.address not in invite(browser_of(ana), case, account)
    account.options["username"] = "northwind"
    account.save()
    assert "send it to @northwind" in invite(browser_of(ana), case, account)


def test_somebody_of_another_team_can_make_no_code(case: Case, number: Any, billing: Any, browser_of: Any) -> None:
    bill = make.agent("Bill Outsider", billing)
    assert browser_of(bill).get(f"/cases/{case.pk}/invite/").status_code == 404
    assert browser_of(bill).post(f"/cases/{case.pk}/invite/code/", {"to": number.pk}).status_code == 404


def test_a_connector_of_another_team_cannot_be_offered(case: Case, billing: Any, ana: Any, browser_of: Any) -> None:
    theirs = make.number(billing, "+14155550199")
    assert browser_of(ana).post(f"/cases/{case.pk}/invite/code/", {"to": theirs.pk}).status_code == 404
    assert browser_of(ana).post(f"/cases/{case.pk}/invite/code/", {"to": "x"}).status_code == 404


def test_the_page_behind_the_link_opens_the_customers_own_program(
    case: Case, number: Any, ana: Any, browser_of: Any
) -> None:
    make.answers(ana, case, invite(browser_of(ana), case, number))
    code = Invitation.objects.get().spelled
    page = Client().get(f"/go-on/{code}/")
    assert page.status_code == 200
    assert f"sms:{number.address}?&amp;body={code}" in page.content.decode()
    assert "Maya" not in page.content.decode()
    picture = Client().get(f"/go-on/{code}/code.svg")
    assert picture["Content-Type"] == "image/svg+xml"
    assert ElementTree.fromstring(picture.content).tag == "{http://www.w3.org/2000/svg}svg", "else no browser draws it"
    assert Invitation.objects.open().exists(), "looking uses nothing up"


def test_the_page_says_the_same_of_a_used_an_old_and_an_invented_code(
    case: Case, number: Any, ana: Any, browser_of: Any, maya: Any
) -> None:
    make.answers(ana, case, invite(browser_of(ana), case, number))
    code = Invitation.objects.get().spelled
    invented = codes.spelled(codes.code_of(b"elsewhere", b"1"))
    used = make.code_from(ana, case, number)
    make.says(Sender("+14155550177", "", ""), number, used)
    Invitation.objects.filter(used_at=None).update(expires_at="2020-01-01T00:00Z")
    pages = [Client().get(f"/go-on/{each}/") for each in (code, used, invented, "nonsense")]
    bodies = {re.sub(rb'nonce="[^"]*"', b"", page.content) for page in pages}
    assert [page.status_code for page in pages] == [404, 404, 404, 404]
    assert len(bodies) == 1


def test_a_code_sent_to_make_sure_is_sent_once_however_often_it_is_asked_for(
    case: Case, maya: Any, account: Any, ana: Any, browser_of: Any
) -> None:
    stranger = make.says(Sender("777001", account.address, "m.o."), account, "hi").case
    assert stranger
    merging.join(maya, stranger.customer, by=ana)
    about = Identity.objects.get(value="777001")
    for _ in range(2):
        assert browser_of(ana).post(f"/cases/{case.pk}/invite/ask/", {"about": about.pk}).status_code == 200
    assert Delivery.objects.count() == 1


def test_the_link_with_a_code_is_for_mails(maya: Any, number: Any, mailbox: Any, ana: Any) -> None:
    texted = make.says(maya, number, "hi").case
    assert texted
    words = inviting.invite(texted, mailbox, by=ana, with_link=True)
    with pytest.raises(outbox.BadReply, match="The link is for emails"):
        make.answers(ana, texted, words)


def test_the_first_text_to_a_number_nobody_wrote_from_tells_nothing_learned_elsewhere(
    case: Case, maya: Any, mailbox: Any, number: Any, ana: Any, browser_of: Any
) -> None:
    make.says(maya, mailbox, "My order is #48213")
    said = {"connector": number.pk, "address": "+14155552671", "text": "Order 48213 left", "confirmed": "on"}
    page = browser_of(ana).post("/start/", said)
    assert page.status_code == 422
    assert "Order #48213" in page.content.decode()
    assert not Delivery.objects.exists()

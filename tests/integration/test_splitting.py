"""Two matters of one person at once, and messages that somebody else wrote: moved, joined again, taken back."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.messages import Sender
from customers.models import Customer, Identity
from inbox import merging, outbox, splitting
from inbox.card import card_for
from inbox.locking import locked
from inbox.models import Alert, Case, Draft, Entry, Fact, Participant, Regrouping, Status, Switch
from tests import make


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


@pytest.fixture
def mail(maya: Any, mailbox: Any) -> Any:
    return make.says(maya, mailbox, "The lid of order #48213 is cracked.", subject="Cracked lid")


@pytest.fixture
def bill(maya: Any, mailbox: Any, mail: Any) -> Any:
    return make.says(maya, mailbox, "And why was order #48999 charged twice?", subject="Charged twice")


@pytest.fixture
def second(mail: Any, bill: Any, ana: Any) -> Any:
    return splitting.split(mail.case, [bill.pk], by=ana).to_case


def test_a_second_matter_has_what_belongs_to_it_and_the_first_has_the_rest(mail: Any, bill: Any, ana: Any) -> None:
    regrouping = splitting.split(mail.case, [bill.pk], by=ana)
    first, second = fresh(mail.case), fresh(regrouping.to_case)
    assert second.split_off
    assert second.is_live
    assert first.is_live
    assert second.subject == "Charged twice"
    assert (first.preview, second.preview) == (mail.preview, bill.preview)
    assert (first.waiting_since, second.waiting_since) == (mail.reached_us_at, bill.reached_us_at)
    assert (first.beside, second.beside) == (1, 1)
    assert {(fact.case_id, fact.value) for fact in Fact.objects.all()} == {(first.pk, "48213"), (second.pk, "48999")}
    assert second.team_ids == first.team_ids


def test_an_order_number_said_in_both_matters_is_told_in_both(maya: Any, mailbox: Any, ana: Any) -> None:
    mail = make.says(maya, mailbox, "order #48213 is broken")
    again = make.says(maya, mailbox, "order #48213 was charged twice")
    regrouping = splitting.split(mail.case, [again.pk], by=ana)
    assert {(fact.case_id, fact.entry_id) for fact in Fact.objects.all()} == {
        (mail.case_id, mail.pk),
        (regrouping.to_case_id, again.pk),
    }
    splitting.undo(regrouping, by=ana)
    assert [(fact.case_id, fact.entry_id) for fact in Fact.objects.all()] == [(mail.case_id, mail.pk)]


def test_both_timelines_say_what_was_moved_by_whom(mail: Any, bill: Any, second: Any, ana: Any) -> None:
    here = mail.case.entries.get(event="regrouped")
    there = second.entries.get(event="regrouped")
    assert (here.text, here.agent) == (f"moved 1 message to #{second.pk}", ana)
    assert there.text == f"moved 1 message here from #{mail.case_id}"


def test_a_reply_by_mail_goes_to_the_matter_it_answers_and_everything_else_to_the_main_one(
    maya: Any, mailbox: Any, number: Any, mail: Any, second: Any
) -> None:
    answered = make.says(maya, mailbox, "Any news?", reply_tokens=[second.reply_token])
    assert answered.case == second
    assert make.says(maya, number, "hello?").case == mail.case
    assert make.says(maya, mailbox, "Something else").case == mail.case


def test_a_reply_to_a_mail_that_was_moved_follows_it_although_it_has_the_old_token(
    maya: Any, mailbox: Any, mail: Any, bill: Any, ana: Any
) -> None:
    ours = make.answers(ana, mail.case, "We are looking into the charge.")
    cited = ours.deliveries.get()
    second = splitting.split(mail.case, [bill.pk, ours.pk], by=ana).to_case
    token = mail.case.reply_token
    message_id = outbox.composing.compose(cited).email.message_id
    answered = make.says(maya, mailbox, "Thanks, when?", reply_tokens=[token], references=[message_id])
    assert answered.case == second


def test_each_resolves_alone(mail: Any, second: Any, ana: Any) -> None:
    with locked(second) as case:
        case.resolve(by=ana)
    first, second = fresh(mail.case), fresh(second)
    assert (first.is_live, second.is_live) == (True, False)
    assert (first.beside, second.beside) == (0, 0)
    assert first.waiting_since
    with locked(second) as case:
        case.reopen(by=ana)
    assert (fresh(first).beside, fresh(second).beside) == (1, 1)


def test_a_new_main_case_knows_of_the_second_matter(maya: Any, number: Any, mail: Any, second: Any, ana: Any) -> None:
    with locked(mail.case) as case:
        case.resolve(by=ana)
    Case.objects.filter(pk=mail.case_id).update(resolved_at="2020-01-01T00:00:00Z")
    begun = make.says(maya, number, "something new").case
    assert begun not in (mail.case, second)
    assert (begun.beside, fresh(second).beside) == (1, 1)


def test_a_reply_that_does_not_arrive_opens_what_it_answered_in_the_other_matter_too(
    mail: Any, bill: Any, ana: Any
) -> None:
    reply = make.answers(ana, mail.case, "Both are on their way.")
    second = splitting.split(mail.case, [bill.pk], by=ana).to_case
    assert fresh(second).status == Status.OPEN or not fresh(bill).is_open
    outbox.failed(reply.deliveries.get(), "No such mailbox.")
    assert fresh(bill).is_open
    assert fresh(second).waiting_since == bill.reached_us_at
    assert fresh(second).status == Status.OPEN


def test_the_card_follows_the_move_it_tells_of(maya: Any, mailbox: Any, number: Any, ana: Any) -> None:
    mail = make.says(maya, mailbox, "by mail")
    text = make.says(maya, number, "by text")
    before = Alert.objects.values().get()
    regrouping = splitting.split(mail.case, [text.pk], by=ana)
    assert card_for(fresh(mail.case), ana) is None
    assert card_for(fresh(regrouping.to_case), ana)
    assert not fresh(mail.case).shows_move
    splitting.undo(regrouping, by=ana)
    assert card_for(fresh(mail.case), ana)
    assert Alert.objects.values().get() == before


def test_who_was_copied_in_on_one_matter_gets_no_copy_of_the_other(maya: Any, mailbox: Any, ana: Any) -> None:
    jon, bea = Sender("jon@x.test", name="Jon"), Sender("bea@x.test", name="Bea")
    mail = make.says(maya, mailbox, "one", cc=[jon])
    other = make.says(maya, mailbox, "two", cc=[jon, bea])
    regrouping = splitting.split(mail.case, [other.pk], by=ana)
    named = {(each.case_id, each.identity.value) for each in Participant.objects.select_related("identity")}
    there = regrouping.to_case_id
    assert named == {(mail.case_id, "jon@x.test"), (there, "jon@x.test"), (there, "bea@x.test")}
    splitting.undo(regrouping, by=ana)
    assert sorted(Participant.objects.values_list("case", "identity__value")) == [
        (mail.case_id, "bea@x.test"),
        (mail.case_id, "jon@x.test"),
    ]


def test_an_entry_moves_to_the_other_live_case_and_back(
    mail: Any, bill: Any, second: Any, number: Any, ana: Any
) -> None:
    more = make.says(mail.case.customer, number, "about the charge again")
    moved = splitting.move(mail.case, [more.pk], second, by=ana)
    assert fresh(more).case == second
    assert fresh(second).open_channels == ["email", "sms"]
    splitting.undo(moved, by=ana)
    assert fresh(more).case == mail.case
    with pytest.raises(splitting.CannotSplit, match="taken back before"):
        splitting.undo(moved, by=ana)


def test_two_matters_are_joined_again_and_parted_again(mail: Any, bill: Any, second: Any, ana: Any) -> None:
    was = fresh(second).waiting_since
    regrouping = splitting.rejoin(second, mail.case, by=ana)
    first = fresh(mail.case)
    assert fresh(second).merged_into == first
    assert [each.pk for each in first.timeline().filter(kind="message").order_by("pk")] == [mail.pk, bill.pk]
    assert (first.beside, first.waiting_since, first.preview) == (0, mail.reached_us_at, bill.preview)
    splitting.undo(regrouping, by=ana)
    assert fresh(second).is_live
    assert fresh(second).waiting_since == was
    assert (fresh(first).beside, fresh(second).beside) == (1, 1)


def test_what_is_taken_back_goes_to_its_own_case_which_stands_alone_again_and_shows_it(
    maya: Any, mailbox: Any, mail: Any, bill: Any, second: Any, ana: Any
) -> None:
    more = make.says(maya, mailbox, "The invoice is of May.", reply_tokens=[second.reply_token])
    joined = splitting.rejoin(second, mail.case, by=ana)
    split = splitting.split(mail.case, [more.pk], by=ana)
    splitting.undo(joined, by=ana)
    splitting.undo(split, by=ana)
    assert fresh(more).case == second
    assert (fresh(second).last_entry_id, fresh(second).preview) == (more.pk, more.preview)
    assert fresh(mail.case).last_entry_id == mail.pk


def test_two_matters_are_not_parted_when_nothing_would_be_left_of_one(
    mail: Any, bill: Any, second: Any, ana: Any
) -> None:
    joined = splitting.rejoin(second, mail.case, by=ana)
    splitting.split(mail.case, [bill.pk], by=ana)
    with pytest.raises(splitting.CannotSplit, match="was moved elsewhere since"):
        splitting.undo(joined, by=ana)
    assert fresh(second).merged_into == mail.case


def test_an_undone_split_leaves_an_address_that_leads_on(mail: Any, bill: Any, ana: Any) -> None:
    regrouping = splitting.split(mail.case, [bill.pk], by=ana)
    splitting.undo(regrouping, by=ana)
    shell = fresh(regrouping.to_case)
    assert not shell.is_live
    assert shell.current() == mail.case
    assert fresh(bill).case == mail.case
    assert fresh(mail.case).beside == 0


def test_a_split_is_taken_back_after_more_came_and_what_came_stays(
    maya: Any, mailbox: Any, mail: Any, bill: Any, ana: Any
) -> None:
    regrouping = splitting.split(mail.case, [bill.pk], by=ana)
    later = make.says(maya, mailbox, "Any news?", reply_tokens=[regrouping.to_case.reply_token])
    splitting.undo(regrouping, by=ana)
    assert fresh(bill).case == mail.case
    assert fresh(later).case == regrouping.to_case
    assert fresh(regrouping.to_case).is_live


def test_what_only_some_may_see_stays_theirs_wherever_it_is_moved(mail: Any, bill: Any, second: Any, ana: Any) -> None:
    Case.objects.filter(pk=mail.case_id).update(sensitive="health", named_ids=[ana.pk])
    more = make.says(mail.case.customer, mail.connector, "about my health")
    splitting.move(mail.case, [more.pk], second, by=ana)
    assert (fresh(second).sensitive, fresh(second).named_ids) == ("health", [ana.pk])
    assert "health" not in fresh(second).preview


def test_not_everything_can_be_split_off(mail: Any, bill: Any, ana: Any, sam: Any) -> None:
    with pytest.raises(splitting.CannotSplit, match="all there is"):
        splitting.split(mail.case, [mail.pk, bill.pk], by=ana)
    with pytest.raises(splitting.CannotSplit, match="at least one"):
        splitting.split(mail.case, [], by=ana)
    with pytest.raises(splitting.CannotSplit, match="not in this case any more"):
        splitting.split(mail.case, [mail.pk, 10**12], by=ana)
    with locked(mail.case) as case:
        case.resolve(by=ana)
    with pytest.raises(splitting.CannotSplit, match="resolved"):
        splitting.split(mail.case, [bill.pk], by=ana)
    assert not Regrouping.objects.exists()


# Somebody else wrote it


@pytest.fixture
def strangers(maya: Any, number: Any, mail: Any) -> Any:
    """Maya's number was handed on: these texts are not hers."""
    return [make.says(maya, number, "Hi, who is this?"), make.says(maya, number, "I have a new number, I am Nora")]


def test_messages_go_to_somebody_new_and_the_address_stays_whose_it_is(
    maya: Any, number: Any, mail: Any, strangers: Any, ana: Any
) -> None:
    regrouping = splitting.hand_over(mail.case, [each.pk for each in strangers], name="Nora Lind", by=ana)
    nora = regrouping.to_case.customer
    assert nora.name == "Nora Lind"
    assert maya.identities.filter(kind="phone").exists()
    assert not Switch.objects.exists()
    assert not Alert.objects.exists()
    assert fresh(mail.case).open_channels == ["email"]
    assert fresh(regrouping.to_case).open_channels == ["sms"]
    assert make.says(maya, number, "It is me, Maya").case == mail.case


def test_a_number_that_was_handed_on_goes_to_who_has_it_now(
    maya: Any, number: Any, mail: Any, strangers: Any, ana: Any
) -> None:
    picked = [each.pk for each in strangers]
    regrouping = splitting.hand_over(mail.case, picked, name="Nora Lind", with_address=True, by=ana)
    nora = regrouping.to_case.customer
    phone = Identity.objects.get(kind="phone")
    assert phone.customer == nora
    assert phone.links.get(revoked_at=None).customer == nora
    later = make.says(Sender(phone.value), number, "Anyone?")
    assert later.case == regrouping.to_case
    splitting.undo(regrouping, by=ana)
    assert fresh(phone).customer == maya
    assert {fresh(each).case for each in strangers} == {mail.case}
    assert fresh(strangers[0]).author == "Maya Ortiz"


def test_all_messages_of_a_case_may_be_somebody_elses(maya: Any, number: Any, ana: Any) -> None:
    text = make.says(maya, number, "I am Nora")
    bob = make.customer("Nora Lind", email="nora@lind.test")
    regrouping = splitting.hand_over(text.case, [text.pk], to=bob, with_address=True, by=ana)
    assert fresh(text.case).status == Status.RESOLVED
    assert fresh(text).case.customer == bob
    splitting.undo(regrouping, by=ana)
    assert fresh(text.case).status == Status.OPEN
    assert fresh(text).case == text.case
    assert fresh(regrouping.to_case).current() == text.case


def test_an_answer_to_the_one_is_none_to_the_other(maya: Any, number: Any, mail: Any, strangers: Any, ana: Any) -> None:
    make.answers(ana, mail.case, "Hello Maya", channel="sms")
    assert not fresh(strangers[0]).is_open
    regrouping = splitting.hand_over(mail.case, [each.pk for each in strangers], name="Nora", by=ana)
    assert fresh(strangers[0]).is_open
    assert fresh(regrouping.to_case).waiting_since == strangers[0].reached_us_at
    splitting.undo(regrouping, by=ana)
    assert not fresh(strangers[0]).is_open
    assert fresh(strangers[0]).tied_by


def test_what_was_handed_over_stays_there_when_both_are_joined_and_parted(
    maya: Any, number: Any, mail: Any, strangers: Any, ana: Any
) -> None:
    nora = make.customer("Nora Lind", email="nora@lind.test")
    splitting.hand_over(mail.case, [strangers[1].pk], to=nora, by=ana)
    there = fresh(strangers[1]).case
    merge = merging.join(maya, nora, by=ana)
    merging.undo(merge, by=ana)
    assert fresh(strangers[1]).case == there
    assert fresh(strangers[0]).case == mail.case


def test_a_person_is_no_other_person(maya: Any, mail: Any, strangers: Any, ana: Any) -> None:
    with pytest.raises(splitting.CannotSplit, match="has these messages now"):
        splitting.hand_over(mail.case, [mail.pk], to=maya, by=ana)
    with pytest.raises(splitting.CannotSplit, match="what they are called"):
        splitting.hand_over(mail.case, [mail.pk], by=ana)
    assert Customer.objects.count() == 1
    assert not Draft.objects.exists()
    assert Entry.objects.filter(event="regrouped").count() == 0


# Over HTTP


def test_messages_are_split_off_over_http_and_both_pages_show_two_matters(
    mail: Any, bill: Any, ana: Any, browser_of: Any
) -> None:
    browser = browser_of(ana)
    answer = browser.post(f"/cases/{mail.case_id}/split/", {"entries": f"{bill.pk}"})
    assert answer.status_code == 200
    second = fresh(bill).case
    page = browser.get(f"/inbox/open/c/{mail.case_id}/").content.decode()
    assert f'data-matter="{second.pk}"' in page
    assert "2 matters" in page
    marker = Regrouping.objects.get()
    assert f"/regroupings/{marker.pk}/undo/" in page
    assert f'data-matter="{mail.case_id}"' in browser.get(f"/inbox/open/c/{second.pk}/").content.decode()
    assert browser.post(f"/regroupings/{marker.pk}/undo/", {"case": mail.case_id}).status_code == 200
    assert fresh(bill).case == mail.case
    again = browser.post(f"/regroupings/{marker.pk}/undo/", {"case": mail.case_id})
    assert (again.status_code, b"taken back before" in again.content) == (422, True)


def test_one_key_moves_a_message_to_the_only_other_matter(
    maya: Any, number: Any, mail: Any, second: Any, ana: Any, browser_of: Any
) -> None:
    text = make.says(maya, number, "the charge is still there")
    assert browser_of(ana).post(f"/cases/{mail.case_id}/move/", {"entries": text.pk}).status_code == 200
    assert fresh(text).case == second
    joined = browser_of(ana).post(f"/cases/{second.pk}/one-matter/{mail.case_id}/")
    assert (joined.status_code, joined["HX-Redirect"]) == (204, f"/inbox/open/c/{mail.case_id}/")
    nowhere = browser_of(ana).post(f"/cases/{mail.case_id}/move/", {"entries": text.pk})
    assert (nowhere.status_code, b"no other live case" in nowhere.content) == (422, True)


def test_what_cannot_be_moved_is_said_and_strangers_move_nothing(
    mail: Any, bill: Any, second: Any, ana: Any, lee: Any, browser_of: Any
) -> None:
    browser = browser_of(ana)
    nothing = browser.post(f"/cases/{mail.case_id}/split/", {})
    assert (nothing.status_code, b"Pick at least one message" in nothing.content) == (422, True)
    for address in ("split", "move", "somebody-else/wrote"):
        assert browser_of(lee).post(f"/cases/{mail.case_id}/{address}/", {"entries": mail.pk}).status_code == 404
    assert browser_of(lee).get(f"/cases/{mail.case_id}/somebody-else/?entries={mail.pk}").status_code == 404
    assert browser_of(lee).post(f"/regroupings/{Regrouping.objects.get().pk}/undo/").status_code == 404
    assert browser.post("/regroupings/999999/undo/").status_code == 404
    assert browser.post(f"/cases/{mail.case_id}/one-matter/999999/").status_code == 404
    itself = browser.post(f"/cases/{mail.case_id}/one-matter/{mail.case_id}/")
    assert (itself.status_code, b"in this case already" in itself.content) == (422, True)


def test_an_agent_says_who_wrote_it_if_allowed_to(mail: Any, strangers: Any, ana: Any, browser_of: Any) -> None:
    nora = make.customer("Nora Lind", email="nora@lind.test")
    make.says(nora, mail.connector, "Hello from Nora")
    browser, picked = browser_of(ana), f"{strangers[0].pk},{strangers[1].pk}"
    page = browser.get(f"/cases/{mail.case_id}/somebody-else/?entries={picked}&q=Nora").content.decode()
    assert "Hi, who is this?" in page
    assert f'value="{nora.pk}"' in page
    address = f"/cases/{mail.case_id}/somebody-else/wrote/"
    type(ana).objects.filter(pk=ana.pk).update(may_part=False)
    refused = browser.post(address, {"entries": picked, "person": nora.pk})
    assert (refused.status_code, b"A supervisor can allow it" in refused.content) == (422, True)
    type(ana).objects.filter(pk=ana.pk).update(may_part=True, may_join=False)
    went = browser.post(address, {"entries": picked, "person": nora.pk, "with_address": "on"})
    there = fresh(strangers[0]).case
    assert (went.status_code, went["Location"]) == (302, f"/inbox/open/c/{there.pk}/")
    assert there.customer == nora
    back = browser.post(f"/regroupings/{Regrouping.objects.get().pk}/undo/", {"case": there.pk})
    assert (back.status_code, b"may not join people" in back.content) == (403, True)

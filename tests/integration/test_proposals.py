"""Who may be the same person: found through the real intake, shown with its reasons, decided by agents alone."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from connectors.messages import Sender
from customers.models import Customer
from inbox import merging, privacy, proposing
from inbox.locking import lock
from inbox.models import Considered, Entry, Invitation, Merge, Proposal, ProposalState, Strength, Trace
from tests import make
from tests.matching import play, weigh_all
from tests.pairs import pairs

pytestmark = pytest.mark.django_db


def look() -> None:
    """What the workers do after each message."""
    for pk in Entry.objects.filter(kind="message").exclude(pk__in=Considered.objects.values("entry")).order_by("pk"):
        proposing.look(pk.pk)


def dm(account: Any, text: str, name: str = "", ident: str = "777888", handle: str = "") -> Entry:
    entry = make.says(Sender(ident, make.INSTAGRAM_ACCOUNT, name, handle), account, text)
    look()
    return entry


@pytest.fixture
def known(maya: Customer, mailbox: Any) -> Customer:
    """Maya wrote by email about her order."""
    maya.identities.filter(kind="instagram").delete()
    make.says(maya, mailbox, "My order #48213 arrived broken.\n\nMaya Ortiz\n+1 415 555 0188")
    look()
    return maya


def test_a_stranger_who_names_an_order_is_proposed_and_nothing_is_linked(known: Customer, account: Any) -> None:
    entry = dm(account, "Hi, it's about order #48213, is anybody there?", "maya.ortz", handle="maya.ortz")
    proposal = Proposal.objects.get()
    assert {proposal.one, proposal.other} == {known, entry.case.customer}  # type: ignore[union-attr]
    assert proposal.state == ProposalState.OPEN
    line = proposal.evidence.get(kind="order")
    assert (line.value, line.is_for) == ("48213", True)
    assert {line.one_entry, line.other_entry} == set(Entry.objects.filter(kind="message"))
    assert not Merge.objects.exists()
    assert entry.identity.customer != known  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "strength"),
    [
        ("You can also reach me at maya@ortiz.test", Strength.STRONG),
        ("my number is 415 555 2671, call me", Strength.STRONG),
        ("It's me, Maya. I emailed you about order #48213 yesterday.", Strength.POSSIBLE),
        ("Order #48213 please!", Strength.WEAK),
        ("my number is 415 555 0188", Strength.POSSIBLE),
    ],
)
def test_what_they_tell_decides_how_strong_it_is(known: Customer, account: Any, text: str, strength: Strength) -> None:
    dm(account, text, "sunny_days_31", handle="sunny_days_31")
    assert Proposal.objects.get().strength == strength


@pytest.mark.parametrize(
    "text",
    [
        "My wife's email is maya@ortiz.test, please ask her",
        "I write on behalf of my wife, order #48213",
        "When do you open?",
    ],
)
def test_who_speaks_of_somebody_else_is_not_proposed(known: Customer, account: Any, text: str) -> None:
    dm(account, text, "Jon Ortiz")
    assert not Proposal.objects.undecided().exists()


def test_forged_mail_proposes_nobody(known: Customer, mailbox: Any) -> None:
    forged = Sender("maya@ortiz.test", "", "Maya Ortiz")
    make.says(forged, mailbox, "order #48213, my number is 415 555 2671", authenticity="fail")
    look()
    assert not Proposal.objects.exists()


def test_a_proposal_looked_at_twice_is_one_proposal(known: Customer, account: Any) -> None:
    entry = dm(account, "order #48213, my mail is maya@ortiz.test", "maya.ortz")
    Considered.objects.all().delete()
    before = list(Proposal.objects.get().evidence.values_list("kind", "value", "points"))
    proposing.propose(entry.case.customer)  # type: ignore[union-attr]
    look()
    assert list(Proposal.objects.get().evidence.values_list("kind", "value", "points")) == before


def test_different_people_are_asked_about_again_only_on_something_new(known: Customer, account: Any, ana: Any) -> None:
    dm(account, "it's about order #48213", "maya.ortz", handle="maya.ortz")
    proposal = Proposal.objects.get()
    proposing.differ(proposal, by=ana)
    dm(account, "hello?? order #48213!!", "maya.ortz", handle="maya.ortz")
    dm(account, "anybody? I really need an answer on #48213", "maya.ortz", handle="maya.ortz")
    proposal.refresh_from_db()
    assert (proposal.state, proposal.decided_by) == (ProposalState.DIFFERENT, ana)
    dm(account, "my mail is maya@ortiz.test", "maya.ortz", handle="maya.ortz")
    proposal.refresh_from_db()
    assert proposal.state == ProposalState.OPEN


def test_an_accepted_proposal_joins_the_two_and_can_be_taken_back(known: Customer, account: Any, ana: Any) -> None:
    entry = dm(account, "order #48213, my mail is maya@ortiz.test", "maya.ortz")
    proposal = Proposal.objects.get()
    merge = proposing.accept(proposal, by=ana)
    assert entry.identity.customer.current() == known  # type: ignore[union-attr]
    assert proposal.state == ProposalState.ACCEPTED
    assert merge.reason.startswith("A proposal: their address, order")
    merging.undo(merge, by=ana)
    dm(account, "so, what about #48213?", "maya.ortz")
    proposal.refresh_from_db()
    assert proposal.state == ProposalState.ACCEPTED  # nothing new speaks for it


def test_two_whom_somebody_joined_by_hand_and_told_apart_are_not_proposed(
    known: Customer, account: Any, ana: Any
) -> None:
    entry = make.says(Sender("777888", make.INSTAGRAM_ACCOUNT, "maya.ortz"), account, "hello")
    merging.undo(merging.join(known, entry.case.customer, by=ana), by=ana)  # type: ignore[union-attr]
    dm(account, "order #48213", "maya.ortz", handle="maya.ortz")
    assert not Proposal.objects.undecided().exists()


def test_the_sweeper_looks_at_what_no_worker_saw(known: Customer, account: Any, monkeypatch: Any) -> None:
    make.says(Sender("777888", make.INSTAGRAM_ACCOUNT, "x"), account, "my mail is maya@ortiz.test")
    assert not Proposal.objects.exists()
    monkeypatch.setattr("inbox.proposing.catching_up.LATE", timedelta())
    proposing.catch_up()
    assert Proposal.objects.exists()


def test_people_on_record_who_never_wrote_are_known_by_name(account: Any, monkeypatch: Any) -> None:
    zora = make.customer("Zora Quillfeather", email="mellow.pines@mail.test")
    monkeypatch.setattr("inbox.proposing.catching_up.LATE", timedelta())
    proposing.catch_up()
    assert Trace.objects.filter(identity__customer=zora, kind="name", value="zora quillfeather").exists()
    dm(account, "hello, where is my parcel?", "Zora Quillfeather", handle="mellow.pines")
    assert Proposal.objects.get().one == zora


def test_a_proposal_worked_out_while_one_is_erased_names_nobody(
    known: Customer, account: Any, monkeypatch: Any
) -> None:
    around = proposing.looking.around

    def erased_meanwhile(*about: Any) -> Any:
        found = around(*about)
        privacy.erase_person(known, by=None, why="Asked to")
        return found

    monkeypatch.setattr("inbox.proposing.looking.around", erased_meanwhile)
    entry = dm(account, "order #48213, my mail is maya@ortiz.test", "maya.ortz")
    assert not Proposal.objects.exists()
    monkeypatch.setattr("inbox.proposing.looking.around", around)
    Trace.objects.all().delete()
    privacy.erase_person(entry.case.customer, by=None, why="Asked to")  # type: ignore[union-attr]
    proposing.look(entry.pk)
    assert not Trace.objects.exists()


def test_what_was_erased_since_it_was_read_leaves_no_trace(known: Customer, account: Any, monkeypatch: Any) -> None:
    entry = make.says(Sender("777888", make.INSTAGRAM_ACCOUNT, "x"), account, "my mail is maya@ortiz.test")
    Trace.objects.all().delete()

    def erased_meanwhile(*people: int) -> Any:
        Entry.objects.filter(pk=entry.pk).update(erased_at=now(), text="")
        return lock(*people)

    monkeypatch.setattr("inbox.proposing.looking.lock", erased_meanwhile)
    proposing.look(entry.pk)
    assert not Trace.objects.filter(entry=entry).exists()


# On screen


@pytest.fixture
def stranger(known: Customer, account: Any) -> Entry:
    return dm(account, "it's about order #48213, my mail is maya@ortiz.test", "maya.ortz", handle="maya.ortz")


def test_the_card_gives_each_reason_and_where_it_stands(
    stranger: Entry, known: Customer, ana: Any, browser_of: Any
) -> None:
    page = browser_of(ana).get(f"/inbox/open/c/{stranger.case_id}/")
    [card] = page.context["panel"].proposals
    assert (card.them, card.proposal.strength) == (known, Strength.STRONG)
    assert [each.evidence.kind for each in card.speaks_for][:2] == ["their_address", "order"]
    assert f'href="#entry-{stranger.pk}" data-act="jump" data-find="maya@ortiz.test"' in page.content.decode()
    assert page.context["panel"].mentions == []  # the card says it


def test_who_may_see_only_one_of_them_hears_of_nobody(
    stranger: Entry, lee: Any, sue: Any, browser_of: Any, billing_mailbox: Any
) -> None:
    bob = make.customer("Bob Stone", email="bob@stone.test")
    case = make.says(bob, billing_mailbox, "my old mail is maya@ortiz.test").case
    look()
    assert case
    assert browser_of(lee).get(f"/inbox/open/c/{case.pk}/").context["panel"].proposals == []
    assert browser_of(lee).get("/customers/review/").context["cards"] == []
    proposal = Proposal.objects.first()
    assert proposal
    for verb in ("accept", "differ", "ask"):
        assert browser_of(lee).post(f"/proposals/{proposal.pk}/{verb}/").status_code == 404
    assert len(browser_of(sue).get("/customers/review/").context["cards"]) == Proposal.objects.undecided().count()


def test_the_queue_of_an_agent_is_not_crowded_out_by_what_others_see(
    stranger: Entry, billing_mailbox: Any, ana: Any, browser_of: Any, monkeypatch: Any
) -> None:
    mine = Proposal.objects.get()
    bob, kim = (make.customer(name, email=f"{name}@stone.test") for name in ("bob", "kim"))
    for each in (bob, kim):
        make.says(each, billing_mailbox, "hi")
    Proposal.objects.create(one=bob, other=kim, points=mine.points + 9, strength=Strength.STRONG)
    monkeypatch.setattr("inbox.views.proposal.MOST_LOOKED_AT", 1)
    assert [each.proposal for each in browser_of(ana).get("/customers/review/").context["cards"]] == [mine]


def test_an_agent_says_yes_in_the_panel(stranger: Entry, known: Customer, ana: Any, browser_of: Any) -> None:
    proposal = Proposal.objects.get()
    answer = browser_of(ana).post(
        f"/proposals/{proposal.pk}/accept/", {"case": stranger.case_id}, headers={"HX-Request": "true"}
    )
    case = known.cases.get(is_live=True)
    assert answer["HX-Redirect"] == f"/inbox/open/c/{case.pk}/"
    assert Merge.objects.get().by == ana
    assert browser_of(ana).get("/customers/review/").context["cards"] == []


def test_who_may_not_join_people_may_still_say_that_they_differ(stranger: Entry, ana: Any, browser_of: Any) -> None:
    ana.may_join = False
    ana.save()
    proposal = Proposal.objects.get()
    assert browser_of(ana).post(f"/proposals/{proposal.pk}/accept/").status_code == 403
    about = {"case": stranger.case_id}
    answer = browser_of(ana).post(f"/proposals/{proposal.pk}/differ/", about, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.context["panel"].proposals) == (200, [])
    assert browser_of(ana).post(f"/proposals/{proposal.pk}/differ/").status_code == 404
    assert not Merge.objects.exists()


def test_the_customer_is_asked_where_they_are_known_and_the_code_joins_them(
    stranger: Entry, known: Customer, account: Any, ana: Any, browser_of: Any
) -> None:
    proposal = Proposal.objects.get()
    about = {"case": stranger.case_id}
    assert browser_of(ana).post(f"/proposals/{proposal.pk}/ask/", about).status_code == 302
    told = Entry.objects.get(kind="reply")
    assert told.identity and told.identity.value == "maya@ortiz.test"
    assert "48213" not in told.text and "maya.ortz" not in told.text
    proposal.refresh_from_db()
    assert (proposal.state, proposal.decided_by) == (ProposalState.ASKED, ana)
    dm(account, Invitation.objects.get().spelled, "maya.ortz", handle="maya.ortz")
    assert stranger.identity
    stranger.identity.refresh_from_db()
    assert stranger.identity.customer == known
    assert browser_of(ana).get("/customers/review/").context["cards"] == []


def test_supervisors_see_how_often_it_was_right(stranger: Entry, sue: Any, browser_of: Any) -> None:
    browser_of(sue).post(f"/proposals/{Proposal.objects.get().pk}/accept/")
    assert browser_of(sue).get("/customers/review/").context["record"] == {"same": 1, "decided": 1}


def test_a_page_that_is_open_hears_of_a_new_proposal(known: Customer, account: Any, heard: Any) -> None:
    entry = make.says(Sender("777888", make.INSTAGRAM_ACCOUNT, "x"), account, "my mail is maya@ortiz.test")
    heard.clear()
    with TestCase.captureOnCommitCallbacks(execute=True):
        look()
    told = {each["case"] for each in heard if each["kind"] == "case"}
    assert told == {entry.case_id, known.cases.get().pk}


@pytest.fixture
def counted(browser_of: Any) -> Any:
    """`counted(ana)` is what her rail says there is to review, now."""

    def ask(agent: Any) -> str:
        cache.clear()
        return str(browser_of(agent).get("/customers/review/count/").context["to_review"])

    return ask


def test_the_rail_counts_what_an_agent_may_answer(
    stranger: Entry, ana: Any, lee: Any, sue: Any, sam: Any, browser_of: Any, counted: Any
) -> None:
    sam.may_join = False
    sam.save()
    assert [counted(each) for each in (ana, lee, sue, sam)] == ["1", "", "1", ""]
    assert 'id="review-badge"' in browser_of(ana).get("/customers/").content.decode()
    assert 'id="review-badge"' not in browser_of(sam).get("/customers/").content.decode()


def test_the_rail_counts_what_is_open_between_two_people_and_no_further_than_it_says(
    stranger: Entry, mailbox: Any, ana: Any, sue: Any, counted: Any, monkeypatch: Any
) -> None:
    bob, kim = (make.customer(name, email=f"{name}@stone.test") for name in ("bob", "kim"))
    for each in (bob, kim):
        make.says(each, mailbox, "hi")
    Proposal.objects.create(one=bob, other=kim, points=9, strength=Strength.POSSIBLE)
    assert (counted(ana), counted(sue)) == ("2", "2")
    monkeypatch.setattr("inbox.views.proposed.MOST_COUNTED", 1)
    assert counted(ana) == "1+"
    merging.join(bob, kim, by=ana)  # by hand: nobody answered the proposal
    assert counted(ana) == "1"


def test_who_reviews_hears_when_there_is_more_or_less_to_answer(
    known: Customer, account: Any, ana: Any, heard: Any
) -> None:
    make.says(Sender("777888", make.INSTAGRAM_ACCOUNT, "x"), account, "my mail is maya@ortiz.test")
    heard.clear()
    with TestCase.captureOnCommitCallbacks(execute=True):
        look()
    assert {"kind": "review"} in heard
    heard.clear()
    with TestCase.captureOnCommitCallbacks(execute=True):
        proposing.differ(Proposal.objects.get(), by=ana)
    assert {"kind": "review"} in heard


# It costs little

LARGE = "customers_|inbox_entry|inbox_trace|inbox_case|inbox_fact|inbox_proposal|inbox_evidence|inbox_attachment"


def test_no_table_is_read_from_end_to_end(known: Customer, account: Any) -> None:
    entry = make.says(
        Sender("777888", make.INSTAGRAM_ACCOUNT, "x"), account, "order #48213, my mail is maya@ortiz.test"
    )
    with CaptureQueriesContext(connection) as asked:
        proposing.look(entry.pk)
    reads = [each["sql"] for each in asked if each["sql"].lstrip().startswith(("SELECT", "WITH"))]
    assert Proposal.objects.exists()
    assert len(asked) < 60
    assert all('"value" IN' in sql for sql in reads if '"identity_id" = ' in sql and 'FROM "inbox_trace"' in sql)
    are_found_by_indexes(reads)


def test_the_count_in_the_rail_looks_through_no_table(stranger: Entry, ana: Any, sue: Any, counted: Any) -> None:
    for agent in (ana, sue):
        with CaptureQueriesContext(connection) as asked:
            assert counted(agent) == "1"
        about = [
            each["sql"] for each in asked if re.search('FROM "(inbox_proposal|inbox_case|customers_)', each["sql"])
        ]
        assert len(about) == (1 if agent.is_supervisor else 3)
        are_found_by_indexes(about)


def are_found_by_indexes(reads: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in reads:
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert not re.search(rf"Seq Scan on ({LARGE})", plan), f"{sql}\n{plan}"


def test_pairs_of_people_meet_through_the_real_intake_and_none_is_linked_by_itself(
    mailbox: Any, number: Any, account: Any
) -> None:
    """Others in every run. What it finds one by one is what all of it together says; but for a name, an order, that a
    third one turned out to have when two had been proposed."""
    seed = secrets.randbelow(10**6)
    told = list(pairs(60, seed))
    found = play(told, {"email": mailbox, "sms": number, "instagram": account})
    assert (found.pairs, found.links) == (60, 0), f"seed {seed}"
    in_memory = weigh_all(told)
    assert abs(found.proposed - in_memory.proposed) <= 2, f"seed {seed}"
    assert abs(found.right - in_memory.right) <= 2, f"seed {seed}"
    assert found.right >= 0.8 * found.proposed, f"seed {seed}"

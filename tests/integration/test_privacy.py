"""To be forgotten: one message, one address, a whole person. Nothing of it is left, and nothing of it comes back."""

from __future__ import annotations

import json
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection, transaction
from django.utils.timezone import now

from connectors.messages import Attachment as File
from connectors.messages import Edit, Reaction, Sender
from connectors.models import Connector, Receipt
from customers.models import (
    Attribute,
    Customer,
    EarlierHandle,
    Event,
    ExternalId,
    Identity,
    IdentityLink,
    Order,
    PinnedNote,
    Relationship,
    Tombstone,
)
from inbox import intake, merging, outbox, privacy, proposing, splitting
from inbox.intake import people, updates
from inbox.intake.outcomes import Duplicate
from inbox.locking import lock, lock_owner
from inbox.models import Act, Attachment, Audit, Case, Delivery, Draft, Entry, Merge, Regrouping, State
from inbox.privacy import erasing, originals, receipts, redacting
from tests import make

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)

SECRET = "4111111111111111"


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def mail(
    connector: Connector, sender: str, text: str, number: int = 1, *, at: Any = None, cc: str = ""
) -> Entry | None:
    """A mail as it comes from a mailbox, through its receipt."""
    to = f"{connector.address}, {cc}" if cc else connector.address
    head = [f"From: {sender}", f"To: {to}", "Subject: The lid", f"Message-ID: <{number}@ortiz.test>"]
    body = "\r\n".join([*head, "Authentication-Results: sandbox.test; dmarc=pass", "", text]).encode()
    key = Receipt.store(connector, body, headers={}, key=f"uid-{Receipt.objects.count()}", at=at)
    assert key
    assert intake.take_in(key)
    outcome = Receipt.objects.get(pk=key).outcomes[0]
    return Entry.objects.get(pk=outcome["entry"]) if outcome.get("entry") else None


def everything() -> str:
    """Every row of every table, as text, once the workers are done: what is to be gone must not be in it."""
    originals.remove_due()
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        found = []
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT coalesce(json_agg(t), '[]')::text FROM {table} t")
            found.append(cursor.fetchone()[0])
        cursor.execute("SELECT convert_from(body, 'UTF8') FROM connectors_receipt")
        found += [row[0] for row in cursor.fetchall()]
    return "\n".join(found)


# One message


def test_a_message_that_is_erased_is_nowhere_any_more(maya: Any, mailbox: Any, sue: Any) -> None:
    entry = mail(mailbox, "Maya <maya@ortiz.test>", f"My card is {SECRET}, order #48213")
    assert entry
    assert SECRET in everything()
    assert privacy.redact(entry, by=sue, why="A card number")
    case = fresh(entry.case)
    assert SECRET not in everything()
    assert (case.preview, case.subject, case.facts.count()) == ("Erased", "", 0)
    assert (fresh(entry).erased_at is not None, fresh(entry).data["erased_by"]) == (True, "Sue Berger")
    assert not Entry.objects.filter(search=SECRET).exists()


@committed
def test_its_files_go_from_the_disk(maya: Any, account: Any, sue: Any) -> None:
    said = make.says(maya, account, "", files=[File(name="passport.png", content=b"png")])
    key = said.attachments.get().key
    privacy.redact(said, by=sue, why="")
    assert not default_storage.exists(key)
    assert not Attachment.objects.exists()


def test_the_customer_still_waits_for_an_answer_to_it(maya: Any, mailbox: Any, sue: Any) -> None:
    said = make.says(maya, mailbox, SECRET)
    privacy.redact(said, by=sue, why="")
    assert fresh(said).is_open
    assert fresh(said.case).waiting_since is not None


def test_what_another_message_told_as_well_is_still_told(maya: Any, account: Any, number: Any, sue: Any) -> None:
    said = make.says(maya, account, "order #48213")
    again = make.says(maya, number, "about my order #48213")
    privacy.redact(said, by=sue, why="")
    assert [(fact.value, fact.entry_id) for fact in again.case.facts.all()] == [("48213", again.pk)]


def test_a_reply_that_left_is_erased_with_what_was_sent(maya: Any, mailbox: Any, ana: Any, sue: Any) -> None:
    case = make.says(maya, mailbox, "Hello?").case
    reply = make.answers(ana, case, SECRET)
    Delivery.objects.filter(entry=reply).update(state=State.SENT)
    privacy.redact(reply, by=sue, why="")
    assert SECRET not in everything()
    assert Delivery.objects.get(entry=reply).state == State.SENT
    assert not case.open_entries().exists()


def test_a_reply_that_is_still_held_is_taken_back_instead(maya: Any, mailbox: Any, ana: Any, sue: Any) -> None:
    reply = make.answers(ana, make.says(maya, mailbox, "Hello?").case, SECRET)
    with pytest.raises(privacy.StillHeld):
        privacy.redact(reply, by=sue, why="")
    assert fresh(reply).text == SECRET


def test_an_edit_or_a_reaction_brings_nothing_back(maya: Any, account: Any, sue: Any) -> None:
    said = make.says(maya, account, "one", provider_id="m1")
    privacy.redact(said, by=sue, why="")
    with pytest.raises(Duplicate):
        updates.edit(account, Edit("m1", account.address, SECRET, 1))
    with pytest.raises(Duplicate):
        updates.reaction(account, Reaction("m1", account.address, Sender("1002003004005001", account.address), "❤"))
    assert (fresh(said).text, fresh(said).reactions) == ("", {})


def test_a_mailbox_that_is_read_again_brings_nothing_back(maya: Any, mailbox: Any, sue: Any) -> None:
    entry = mail(mailbox, "maya@ortiz.test", SECRET)
    assert entry
    privacy.redact(entry, by=sue, why="")
    again = mail(mailbox, "maya@ortiz.test", SECRET)
    assert again == entry
    assert SECRET not in everything()


def test_it_is_noted_who_erased_it_and_why(maya: Any, mailbox: Any, sue: Any) -> None:
    said = make.says(maya, mailbox, SECRET)
    assert privacy.redact(said, by=sue, why="  A card   number ")
    assert not privacy.redact(said, by=sue, why="again")
    row = Audit.objects.get()
    assert (row.act, row.by, row.why, row.entry_id, row.case_id) == (
        Act.REDACT,
        sue,
        "A card number",
        said.pk,
        said.case_id,
    )


def test_filed_mail_is_erased_too(mailbox: Any, sue: Any) -> None:
    said = make.says(Sender("shop@x.test"), mailbox, SECRET, classification="bulk")
    privacy.redact(said, by=sue, why="")
    assert fresh(said).text == ""


@committed
def test_filed_mail_is_erased_while_its_sender_is_joined_with_somebody(
    mailbox: Any, ana: Any, sue: Any, monkeypatch: Any
) -> None:
    shop, bob = make.customer("Shop", email="shop@x.test"), make.customer("Bob", email="bob@stone.test")
    said = make.says(Sender("shop@x.test"), mailbox, SECRET, classification="bulk")
    left = [True]

    def racing(identity: Any) -> Any:
        if left:
            left.pop()
            another = Thread(target=lambda: (merging.join(bob, shop, by=ana, reason=""), connection.close()))
            another.start()
            another.join()
        return lock_owner(identity)

    monkeypatch.setattr(redacting, "lock_owner", racing)
    assert privacy.redact(said, by=sue, why="")
    assert fresh(said).text == ""


# The audit


@pytest.mark.parametrize("act", ["update", "delete"])
def test_rows_of_the_audit_are_neither_changed_nor_deleted(act: str, sue: Any) -> None:
    Audit.objects.note(Act.EXPORT, by=sue)
    with pytest.raises(DatabaseError), transaction.atomic():
        Audit.objects.update(why="nothing") if act == "update" else Audit.objects.all().delete()
    assert Audit.objects.get().why == ""


# One address


@pytest.fixture
def joined(mailbox: Any, number: Any, ana: Any) -> Any:
    """Maya's mail and Bob's texts, said to be one person, with an answer to each."""
    maya = make.customer("Maya Ortiz", email="maya@ortiz.test")
    bob = make.customer("Bob Stone", phone="+14155552671")
    first = make.says(maya, mailbox, "The lid is broken, order #48213", subject="The lid")
    second = make.says(bob, number, "any news of order #59999?")
    merging.join(maya, bob, by=ana, reason="maya@ortiz.test told us")
    make.answers(ana, fresh(first).case.current(), "Sorry about the mail", channel="email")
    make.answers(ana, fresh(first).case.current(), "Sorry about the text", channel="sms")
    return maya, bob, first, second


def shape(entries: Any) -> list[Any]:
    return list(entries.order_by("pk").values("pk", "case", "text", "subject", "author", "is_open", "data", "uuid"))


def test_erasing_one_address_leaves_the_other_as_it_was(joined: Any, adam: Any) -> None:
    maya, _, first, second = joined
    phone = Identity.objects.get(kind="phone")
    before, facts = shape(phone.entries), list(second.case.facts.values_list("value"))
    privacy.erase_address(Identity.objects.get(kind="email"), by=adam, why="Wrong person")
    left = everything()
    assert shape(phone.entries) == before
    assert list(second.case.facts.values_list("value")) == facts
    assert "maya@ortiz.test" not in left
    assert "The lid" not in left
    assert "Sorry about the mail" not in left
    assert "Sorry about the text" in left
    assert fresh(first.case).current().is_live
    assert fresh(maya).name == "Maya Ortiz"


def test_the_join_can_still_be_undone_after_one_side_was_erased(joined: Any, adam: Any, ana: Any) -> None:
    maya, bob, _, second = joined
    privacy.erase_address(Identity.objects.get(kind="email"), by=adam, why="")
    merging.undo(Merge.objects.get(), by=ana)
    assert Identity.objects.get(kind="phone").customer == bob
    assert fresh(second).text == "any news of order #59999?"
    assert fresh(second).case.customer == bob
    assert Identity.objects.get(kind="email").customer == maya


def test_an_erased_address_is_not_written_to_any_more(joined: Any, adam: Any) -> None:
    _, _, first, _ = joined
    privacy.erase_address(Identity.objects.get(kind="email"), by=adam, why="")
    ways = outbox.options(fresh(first.case).current())
    assert [way.channel for way in ways] == ["sms"]
    assert not Delivery.objects.filter(identity__kind="email", state=State.QUEUED).exists()
    assert Identity.objects.get(kind="email").shown == "erased address"


def test_the_only_address_of_somebody_is_the_person(mailbox: Any, adam: Any) -> None:
    maya = make.customer("Maya Ortiz", email="maya@ortiz.test")
    make.says(maya, mailbox, "Hello")
    privacy.erase_address(maya.identities.get(), by=adam, why="")
    assert fresh(maya).erased_at
    assert "Maya" not in everything().replace("maya-", "")


# A person


@pytest.fixture
def known(maya: Any, mailbox: Any, number: Any, account: Any, ana: Any) -> Any:
    """Maya, who wrote on every channel, was answered, talked about, and copied somebody in."""
    entry = mail(mailbox, "Maya Ortiz <maya@ortiz.test>", "The Zebra lid, order #48213")
    assert entry
    make.says(maya, number, "Zebra?")
    make.says(maya, account, "Zebra!", files=[File(name="Zebra.png", content=b"png")])
    case = fresh(entry.case)
    make.answers(ana, case, "Dear Zebra", channel="sms")
    case.record(Entry(kind="note", text="Maya likes her Zebra", agent=ana, author=ana.name))
    Draft.objects.create(case=case, agent=ana, channel="email", text="Zebra draft")
    other = make.customer("Zebra Ortiz", email="zebra@ortiz.test")
    merging.join(maya, other, by=ana, reason="Zebra said so")
    _know_more(maya, other, ana)
    for each in Entry.objects.filter(kind="message"):
        proposing.look(each.pk)
    return maya


def _know_more(maya: Any, other: Any, ana: Any) -> None:
    """What other systems and agents told of her, and a message that was given to her by hand."""
    neighbour = make.customer("Kim Lee")
    Attribute.objects.create(customer=maya, name="Plan", value="Zebra gold")
    PinnedNote.objects.create(customer=other, text="Zebra is Maya", made_by=ana)
    ExternalId.objects.create(customer=maya, source="shop", value="zebra-1")
    Order.objects.create(customer=other, source="shop", number="48213", title="Zebra lid")
    Event.objects.create(customer=maya, source="shop", name="Bought a Zebra")
    Relationship.objects.create(customer=neighbour, other=maya, role="Zebra's neighbour")
    EarlierHandle.objects.create(identity=maya.identities.get(kind="instagram"), handle="zebra.maya")
    Identity.objects.filter(customer=maya).update(spelled="+1-4155552671", handle="zebra")
    said = Entry.objects.filter(kind="message").earliest("pk")
    Regrouping.objects.create(
        kind="person", from_case=said.case, to_case=said.case, before={"authors": {str(said.pk): "Maya Zebra"}}
    )


GONE = ("Zebra", "zebra", "Maya", "maya@", "4155552671", "1002003004005001", "48213")


@committed
def test_nothing_of_a_person_is_left_in_any_table(known: Any, adam: Any) -> None:
    assert all(word in everything() for word in GONE[:1])
    counted = privacy.erase_person(known, by=adam, why="Asked to")
    left = everything()
    assert [word for word in GONE if word in left] == []
    assert counted["entries"] > 5
    assert not Draft.objects.exists()
    assert not Attachment.objects.exists()
    assert not Case.objects.live().exists()
    assert Audit.objects.get(act=Act.ERASE_PERSON).customer_id == known.pk


def test_the_histories_of_people_they_were_taken_for_name_them_no_more(mailbox: Any, ana: Any, adam: Any) -> None:
    zora = make.customer("Zora Quill", email="zora@quill.test")
    maya = make.customer("Maya Ortiz", email="maya@ortiz.test")
    make.says(zora, mailbox, "Hello")
    case = make.says(maya, mailbox, "Hello").case
    merging.undo(merging.join(maya, zora, by=ana, reason="They said so"), by=ana)
    fresh(case).record(Entry.event_of("told", "said that Zora Quill wrote 1 message, not Zora Quillan", by=ana))
    privacy.erase_person(zora, by=adam, why="")
    texts = " ".join(Entry.objects.filter(case=case).values_list("text", flat=True))
    assert "Zora Quill " not in texts
    assert "said that somebody wrote 1 message, not Zora Quillan" in texts
    assert "zora@quill.test" not in everything()


@pytest.fixture
def once_taken_for(mailbox: Any, ana: Any) -> Any:
    """(Zora, Maya who was once taken for her, Kim who Maya was found to be since)."""
    zora = make.customer("Zora Quill", email="zora@quill.test")
    maya = make.customer("Maya Ortiz", email="maya@ortiz.test")
    kim = make.customer("Kim Lee", email="kim@lee.test")
    for each in (kim, zora, maya):
        make.says(each, mailbox, "Hello")
    merging.undo(merging.join(maya, zora, by=ana, reason="zora@quill.test wrote the code"), by=ana)
    return zora, maya, kim


@pytest.mark.parametrize("erase", ["person", "address"])
def test_no_link_and_no_journal_of_others_names_them_after_more_joins(
    once_taken_for: Any, ana: Any, adam: Any, erase: str
) -> None:
    zora, maya, kim = once_taken_for
    for each in maya.identities.all():
        words = "zora@quill.test wrote the code given to maya@ortiz.test"
        merging.repoint(maya, [IdentityLink(identity=each, customer=maya, reason="code", words=words)], ana)
    merging.join(kim, maya, by=ana, reason="Not zora@quill.test after all")
    if erase == "address":
        make.customer("Zora", phone="+14155550166").identities.update(customer=zora)
    assert everything().count("zora@quill.test") > 3
    privacy.erase_address(zora.identities.get(kind="email"), by=adam, why="")
    assert "zora@quill.test" not in everything()
    words = "somebody wrote the code given to maya@ortiz.test"
    assert IdentityLink.objects.filter(customer=maya, words=words).exists()
    assert Merge.objects.filter(reason="Not somebody after all", undone_at=None).exists()


def test_a_join_of_others_can_be_taken_back_after_an_erased_name_went_out_of_its_journal(
    once_taken_for: Any, ana: Any, adam: Any
) -> None:
    zora, maya, kim = once_taken_for
    join = merging.join(kim, maya, by=ana, reason="As Zora Quill said")
    join.before["person"]["name"], join.before["person_then"]["name"] = "Zora Quill", "Kim Lee"
    join.save()
    privacy.erase_person(zora, by=adam, why="")
    assert "Zora" not in everything()
    merging.undo(fresh(join), by=ana)
    assert fresh(maya).merged_into is None
    assert (fresh(maya).name, fresh(kim).shown_name) == ("Maya Ortiz", "kim@lee.test")


def test_what_others_are_called_stays_when_somebody_of_that_name_is_erased(
    once_taken_for: Any, ana: Any, adam: Any
) -> None:
    zora, maya, kim = once_taken_for
    Customer.objects.filter(pk=zora.pk).update(name="Maya Ortiz")
    join = merging.join(kim, maya, by=ana, theirs=["name"])
    privacy.erase_person(zora, by=adam, why="")
    merging.undo(fresh(join), by=ana)
    assert (fresh(maya).name, fresh(kim).name) == ("Maya Ortiz", "Kim Lee")


def test_what_was_given_to_somebody_else_says_no_erased_name_when_it_is_taken_back(
    mailbox: Any, ana: Any, adam: Any
) -> None:
    zora, maya = make.customer("Zora Quill", email="zora@quill.test"), make.customer("Maya", email="maya@ortiz.test")
    make.says(zora, mailbox, "Hello")
    said = make.says(maya, mailbox, "And I")
    make.says(maya, mailbox, "And more")
    moved = splitting.hand_over(said.case, [said.pk], to=zora, by=ana)
    Entry.objects.filter(pk=said.pk).update(author="Zora Quill")
    splitting.undo(moved, by=ana)
    moved.before["authors"][str(said.pk)] = "Zora Quill"
    moved.save()
    privacy.erase_person(zora, by=adam, why="")
    assert "Zora" not in json.dumps(fresh(moved).before)


@committed
def test_a_file_that_was_only_in_a_draft_goes_from_the_disk(maya: Any, mailbox: Any, ana: Any, adam: Any) -> None:
    case = make.says(maya, mailbox, "Hello").case
    draft = Draft.objects.create(case=case, agent=ana, channel="email", text="See here")
    key = default_storage.save("drafts/passport.png", ContentFile(b"png"))
    Attachment.objects.create(draft=draft, name="passport.png", key=key)
    privacy.erase_person(maya, by=adam, why="")
    assert not default_storage.exists(key)


@committed
def test_others_in_whose_cases_they_spoke_are_locked_with_them(
    maya: Any, mailbox: Any, adam: Any, monkeypatch: Any
) -> None:
    bob = make.customer("Bob Stone", email="bob@stone.test")
    make.says(maya, mailbox, "Hello")
    said = make.says(maya, mailbox, "I am copied in")
    Entry.objects.filter(pk=said.pk).update(case=make.says(bob, mailbox, "Hello").case)
    locked: list[int] = []
    monkeypatch.setattr(erasing, "lock", lambda *ids: [*map(locked.append, ids), *lock(*ids)][len(ids) :])
    privacy.erase_person(maya, by=adam, why="")
    assert {*locked} == {maya.pk, bob.pk}


def test_figures_of_the_past_stay(known: Any, adam: Any) -> None:
    before = list(Entry.objects.filter(kind="message").order_by("pk").values("pk", "channel", "created_at", "kind"))
    privacy.erase_person(known, by=adam, why="")
    after = list(Entry.objects.filter(kind="message").order_by("pk").values("pk", "channel", "created_at", "kind"))
    assert after == before


@committed
def test_what_browsers_are_told_names_nobody(known: Any, adam: Any, heard: list[Any]) -> None:
    heard.clear()
    privacy.erase_person(known, by=adam, why="")
    assert heard
    assert [word for word in GONE if word in json.dumps(heard)] == []


def test_others_lose_nothing(known: Any, mailbox: Any, adam: Any) -> None:
    bob = make.says(Sender("bob@stone.test", name="Bob Stone"), mailbox, "My lid too, order #777777")
    before = shape(Entry.objects.filter(case=bob.case))
    privacy.erase_person(known, by=adam, why="")
    assert shape(Entry.objects.filter(case=bob.case)) == before
    assert Customer.objects.get(name="Bob Stone").identities.get().value == "bob@stone.test"


def test_what_they_wrote_before_does_not_come_back(known: Any, mailbox: Any, adam: Any) -> None:
    privacy.erase_person(known, by=adam, why="")
    early = now() - timedelta(days=3)
    assert mail(mailbox, "maya@ortiz.test", "Zebra, once more", number=77, at=early) is None
    assert Receipt.objects.latest("pk").outcomes[0]["kind"] == "erased"
    assert "Zebra" not in everything()
    assert not Identity.objects.filter(value="maya@ortiz.test").exists()


def test_what_they_wrote_before_to_others_as_well_does_not_come_back(known: Any, mailbox: Any, adam: Any) -> None:
    privacy.erase_person(known, by=adam, why="")
    early = now() - timedelta(days=3)
    assert mail(mailbox, "maya@ortiz.test", "Zebra, once more", number=77, at=early, cc="kim@lee.test") is None
    assert Receipt.objects.latest("pk").outcomes[0]["kind"] == "erased"
    assert not Identity.objects.filter(value__in=["maya@ortiz.test", "kim@lee.test"]).exists()


def test_what_others_wrote_to_them_before_comes_without_them(known: Any, mailbox: Any, adam: Any) -> None:
    privacy.erase_person(known, by=adam, why="")
    early = now() - timedelta(days=3)
    assert mail(mailbox, "kim@lee.test", "Hello", number=78, at=early, cc="maya@ortiz.test")
    assert not Identity.objects.filter(value="maya@ortiz.test").exists()


def test_what_they_wrote_before_does_not_come_to_who_wrote_anew(known: Any, mailbox: Any, adam: Any) -> None:
    privacy.erase_person(known, by=adam, why="")
    assert mail(mailbox, "maya@ortiz.test", "Hello again", number=79, at=now() + timedelta(seconds=5))
    early = now() - timedelta(days=3)
    assert mail(mailbox, "maya@ortiz.test", "Zebra, once more", number=80, at=early) is None
    assert "Zebra" not in everything()


def test_who_writes_anew_is_somebody_new(known: Any, mailbox: Any, adam: Any) -> None:
    old = Entry.objects.filter(channel="email").earliest("pk")
    assert old.case
    token = old.case.reply_token
    privacy.erase_person(known, by=adam, why="")
    tombstones = Tombstone.objects.count()
    anew = make.says(
        Sender("maya@ortiz.test", name="Maya"), mailbox, "Hello again", sent_at=now(), reply_tokens=[token]
    )
    assert anew.case
    assert anew.case.customer != known
    assert anew.case_id != old.case_id
    privacy.erase_person(anew.case.customer, by=adam, why="")
    assert Tombstone.objects.count() == tombstones
    assert "maya@" not in everything()


@committed
def test_what_is_taken_in_while_its_sender_is_erased_does_not_stay(
    maya: Any, mailbox: Any, adam: Any, monkeypatch: Any
) -> None:
    mail(mailbox, "maya@ortiz.test", "Hello")
    found, left = people.find, [True]

    def erase() -> None:
        privacy.erase_person(maya, by=adam, why="")
        connection.close()

    def racing(*args: Any, **kwargs: Any) -> Identity:
        identity = found(*args, **kwargs)
        if left:
            left.pop()
            another = Thread(target=erase)
            another.start()
            another.join()
        return identity

    monkeypatch.setattr(people, "find", racing)
    assert mail(mailbox, "maya@ortiz.test", "Zebra", number=2) is None
    assert "Zebra" not in everything()


def test_what_a_provider_tells_of_it_later_is_not_kept(maya: Any, mailbox: Any, adam: Any) -> None:
    entry = mail(mailbox, "maya@ortiz.test", "Zebra")
    assert entry
    privacy.erase_person(maya, by=adam, why="")
    originals.remove_due()
    told = Receipt.store(mailbox, b"To=%2B14155552671", headers={})
    Receipt.objects.filter(pk=told).update(
        state="done", outcomes=[{"outcome": "update", "what": "delivery sent", "entry": entry.pk}]
    )
    assert receipts.forget_what_came_since() == 1
    assert bytes(Receipt.objects.get(pk=told).body) == b""


def test_what_was_set_aside_goes_too(maya: Any, mailbox: Any, adam: Any) -> None:
    for body in (b"From: maya@ortiz.test\n\nZebra", b"From: bob@stone.test\n\nGiraffe"):
        aside = Receipt.store(mailbox, body, headers={})
        reason = [{"outcome": "quarantine", "reason": "It is damaged.", "excerpt": body.decode()}]
        Receipt.objects.filter(pk=aside).update(state="quarantined", outcomes=reason)
    privacy.erase_person(maya, by=adam, why="")
    left = everything()
    assert "Zebra" not in left
    assert "Giraffe" in left


def set_aside(connector: Connector, body: bytes) -> Receipt:
    pk = Receipt.store(connector, body, headers={})
    Receipt.objects.filter(pk=pk).update(
        state="quarantined", outcomes=[{"outcome": "quarantine", "reason": "Damaged."}]
    )
    return Receipt.objects.get(pk=pk)


@pytest.mark.parametrize(
    ("body", "is_theirs"),
    [
        (b"From: Ann <ANN@ortiz.test>\r\nTo: support@northwind.test\r\n\r\nHello", True),
        (b"From: joann@ortiz.test\r\nTo: support@northwind.test\r\n\r\nHello", False),
        (b"From: ann@ortiz.test.example\r\nTo: support@northwind.test\r\n\r\nHello", False),
        (b"From: bob@stone.test\r\nTo: support@northwind.test\r\n\r\nAsk ann@ortiz.test", False),
    ],
)
def test_what_others_sent_and_was_set_aside_stays(body: bytes, is_theirs: bool, mailbox: Any, adam: Any) -> None:
    aside = set_aside(mailbox, body)
    privacy.erase_person(make.customer("Ann", email="ann@ortiz.test"), by=adam, why="")
    originals.remove_due()
    assert (bytes(fresh(aside).body), fresh(aside).state) == ((b"", "done") if is_theirs else (body, "quarantined"))


@pytest.mark.parametrize(("sender", "is_theirs"), [("%2B14155552671", True), ("%2B14155552672", False)])
def test_a_text_of_somebody_else_that_was_set_aside_stays(sender: str, is_theirs: bool, number: Any, adam: Any) -> None:
    body = f"AccountSid=x&From={sender}&Body=Call %2B14155552671".encode()
    aside = set_aside(number, body)
    privacy.erase_person(make.customer("Ann", phone="+14155552671"), by=adam, why="")
    originals.remove_due()
    assert bytes(fresh(aside).body) == (b"" if is_theirs else body)


def test_a_person_is_erased_once(known: Any, adam: Any) -> None:
    assert privacy.erase_person(known, by=adam, why="")
    assert not privacy.erase_person(known, by=adam, why="")
    assert Audit.objects.filter(act=Act.ERASE_PERSON).count() == 1

"""The language somebody writes is guessed by a worker, said to be a guess, and gives way to what was told."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.models import Connector
from customers.models import Customer, CustomerKind
from inbox import merging, privacy, proposing
from tests import make

pytestmark = pytest.mark.django_db
PORTUGUESE = "Olá, a minha encomenda ainda não chegou. O que aconteceu com ela?"
GERMAN = "Hallo, ich warte seit zwei Wochen auf meine Bestellung. Was ist da los?"


def writes(who: Customer, to: Connector, text: str, **about: Any) -> Any:
    entry = make.says(who, to, text, **about)
    proposing.look(entry.pk)
    return entry


def panel(browser: Any, entry: Any) -> str:
    return str(browser.get(f"/inbox/open/c/{entry.case_id}/").content.decode())


def test_the_panel_and_the_page_say_the_language_and_that_it_is_guessed(
    maya: Customer, mailbox: Connector, ana: Any, browser_of: Any
) -> None:
    entry = make.says(maya, mailbox, PORTUGUESE)
    assert "guessed" not in panel(browser_of(ana), entry)  # the intake does not wait for it
    proposing.look(entry.pk)
    assert "Portuguese (guessed)" in panel(browser_of(ana), entry)
    page = browser_of(ana).get(f"/customers/{maya.pk}/").content.decode()
    assert "Portuguese <span" in page
    assert "guessed from what they wrote" in page
    maya.refresh_from_db()
    assert maya.language == ""


def test_the_panel_does_not_say_that_they_write_as_the_agents_do(
    maya: Customer, mailbox: Connector, ana: Any, browser_of: Any
) -> None:
    entry = writes(maya, mailbox, "Hello, where is my order? I have been waiting for two weeks now.")
    assert "guessed" not in panel(browser_of(ana), entry)
    assert "English <span" in browser_of(ana).get(f"/customers/{maya.pk}/").content.decode()


def test_what_was_told_outweighs_the_guess(maya: Customer, mailbox: Connector, ana: Any, browser_of: Any) -> None:
    entry = writes(maya, mailbox, PORTUGUESE)
    Customer.objects.filter(pk=maya.pk).update(language="pt-BR")
    assert "pt-BR" in panel(browser_of(ana), entry)
    assert "guessed" not in panel(browser_of(ana), entry)


def test_what_they_wrote_last_tells_it_and_a_short_word_does_not(
    maya: Customer, mailbox: Connector, number: Connector, ana: Any, browser_of: Any
) -> None:
    writes(maya, mailbox, PORTUGUESE)
    entry = writes(maya, number, GERMAN)
    writes(maya, number, "ok, thanks!")
    assert "German (guessed)" in panel(browser_of(ana), entry)


def test_the_guess_goes_with_the_address_it_was_made_of(
    maya: Customer, mailbox: Connector, ana: Any, browser_of: Any
) -> None:
    bob = make.customer("Bob Stone", email="bob@stone.test")
    entry = writes(bob, mailbox, GERMAN)
    merge = merging.join(maya, bob, by=ana)
    assert "German" in browser_of(ana).get(f"/customers/{maya.pk}/").content.decode()
    merging.undo(merge, by=ana)
    assert "German" not in browser_of(ana).get(f"/customers/{maya.pk}/").content.decode()
    assert "German (guessed)" in panel(browser_of(ana), entry)


def test_nothing_is_guessed_of_a_forged_mail_or_of_a_line_of_several_people(
    maya: Customer, mailbox: Connector, ana: Any, browser_of: Any
) -> None:
    forged = make.says(make.Sender("maya@ortiz.test"), mailbox, PORTUGUESE, authenticity="fail")
    proposing.look(forged.pk)
    entry = writes(maya, mailbox, PORTUGUESE)
    Customer.objects.filter(pk=maya.pk).update(kind=CustomerKind.HOUSEHOLD)
    assert "guessed" not in panel(browser_of(ana), entry)
    assert "guessed" not in panel(browser_of(ana), forged)


def test_who_is_erased_writes_no_language(maya: Customer, mailbox: Connector) -> None:
    writes(maya, mailbox, PORTUGUESE)
    assert maya.identities.filter(writes_in="pt").exists()
    privacy.erase_person(maya, by=None, why="Asked to")
    assert not maya.identities.exclude(writes_in="").exists()

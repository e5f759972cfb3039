"""What speaks for two accounts being one person's, and what against."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from inbox.models import Strength
from inbox.proposing import names, signals
from inbox.proposing.names import Likeness
from inbox.proposing.sides import Address, Seen, Side, Written
from inbox.proposing.verdict import Verdict
from inbox.proposing.weighing import weigh
from tests.matching import weigh_all
from tests.pairs import pairs

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("one", "other", "likeness"),
    [
        ("Maya Ortiz", "maya ORTIZ", Likeness.SAME),
        ("Ortiz, Maya", "Maya Ortiz", Likeness.SAME),
        ("Maya Ortíz", "Maya Ortiz", Likeness.SAME),
        ("Maya Ortiz Vega", "Maya Ortiz", Likeness.ALIKE),
        ("Mya Ortiz", "Maya Ortiz", Likeness.ALIKE),
        ("Bob Stone", "Robert Stone", Likeness.ALIKE),
        ("Maya O.", "Maya Ortiz", Likeness.ALIKE),
        ("Jonh Smith", "John Smith", Likeness.ALIKE),
        ("Linh Nguyen", "Nguyen Linh", Likeness.ALIKE),
        ("Maya", "Maya Ortiz", Likeness.GIVEN),
        ("Maria Garcia", "Mario Garcia", Likeness.FAMILY),
        ("Daniel Weber", "Daniela Weber", Likeness.FAMILY),
        ("Jon Ortiz", "Maya Ortiz", Likeness.FAMILY),
        ("Ana Duarte", "Maya Ortiz", Likeness.OTHER),
        ("ortiz", "Maya Ortiz", Likeness.UNKNOWN),
        ("", "Maya Ortiz", Likeness.UNKNOWN),
        ("maya@ortiz.test", "Maya Ortiz", Likeness.UNKNOWN),
    ],
)
def test_names_are_compared_as_people_use_them(one: str, other: str, likeness: Likeness) -> None:
    assert names.compare(one, other) == names.compare(other, one) == likeness


@pytest.mark.parametrize(
    ("text", "kind", "value", "manner"),
    [
        ("my mail is maya@ortiz.test", "email", "maya@ortiz.test", "own"),
        ("My wife's email is maya@ortiz.test", "email", "maya@ortiz.test", "others"),
        ("mi mujer: maya@ortiz.test", "email", "maya@ortiz.test", "others"),
        ("see maya@ortiz.test", "email", "maya@ortiz.test", ""),
        ("Hello\n\nKind regards\nMaya Ortiz\n+1 415 555 2671", "phone", "+14155552671", "signed"),
        ("call me on (415) 555-2671 please", "phone", "+14155552671", "own"),
        ("on insta I am @maya.ortz", "handle", "mayaortz", "own"),
        ("It's about order no. 48213. Thanks", "order", "48213", ""),
        ("I write on behalf of my mother. Order 48213", "order", "48213", "others"),
        ("Hi, it's me, maya", "self", "maya", ""),
        ("Hello this is Maya Ortiz", "name", "maya ortiz", ""),
        ("I emailed you twice", "elsewhere", "email", ""),
    ],
)
def test_a_text_tells_by_what_its_writer_is_known_again(text: str, kind: str, value: str, manner: str) -> None:
    told = signals.told_in("", text, "sms")
    assert (kind, value, manner) in [(each.kind, each.value, each.manner) for each in told]


def test_an_order_is_not_a_number_to_call_and_a_firm_is_nobodys_name() -> None:
    told = signals.told_in("", "Order #48213\n\nRegards\nMaya Ortiz\nNordlicht Ltd", "email")
    assert {each.kind for each in told} == {"order", "self", "name"}
    assert [each.value for each in told if each.kind == "self"] == ["maya ortiz"]


def test_a_mailbox_is_one_with_dots_and_tags_where_its_provider_says_so() -> None:
    assert signals.mailbox("m.aya+shop@googlemail.com") == signals.mailbox("maya@gmail.com") == "maya@gmail.com"
    assert signals.mailbox("m.aya@ortiz.test") != signals.mailbox("maya@ortiz.test")
    assert signals.mailbox("maya+shop@ortiz.test") == "maya@ortiz.test"


def maya(**about: object) -> Side:
    return Side(1, "Maya Ortiz", addresses=[Address("email", "", "maya@ortiz.test")], **about)  # type: ignore[arg-type]


def stranger(*seen: Seen, name: str = "", **about: object) -> Side:
    address = Address("instagram", "us", "777", "sunny_days")
    return Side(2, name, addresses=[address], seen=list(seen), **about)  # type: ignore[arg-type]


def both(one: Side, other: Side) -> Verdict:
    assert weigh(one, other, {}).points == weigh(other, one, {}).points
    return weigh(one, other, {})


def test_an_address_given_as_their_own_is_strong_and_links_to_its_message() -> None:
    verdict = both(maya(), stranger(Seen("email", "maya@ortiz.test", "own", 7)))
    assert verdict.strength == Strength.STRONG
    assert verdict.lines[0].entries == {2: 7}


def test_what_many_people_use_says_little() -> None:
    owners = {("email", "maya@ortiz.test"): 5}
    assert weigh(maya(), stranger(Seen("email", "maya@ortiz.test", "own")), owners).strength is None


def test_a_shared_line_another_name_and_another_systems_word_speak_against_it() -> None:
    order = Seen("order", "48213")
    assert both(maya(seen=[order]), stranger(order)).strength == Strength.WEAK
    assert both(maya(seen=[order]), stranger(order, name="Jon Ortiz")).strength is None
    assert both(maya(seen=[order], is_line=True), stranger(order)).strength is None
    own = Seen("email", "maya@ortiz.test", "own")
    assert both(maya(external={"shop": {"1"}}), stranger(own, external={"shop": {"2"}})).strength is None
    assert both(maya(related={2}), stranger(own)).strength is None


def test_turn_by_turn_on_two_channels_speaks_against_it() -> None:
    written = [Written("email", NOON, 1), Written("email", NOON + timedelta(minutes=2), 3)]
    answers = [Written("instagram", NOON + timedelta(minutes=each), each) for each in (1, 3)]
    order = Seen("order", "48213")
    verdict = both(maya(seen=[order], written=written), stranger(order, written=answers))
    assert "at_once" in [line.kind for line in verdict.lines]


def test_a_name_alone_is_no_reason() -> None:
    assert both(maya(), stranger(name="Maya Ortiz")).strength is None


def test_labelled_pairs_are_told_apart() -> None:
    """Hundreds of people whose stories know nothing of these rules; the bench has thousands."""
    found = weigh_all(pairs(500))
    strong = [found.by_strength[Strength.STRONG, is_right] for is_right in (True, False)]
    assert found.precision >= 0.95
    assert found.recall >= 0.80
    assert strong[1] <= strong[0] * 0.01

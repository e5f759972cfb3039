"""What search finds, and that nothing which may be seen is hidden behind what matches more often."""

from __future__ import annotations

import re
from typing import Any

import pytest

from customers.models import Identity
from inbox.models import Case, Entry, EntryKind
from inbox.views.search import MOST_CASES, MOST_HITS, MOST_PEOPLE
from tests import make

pytestmark = pytest.mark.django_db


def cases_found(client: Any, query: str) -> list[int]:
    html = client.get("/search/", {"q": query}).content.decode()
    return [int(pk) for pk in re.findall(r'id="row-(\d+)"', html)]


def people_found(client: Any, query: str) -> list[str]:
    html = client.get("/search/", {"q": query}).content.decode()
    return re.findall(r'<b dir="auto">(.*?)</b> <span class="faint">', html)


def say_often(case: Case | None, words: str, times: int) -> None:
    Entry.objects.bulk_create(
        [Entry(case=case, kind=EntryKind.MESSAGE, channel="email", text=words) for _ in range(times)]
    )


def test_a_case_that_says_it_in_every_line_hides_no_other(browser_of: Any, ana: Any, maya: Any, mailbox: Any) -> None:
    quiet = make.says(make.customer("Jon Bell", email="jon@people.test"), mailbox, "The teapot is broken")
    loud = make.says(maya, mailbox, "My teapot")
    say_often(loud.case, "teapot", 3 * MOST_HITS)
    assert cases_found(browser_of(ana), "teapot") == [loud.case_id, quiet.case_id]


def test_what_is_found_can_be_opened(browser_of: Any, ana: Any, maya: Any, mailbox: Any) -> None:
    case = make.says(maya, mailbox, "My teapot").case
    html = browser_of(ana).get("/search/", {"q": "teapot"}).content.decode()
    assert f'href="/inbox/open/c/{case.pk}/"' in html


def test_cases_of_other_teams_take_no_place_among_what_is_found(
    browser_of: Any, ana: Any, maya: Any, mailbox: Any, billing_mailbox: Any
) -> None:
    mine = make.says(maya, mailbox, "My teapot")
    for number in range(MOST_CASES + 1):
        other = make.says(
            make.customer(f"P {number}", email=f"p{number}@people.test"), billing_mailbox, "Teapot invoice"
        )
        say_often(other.case, "teapot", MOST_HITS // 10)
    assert cases_found(browser_of(ana), "teapot") == [mine.case_id]


def test_the_newest_words_of_each_case_are_shown_newest_first(
    browser_of: Any, ana: Any, maya: Any, mailbox: Any, number: Any
) -> None:
    first = make.says(maya, mailbox, "A teapot of the first kind")
    other = make.says(make.customer("Jon Bell", email="jon@people.test"), mailbox, "The teapot is broken")
    latest = make.says(maya, number, "the teapot again")
    client = browser_of(ana)
    assert cases_found(client, "teapot") == [first.case_id, other.case_id]
    html = client.get("/search/", {"q": "teapot"}).content.decode()
    assert f"#entry-{latest.pk}" in html
    assert f"#entry-{first.pk}" not in html


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("May", True),
        ("ortiz", True),
        ("maya ort", True),
        ("rtiz", False),
        ("MAYA@ORTIZ", True),
        ("ortiz.test", False),
        ("@maya_pots", True),
        ("maya_p", True),
        ("2671", True),
        ("555-2671", True),
        ("+1 415 555 2671", True),
        ("1415555", True),
        ("267", False),
        ("%", False),
        ("_aya", False),
        ("@", False),
    ],
)
def test_people_are_found_by_the_start_of_words_of_addresses_and_the_end_of_numbers(
    browser_of: Any, ana: Any, maya: Any, mailbox: Any, query: str, is_found: bool
) -> None:
    Identity.objects.filter(customer=maya, kind="instagram").update(handle="maya_pots")
    make.says(maya, mailbox, "Hello")
    assert people_found(browser_of(ana), query) == (["Maya Ortiz"] if is_found else [])


def test_people_of_other_teams_take_no_place_among_those_who_are_found(
    browser_of: Any, ana: Any, sue: Any, mailbox: Any, billing_mailbox: Any
) -> None:
    for number in range(MOST_PEOPLE + 1):
        make.says(make.customer(f"Ada {number}", email=f"ada{number}@people.test"), billing_mailbox, "Hello")
    make.says(make.customer("Zoe Ada", email="ada.zoe@people.test"), mailbox, "Hello")
    assert people_found(browser_of(ana), "ada") == ["Zoe Ada"]
    assert people_found(browser_of(sue), "ada") == [f"Ada {number}" for number in range(MOST_PEOPLE)]


def test_a_search_costs_a_bounded_number_of_queries(
    browser_of: Any, ana: Any, mailbox: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(MOST_CASES + 5):
        make.says(make.customer(f"Ada {number}", email=f"ada{number}@people.test"), mailbox, "A teapot")
    client = browser_of(ana)
    with django_assert_max_num_queries(14):
        assert len(cases_found(client, "teapot")) == MOST_CASES

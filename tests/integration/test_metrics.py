"""Every figure is the number of rows it opens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils.timezone import localdate, now

from inbox import merging, metrics
from inbox.locking import locked
from inbox.metrics import METRICS, FirstResponse, Moves, Scope
from inbox.models import Agent, Alert, Case, Delivery, Switch
from inbox.views.pictures import bars, reaches, ribbons
from tests import make

pytestmark = pytest.mark.django_db


def count(name: str, **scope: Any) -> int:
    return METRICS[name].count(Scope(**scope))


def cases(name: str, **scope: Any) -> set[int]:
    return set(METRICS[name].cases(Scope(**scope)).values_list("pk", flat=True))


def test_a_case_that_waits_on_two_channels_counts_once_and_in_both_channels(
    maya: Any, mailbox: Any, number: Any
) -> None:
    case = make.says(maya, mailbox, "My order is broken").case
    make.says(maya, number, "hello? did you get my mail?")
    assert case is not None
    assert count("waiting") == 1
    assert [count("waiting", channel=channel) for channel in metrics.CHANNELS] == [1, 1, 0, 0]
    assert cases("waiting", channel="email") == cases("waiting", channel="sms") == {case.pk}


def test_an_answer_ends_the_wait(ana: Any, maya: Any, mailbox: Any) -> None:
    case = make.says(maya, mailbox, "My order is broken").case
    assert case is not None
    make.answers(ana, case, "A new one is on its way.")
    assert (count("waiting"), count("open")) == (0, 1)


def test_a_snoozed_case_without_an_owner_is_open_but_nobody_has_to_take_it(ana: Any, maya: Any, mailbox: Any) -> None:
    case = make.says(maya, mailbox, "My order is broken").case
    assert case is not None
    with locked(case) as current:
        current.snooze(now() + timedelta(hours=1), by=ana)
    assert (count("open"), count("nobodys")) == (1, 0)


def test_moves_of_the_last_hour_are_counted_one_by_one(maya: Any, mailbox: Any, number: Any, account: Any) -> None:
    case = make.says(maya, mailbox, "My order is broken").case
    make.says(maya, number, "hello? did you get my mail?")
    make.says(maya, account, "anybody there on this one?")
    assert case is not None
    assert count("moved") == Switch.objects.count() == 2
    assert count("moved", channel="email", towards="sms") == 1
    assert cases("moved") == {case.pk}
    assert metrics.moves(Scope()) == [Moves("email", "sms", 1, 1), Moves("sms", "instagram", 1, 1)]
    Switch.objects.update(at=now() - timedelta(minutes=61))
    assert (count("moved"), metrics.moves(Scope())) == (0, [])


def test_a_move_after_an_answer_leaves_nothing_unanswered(ana: Any, maya: Any, mailbox: Any, number: Any) -> None:
    case = make.says(maya, mailbox, "My order is broken").case
    assert case is not None
    make.answers(ana, case, "A new one is on its way.")
    make.says(maya, number, "thank you, and when?")
    assert (count("moved"), count("moved-unanswered")) == (1, 0)


def test_a_reply_that_did_not_arrive_counts_until_a_later_one_reaches_the_customer(
    ana: Any, maya: Any, mailbox: Any, number: Any
) -> None:
    case = make.says(maya, mailbox, "My order is broken").case
    assert case is not None
    Delivery.objects.filter(entry=make.answers(ana, case, "One moment.")).update(state="failed")
    assert (count("not-delivered"), cases("not-delivered")) == (1, {case.pk})
    make.says(maya, mailbox, "hello?")
    Delivery.objects.filter(entry=make.answers(ana, case, "Here I am.")).update(state="delivered")
    assert count("not-delivered") == 0


def test_a_team_sees_only_its_own_in_its_figures(
    maya: Any, mailbox: Any, billing: Any, billing_mailbox: Any, support: Any
) -> None:
    make.says(maya, mailbox, "My order is broken")
    other = make.customer("Jon Bell", email="jon@bell.test")
    invoice = make.says(other, billing_mailbox, "My invoice is wrong").case
    assert invoice is not None
    assert count("open") == 2
    assert cases("open", team=billing.pk) == {invoice.pk}
    assert count("volume", team=support.pk) == 1


def test_an_alert_is_unseen_until_somebody_looks(ana: Any, maya: Any, mailbox: Any, number: Any) -> None:
    make.says(maya, mailbox, "My order is broken")
    make.says(maya, number, "hello? did you get my mail?")
    assert count("unseen") == 1
    Alert.objects.get().see(ana)
    assert count("unseen") == 0


def test_volume_has_every_one_of_the_fourteen_days_and_opens_the_cases_of_one(
    maya: Any, mailbox: Any, number: Any
) -> None:
    three_days_ago = now() - timedelta(days=3)
    with time_machine.travel(three_days_ago, tick=False):
        old = make.says(maya, mailbox, "My order is broken").case
    make.says(make.customer("Jon Bell", phone="+14155550199"), number, "hi")
    with time_machine.travel(now() - timedelta(days=20), tick=False):
        make.says(make.customer("Old One", email="old@one.test"), mailbox, "long ago")
    days = metrics.volume(Scope())
    assert len(days) == 14
    assert days[localdate()] == {"email": 0, "sms": 1, "instagram": 0, "whatsapp": 0}
    assert days[localdate(three_days_ago)]["email"] == 1
    assert old is not None
    assert cases("volume", channel="email", day=localdate(three_days_ago)) == {old.pk}
    assert count("volume") == sum(sum(numbers.values()) for numbers in days.values()) == 2


def test_the_first_answer_has_a_median_and_a_p90_by_the_channel_it_began_on(
    ana: Any, mailbox: Any, number: Any
) -> None:
    began = now() - timedelta(days=2)
    for place, minutes in enumerate([10, 20, 30]):
        with time_machine.travel(began, tick=False):
            person = make.customer(f"Person {place}", email=f"p{place}@mail.test")
            case = make.says(person, mailbox, "Hello").case
        assert case is not None
        with time_machine.travel(began + timedelta(minutes=minutes), tick=False):
            make.answers(ana, case, "Hello too.")
    make.says(make.customer("Nobody answered", phone="+14155550199"), number, "hi")
    assert metrics.first_responses(Scope()) == [FirstResponse("email", 3, timedelta(minutes=20), timedelta(minutes=28))]
    assert count("first-response", channel="email") == 3
    assert count("first-response", channel="sms") == 0


def test_those_who_are_off_with_customers_waiting_come_first(
    ana: Any, sam: Any, lee: Any, maya: Any, mailbox: Any
) -> None:
    case = make.says(maya, mailbox, "My order is broken").case
    assert case is not None
    with locked(case) as current:
        current.assign(sam, by=sam)
    loads = metrics.loads(Scope())
    assert next((load.agent.name, load.open, load.waiting) for load in loads) == ("Sam Keller", 1, 1)
    Agent.objects.filter(pk=sam.pk).update(presence="off")
    assert [load.needs_help for load in metrics.loads(Scope())] == [True, False, False]
    assert cases("waiting", agent=sam.pk) == {case.pk}


def test_a_figure_above_a_thousand_reads_so() -> None:
    assert (metrics.shown(1000), metrics.shown(1001)) == ("1,000", "1,000+")


def test_all_figures_together_cost_one_query(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        metrics.counts([metric.rows(Scope()) for metric in METRICS.values()])


def test_every_metric_says_in_words_what_it_counts() -> None:
    assert all(metric.definition.endswith(".") and metric.title for metric in METRICS.values())


def test_ribbons_lie_beside_each_other_and_show_what_stayed_unanswered() -> None:
    wide, narrow = ribbons([Moves("email", "sms", 20, 5), Moves("sms", "email", 1, 0)])
    assert (wide.width, wide.pale_width, narrow.width) == (12.0, 4.0, 2.0)
    assert wide.edge_path and not narrow.edge_path
    assert len({wide.path, wide.pale_path, wide.edge_path, narrow.path}) == 4


def test_pictures_of_nothing_are_empty_and_do_not_break() -> None:
    assert ribbons([]) == []
    assert [row.total for row in bars(metrics.volume(Scope()))] == [0, 0, 0, 0]
    assert reaches([]) == []


def test_bars_share_one_scale() -> None:
    today = localdate()
    email, sms, *_ = bars({today: {"email": 10, "sms": 5}})
    assert (email.days[0].height, sms.days[0].height) == (40, 20)


def test_a_merged_case_is_not_counted_twice(ana: Any, maya: Any, mailbox: Any, number: Any) -> None:
    make.says(maya, mailbox, "My order is broken")
    stranger = make.customer("M", phone="+14155550123")
    make.says(stranger, number, "it is me, Maya")
    merging.join(maya, stranger, by=ana)
    assert (count("open"), count("waiting")) == (1, 1)
    assert Case.objects.count() == 2

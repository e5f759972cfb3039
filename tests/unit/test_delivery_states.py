"""A delivery moves forwards only, whatever order reports arrive in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inbox.models.delivery import RANK, State, is_progress

REPORTS = st.lists(st.sampled_from([State.SENT, State.DELIVERED, State.READ, State.FAILED]), max_size=12)


@given(REPORTS)
def test_any_order_of_reports_ends_in_the_furthest_state(reports: list[State]) -> None:
    state = State.SENDING
    for report in reports:
        if is_progress(state, report):
            state = report
    assert RANK[state] == max([RANK[State.SENDING], *(RANK[report] for report in reports)])


@given(st.permutations([State.SENT, State.DELIVERED, State.READ]))
def test_seen_stands_in_whatever_order_it_was_told(reports: list[State]) -> None:
    state = State.SENDING
    for report in reports:
        if is_progress(state, report):
            state = report
    assert state == State.READ


def test_what_was_being_sent_can_become_not_known_and_any_report_ends_that() -> None:
    assert is_progress(State.SENDING, State.UNKNOWN)
    for report in (State.SENT, State.DELIVERED, State.READ, State.FAILED):
        assert is_progress(State.UNKNOWN, report)
        assert not is_progress(report, State.UNKNOWN)

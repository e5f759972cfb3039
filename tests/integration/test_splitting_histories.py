"""Random lives, played twice: with messages put elsewhere, moved and joined again, and without."""

from __future__ import annotations

from typing import Any

import pytest

from inbox import splitting
from inbox.models import Case, Merge, Regrouping
from inbox.models.case import SPOKEN
from tests.integration.test_joining_histories import History, World, stage

__all__ = ["stage"]
HISTORIES, SIDE_BY_SIDE = 60, 20
SHOWN = """customer_id waiting_since open_channels channel channels preview last_entry_id last_inbound_id
    shows_move first_channel first_message_at first_reply_at has_failed_delivery beside""".split()  # noqa: SIM905


class Divided(History):
    """As a history, and agents see two matters where there is one."""

    def live(self, **about: Any) -> list[Case]:
        return [case for case in self.cases() if case.is_live]

    def divides(self) -> None:
        case = self.a_live_case()
        if case is None:
            return
        said = list(case.timeline().filter(kind__in=SPOKEN).values_list("pk", flat=True))
        if len(said) < 2:
            return
        picked = self.chance.sample(sorted(said), self.chance.randrange(1, len(said)))
        others = [each for each in self.live() if each.pk != case.pk]
        others = [each for each in others if each.customer.current() == case.customer.current()]
        if others and self.chance.random() < 0.5:
            splitting.move(case, picked, self.chance.choice(others), by=self.agents[0])
        else:
            splitting.split(case, picked, by=self.agents[0])

    def is_one_after_all(self) -> bool:
        for case in self.live():
            others = [each for each in self.live() if each.pk != case.pk]
            for other in others:
                if other.customer.current() == case.customer.current():
                    splitting.rejoin(case, other, by=self.agents[0])
                    return True
        return False

    def takes_all_back(self) -> None:
        mine = {case.pk for case in self.cases()}
        for each in Regrouping.objects.in_force().order_by("-pk"):
            if each.from_case_id in mine:
                splitting.undo(each, by=self.agents[0])


def families(world: World) -> dict[int, dict[str, Any]]:
    """What people see of every case: its rows, who waits since when, and what lists show."""
    seen: dict[int, dict[str, Any]] = {}
    for pk, case in world.cases.items():
        if case["merged_into_id"] is None:
            seen[pk] = {name: case[name] for name in SHOWN} | {"rows": []}
    for pk, entry in world.entries.items():
        if entry["kind"] != "event" and entry["case_id"]:
            row = {name: value for name, value in entry.items() if name != "case_id"}
            seen[world.top(world.cases, entry["case_id"])]["rows"].append((pk, row))
    for fact in world.facts.values():
        told = seen[world.top(world.cases, fact["case_id"])].setdefault("told", set())
        told.add(fact["value"])
    for alert in world.alerts.values():
        if alert["closed_at"] is None:
            about = {name: alert[name] for name in ("switch_id", "channels", "moves", "loudness")}
            seen[alert["case_id"]]["card"] = about
    return seen


def same(after: dict[int, Any], before: dict[int, Any]) -> None:
    """Case by case, so that a difference is short enough to be read."""
    for pk, seen in before.items():
        for name, value in seen.items():
            assert after[pk].get(name) == value, f"#{pk} {name}"


@pytest.mark.parametrize("first", range(0, HISTORIES, SIDE_BY_SIDE))
def test_two_matters_that_become_one_again_leave_no_trace(stage: dict[str, Any], first: int) -> None:
    histories = [Divided(seed, **stage) for seed in range(first, first + SIDE_BY_SIDE)]
    for history in histories:
        history.traffic(6)
    before = families(World())
    for history in histories:
        for _ in range(history.chance.randrange(1, 5)):
            history.divides()
    World().holds()
    for history in histories:
        while history.is_one_after_all():
            pass
    after = World()
    after.holds()
    same(families(after), before)


@pytest.mark.parametrize("first", range(1000, 1000 + HISTORIES, SIDE_BY_SIDE))
def test_what_is_taken_back_leaves_no_trace(stage: dict[str, Any], first: int) -> None:
    histories = [Divided(seed, **stage) for seed in range(first, first + SIDE_BY_SIDE)]
    for history in histories:
        history.traffic(6)
    before = World()
    for history in histories:
        for _ in range(history.chance.randrange(1, 4)):
            history.divides()
        history.takes_all_back()
    after = World()
    after.holds()
    same(families(after), families(before))
    lay = {pk: row["case_id"] for pk, row in before.entries.items()}
    assert {pk: after.entries[pk]["case_id"] for pk in lay} == lay
    kept = {pk: row for pk, row in after.alerts.items() if pk in before.alerts}
    assert kept == before.alerts


@pytest.mark.parametrize("first", [2000, 2020])
def test_matters_divided_while_two_were_joined_part_with_their_people(stage: dict[str, Any], first: int) -> None:
    histories = [Divided(seed, **stage) for seed in range(first, first + SIDE_BY_SIDE)]
    for history in histories:
        history.traffic(3)
    before = World()
    for history in histories:
        history.joins()
        for _ in range(3):
            history.chance.choice([history.divides, history.divides, history.is_one_after_all])()
            history.traffic(1)
    World().holds()
    for history in histories:
        history.parts_all()
    after = World()
    after.holds()
    assert not Merge.objects.in_force().exists()
    lay = {pk: row["case_id"] for pk, row in before.entries.items() if row["case_id"]}
    for pk, case in lay.items():
        owner, was = after.cases[after.entries[pk]["case_id"]]["customer_id"], before.cases[case]
        assert after.top(after.customers, owner) == before.top(before.customers, was["customer_id"])

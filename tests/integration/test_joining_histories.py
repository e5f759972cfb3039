"""Random lives of a few people: what they write, what agents do, who is said to be whom, and taken back in any order.

Many are played side by side and looked at together. `History(seed, …)` plays one again.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any

import pytest
from django.db import models
from django.utils.timezone import now

from connectors.messages import Sender
from connectors.models import Connector
from customers.models import Customer, Identity
from inbox import merging, outbox
from inbox.locking import locked
from inbox.models import Alert, Case, Draft, Entry, Fact, Merge, Participant, Switch
from tests import make

Row = dict[str, Any]
NOT_COMPARED = {"version", "changed_at", "search"}
ANSWERED = {"is_open", "tied_by_id", "tied_at", "tied_by_agent_id"}
OF_A_PERSON = ("message", "reply")
SPOKEN = ("message", "participant", "reply", "note")


class History:
    """Three people with two addresses each, and somebody who is only ever copied in."""

    def __init__(self, seed: int, agents: list[Any], connectors: dict[str, list[Connector]]) -> None:
        self.seed, self.chance = seed, random.Random(seed)
        self.agents, self.connectors, self.number = agents, connectors, 0
        self.boss = Sender(f"boss{seed}@x.test")
        self.people = [
            make.customer(f"{name}{seed}", email=f"{name}{seed}@x.test", phone=f"+1415{5550000 + seed * 10 + number}")
            for number, name in enumerate(["ana", "bob", "cem"])
        ]
        self.identities = list(Identity.objects.filter(customer__in=self.people).order_by("pk"))

    def writes(self) -> None:
        identity = self.chance.choice(self.identities)
        connector = self.chance.choice(self.connectors[identity.kind])
        about: dict[str, Any] = {}
        if identity.kind == "email":
            about["cc"] = [self.boss] if self.chance.random() < 0.2 else []
            about["classification"] = self.chance.choice(["person"] * 5 + ["automatic"])
        make.says(Sender(identity.value, identity.scope), connector, self.words(), **about)

    def words(self) -> str:
        self.number += 1
        order = f" about order #{48210 + self.chance.randrange(3)}" if self.chance.random() < 0.2 else ""
        return f"words {self.seed}-{self.number}{order}"

    def is_copied_in(self) -> None:
        case = self.a_live_case()
        if case:
            make.says(self.boss, self.connectors["email"][0], self.words(), reply_tokens=[case.reply_token])

    def is_answered(self) -> None:
        case = self.a_live_case()
        ways = [way for way in outbox.options(case) if way.is_usable and not way.confirm] if case else []
        if case and ways:
            ticked = [each.pk for each in case.open_entries() if self.chance.random() < 0.5]
            way, by = self.chance.choice(ways), self.chance.choice(self.agents)
            about = {"also_answers": ticked, "send_anyway": True, "disclose": True}
            outbox.reply(case, by=by, option_key=way.key, text=self.words(), **about)

    def is_handled(self) -> None:
        found = self.a_live_case()
        if found is None:
            return
        by = self.chance.choice(self.agents)
        with locked(found) as case:
            match self.chance.randrange(4):
                case 0:
                    case.resolve(by=by)
                case 1:
                    case.snooze(now() + timedelta(hours=1), by=by)
                case 2:
                    case.assign(by, by=by)
                case 3:
                    outbox.add_note(case, by=by, text=self.words())

    def is_reopened(self) -> None:
        done = [case for case in self.cases() if not case.is_live and not case.merged_into_id]
        done = [case for case in done if not Case.objects.live_of(case.customer.current())]
        if done:
            with locked(self.chance.choice(done)) as case:
                case.reopen(by=self.agents[0])

    def cases(self) -> list[Case]:
        return list(Case.objects.filter(customer__in=self.people).select_related("customer").order_by("pk"))

    def a_live_case(self) -> Case | None:
        live = [case for case in self.cases() if case.is_live]
        return self.chance.choice(live) if live else None

    def traffic(self, steps: int) -> None:
        kinds = [self.writes] * 7 + [self.is_answered] * 3 + [self.is_handled, self.is_copied_in, self.is_reopened]
        for _ in range(steps):
            self.chance.choice(kinds)()

    def joins(self) -> None:
        today = {each.current() for each in Customer.objects.filter(pk__in=[person.pk for person in self.people])}
        if len(today) > 1:
            both = self.chance.sample(sorted(today, key=lambda each: each.pk), 2)
            merging.join(*both, by=self.chance.choice(self.agents))

    def parts(self) -> bool:
        joins = list(Merge.objects.in_force().filter(survivor__in=self.people).order_by("pk"))
        if joins:
            merging.undo(self.chance.choice(joins), by=self.chance.choice(self.agents))
        return bool(joins)

    def parts_all(self) -> None:
        while self.parts():
            pass


def rows_of(model: type[models.Model]) -> dict[int, Row]:
    names = [field.attname for field in model._meta.concrete_fields if field.attname not in NOT_COMPARED]
    return {row["id"]: row for row in model._default_manager.order_by("pk").values(*names)}


class World:
    """All rows there are, and what must hold of them."""

    MODELS = (Customer, Identity, Case, Entry, Fact, Participant, Switch, Alert, Draft)

    def __init__(self) -> None:
        rows = [rows_of(model) for model in self.MODELS]
        self.customers, self.identities, self.cases, self.entries, self.facts = rows[:5]
        self.participants, self.switches, self.alerts, self.drafts = rows[5:]

    def everything(self) -> list[dict[int, Row]]:
        said = {pk: row for pk, row in self.entries.items() if row["kind"] != "event"}
        rest = [self.facts, self.participants, self.switches, self.alerts, self.drafts]
        return [self.customers, self.identities, self.cases, said, *rest]

    def top(self, rows: dict[int, Row], pk: int) -> int:
        above = rows[pk]["merged_into_id"]
        return self.top(rows, above) if above else pk

    def person_of(self, identity: int) -> int:
        return int(self.identities[identity]["customer_id"])

    def holds(self) -> None:
        for identity in self.identities.values():
            assert self.customers[identity["customer_id"]]["merged_into_id"] is None
        for case in self.cases.values():
            owner, above = self.top(self.customers, case["customer_id"]), self.cases[self.top(self.cases, case["id"])]
            assert owner == self.top(self.customers, above["customer_id"])
        self.one_live_case_each()
        self.words_lie_with_their_person()
        self.rows_show_what_there_is()
        self.cards_are_where_something_is_open()

    def one_live_case_each(self) -> None:
        live = [case["customer_id"] for case in self.cases.values() if case["is_live"] and not case["split_off"]]
        assert not [owner for owner in live if self.customers[owner]["merged_into_id"]]
        assert max(Counter(live).values(), default=1) == 1
        everywhere = Counter(
            self.top(self.customers, case["customer_id"]) for case in self.cases.values() if case["is_live"]
        )
        for case in self.cases.values():
            owner = self.top(self.customers, case["customer_id"])
            assert not case["is_live"] or case["beside"] == everywhere[owner] - 1, case

    def words_lie_with_their_person(self) -> None:
        for entry in self.entries.values():
            if entry["kind"] in OF_A_PERSON:
                case = self.cases[entry["case_id"]]
                whose = self.top(self.customers, case["customer_id"])
                assert whose == self.person_of(entry["identity_id"]), f"{entry['text']} lies in {case}"
        for fact in self.facts.values():
            assert fact["case_id"] == self.entries[fact["entry_id"]]["case_id"]
        for participant in self.participants.values():
            assert participant["case_id"] == self.entries[participant["entry_id"]]["case_id"]
        for switch in self.switches.values():
            entry, before = self.entries[switch["entry_id"]], self.entries[switch["previous_entry_id"]]
            assert switch["case_id"] == entry["case_id"]
            assert self.person_of(entry["identity_id"]) == self.person_of(before["identity_id"])

    def rows_show_what_there_is(self) -> None:
        families: dict[int, list[Row]] = defaultdict(list)
        for entry in self.entries.values():
            if entry["case_id"]:
                families[self.top(self.cases, entry["case_id"])].append(entry)
        for pk, entries in families.items():
            case, spoken = self.cases[pk], [each for each in entries if each["kind"] in SPOKEN]
            assert spoken, f"{case} is empty"
            waiting = [each for each in entries if each["is_open"]]
            came = [each["arrived_at"] or each["created_at"] for each in waiting]
            assert case["waiting_since"] == min(came, default=None), told(entries)
            assert case["open_channels"] == list(dict.fromkeys(each["channel"] for each in waiting))
            assert case["last_entry_id"] == spoken[-1]["id"]
            wrote = [each["channel"] for each in entries if each["kind"] == "message"]
            assert case["channels"] == list(dict.fromkeys(wrote))
            there = [each["channel"] for each in entries if each["kind"] == "message" and not each["data"].get("late")]
            assert not there or case["channel"] == there[-1], told(entries)
            assert not (waiting and case["status"] == "waiting"), f"{case} waits for both"

    def cards_are_where_something_is_open(self) -> None:
        for alert in self.alerts.values():
            if alert["closed_at"] is None:
                case = self.cases[alert["case_id"]]
                assert case["is_live"] and case["waiting_since"]
                assert self.top(self.cases, self.switches[alert["switch_id"]]["case_id"]) == case["id"]


def told(entries: list[Row]) -> str:
    """A family's timeline in words, for when something does not hold."""
    lines = [
        f"#{each['id']} in {each['case_id']}: {each['kind']} {each['event']} of {each['identity_id']} {each['text']}"
        f"{' (open)' if each['is_open'] else ''}{' tied by ' + str(each['tied_by_id']) if each['tied_by_id'] else ''}"
        for each in entries
    ]
    return "\n".join(lines)


@pytest.fixture
def stage(support: Any, ana: Any, sam: Any, mailbox: Any, billing_mailbox: Any, number: Any) -> dict[str, Any]:
    connectors = {"email": [mailbox, billing_mailbox], "phone": [number]}
    return {"agents": [ana, sam], "connectors": connectors}


HISTORIES, SIDE_BY_SIDE = 200, 20


@pytest.mark.parametrize("first", range(0, HISTORIES, SIDE_BY_SIDE))
def test_joins_with_traffic_are_undone_in_any_order(stage: dict[str, Any], first: int) -> None:
    histories = [History(seed, **stage) for seed in range(first, first + SIDE_BY_SIDE)]
    for history in histories:
        history.traffic(2)
    before = World()
    for history in histories:
        for _ in range(history.chance.choice([1, 1, 1, 1, 2, 3])):
            history.joins()
            history.traffic(1)
    World().holds()
    for history in histories:
        history.parts_all()
    after = World()
    after.holds()
    for pk, customer in before.customers.items():
        assert after.customers[pk] == customer | {"has_written": after.customers[pk]["has_written"]}
    for pk, row in before.entries.items():
        kept = {name: value for name, value in row.items() if name not in ANSWERED}
        assert after.entries[pk] | kept == after.entries[pk]
    for pk, case in before.cases.items():
        for name in ["customer_id", "merged_into_id", "split_off", "team_id", "reply_token", "first_message_at"]:
            assert after.cases[pk][name] == case[name]


@pytest.mark.parametrize("first", [1000, 1010])
def test_joins_without_traffic_leave_no_trace(stage: dict[str, Any], first: int) -> None:
    histories = [History(seed, **stage) for seed in range(first, first + 10)]
    for history in histories:
        history.traffic(4)
    before = World().everything()
    for history in histories:
        for _ in range(history.chance.randrange(1, 4)):
            history.joins()
        history.parts_all()
    for now_is, was in zip(World().everything(), before, strict=True):
        assert now_is == was

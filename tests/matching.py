"""Plays labelled pairs through the real intake and counts what was proposed, and what was linked by itself."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import combinations

from django.db import connection
from django.utils.timezone import now

from connectors.models import Connector, Receipt
from customers.identities import EMAIL, INSTAGRAM, PHONE
from customers.models import Identity
from inbox import intake, proposing
from inbox.models import Merge, Proposal, TraceKind
from inbox.proposing import gathering, signals
from inbox.proposing.sides import Address, Seen, Side, Written
from inbox.proposing.signals import Found
from inbox.proposing.weighing import weigh
from tests.pairs import Account, Pair, Said
from tests.providers import Providers


@dataclass(slots=True)
class Matching:
    """`pairs` that were played; `proposed` between any two people of this world; of those `right`."""

    pairs: int = 0
    same: int = 0
    proposed: int = 0
    right: int = 0
    links: int = 0  # made by itself between two accounts: must be none
    missed: list[Pair] = field(default_factory=list)
    wrong: list[tuple[str, frozenset[int]]] = field(default_factory=list)  # the story, and the two by id
    sides: dict[int, Side] = field(default_factory=dict)
    by_strength: Counter[tuple[str, bool]] = field(default_factory=Counter)

    @property
    def precision(self) -> float:
        return self.right / self.proposed if self.proposed else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.same if self.same else 1.0


def play(pairs: Iterable[Pair], ours: dict[str, Connector]) -> Matching:
    """Everything as providers hand it over, in the order it was written: receipt, entry, file, profile; and looked at
    by a worker before the next comes."""
    told, providers = list(pairs), Providers()
    people: dict[int, int] = {}  # account → customer
    began = now() - timedelta(minutes=max(each.minute for pair in told for each in pair.said) + 60)
    accounts = {id(account): account for pair in told for account in (pair.one, pair.other)}
    with providers.answering():
        for number, said in enumerate(said for pair in told for said in pair.said):
            if number % 200 == 20:
                _count_rows()
            _arrives(said, ours[said.account.channel], providers, began + timedelta(minutes=said.minute))
    for key, account in accounts.items():
        people[key] = Identity.objects.get(value=account.address, scope=_scope(account, ours)).customer_id
    return _counted(told, people)


def _count_rows() -> None:
    """As autovacuum does between two messages of real life: else everything is looked up as in empty tables."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE inbox_trace, inbox_fact, inbox_entry, customers_customer, customers_identity")


def _arrives(said: Said, to: Connector, providers: Providers, at: datetime) -> None:
    body, headers = providers.hands_over(said, to, at)
    receipt = Receipt.store(to, body, headers=dict(headers), at=at)
    assert receipt and intake.take_in(receipt)
    [outcome] = Receipt.objects.get(pk=receipt).outcomes
    assert outcome["outcome"] == "entry", outcome
    proposing.look(outcome["entry"])
    if intake.look_up_profiles() + (intake.fetch_files() if said.file else 0):
        proposing.look(outcome["entry"])


def _scope(account: Account, ours: dict[str, Connector]) -> str:
    return ours["instagram"].address if account.channel == "instagram" else ""


def _counted(pairs: list[Pair], people: dict[int, int]) -> Matching:
    proposals = {frozenset((each.one_id, each.other_id)): each.strength for each in Proposal.objects.undecided()}
    found = _judged(pairs, people, proposals)
    found.links = Merge.objects.count() + sum(people[id(each.one)] == people[id(each.other)] for each in pairs)
    return found


def _judged(pairs: list[Pair], people: dict[int, int], proposals: Mapping[frozenset[int], str]) -> Matching:
    """Proposed are also people of different pairs, who are never one."""
    truth = {frozenset((people[id(each.one)], people[id(each.other)])): each for each in pairs}
    found = Matching(pairs=len(pairs), same=sum(pair.is_same for pair in pairs), proposed=len(proposals))
    for key, strength in proposals.items():
        pair = truth.get(key)
        is_right = pair is not None and pair.is_same
        found.right += is_right
        found.by_strength[strength, is_right] += 1
        if not is_right:
            found.wrong.append((pair.story if pair else "two of different pairs", key))
    found.missed = [pair for key, pair in truth.items() if pair.is_same and key not in proposals]
    return found


# Without a database: the same signals and weights, the look-ups done in memory


def weigh_all(pairs: Iterable[Pair]) -> Matching:
    told = list(pairs)
    people = {id(account): pk for pk, account in enumerate(_accounts(told), 1)}
    sides = {pk: Side(pk) for pk in people.values()}
    for account in _accounts(told):
        side = sides[people[id(account)]]
        kind = {"email": EMAIL, "sms": PHONE}.get(account.channel, INSTAGRAM)
        side.name = account.name
        side.addresses.append(Address(kind, "", account.address, account.handle))
        side.seen += [
            Seen(*found) for found in _fields(signals.of_address(kind, account.address, account.handle, account.name))
        ]
    for number, said in enumerate((said for pair in told for said in pair.said), 1):
        side, at = sides[people[id(said.account)]], BEGINNING + timedelta(minutes=said.minute)
        side.written.append(Written(said.account.channel, at, number))
        found = signals.told_in(said.subject, said.text, said.account.channel)
        if said.file:
            found.append(Found(TraceKind.FILE, hashlib.sha256(said.file).hexdigest()))
        known = {(each.kind, each.value) for each in side.seen}
        side.seen += [Seen(*each, number, at) for each in _fields(found) if each[:2] not in known]
    found = _judged(told, people, dict(_verdicts(sides)))
    found.sides = sides
    return found


BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


def _fields(found: Iterable[Found]) -> Iterator[tuple[str, str, str]]:
    return ((each.kind, each.value, each.manner) for each in found)


def _accounts(pairs: list[Pair]) -> list[Account]:
    return [account for pair in pairs for account in (pair.one, pair.other)]


def _verdicts(sides: dict[int, Side]) -> Iterator[tuple[frozenset[int], str]]:
    having: dict[tuple[str, str], set[int]] = defaultdict(set)
    for side in sides.values():
        own = [(gathering.KIND_OF[each.kind], each.value) for each in side.addresses if each.kind in gathering.KIND_OF]
        seen = [(each.kind, each.value) for each in side.seen if each.kind not in gathering.NOT_LOOKED_UP]
        for key in [*own, *seen]:
            having[key].add(side.pk)
    owners = {key: len(people) for key, people in having.items()}
    near = {
        frozenset(two) for people in having.values() if len(people) <= 20 for two in combinations(sorted(people), 2)
    }
    for two in near:
        one, other = (sides[pk] for pk in sorted(two))
        if strength := weigh(one, other, owners).strength:
            yield two, strength

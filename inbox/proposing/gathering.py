"""Who might be the same person, found by indexed look-ups alone, and all that is known of each. A handful of statements
for every message, however many customers there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import connection
from django.db.backends.utils import CursorWrapper

from customers.identities import EMAIL, INSTAGRAM, PHONE, UNPROVEN, WHATSAPP
from customers.models import Customer
from customers.models.customer import CustomerKind
from inbox.models.trace import TraceKind
from inbox.proposing.names import MANY
from inbox.proposing.sides import Address, Seen, Side, Written

Key = tuple[str, str]  # kind and value of a trace
MOST_KEYS, MOST_OWNERS, MOST_PEOPLE = 150, 30, 12
TELLING = {TraceKind.NAME: 3, TraceKind.HANDLE: 3, TraceKind.SOUND: 1}  # how much a key says; all others: 6
NOT_LOOKED_UP = (TraceKind.SELF, TraceKind.ELSEWHERE)
KIND_OF = {EMAIL: TraceKind.EMAIL, PHONE: TraceKind.PHONE, WHATSAPP: TraceKind.PHONE}

HITS = """
WITH keys AS MATERIALIZED (SELECT * FROM unnest(%(kinds)s::text[], %(values)s::text[]) AS k(kind, value))
SELECT hit.*, c.merged_into_id FROM (
SELECT k.kind, k.value, i.customer_id FROM keys k
    CROSS JOIN LATERAL (SELECT identity_id FROM inbox_trace t
        WHERE t.kind = k.kind AND t.value = k.value ORDER BY t.kind, t.value, t.identity_id LIMIT %(most)s) t
    JOIN customers_identity i ON i.id = t.identity_id
UNION ALL SELECT k.kind, k.value, i.customer_id FROM keys k
    CROSS JOIN LATERAL (SELECT customer_id FROM customers_identity i
        WHERE i.value = k.value AND i.scope = '' AND i.kind IN ('email', 'phone', 'whatsapp') LIMIT %(most)s) i
    WHERE k.kind IN ('email', 'phone')
UNION ALL SELECT k.kind, k.value, f.customer_id FROM keys k
    CROSS JOIN LATERAL (SELECT customer_id FROM inbox_fact f
        WHERE f.kind = 'order' AND f.value = k.value LIMIT %(most)s) f
    WHERE k.kind = 'order'
UNION ALL SELECT k.kind, k.value, o.customer_id FROM keys k
    CROSS JOIN LATERAL (SELECT customer_id FROM customers_order o
        WHERE o.number IN (k.value, '#' || k.value) LIMIT %(most)s) o
    WHERE k.kind = 'order'
) AS hit JOIN customers_customer c ON c.id = hit.customer_id
"""
PEOPLE = """
SELECT c.id, c.name, c.language, c.kind, i.id, i.kind, i.scope, i.value, i.handle, i.is_shared
    FROM customers_customer c JOIN customers_identity i ON i.customer_id = c.id
    WHERE c.id = ANY (%(people)s) AND c.merged_into_id IS NULL AND c.erased_at IS NULL
        AND i.erased_at IS NULL AND i.blocked_at IS NULL AND i.scope <> %(forged)s
    ORDER BY i.id LIMIT 500
"""
SEEN = """
SELECT i.customer_id, t.kind, t.value, t.manner, t.entry_id, coalesce(e.arrived_at, e.created_at)
    FROM customers_identity i
    CROSS JOIN LATERAL (SELECT * FROM inbox_trace t WHERE t.identity_id = i.id ORDER BY t.id DESC LIMIT %(most)s) t
    LEFT JOIN inbox_entry e ON e.id = t.entry_id
    WHERE i.id = ANY (%(identities)s)
"""
ON_RECORD = """
SELECT 'order', customer_id, value, '', entry_id FROM inbox_fact
    WHERE customer_id = ANY (%(people)s) AND kind = 'order'
UNION ALL SELECT 'order', customer_id, ltrim(number, '#'), '', NULL FROM customers_order
    WHERE customer_id = ANY (%(people)s)
UNION ALL SELECT 'external', customer_id, value, source, NULL FROM customers_externalid
    WHERE customer_id = ANY (%(people)s)
UNION ALL SELECT 'related', customer_id, '', '', other_id FROM customers_relationship
    WHERE customer_id = ANY (%(people)s)
LIMIT 2000
"""
WRITTEN = """
SELECT i.customer_id, e.channel, coalesce(e.arrived_at, e.created_at), e.id
    FROM customers_identity i
    CROSS JOIN LATERAL (SELECT e.id, e.channel, e.arrived_at, e.created_at, e.kind FROM inbox_entry e
        WHERE e.identity_id = i.id ORDER BY e.identity_id, e.id DESC LIMIT 20) e
    WHERE i.id = ANY (%(identities)s) AND e.kind = 'message'
"""


@dataclass(slots=True)
class Around:
    """The people around somebody: `sides` by id; `owners`, how many people have a trace."""

    me: Side
    sides: dict[int, Side] = field(default_factory=dict)
    owners: dict[Key, int] = field(default_factory=dict)


def around(customer: Customer, also: Iterable[int] = ()) -> Around | None:
    """Everybody who shares a telling trace with this customer, those who share most, at most a dozen; and `also`."""
    me = sides_of([customer.pk]).get(customer.pk)
    if me is None:
        return None
    hits = _hits(_keys(me))
    owners = {key: len(people | {me.pk}) for key, people in hits.items()}
    return Around(me, sides_of([*_nearest(hits, me.pk), *also]), owners)


def _keys(me: Side) -> list[Key]:
    own = [(KIND_OF[each.kind], each.value) for each in me.addresses if each.kind in KIND_OF]
    seen = [(each.kind, each.value) for each in me.seen if each.kind not in NOT_LOOKED_UP]
    return list(dict.fromkeys([*own, *seen]))[:MOST_KEYS]


def _hits(keys: Sequence[Key]) -> dict[Key, set[int]]:
    if not keys:
        return {}
    with connection.cursor() as cursor:
        kinds, values = ([str(key[place]) for key in keys] for place in (0, 1))
        cursor.execute(HITS, {"kinds": kinds, "values": values, "most": MOST_OWNERS})
        rows = cursor.fetchall()
    found: dict[Key, set[int]] = defaultdict(set)
    for kind, value, customer, merged_into in rows:
        found[kind, value].add(_today(customer) if merged_into else customer)
    return found


def _today(customer: int) -> int:
    """Orders and facts of somebody who was joined since are those of who they are today."""
    return Customer.objects.get(pk=customer).current().pk


def _nearest(hits: dict[Key, set[int]], me: int) -> list[int]:
    """What many have is no reason to look at any of them."""
    told: dict[int, float] = defaultdict(float)
    for (kind, _), people in hits.items():
        others = people - {me}
        if len(others) <= MANY * 4:
            for each in others:
                told[each] += TELLING.get(TraceKind(kind), 6) / len(others)
    return sorted(told, key=lambda pk: (-told[pk], pk))[:MOST_PEOPLE]


def sides_of(people: Iterable[int]) -> dict[int, Side]:
    """By id of the customer of today. Addresses that a check says are forged are nobody's."""
    ids = sorted(set(people))
    if not ids:
        return {}
    sides: dict[int, Side] = {}
    mine: list[int] = []
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, {"people": ids, "forged": UNPROVEN})
        for pk, name, language, person, identity, kind, scope, value, handle, is_shared in cursor.fetchall():
            side = sides.setdefault(pk, Side(pk, name, language, is_line=person != CustomerKind.PERSON))
            shown = handle if kind == INSTAGRAM else ""
            side.addresses.append(Address(kind, scope, value, shown, is_shared))
            mine.append(identity)
        if sides:
            _add_what_was_seen(cursor, sides, mine)
            _add_what_is_on_record(cursor, sides)
    return sides


def _add_what_was_seen(cursor: CursorWrapper, sides: dict[int, Side], identities: list[int]) -> None:
    cursor.execute(SEEN, {"identities": identities, "most": MOST_KEYS})
    for customer, kind, value, manner, entry, at in cursor.fetchall():
        sides[customer].seen.append(Seen(kind, value, manner, entry, at))
    cursor.execute(WRITTEN, {"identities": identities})
    for customer, channel, at, entry in cursor.fetchall():
        sides[customer].written.append(Written(channel, at, entry))


def _add_what_is_on_record(cursor: CursorWrapper, sides: dict[int, Side]) -> None:
    cursor.execute(ON_RECORD, {"people": list(sides)})
    for what, customer, value, source, other in cursor.fetchall():
        side = sides[customer]
        if what == "related":
            side.related.add(other)
        elif what == "external":
            side.external.setdefault(source, set()).add(value)
        elif value not in side.of(TraceKind.ORDER):
            side.seen.append(Seen(TraceKind.ORDER, value, "", other))

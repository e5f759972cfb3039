"""What an open case may have and most cases do not: asked for in one statement, and read only if it is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection

from inbox.models import Agent, Case
from inbox.models.case import SPOKEN

WHAT = """
WITH RECURSIVE people(id) AS (
    VALUES (%(customer)s::bigint) UNION SELECT c.id FROM customers_customer c JOIN people p ON c.merged_into_id = p.id)
SELECT (SELECT coalesce(max(last.id), 0) FROM unnest(%(family)s::bigint[]) f(id) CROSS JOIN LATERAL (
        SELECT id FROM inbox_entry WHERE case_id = f.id AND (kind = ANY (%(spoken)s) OR event = 'joined')
        ORDER BY id DESC LIMIT 1) last),
    EXISTS (SELECT FROM inbox_alert WHERE case_id = %(case)s AND closed_at IS NULL),
    EXISTS (SELECT FROM inbox_case c JOIN people p ON c.customer_id = p.id WHERE c.id <> %(case)s),
    EXISTS (SELECT FROM inbox_draft WHERE case_id = %(case)s AND agent_id = %(agent)s),
    EXISTS (SELECT FROM inbox_fact WHERE case_id = ANY (%(family)s)),
    EXISTS (SELECT FROM inbox_mention m JOIN inbox_entry e ON e.id = m.entry_id WHERE e.case_id = ANY (%(family)s)),
    EXISTS (SELECT FROM inbox_merge WHERE survivor_id = %(customer)s),
    EXISTS (SELECT FROM inbox_participant WHERE case_id = ANY (%(family)s)),
    EXISTS (SELECT FROM customers_pinnednote n JOIN people p ON n.customer_id = p.id WHERE n.taken_down_at IS NULL),
    EXISTS (SELECT FROM inbox_proposal o JOIN people p ON o.one_id = p.id WHERE o.state IN ('open', 'asked'))
        OR EXISTS (SELECT FROM inbox_proposal o JOIN people p ON o.other_id = p.id WHERE o.state IN ('open', 'asked'))
"""


class Has(NamedTuple):
    newest: int  # the last thing said, on any channel, or the last join: what an agent has seen who sees this; 0: none
    alert: bool
    cases: bool  # others of the same customer
    drafts: bool  # of this agent
    facts: bool
    mentions: bool
    merges: bool
    participants: bool
    pinned: bool  # notes on the customer
    proposals: bool  # somebody who may be the same person


def what_it_has(case: Case, agent: Agent, family: Sequence[int]) -> Has:
    customer = case.customer.current()
    with connection.cursor() as cursor:
        about = {"case": case.pk, "customer": customer.pk, "agent": agent.pk}
        cursor.execute(WHAT, {**about, "family": list(family), "spoken": [*SPOKEN]})
        return Has(*cursor.fetchone())

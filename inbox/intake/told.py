"""What a text tells: order numbers become facts of the case; what one other customer has on record becomes a hint,
shown to those who may see both."""

from __future__ import annotations

from django.conf import settings

from config.database import rows
from customers.identities import found_in
from customers.models import Customer
from inbox.models import Case, Entry
from inbox.models.fact import order_numbers

# What exactly one other customer has on record; people are followed to who they are today.
NOTE_ORDERS = """
WITH RECURSIVE noted AS (
    INSERT INTO inbox_fact (case_id, customer_id, entry_id, kind, at, value)
    SELECT %(case)s, %(customer)s, %(entry)s, 'order', %(at)s, unnest(%(orders)s::varchar[]) ON CONFLICT DO NOTHING),
told(value, id) AS (
    SELECT * FROM (SELECT DISTINCT value, customer_id FROM inbox_fact WHERE kind = 'order'
        AND value = ANY(%(orders)s::varchar[]) AND customer_id <> %(customer)s LIMIT 50) others
    UNION SELECT told.value, c.merged_into_id FROM told JOIN customers_customer c ON c.id = told.id
        WHERE c.merged_into_id IS NOT NULL)
INSERT INTO inbox_mention (entry_id, customer_id, what)
SELECT %(entry)s, min(told.id), 'order #' || told.value FROM told JOIN customers_customer c ON c.id = told.id
WHERE c.merged_into_id IS NULL AND c.id <> %(customer)s
GROUP BY told.value HAVING count(DISTINCT told.id) = 1 ON CONFLICT DO NOTHING
"""
NOTE_OWNERS = """
INSERT INTO inbox_mention (entry_id, customer_id, what)
SELECT %(entry)s, i.customer_id, i.value FROM unnest(%(kinds)s::varchar[], %(values)s::varchar[]) AS told(kind, value)
JOIN customers_identity i ON i.kind = told.kind AND i.scope = '' AND i.value = told.value
WHERE i.customer_id <> %(customer)s ON CONFLICT DO NOTHING
"""


def note(case: Case, customer: Customer, entry: Entry) -> None:
    about = {"case": case.pk, "customer": customer.pk, "entry": entry.pk, "at": entry.created_at}
    orders = order_numbers(f"{entry.subject}\n{entry.text}")
    if orders:
        rows.send(NOTE_ORDERS, about | {"orders": orders})
    addresses = found_in(entry.text, settings.DEFAULT_REGION)
    if addresses:
        kinds, values = zip(*addresses, strict=True)
        rows.send(NOTE_OWNERS, about | {"kinds": list(kinds), "values": list(values)})

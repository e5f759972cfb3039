"""The journal of "this is the same person": what was whose before, so that it can be taken back at any time."""

from __future__ import annotations

from django.conf import settings
from django.db import connection, models
from django.utils.timezone import now

from customers.models import Customer

HAVE_PARTED = """
WITH RECURSIVE here(id) AS (
    VALUES (%s::bigint) UNION SELECT c.id FROM customers_customer c JOIN here ON c.merged_into_id = here.id),
there(id) AS (
    VALUES (%s::bigint) UNION SELECT c.id FROM customers_customer c JOIN there ON c.merged_into_id = there.id)
SELECT EXISTS (SELECT 1 FROM inbox_merge WHERE undone_at IS NOT NULL AND (
    (survivor_id IN (SELECT id FROM here) AND absorbed_id IN (SELECT id FROM there))
    OR (survivor_id IN (SELECT id FROM there) AND absorbed_id IN (SELECT id FROM here))))
"""


class MergeQuerySet(models.QuerySet["Merge"]):
    def in_force(self) -> MergeQuerySet:
        return self.filter(undone_at=None)

    def unproven_of(self, customer: Customer) -> MergeQuerySet:
        """Joins on an agent's word alone: both sides may after all be two people."""
        return self.in_force().filter(survivor__in=customer.family(), proven_at=None)

    def have_parted(self, one: Customer, other: Customer) -> bool:
        """Somebody took them for one person, and took it back: each holds the other's threads by our mistake."""
        with connection.cursor() as cursor:  # by hand: asked for every mail of somebody copied in
            cursor.execute(HAVE_PARTED, [one.pk, other.pk])
            return bool(cursor.fetchone()[0])


class Merge(models.Model):
    survivor = models.ForeignKey(Customer, models.PROTECT, related_name="merges")
    absorbed = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    # What the absorbed person had. An inner join that is taken back takes its share out of the joins around it.
    identities = models.JSONField(default=list)  # ids
    cases = models.JSONField(default=list)  # ids
    # Whatever is newer came when the two were one
    newest_entry = models.BigIntegerField(default=0)
    newest_case = models.BigIntegerField(default=0)
    before = models.JSONField(default=dict)  # what the join changed, as it was: journal.py has its shape
    reason = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=now)
    proven_at = models.DateTimeField(null=True, blank=True)  # a code told on one side came back from the other
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = MergeQuerySet.as_manager()

    def is_between(self, one: int | None, other: int | None) -> bool:
        """Whether it is this join that made two addresses, by id, one person's."""
        return (one in self.identities) != (other in self.identities)

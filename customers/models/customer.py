"""A person who writes to us. Everything that belongs together is locked through this row."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import connection, models
from django.db.models.functions import Upper
from django.utils.timezone import now

from config.database import rows

FAMILY = """WITH RECURSIVE family(id) AS (
    VALUES (%s::bigint) UNION SELECT c.id FROM customers_customer c JOIN family f ON c.merged_into_id = f.id)
    SELECT id FROM family"""
LOCK = "SELECT {columns} FROM customers_customer WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"


class CustomerQuerySet(models.QuerySet["Customer"]):
    def locked(self, ids: Iterable[int]) -> list[Customer]:
        """The customers, locked in ascending order, so that two transactions can never wait for each other.

        NO KEY: rows that merely point here (a new case, a new entry) need not wait.
        """
        return rows.made(self.model, self.ask_to_lock(ids).arrived())

    def ask_to_lock(self, ids: Iterable[int]) -> rows.Answer:
        """The same, for whoever has more to ask once they are locked: what is sent after this is done after it."""
        return rows.ask(rows.named(self.model, LOCK), [sorted(set(ids))])

    def current(self) -> CustomerQuerySet:
        return self.filter(merged_into=None)


class CustomerKind(models.TextChoices):
    PERSON = "person", "Person"
    HOUSEHOLD = "household", "Household"  # a shared line of people who live together
    ORGANISATION = "organisation", "Organisation"  # a shared line of people who work together


class Customer(models.Model):
    kind = models.CharField(max_length=16, choices=CustomerKind, default=CustomerKind.PERSON, db_default="person")
    name = models.CharField(max_length=200, blank=True)
    named_by_agent = models.BooleanField(default=False)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="absorbed")
    has_written = models.BooleanField(default=False)  # False: only filed mail so far; not listed among customers
    language = models.CharField(max_length=16, blank=True, default="", db_default="")  # BCP 47: "pt-BR"
    time_zone = models.CharField(max_length=64, blank=True, default="", db_default="")  # IANA: "Europe/Lisbon"
    prefers = models.CharField(max_length=16, blank=True, default="", db_default="")  # a channel, as they told us
    created_at = models.DateTimeField(default=now)
    erased_at = models.DateTimeField(null=True, blank=True)  # asked to be forgotten; nobody knows who this was

    objects = CustomerQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["name", "id"], name="customer_by_name", condition=models.Q(merged_into=None)),
            models.Index(
                fields=["merged_into"], name="customer_absorbed", condition=models.Q(merged_into__isnull=False)
            ),
            GinIndex(OpClass(Upper("name"), "gin_trgm_ops"), name="customer_words", fastupdate=False),
        ]
        constraints = [
            models.CheckConstraint(condition=~models.Q(merged_into=models.F("id")), name="customer_not_own_target")
        ]

    def __str__(self) -> str:
        return self.name or f"Customer {self.pk}"

    @property
    def shown_name(self) -> str:
        """The name, or the first address when nobody has told us one."""
        if self.name:
            return self.name
        identity = self.identities.order_by("-erased_at", "pk").first() if self.pk else None
        return identity.shown if identity else f"Customer {self.pk}"

    @property
    def is_a_line(self) -> bool:
        """Not one person: a line that several people write from."""
        return self.kind != CustomerKind.PERSON

    @property
    def first_name(self) -> str:
        if self.is_a_line:
            return self.shown_name
        return self.name.split()[0] if self.name.split() else self.shown_name

    def current(self) -> Customer:
        """Who this customer is today: old ids resolve for ever. A loop cannot be made (merging.py), and ends here."""
        seen, customer = set(), self
        while customer.merged_into_id and customer.pk not in seen:
            seen.add(customer.pk)
            customer = customer.merged_into  # type: ignore[assignment]
        return customer

    def family(self) -> list[int]:
        """Ids of this person and of everybody who was found to be the same: their old cases stay where they were."""
        with connection.cursor() as cursor:
            cursor.execute(FAMILY, [self.pk])
            return sorted(row[0] for row in cursor.fetchall())

    def heard_from(self, name: str) -> None:
        """They wrote. A provider's word for the name is taken unless somebody already knows better."""
        changed = []
        if name and not self.name and not self.named_by_agent:
            self.name = name[:200]
            changed.append("name")
        if not self.has_written:
            self.has_written = True
            changed.append("has_written")
        if changed:
            rows.update_later(self, changed)

"""Perhaps the same person: two customers, what speaks for it and against, what was decided. Never links by itself."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.timezone import now

from customers.models import Customer
from inbox.models.entry import Entry


class Strength(models.TextChoices):
    STRONG = "strong", "Strong"
    POSSIBLE = "possible", "Possible"
    WEAK = "weak", "Weak"


class ProposalState(models.TextChoices):
    OPEN = "open", "Open"
    ASKED = "asked", "The customer was asked"
    ACCEPTED = "accepted", "The same person"
    DIFFERENT = "different", "Different people"
    DROPPED = "dropped", "Nothing speaks for it any more"


UNDECIDED = (ProposalState.OPEN, ProposalState.ASKED)


class ProposalQuerySet(models.QuerySet["Proposal"]):
    def undecided(self) -> ProposalQuerySet:
        return self.filter(state__in=UNDECIDED)

    def of(self, people: Iterable[int]) -> ProposalQuerySet:
        """Those with one of these people on either side."""
        ids = list(people)
        return self.filter(Q(one__in=ids) | Q(other__in=ids))

    def between(self, some: Iterable[int], others: Iterable[int]) -> ProposalQuerySet:
        some, others = list(some), list(others)
        return self.filter(Q(one__in=some, other__in=others) | Q(one__in=others, other__in=some))


class Proposal(models.Model):
    one = models.ForeignKey(Customer, models.CASCADE, related_name="+")  # the lower id
    other = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    points = models.SmallIntegerField(default=0)
    strength = models.CharField(max_length=8, choices=Strength)
    state = models.CharField(max_length=9, choices=ProposalState, default=ProposalState.OPEN)
    made_at = models.DateTimeField(default=now)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = ProposalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["one", "other"], name="proposal_once"),
            models.CheckConstraint(condition=Q(one__lt=F("other")), name="proposal_in_order"),
        ]
        indexes = [
            models.Index(fields=["other"], name="proposal_by_other"),
            models.Index(fields=["-points", "-id"], name="proposal_undecided", condition=Q(state__in=UNDECIDED)),
        ]

    @property
    def is_undecided(self) -> bool:
        return self.state in UNDECIDED


class Evidence(models.Model):
    """One line of the card. A side without an entry is known from its addresses or from an import."""

    proposal = models.ForeignKey(Proposal, models.CASCADE, related_name="evidence")
    kind = models.CharField(max_length=16)  # proposing/verdict.py has the table
    is_for = models.BooleanField()
    points = models.SmallIntegerField()
    value = models.CharField(max_length=320, blank=True)  # what to look for in the entries
    words = models.CharField(max_length=400)
    one_entry = models.ForeignKey(Entry, models.CASCADE, null=True, blank=True, related_name="+")
    other_entry = models.ForeignKey(Entry, models.CASCADE, null=True, blank=True, related_name="+")
    at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-is_for", "-points", "pk"]
        constraints = [models.UniqueConstraint(fields=["proposal", "kind", "value"], name="evidence_once")]

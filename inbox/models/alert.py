"""One alert per case episode, updated in place. Who is meant is worked out when it is read, never stored."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.timezone import now

from inbox import live
from inbox.models.agent import Agent, Presence
from inbox.models.case import Case
from inbox.models.cases import may_know
from inbox.models.switch import Loudness, Switch


def owner_is_here() -> models.Q:
    """Off ends by itself when its time has come."""
    return models.Q(case__assignee__is_active=True) & (
        models.Q(case__assignee__presence=Presence.HERE)
        | models.Q(case__assignee__presence=Presence.OFF, case__assignee__off_until__lte=now())
    )


class AlertQuerySet(models.QuerySet["Alert"]):
    def open(self) -> AlertQuerySet:
        return self.filter(closed_at=None)

    def close_if_answered(self, case: Case) -> None:
        """The card leaves for everyone once nothing is open any more."""
        if not case.open_entries().exists():
            self.open().filter(case=case).update(closed_at=now())

    def for_agent(self, agent: Agent) -> AlertQuerySet:
        """The owner if here, else the case's teams; supervisors when nobody has looked for some minutes."""
        mine = models.Q(case__assignee=agent)
        shared = models.Q(case__team_ids__overlap=agent.team_ids)
        teams = shared & (models.Q(case__assignee=None) | ~owner_is_here())
        found = mine | teams
        if agent.is_supervisor:
            long_unseen = models.Q(raised_at__lt=now() - timedelta(minutes=settings.UNSEEN_ALERT_MINUTES))
            looked_at = AlertSeen.objects.filter(alert=models.OuterRef("pk"), seen_at__gte=models.OuterRef("raised_at"))
            found |= models.Q(long_unseen, ~models.Exists(looked_at))
        return self.filter(found, may_know(agent, "case__")).exclude(loudness=Loudness.QUIET)

    def unseen_by(self, agent: Agent) -> AlertQuerySet:
        return (
            self.open()
            .for_agent(agent)
            .exclude(
                models.Exists(
                    AlertSeen.objects.filter(
                        alert=models.OuterRef("pk"), agent=agent, seen_at__gte=models.OuterRef("raised_at")
                    )
                )
            )
        )


class Alert(models.Model):
    case = models.ForeignKey(Case, models.PROTECT, related_name="alerts")
    switch = models.ForeignKey(Switch, models.PROTECT, related_name="+")  # the latest
    channels = ArrayField(models.CharField(max_length=16), default=list)
    moves = models.PositiveIntegerField(default=1)
    loudness = models.CharField(max_length=8, choices=Loudness)
    created_at = models.DateTimeField(default=now)
    raised_at = models.DateTimeField(default=now)  # last time it deserved a look; quiet news leave it alone
    escalated_at = models.DateTimeField(null=True, blank=True)  # supervisors were told that nobody looked
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case"], condition=models.Q(closed_at=None), name="one_open_alert_per_case")
        ]
        indexes = [models.Index(fields=["-raised_at"], name="alert_open", condition=models.Q(closed_at=None))]

    def audience(self) -> list[int]:
        """Agents to push to now. Who may read it is worked out again by `for_agent` when it is read."""
        if Alert.objects.filter(owner_is_here(), pk=self.pk).exists():
            return [self.case.assignee_id] if self.case.assignee_id else []
        if self.case.named_ids is not None:
            return list(Agent.objects.active().filter(pk__in=self.case.named_ids).values_list("pk", flat=True))
        return list(Agent.objects.active().in_teams(self.case.team_ids).values_list("pk", flat=True))

    def announce(self, agents: list[int] | None = None) -> None:
        """After commit, to its audience, or to the agents named."""
        live.announce(
            lambda: {
                "kind": "alert",
                "alert": self.pk,
                "case": self.case_id,
                "loudness": self.loudness,
                "agents": self._of_those_who_may_know(self.audience() if agents is None else agents),
            }
        )

    def _of_those_who_may_know(self, agents: list[int]) -> list[int]:
        named = Case.objects.values_list("named_ids", flat=True).get(pk=self.case_id)
        return agents if named is None else [each for each in agents if each in named]

    def see(self, agent: Agent) -> None:
        AlertSeen.objects.update_or_create(alert=self, agent=agent, defaults={"seen_at": now()})

    def was_seen_by(self, agent: Agent) -> bool:
        return AlertSeen.objects.filter(alert=self, agent=agent, seen_at__gte=self.raised_at).exists()


class AlertSeen(models.Model):
    alert = models.ForeignKey(Alert, models.CASCADE, related_name="seen")
    agent = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    seen_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert", "agent"], name="alert_seen_once")]

"""The people who answer, and the teams they answer in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import connection, models
from django.utils.timezone import now


class Team(models.Model):
    name = models.CharField(max_length=80, unique=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    AGENT = "agent", "Agent"
    SUPERVISOR = "supervisor", "Supervisor"
    ADMIN = "admin", "Admin"


class Presence(models.TextChoices):
    HERE = "here", "Here"
    AWAY = "away", "Away"
    OFF = "off", "Off"


class AgentQuerySet(models.QuerySet["Agent"]):
    def active(self) -> AgentQuerySet:
        return self.filter(is_active=True)

    def in_teams(self, teams: models.QuerySet[Team] | list[int]) -> AgentQuerySet:
        return self.filter(teams__in=teams).distinct()


class AgentManager(BaseUserManager["Agent"].from_queryset(AgentQuerySet)):  # type: ignore[misc]
    def create_agent(self, email: str, password: str, **fields: Any) -> Agent:
        agent: Agent = self.model(email=self.normalize_email(email).lower(), **fields)
        agent.set_password(password)
        agent.save()
        return agent

    def get_by_natural_key(self, username: str | None) -> Agent:
        agent: Agent = self.get(email__iexact=username or "")
        return agent


MAY_SEE = """SELECT ARRAY(SELECT team_id FROM inbox_agent_teams WHERE agent_id = %s),
    EXISTS (SELECT FROM inbox_case WHERE named_ids @> ARRAY[%s]::bigint[])"""


class Agent(AbstractBaseUser):
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=12, choices=Role, default=Role.AGENT)
    teams = models.ManyToManyField(Team, related_name="agents", blank=True)
    presence = models.CharField(max_length=8, choices=Presence, default=Presence.HERE)
    off_until = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    may_join = models.BooleanField(default=True, db_default=True)  # say that two customers are one person
    may_part = models.BooleanField(default=True, db_default=True)  # take such a word back
    single_keys = models.BooleanField(default=True)  # WCAG 2.1.4: single-letter shortcuts can be turned off
    theme = models.CharField(max_length=8, blank=True)  # "", "light", "dark"
    density = models.CharField(max_length=12, blank=True)  # "", "compact"
    created_at = models.DateTimeField(default=now)

    objects = AgentManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def initials(self) -> str:
        words = self.name.split() or [self.email]
        return (words[0][0] + (words[-1][0] if len(words) > 1 else words[0][1:2])).upper()

    @property
    def short_name(self) -> str:
        first, *rest = self.name.split() or [self.email]
        return f"{first} {rest[-1][0]}." if rest else first

    teams_known: list[int] | None = None
    is_named = True  # in a sensitive case; until it is known that in none

    def know_teams(self) -> None:
        """Reads once, for whoever asks for a page, what they may see. By hand: every page does."""
        with connection.cursor() as cursor:
            cursor.execute(MAY_SEE, [self.pk, self.pk])
            self.teams_known, self.is_named = cursor.fetchone()

    @property
    def team_ids(self) -> list[int]:
        if self.teams_known is not None:
            return self.teams_known
        return [team.pk for team in self.teams.all()]

    @property
    def is_supervisor(self) -> bool:
        """Admins may do all that supervisors may."""
        return self.role in (Role.SUPERVISOR, Role.ADMIN)

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN

    def may(self, act: str) -> bool:
        """`act` is a key of settings.RIGHTS."""
        roles = [each.value for each in Role]
        return roles.index(self.role) >= roles.index(settings.RIGHTS[act])

    @property
    def may_redact(self) -> bool:
        return self.may("redact")

    @property
    def may_erase(self) -> bool:
        return self.may("erase")

    @property
    def may_export(self) -> bool:
        return self.may("export")

    @property
    def is_allowed_to_join(self) -> bool:
        return self.may_join or self.is_supervisor

    @property
    def is_allowed_to_part(self) -> bool:
        return self.may_part or self.is_supervisor

    @property
    def is_here(self) -> bool:
        """Off ends by itself."""
        if self.presence == Presence.OFF and self.off_until and self.off_until <= now():
            return True
        return self.presence == Presence.HERE

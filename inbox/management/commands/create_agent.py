from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction

from inbox.management import asking
from inbox.models import Agent, Role, Team


class Command(BaseCommand):
    help = "Makes an agent, supervisor or admin. Asks for what is not given; teams that do not exist are made."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", nargs="?", default="")
        parser.add_argument("--name", default="")
        parser.add_argument("--role", choices=Role.values, default="")
        parser.add_argument("--team", action="append", default=[], help="may be given several times")
        parser.add_argument("--password-file", default="", help="a file that holds the password; typed otherwise")

    def handle(self, *args: Any, **options: Any) -> None:
        email = asking.value(options["email"], "E-mail address", "The e-mail address").lower()
        try:
            validate_email(email)
        except ValidationError as error:
            raise CommandError(f"{email} is not an e-mail address.") from error
        if Agent.objects.filter(email__iexact=email).exists():
            raise CommandError(f"{email} is an agent already; change_password sets a new password.")
        name = asking.value(options["name"], "Name", "--name")
        role = asking.value(options["role"], "Role (agent, supervisor, admin)", "--role", _likely_role())
        if role not in Role.values:
            raise CommandError(f"The role is agent, supervisor or admin, not {role}.")
        teams = options["team"] or [asking.value("", "Team", "--team", "Support")]
        password = asking.password(options["password_file"], Agent(email=email, name=name))
        with transaction.atomic():
            agent = Agent.objects.create_agent(email, password, name=name, role=role)
            agent.teams.set([Team.objects.get_or_create(name=team.strip())[0] for team in teams])
        self.stdout.write(f"{agent.name} can sign in as {agent.email} ({agent.get_role_display().lower()}).")


def _likely_role() -> str:
    """The first one has to be an admin, or nobody could see the connections."""
    return Role.AGENT.value if Agent.objects.filter(role=Role.ADMIN).exists() else Role.ADMIN.value

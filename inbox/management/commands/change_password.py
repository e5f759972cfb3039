from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from inbox.management import asking
from inbox.models import Agent


class Command(BaseCommand):
    help = "Sets an agent's password. It signs the agent out everywhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--password-file", default="", help="a file that holds the password; typed otherwise")

    def handle(self, *args: Any, **options: Any) -> None:
        agent = Agent.objects.filter(email__iexact=options["email"]).first()
        if agent is None:
            raise CommandError(f"There is no agent {options['email']}.")
        agent.set_password(asking.password(options["password_file"], agent))
        agent.save(update_fields=["password"])
        self.stdout.write(f"{agent.name} has a new password.")

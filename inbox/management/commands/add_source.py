from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from customers.models import Source


class Command(BaseCommand):
    help = "Lets another system tell of customers, orders and events: prints its token, once. --revoke ends that."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what the system is called: shop, crm")
        parser.add_argument("--revoke", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        name = " ".join(options["name"].split())
        valid = Source.objects.filter(name=name, revoked_at=None)
        if options["revoke"]:
            if not valid.update(revoked_at=now()):
                raise CommandError(f"There is no system called {name} with a valid token.")
            self.stdout.write(f"The token of {name} is not valid any more.")
            return
        if not name or len(name) > 60:
            raise CommandError("A name has 1 to 60 characters.")
        if valid.exists():
            raise CommandError(f"{name} has a token. --revoke ends it, then a new one can be made.")
        token = Source.objects.issue(name)[1]
        self.stdout.write(f"{name} shows this token with every request. It is shown once:\n{token}")

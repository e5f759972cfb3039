from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connectors.models import Connector
from inbox import live
from inbox.locking import locked
from inbox.models import Agent, Case


class Command(BaseCommand):
    help = "Ends an agent's access at once and gives their open cases back, or stops a connector (by its address)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("who", help="an agent's e-mail address; with --connector a mailbox, number or account")
        parser.add_argument("--connector", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["connector"]:
            self._connector(options["who"])
        else:
            self._agent(options["who"])

    def _agent(self, email: str) -> None:
        agent = Agent.objects.active().filter(email__iexact=email).first()
        if agent is None:
            raise CommandError(f"There is no active agent {email}.")
        Agent.objects.filter(pk=agent.pk).update(is_active=False)
        live.announce(lambda: {"kind": "agent", "agent": agent.pk})
        given = 0
        for case in Case.objects.live().filter(assignee=agent):
            with locked(case) as current:
                if current.assignee_id == agent.pk:
                    current.assign(None, by=None)
                    given += 1
        self.stdout.write(
            f"{agent.name} cannot sign in any more. {given} open case{'' if given == 1 else 's'} went back to the team."
        )

    def _connector(self, address: str) -> None:
        stopped = Connector.objects.active().filter(addresses__contains=[address]).update(is_active=False)
        if not stopped:
            raise CommandError(f"There is no active connector with the address {address}.")
        self.stdout.write(f"{address} is paused. An admin can resume it on the connections page.")

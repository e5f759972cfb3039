from __future__ import annotations

from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """One process instead of three, so that `make demo` is quick. config/supervisor.py runs it before the servers."""

    help = "Brings a demo up to date: migrates, collects static files, seeds."

    def handle(self, *args: object, **options: object) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        call_command("seed")

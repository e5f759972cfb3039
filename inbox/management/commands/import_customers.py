from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from inbox import importing
from inbox.models import ImportState


class Command(BaseCommand):
    help = "Takes a CSV file of customers, orders or events. Every bad line is named, and then nothing of it is taken."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file")
        parser.add_argument("--what", choices=list(importing.WHAT), default="customers")
        parser.add_argument("--source", required=True, help="the system the file is from")

    def handle(self, *args: Any, **options: Any) -> None:
        file = Path(options["file"])
        try:
            content = file.read_bytes()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error}.") from error
        try:
            run = importing.take_file(
                content, options["what"], source=options["source"].strip(), by=None, name=file.name
            )
        except importing.Unreadable as error:
            raise CommandError("Nothing was taken.\n" + "\n".join(map(str, error.problems))) from error
        self.stdout.write(run.share)
        for words in run.left:
            self.stdout.write(words)
        if run.untold:
            self.stdout.write(f"And {run.untold} more like these.")
        if run.state != ImportState.DONE:
            raise CommandError(f"{run.reason} The rest is tried again by itself; the Import page says how far it is.")

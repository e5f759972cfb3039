from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from inbox import importing, proposing


class Command(BaseCommand):
    help = "Takes a CSV file of customers, orders or events: all of it, or nothing, with every bad line named."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file")
        parser.add_argument("--what", choices=list(importing.WHAT), default="customers")
        parser.add_argument("--source", required=True, help="the system the file is from")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            content = Path(options["file"]).read_bytes()
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error}.") from error
        try:
            taken = importing.take_file(content, options["what"], source=options["source"].strip(), by=None)
        except importing.Unreadable as error:
            raise CommandError("Nothing was taken.\n" + "\n".join(map(str, error.problems))) from error
        proposing.propose_some(taken.doubtful)
        self.stdout.write(f"{taken.made:,} new, {taken.known:,} known before.")
        for words in taken.left:
            self.stdout.write(words)

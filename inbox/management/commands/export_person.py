"""All we know of a person, in one zip, for whoever asked for it and proved who they are."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from inbox import privacy
from inbox.management.people import customer_of
from inbox.models import Wish


class Command(BaseCommand):
    help = "Writes everything about a person into a zip."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("person", help="the customer's number, or an address of theirs")
        parser.add_argument("--proof", required=True, help="how you know that it is they who ask")
        parser.add_argument("--to", required=True, help="the zip to write")

    def handle(self, *args: str, person: str, proof: str, to: str, **options: object) -> None:
        request = privacy.note(customer_of(person), Wish.ACCESS, by=None, why="at a terminal")
        try:
            privacy.prove(request, proof, by=None)
        except privacy.NotProven as error:
            raise CommandError("Say with --proof how you know that it is they who ask.") from error
        try:
            with privacy.answer(request, by=None) as found, Path(to).open("wb") as place:
                shutil.copyfileobj(found, place)
        except OSError as error:
            raise CommandError(f"{to} cannot be written: {error}.") from error
        self.stdout.write(f"{to} holds everything about customer {request.customer_id}.")

"""Takes in again what was set aside, after a repair."""

from __future__ import annotations

import argparse

from django.core.management.base import BaseCommand, CommandError

from connectors.models import Receipt, ReceiptState
from inbox import intake


class Command(BaseCommand):
    help = "Takes receipts of the quarantine in again: those named, or all."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("receipts", nargs="*", type=int, help="their numbers, as the quarantine page shows them")
        parser.add_argument("--all", action="store_true", help="everything that is in quarantine now")

    def handle(self, *args: str, receipts: list[int], all: bool, **options: object) -> None:
        if bool(receipts) == all:
            raise CommandError("Name the receipts, or say --all.")
        found = Receipt.objects.quarantined().order_by("pk")
        chosen = list((found if all else found.filter(pk__in=receipts)).defer("body"))
        left = [each.pk for each in chosen if self._still_aside(each)]
        self.stdout.write(f"{len(chosen) - len(left)} of {len(chosen)} were taken in.")
        if left:
            self.stdout.write(f"Still in quarantine: {', '.join(str(pk) for pk in left)}.")

    def _still_aside(self, receipt: Receipt) -> bool:
        return intake.replay(receipt, by=None).state == ReceiptState.QUARANTINED

"""A person, or one address of theirs, is forgotten."""

from __future__ import annotations

import argparse
import sys

from django.core.management.base import BaseCommand, CommandError

from customers.models import Identity
from inbox import privacy
from inbox.management.people import customer_of


class Command(BaseCommand):
    help = "Erases a person, or with --address one address of theirs. It cannot be taken back."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("person", help="the customer's number, or an address of theirs")
        parser.add_argument("--address", default="", help="only this address of theirs")
        parser.add_argument("--why", required=True, help="kept in the audit; do not name the person")
        parser.add_argument("--yes", action="store_true", help="do not ask whether you are sure")

    def handle(self, *args: str, person: str, address: str, why: str, yes: bool, **options: object) -> None:
        customer = customer_of(person)
        identity = None
        if address:
            theirs = Identity.objects.filter(customer__in=customer.family(), value=address.strip().lower())
            identity = theirs.first()
            if identity is None:
                raise CommandError(f"{address} is no address of customer {customer.pk}.")
        what = f"the address {address}" if identity else f"everything about customer {customer.pk}"
        if not yes:
            _ask(what)
        if identity:
            gone = privacy.erase_address(identity, by=None, why=why)
        else:
            gone = privacy.erase_person(customer, by=None, why=why)
        counted = ", ".join(f"{number} {name}" for name, number in gone.items()) or "nothing was left"
        self.stdout.write(f"Erased {what}: {counted}. The workers remove the raw bytes they came in.")


def _ask(what: str) -> None:
    if not sys.stdin.isatty():
        raise CommandError("Say --yes: it cannot be taken back.")
    if input(f"Erase {what}? It cannot be taken back. Type yes: ").strip() != "yes":
        raise CommandError("Nothing was erased.")

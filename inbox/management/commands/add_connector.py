from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from connectors.adapters import ADAPTERS
from connectors.adapters import steps as asked
from connectors.messages import Channel
from connectors.models import Connector, ConnectorKind
from customers.identities import NotAnAddress, normalise_ours
from inbox.management import asking
from inbox.models import Team


class Command(BaseCommand):
    help = (
        "Connects a mailbox, a number or an Instagram account. Asks for what is not given; prints the webhook address."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", nargs="?", choices=ConnectorKind.values)
        parser.add_argument("--address", action="append", default=[], help="ours; may be given several times")
        parser.add_argument("--name", default="", help="what agents see")
        parser.add_argument("--team", default="", help="made when it does not exist")
        parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="hosts, ports, user names")
        parser.add_argument(
            "--secret-file", action="append", default=[], metavar="NAME=FILE", help="a file that holds that one secret"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        kind = asking.value(options["kind"] or "", f"Kind ({', '.join(ConnectorKind.values)})", "The kind")
        if kind not in ConnectorKind.values:
            raise CommandError(f"The kind is {', '.join(ConnectorKind.values)}, not {kind}.")
        addresses = [_ours(kind, each) for each in options["address"] or [asking.value("", "Address", "--address")]]
        for address in addresses:
            if Connector.objects.filter(kind=kind, addresses__contains=[address]).exists():
                raise CommandError(f"{address} is connected already.")
        name = asking.value(options["name"], "Name", "--name", addresses[0])
        team = asking.value(options["team"], "Team", "--team", "Support")
        known = {"address": addresses[0], "name": name}
        values = _values(kind, _pairs(options["set"]), _pairs(options["secret_file"]), known)
        settings = {field.name for field in _fields(kind).values() if field.is_option}
        with transaction.atomic():
            connector = Connector.objects.create(
                kind=kind,
                name=name,
                addresses=addresses,
                team=Team.objects.get_or_create(name=team)[0],
                credentials={key: value for key, value in values.items() if key not in settings},
                options={key: value for key, value in values.items() if key in settings},
            )
        self.stdout.write(f"{connector.name} is connected for {team}.")
        if ADAPTERS[Channel(kind)].receives_webhooks:
            self.stdout.write(f"Enter this address as its webhook: {connector.webhook_url}")
            made = [field for field in _fields(kind).values() if field.is_made]
            for field in made:
                self.stdout.write(f"{field.question} to enter beside it: {values[field.name]}")
        else:
            self.stdout.write("watch_mail reads it within a minute.")


def _fields(kind: str) -> dict[str, asked.Field]:
    return asked.fields(ADAPTERS[Channel(kind)].steps)


def _ours(kind: str, address: str) -> str:
    try:
        return normalise_ours(ADAPTERS[Channel(kind)].identity_kind, address)
    except NotAnAddress as error:
        raise CommandError(f"{error}.") from error


def _pairs(given: Sequence[str]) -> dict[str, str]:
    pairs = dict(each.partition("=")[::2] for each in given)
    for name, value in pairs.items():
        if not name or not value:
            raise CommandError(f"Write NAME=VALUE, not {name}.")
    return pairs


def _values(kind: str, plain: dict[str, str], files: dict[str, str], known: dict[str, str]) -> dict[str, str]:
    """Everything the adapter needs, given or asked for, in order."""
    fields = _fields(kind)
    for name in [*plain, *files]:
        if name not in fields:
            raise CommandError(f"A connector of this kind has no {name}. It has {', '.join(fields)}.")
    for name in plain:
        if fields[name].is_secret:
            raise CommandError(f"{name} is a secret: give it with --secret-file {name}=FILE, or type it when asked.")
    found: dict[str, str] = {}
    for name, field in fields.items():
        default = field.default or (known | found).get(field.like, "")
        if field.is_made and not files.get(name):
            found[name] = secrets.token_urlsafe(18)
        elif (found.get(field.unless) or not field.is_needed) and field.is_secret and not files.get(name):
            continue
        elif field.is_secret:
            file = files.get(name, "")
            found[name] = (
                default if default and not file else asking.secret(file, field.question, f"--secret-file {name}=FILE")
            )
        elif field.is_needed:
            found[name] = asking.value(plain.get(name, ""), field.question, f"--set {name}=VALUE", default)
        elif plain.get(name):
            found[name] = plain[name]
        _check(field, found.get(name, ""))
    return found


def _check(field: asked.Field, value: str) -> None:
    try:
        if field.check:
            field.check(value)
    except ValueError as error:
        raise CommandError(f"{field.name}: {error}") from error

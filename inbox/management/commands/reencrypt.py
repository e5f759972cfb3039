from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from connectors.models import Connector
from inbox.models import Erasing


class Command(BaseCommand):
    help = (
        "Encrypts the connectors' secrets with the newest of CREDENTIAL_KEYS. After it, the older ones may be dropped."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            connectors = list(Connector.objects.select_for_update())
            for connector in connectors:
                connector.save(update_fields=["credentials"])
            for erasing in Erasing.objects.select_for_update():
                erasing.save(update_fields=["addresses"])
        self.stdout.write(f"{len(connectors)} connectors' secrets are encrypted with the newest key.")

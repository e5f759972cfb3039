"""Secrets at rest: JSON encrypted with the keys of CREDENTIAL_KEYS (newest first), never with SECRET_KEY."""

from __future__ import annotations

import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


def keyring() -> MultiFernet:
    """Raises ImproperlyConfigured when a key is not a Fernet key."""
    try:
        return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])
    except ValueError as error:
        raise ImproperlyConfigured("CREDENTIAL_KEYS holds something that is not a Fernet key.") from error


class SecretsField(models.BinaryField[Any, Any]):
    """A dict of strings, encrypted. Reading with a missing key raises; ciphertext is never passed on as a value."""

    def get_prep_value(self, value: Any) -> Any:
        if value is None or isinstance(value, bytes):
            return value
        return keyring().encrypt(json.dumps(value, separators=(",", ":")).encode())

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return super().get_db_prep_value(self.get_prep_value(value), connection, prepared=True)

    def from_db_value(self, value: Any, expression: object, connection: object) -> dict[str, str] | None:
        if value is None:
            return None
        try:
            secrets: dict[str, str] = json.loads(keyring().decrypt(bytes(value)))
        except InvalidToken as error:
            raise ImproperlyConfigured(
                "A connector's credentials were encrypted with a key that is not in CREDENTIAL_KEYS."
            ) from error
        return secrets

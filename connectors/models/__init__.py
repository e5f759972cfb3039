"""What is configured (Connector), where reading got to (MailFolder), and what came in (Receipt)."""

from connectors.models.connector import (
    MOST_REFUSALS,
    Connector,
    ConnectorKind,
    Side,
    at_hand,
    forget_at_hand,
    new_token,
)
from connectors.models.folder import MailFolder
from connectors.models.receipt import Receipt, ReceiptQuerySet, ReceiptState

__all__ = [
    "MOST_REFUSALS",
    "Connector",
    "ConnectorKind",
    "MailFolder",
    "Receipt",
    "ReceiptQuerySet",
    "ReceiptState",
    "Side",
    "at_hand",
    "forget_at_hand",
    "new_token",
]

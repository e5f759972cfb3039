"""What is asked when a WhatsApp number is connected."""

from __future__ import annotations

from dataclasses import replace

from connectors.adapters.steps import Step
from connectors.adapters.twilio.steps import STEPS as OF_TEXTS

ACCOUNT, _, RULES = OF_TEXTS
STEPS = (
    replace(ACCOUNT, fields=tuple(each for each in ACCOUNT.fields if each.name != "from_name")),  # it is shown anyway
    Step(
        "webhook",
        "Webhook",
        "In Twilio's console open the WhatsApp sender and enter this address for incoming messages, with POST.",
        shows_webhook=True,
    ),
    RULES,
)

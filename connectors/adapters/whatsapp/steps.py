"""What is asked when a WhatsApp number is connected."""

from __future__ import annotations

from connectors.adapters.steps import Step
from connectors.adapters.twilio.steps import STEPS as OF_TEXTS

STEPS = (
    OF_TEXTS[0],
    Step(
        "webhook",
        "Webhook",
        "In Twilio's console open the WhatsApp sender and enter this address for incoming messages, with POST.",
        shows_webhook=True,
    ),
)

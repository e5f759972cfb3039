"""WhatsApp through Twilio's API (reference/twilio.md): the same account, calls and webhooks as texts.

`Account.secrets` and `Account.options` are those of the Twilio adapter. `Account.addresses`: our WhatsApp numbers in
E.164, without Twilio's `whatsapp:`. A customer is a number, or an id that WhatsApp made for those who hide theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import quote

from connectors.adapters.base import Limits
from connectors.adapters.steps import Step
from connectors.adapters.twilio import TwilioAdapter, check
from connectors.adapters.whatsapp.limits import WhatsAppLimits
from connectors.adapters.whatsapp.steps import STEPS
from connectors.messages import Account, Channel, Check


class WhatsAppAdapter(TwilioAdapter):
    channel: ClassVar[Channel] = Channel.WHATSAPP
    identity_kind: ClassVar[str] = "whatsapp"
    steps: ClassVar[Sequence[Step]] = STEPS
    own_address: ClassVar[str] = "WhatsApp number"
    prefix: ClassVar[str] = "whatsapp:"

    def __init__(self) -> None:
        self.limits: Limits = WhatsAppLimits()

    def check(self, account: Account) -> list[Check]:
        return check.checks(account, is_number=False)

    def door(self, account: Account, text: str) -> str:
        return f"https://wa.me/{account.addresses[0].lstrip('+')}?text={quote(text)}"

"""The programs we speak with, by channel. One explicit table: nothing is found by name or by import order."""

from __future__ import annotations

from connectors.adapters.base import Adapter
from connectors.adapters.email import EmailAdapter
from connectors.adapters.instagram import InstagramAdapter
from connectors.adapters.twilio import TwilioAdapter
from connectors.adapters.whatsapp import WhatsAppAdapter
from connectors.messages import Channel

ADAPTERS: dict[Channel, Adapter] = {
    Channel.EMAIL: EmailAdapter(),
    Channel.SMS: TwilioAdapter(),
    Channel.INSTAGRAM: InstagramAdapter(),
    Channel.WHATSAPP: WhatsAppAdapter(),
}

"""What fits into a WhatsApp message, and when none may be sent (twilio.md §5, §8)."""

from __future__ import annotations

from datetime import timedelta

from connectors.adapters import text as cutting
from connectors.adapters.base import BACK_OFF
from connectors.messages import Closing, Limit, Refusal, Standing

MAX_UNITS = 1_600  # of Twilio's Body; an emoji counts as two
WINDOW = timedelta(hours=24)
SAFETY = timedelta(minutes=1)  # so that a message does not reach WhatsApp a moment too late


class WhatsAppLimits:
    max_files = 10
    max_file_bytes = 16 * 1024 * 1024
    max_total_bytes = 64 * 1024 * 1024
    has_subject = False
    has_copies = False
    has_rich_text = False
    files_apart = True  # one file to a message
    asks_before_first = False
    introduces_us = False
    back_off = BACK_OFF

    def split(self, text: str) -> list[str]:
        return cutting.split(text, MAX_UNITS, cutting.utf16_units)

    def count(self, text: str) -> Limit:
        parts = len(self.split(text))
        return Limit(used=cutting.utf16_units(text), room=parts * MAX_UNITS, parts=parts, unit="characters")

    def refusal(self, standing: Standing) -> Refusal | None:
        if standing.opted_out_at is not None:
            return Refusal(
                f"They asked for no more WhatsApp messages on {standing.opted_out_at:%-d %B %Y}.",
                "Use another channel; they can write START to take that back.",
            )
        if standing.last_inbound_at is None:
            return Refusal("They have never written on WhatsApp, and only they may begin.", "Use another channel.")
        if standing.now - standing.last_inbound_at > WINDOW - SAFETY:
            return Refusal(
                "They last wrote more than 24 hours ago, and WhatsApp allows no answer after that.",
                "Use another channel, or wait until they write again.",
            )
        if standing.files > self.max_files:
            return Refusal(f"At most {self.max_files} files can be sent at once.", "Take some out.")
        return None

    def file_trouble(self, name: str, content_type: str, size: int) -> str:
        return ""  # Twilio names no kinds; what a carrier does not take is said in words when it refuses

    def closing(self, standing: Standing) -> Closing | None:
        ends = standing.last_inbound_at and standing.last_inbound_at + WINDOW - SAFETY
        return Closing("WhatsApp takes answers until", ends) if ends and ends > standing.now else None

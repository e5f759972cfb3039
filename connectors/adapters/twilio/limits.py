"""What fits into a text message, and when none may be sent (twilio.md §6, §7)."""

from __future__ import annotations

from connectors.adapters import text as cutting
from connectors.adapters.base import BACK_OFF
from connectors.adapters.twilio.segments import segments
from connectors.messages import Closing, Limit, Refusal, Standing

MAX_UNITS = 1_600  # Twilio counts characters; an emoji is counted as two here, the safe reading


class SmsLimits:
    max_files = 10
    max_file_bytes = 5 * 1024 * 1024
    max_total_bytes = 5 * 1024 * 1024
    has_subject = False
    has_copies = False
    has_rich_text = False
    files_apart = False
    asks_before_first = True
    introduces_us = True
    back_off = BACK_OFF

    def split(self, text: str) -> list[str]:
        """Texts longer than Twilio takes are cut between words and marked `(1/2) `, `(2/2) `."""
        if cutting.utf16_units(text) <= MAX_UNITS:
            return [text]
        digits = 1
        while True:
            mark = len("(/) ") + 2 * digits
            parts = cutting.split(text, MAX_UNITS - mark, cutting.utf16_units)
            if len(str(len(parts))) <= digits:
                return [f"({number}/{len(parts)}) {part}" for number, part in enumerate(parts, start=1)]
            digits += 1

    def count(self, text: str) -> Limit:
        """Units as the carrier bills them; `parts` are segments, over all the messages the text becomes."""
        messages = [segments(part) for part in self.split(text)]
        return Limit(
            used=sum(message.used for message in messages),
            room=sum(message.room for message in messages),
            parts=sum(message.count for message in messages),
            unit="characters",
        )

    def refusal(self, standing: Standing) -> Refusal | None:
        if standing.opted_out_at is not None:
            return Refusal(
                f"They opted out of texts from this number on {standing.opted_out_at:%-d %B %Y}.",
                "Use another channel; a text from them saying START allows texts again.",
            )
        if standing.files > self.max_files:
            return Refusal(
                f"A text message carries at most {self.max_files} files.", "Take some out, or send them by email."
            )
        return None

    def file_trouble(self, name: str, content_type: str, size: int) -> str:
        return ""  # Twilio names no kinds; what a carrier does not take is said in words when it refuses

    def closing(self, standing: Standing) -> Closing | None:
        return None

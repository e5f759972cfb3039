"""What fits into an Instagram message, and when none may be sent (instagram.md §10)."""

from __future__ import annotations

from datetime import timedelta

from connectors.adapters import text as cutting
from connectors.adapters.base import BACK_OFF
from connectors.messages import Closing, Limit, Refusal, Standing

MAX_BYTES = 1_000
WINDOW = timedelta(hours=24)
HUMAN_AGENT_WINDOW = timedelta(days=7)
SAFETY = timedelta(minutes=1)  # so that a message does not reach Meta a moment too late
MEGABYTE = 1024 * 1024
# Meta's kinds of attachment, and the largest of each
LARGEST = {"image": 8 * MEGABYTE, "video": 25 * MEGABYTE, "audio": 25 * MEGABYTE, "file": 25 * MEGABYTE}
KINDS = {
    **dict.fromkeys(("image/png", "image/jpeg", "image/gif"), "image"),
    **dict.fromkeys(
        ("video/mp4", "video/ogg", "video/x-msvideo", "video/avi", "video/quicktime", "video/webm"), "video"
    ),
    **dict.fromkeys(("audio/aac", "audio/x-aac", "audio/mp4", "audio/m4a", "audio/x-m4a"), "audio"),
    **dict.fromkeys(("audio/wav", "audio/x-wav", "audio/wave"), "audio"),
    "application/pdf": "file",
}
TAKEN = "pictures (PNG, JPEG, GIF), videos (MP4, MOV, WebM, AVI, OGG), sound (AAC, M4A, WAV) and PDF"


class InstagramLimits:
    max_files = 10
    max_file_bytes = 25 * MEGABYTE
    max_total_bytes = max_files * max_file_bytes  # each is a message of its own
    has_subject = False
    has_copies = False
    has_rich_text = False
    files_apart = True
    asks_before_first = False
    introduces_us = False
    back_off = BACK_OFF

    def split(self, text: str) -> list[str]:
        """Meta counts bytes, so an emoji is four or more; joined, the parts are the text again."""
        return cutting.split(text, MAX_BYTES, cutting.utf8_bytes)

    def count(self, text: str) -> Limit:
        parts = len(self.split(text))
        return Limit(used=cutting.utf8_bytes(text), room=parts * MAX_BYTES, parts=parts, unit="bytes")

    def refusal(self, standing: Standing) -> Refusal | None:
        if standing.opted_out_at is not None:
            return Refusal("They asked not to be written to on Instagram.", "Use another channel.")
        if standing.last_inbound_at is None:
            return Refusal(
                "They have not written on Instagram yet, and Instagram lets only customers begin.",
                "Use another channel.",
            )
        closing = self.closing(standing)
        if closing is None and _may_be_a_human_agent(standing):
            return Refusal(
                "They last wrote on Instagram more than 7 days ago, and Instagram allows no answer after that.",
                "Use another channel, or wait until they write there again.",
            )
        if closing is None:
            return Refusal(
                "They last wrote on Instagram more than 24 hours ago, and Instagram allows no answer after that.",
                "Use another channel, or wait until they write there again.",
            )
        if standing.files > self.max_files:
            return Refusal(f"At most {self.max_files} files go with one Instagram reply.", "Take some out.")
        return None

    def file_trouble(self, name: str, content_type: str, size: int) -> str:
        kind = KINDS.get(content_type)
        if kind is None:
            return f"Instagram takes {TAKEN}, not {name}. Send it by email."
        if size > LARGEST[kind]:
            return f"{name} is larger than the {LARGEST[kind] // MEGABYTE} MB Instagram takes."
        return ""

    def closing(self, standing: Standing) -> Closing | None:
        """24 hours; where Meta has approved it, 7 days for what a person writes."""
        if standing.last_inbound_at is None:
            return None
        day, week = (standing.last_inbound_at + window - SAFETY for window in (WINDOW, HUMAN_AGENT_WINDOW))
        if standing.now <= day:
            return Closing("Instagram takes answers until", day)
        if standing.now <= week and _may_be_a_human_agent(standing):
            return Closing("Their 24 hours are over. As a person's own answer Instagram takes it until", week)
        return None


def _may_be_a_human_agent(standing: Standing) -> bool:
    return standing.options.get("human_agent") == "yes" and not standing.automatic

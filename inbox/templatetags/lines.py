"""The line that bends: list glyph, timeline divider, card picture. Geometry is decided here, colour by CSS."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils.timezone import now

from inbox.models import Case, EntryKind

register = template.Library()

ORDER = ("email", "sms", "instagram")
IN_ROW = {"email": 7, "sms": 13, "instagram": 19}
IN_GUTTER = {"email": 21, "sms": 33, "instagram": 45}
BEND_SHOWN = timedelta(hours=24)


def is_fresh(at: datetime | None) -> bool:
    return at is not None and now() - at < BEND_SHOWN


@register.inclusion_tag("inbox/_glyph.html")
def glyph(case: Case) -> dict[str, Any]:
    """26 × 44: the customer's channel solid, a bend for a fresh move, dashes for what is unanswered elsewhere."""
    here = case.channel if case.channel in IN_ROW else ""
    before = case.previous_channel if is_fresh(case.moved_at) and case.previous_channel in IN_ROW else ""
    x = IN_ROW.get(here, 7)
    loose = [name for name in case.open_channels if name in IN_ROW and name != here]
    return {
        "channel": here,
        "x": x,
        "square_x": x - 3,
        "before": before if before != here else "",
        "before_x": IN_ROW.get(before, 0),
        "loose": [(name, IN_ROW[name]) for name in loose if name != before],
        "before_open": before in case.open_channels,
        "is_open": here in case.open_channels,
        "is_ours": case.last_kind == EntryKind.REPLY and not case.open_channels,
    }


@register.simple_tag
def bend_path(before: str, after: str) -> str:
    """The divider's curve in a 64 × 40 box."""
    a, b = IN_GUTTER.get(before, 21), IN_GUTTER.get(after, 21)
    return f"M{a} 0C{a} 22 {b} 18 {b} 40"


@register.inclusion_tag("inbox/_picture.html")
def picture(lanes: list[tuple[str, bool]]) -> dict[str, Any]:
    """52 × 22 for the card: one level per channel in the order they were used, dashes where something is open."""
    lanes = lanes[-3:]
    levels = {1: [11], 2: [6, 16], 3: [4, 11, 18]}[max(len(lanes), 1)]
    width = 48 / max(len(lanes), 1)
    steps = []
    for number, ((name, is_open), y) in enumerate(zip(lanes, levels, strict=False)):
        start, last = 2 + number * width, number == len(lanes) - 1
        end = 50 if last else start + width - 4
        steps.append(
            {
                "channel": name,
                "is_open": is_open,
                "last": last,
                "line": f"M{start:g} {y}H{end:g}",
                "loose": "" if last or not is_open else f"M{end:g} {y}H50",
                "bend": "" if last else f"M{end:g} {y}C{end + 7:g} {y} {end + 1:g} {levels[number + 1]} {end + 8:g} {levels[number + 1]}",
                "next": "" if last else lanes[number + 1][0],
                "knot_x": 44 if last else f"{start + 8:g}",
                "y": y,
            }
        )
    return {"steps": steps}

"""The line that bends: list glyph, timeline divider, card picture. Geometry is decided here, colour by CSS."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import now

from inbox.models import Case, EntryKind

register = template.Library()

IN_ROW = {"email": 7, "sms": 13, "instagram": 19, "whatsapp": 25}
IN_GUTTER = {"email": 21, "sms": 33, "instagram": 45, "whatsapp": 57}
BEND_SHOWN = timedelta(hours=24)


def is_fresh(at: datetime | None) -> bool:
    return at is not None and now() - at < BEND_SHOWN


@register.simple_tag
def glyph(case: Case) -> SafeString:
    """26 × 44: the customer's channel solid, a bend for a fresh move, dashes for what is unanswered elsewhere.

    Fifty of these are on a page: strings, no template.
    """
    here = case.channel if case.channel in IN_ROW else ""
    before = case.previous_channel if is_fresh(case.moved_at) and case.previous_channel in IN_ROW else ""
    before = "" if before == here else before
    x, is_open = IN_ROW.get(here, 7), here in case.open_channels
    loose = [name for name in case.open_channels if name in IN_ROW and name not in (here, before)]
    parts = [_path(name, f"M{IN_ROW[name]} 0v44", "loose") for name in loose]
    if before:
        a, was_open = IN_ROW[before], before in case.open_channels
        parts += [_path(before, f"M{a} 14v30", "loose")] if was_open else []
        parts += [_path(before, f"M{a} 0v14"), _path(here, f"M{a} 14C{a} 24 {x} 20 {x} 30v14")]
        parts += [_knot(before, a, 9, was_open), _knot(here, x, 33, is_open)]
    else:
        is_ours = case.last_kind == EntryKind.REPLY and not case.open_channels
        parts += [_path(here, f"M{x} 0v44"), _square(here, x) if is_ours else _knot(here, x, 22, is_open)]
    return mark_safe(f'<svg class="glyph" viewBox="0 0 26 44" aria-hidden="true">{"".join(parts)}</svg>')  # noqa: S308


def _path(channel: str, d: str, kind: str = "line") -> str:
    return f'<path class="{kind}" data-channel="{channel}" d="{d}"/>'


def _knot(channel: str, x: int, y: int, is_open: bool) -> str:
    return f'<circle class="knot{" open" if is_open else ""}" data-channel="{channel}" cx="{x}" cy="{y}" r="4"/>'


def _square(channel: str, x: int) -> str:
    return f'<rect class="knot" data-channel="{channel}" x="{x - 3}" y="19" width="6" height="6" rx="1.5"/>'


@register.simple_tag
def bend_path(before: str, after: str) -> str:
    """The divider's curve in a 64 × 40 box."""
    a, b = IN_GUTTER.get(before, 21), IN_GUTTER.get(after, 21)
    return f"M{a} 0C{a} 22 {b} 18 {b} 40"


# Where each level starts, and where it leaves for the next one, in the card's 52 × 22 picture.
LEVELS = {1: [(2, 11, 50)], 2: [(2, 6, 16), (36, 16, 50)], 3: [(2, 4, 11), (23, 11, 28), (40, 18, 50)]}


@register.inclusion_tag("inbox/_picture.html")
def picture(lanes: Sequence[tuple[str, bool]], channel: str = "") -> dict[str, Any]:
    """The bend as it was: one level per channel in the order they were used, dashes where something is open."""
    lanes = sorted(lanes, key=lambda lane: lane[0] == channel)[-3:]  # where they are now comes last
    levels = LEVELS[max(len(lanes), 1)]
    steps = []
    for number, ((name, is_open), (start, y, end)) in enumerate(zip(lanes, levels, strict=False)):
        is_last = number == len(lanes) - 1
        step: dict[str, Any] = {
            "channel": name,
            "is_open": is_open,
            "last": is_last,
            "line": f"M{start} {y}H{end}",
            "y": y,
        }
        step["knot_x"] = 45 if is_last else (start + end) // 2 + (1 if len(lanes) == 2 else 0)
        if not is_last:
            to_x, to_y, _ = levels[number + 1]
            middle = (end + to_x) / 2
            step |= {
                "bend": f"M{end} {y}C{middle + 2:g} {y} {middle - 2:g} {to_y} {to_x} {to_y}",
                "next": lanes[number + 1][0],
                "loose": f"M{end} {y}H50" if is_open else "",
            }
        steps.append(step)
    return {"steps": steps}

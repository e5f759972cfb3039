"""Short lengths of time, where tenths count."""

from __future__ import annotations

from datetime import timedelta

from django import template

from inbox.templatetags.words import span

register = template.Library()


@register.filter
def seconds(length: float) -> str:
    """'40 ms', '1.3 s', '12 s', and from two minutes on like every other length of time."""
    if length < 1:
        return f"{round(length * 1000)} ms"
    if length < 10:
        return f"{length:.1f} s"
    return f"{round(length)} s" if length < 120 else span(timedelta(seconds=length))

"""Rows that are shown again and again, drawn once for everything that can be seen in them.

What a row shows is the values of its objects, the words they make today, and a little about who looks. All of that is
the key, and a row is drawn with nothing else at hand, so it can be old but never wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.db.models import Model
from django.template import Context
from django.utils.safestring import SafeString

from inbox.models import Case
from inbox.templatetags.lines import is_fresh
from inbox.templatetags.words import back_at, called, short_clock, waited

register = template.Library()
MOST = 4_000
_drawn: dict[tuple[Any, ...], SafeString] = {}


@register.simple_tag(takes_context=True)
def case_row(context: Context, case: Case) -> SafeString:
    """One row of a list."""
    view, agent, owner = context.get("view"), context.get("agent"), case.assignee
    key = (
        view.slug if view else "",
        agent is not None and agent.name == case.last_author,
        called(case.customer),
        (owner.name, owner.initials) if owner else None,
        is_fresh(case.moved_at),
        back_at(case.snoozed_until),
        waited(case.waiting_since),
        short_clock(case.last_at),
        *values(case),
    )
    return draw(context, "inbox/_row.html", key, {"case": case, "view": view, "agent": agent})


def values(row: Model) -> tuple[Any, ...]:
    """Everything that was read of it, and whatever a view has noted on it."""
    known = [value for name, value in vars(row).items() if not name.startswith("_")]
    return tuple(repr(value) if isinstance(value, (list, dict)) else value for value in known)


def draw(context: Context, name: str, key: tuple[Any, ...], shown: Mapping[str, Any]) -> SafeString:
    piece = _drawn.get((name, *key))
    if piece is None:
        assert context.template is not None
        piece = context.template.engine.get_template(name).render(context.new(dict(shown)))
        if len(_drawn) >= MOST:
            _drawn.clear()
        _drawn[name, *key] = piece
    return piece

"""How figures are written, and where each of them leads."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import template

from customers.models import Customer
from inbox.metrics import shown
from inbox.views.pictures import LANE

register = template.Library()


@register.filter
def figure(number: int) -> str:
    return shown(number)


@register.filter
def lane(row: int) -> int:
    """Where a channel's line runs in the bump chart."""
    return row * LANE + LANE // 2


@register.filter
def lanes_high(rows: int) -> int:
    return rows * LANE


@register.filter
def initials(customer: Customer) -> str:
    """Who it is, for a screen that strangers see: never a name, never an address."""
    return " ".join(f"{word[0].upper()}." for word in customer.name.split()[:2]) or "somebody"


@register.simple_tag(takes_context=True)
def opens(context: dict[str, Any], name: str, **scope: Any) -> str:
    """The address of exactly the cases a figure counts, within the team the board is narrowed to."""
    team = context.get("team")
    query = {"team": team.pk if team else "", **scope}
    asked = urlencode({key: value for key, value in query.items() if value})
    return f"/board/cases/{name}/{'?' if asked else ''}{asked}"

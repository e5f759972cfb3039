"""Rows that are shown again and again, drawn once for everything that can be seen in them.

What a row shows is the values of its objects, the words they make today, and a little about who looks. All of that is
the key, and a row is drawn with nothing else at hand, so it can be old but never wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django import template
from django.db.models import Model
from django.template import Context
from django.utils.safestring import SafeString
from django.utils.timezone import localdate

from inbox.models import Agent, Case, EntryKind
from inbox.templatetags.lines import is_fresh
from inbox.templatetags.words import back_at, called, short_clock, waited

if TYPE_CHECKING:
    from inbox.views.timeline import Row

register = template.Library()
MOST, LONGEST = 4_000, 20_000  # pieces, and characters of one that is kept
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


@register.simple_tag(takes_context=True)
def timeline_rows(context: Context, rows: Sequence[Row]) -> SafeString:
    """What has a form in it, or may still be taken back, is drawn each time."""
    case, agent, several = context["case"], context.get("agent"), context.get("several") or {}
    around = (localdate(), case.pk, called(case.customer), *sorted(several.items()))
    drawn = []
    for row in rows:
        shown = {"row": row, "case": case, "several": several, "agent": agent}
        if case.customer.is_a_line or _has_a_form(row):
            with context.push(**shown):
                drawn.append(template_of(context, row.template).render(context))
        else:
            drawn.append(draw(context, row.template, (*around, *_shown(row, agent)), shown))
    return SafeString("".join(drawn))


def _has_a_form(row: Row) -> bool:
    return bool((row.entry and row.entry.kind == EntryKind.FILED) or (row.sending and row.sending.until))


def _shown(row: Row, viewer: Agent | None) -> Iterator[Any]:
    yield from (row.id, row.order, row.lane, row.from_lane, row.at)
    for entry in [row.entry] if row.entry else row.entries:
        writer, identity, switch = entry.agent, entry.identity, getattr(entry, "switch", None)
        yield from values(entry)
        yield (writer.name, writer.short_name, viewer is not None and writer.pk == viewer.pk) if writer else None
        yield (identity.kind, identity.value, identity.handle) if identity else None
        yield values(switch) if switch else None
    for file in row.files:
        yield values(file)
    if row.sending:
        yield (row.sending.state, row.sending.parts, values(row.sending.delivery))


def values(row: Model) -> tuple[Any, ...]:
    """Everything that was read of it, and whatever a view has noted on it."""
    known = [value for name, value in vars(row).items() if not name.startswith("_")]
    return tuple(_part(value) for value in known)


def _part(value: Any) -> Any:
    """A whole mail is no key: its hash, salted for this process, tells it from any other."""
    if isinstance(value, (list, dict)):
        value = repr(value)
    return hash(value) if isinstance(value, str) and len(value) > 200 else value


def draw(context: Context, name: str, key: tuple[Any, ...], shown: Mapping[str, Any]) -> SafeString:
    piece = _drawn.get((name, *key))
    if piece is None:
        piece = template_of(context, name).render(context.new(dict(shown)))
        if len(_drawn) >= MOST:
            _drawn.clear()
        if len(piece) <= LONGEST:
            _drawn[name, *key] = piece
    return piece


def template_of(context: Context, name: str) -> template.Template:
    assert context.template is not None
    return context.template.engine.get_template(name)

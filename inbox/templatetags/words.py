"""How things read on screen: times, waits, names, sizes. Words only; lines are in lines.py."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import cache

from django import template
from django.templatetags.static import static
from django.utils.html import escape, format_html, urlize
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime, now

from connectors.messages import CHANNEL_WORDS
from customers.models import Customer
from inbox.models import Agent

register = template.Library()

CHANNELS = {channel.value: words.name for channel, words in CHANNEL_WORDS.items()} | {"note": "Note"}
BY = {channel.value: words.inside for channel, words in CHANNEL_WORDS.items()}
MESSAGE = {channel.value: words.message for channel, words in CHANNEL_WORDS.items()}
OURS = {channel.value: words.ours for channel, words in CHANNEL_WORDS.items()}
MOST_SHOWN = 20_000


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """Beside a word, or in a button that has a label of its own."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', static("icons.svg"), name)


@register.filter
def channel(name: str) -> str:
    return CHANNELS.get(name, name)


@register.filter
def domain(address: str) -> str:
    return address.rpartition("@")[2]


@register.filter
def by_channel(name: str) -> str:
    """Inside a sentence: 'reply by email', 'reply by SMS'."""
    return BY.get(name, name)


@register.filter
def message_word(name: str) -> str:
    return MESSAGE.get(name, "message")


@register.filter
def our_word(name: str) -> str:
    """On the button: 'Send SMS', 'Send WhatsApp message'."""
    return OURS.get(name, "message")


@register.filter
def called(customer: Customer) -> str:
    """The name, or the oldest address; uses identities that were fetched with the customer."""
    if customer.name:
        return customer.name
    known = sorted(customer.identities.all(), key=lambda identity: (identity.erased_at is not None, identity.pk))
    return known[0].shown if known else f"Customer {customer.pk}"


@register.filter
def first_name(customer: Customer) -> str:
    words = [] if customer.is_a_line else customer.name.split()
    return words[0] if words else called(customer)


@register.filter
def first_word(text: str) -> str:
    return text.split()[0] if text.split() else text


@register.filter
def repeats(preview: str, subject: str) -> bool:
    """A text message has no subject of its own: the case took its first words, and one line would say them twice."""
    return bool(subject) and preview.startswith(subject.rstrip("…")[:60])


@register.filter
def clock(at: datetime | None) -> str:
    """'10:52' today, 'Mon 09:14' this week, '14 Oct 09:14' before that."""
    if at is None:
        return ""
    there, today = localtime(at), localtime()
    days = (today.date() - there.date()).days
    if days == 0:
        return there.strftime("%H:%M")
    if 0 < days < 7:
        return there.strftime("%a %H:%M")
    if there.year == today.year:
        return f"{there.day} {there:%b %H:%M}"
    return f"{there.day} {there:%b %Y %H:%M}"


@register.filter
def short_clock(at: datetime | None) -> str:
    """For list rows: '10:52', 'Tue', '14 Oct', 'Oct 2023'."""
    if at is None:
        return ""
    there, today = localtime(at), localtime()
    days = (today.date() - there.date()).days
    if days <= 0:
        return there.strftime("%H:%M")
    if days < 7:
        return there.strftime("%a")
    return f"{there.day} {there:%b}" if there.year == today.year else f"{there:%b %Y}"


@register.filter
def day(at: datetime) -> str:
    there, today = localtime(at), localtime()
    days = (today.date() - there.date()).days
    if days == 0:
        return "Today"
    if days == 1:
        return "Yesterday"
    return f"{there:%A} {there.day} {there:%B}" + ("" if there.year == today.year else f" {there.year}")


@register.filter
def back_at(at: datetime | None) -> str:
    """When something snoozed comes back: '15:00', 'tomorrow 9:00', 'Mon 9:00'."""
    if at is None:
        return ""
    there, today = localtime(at), localtime()
    days = (there.date() - today.date()).days
    hour = f"{there.hour}:{there:%M}"
    if days <= 0:
        return hour
    if days == 1:
        return f"tomorrow {hour}"
    return f"{there:%a} {hour}" if days < 7 else f"{there.day} {there:%b} {hour}"


@register.filter
def ago(at: datetime | None) -> str:
    if at is None:
        return ""
    length = now() - at
    if length < timedelta(minutes=1):
        return "just now"
    return f"{span(length)} ago" if length < timedelta(days=14) else short_clock(at)


@register.filter
def waited(since: datetime | None) -> str:
    return span(now() - since) if since else ""


@register.filter
def span(length: timedelta) -> str:
    """'3 h 12 m', '48 m', '16 days'. The browser keeps it going: static/js/time.js says the same words."""
    minutes = max(int(length.total_seconds() // 60), 0)
    if minutes < 60:
        return f"{minutes} m"
    if minutes < 60 * 24:
        return f"{minutes // 60} h {minutes % 60} m" if minutes % 60 else f"{minutes // 60} h"
    days, hours = divmod(minutes // 60, 24)
    if days < 3 and hours:
        return f"{days} d {hours} h"
    return "1 day" if days == 1 else f"{days} days"


@register.filter
def iso(at: datetime | None) -> str:
    return localtime(at).isoformat(timespec="seconds") if at else ""


@register.filter
def size(octets: int) -> str:
    if octets < 1024:
        return f"{octets} B"
    if octets < 1024 * 1024:
        return f"{octets / 1024:.0f} kB"
    return f"{octets / 1024 / 1024:.1f} MB"


_LINK = re.compile(r'<a href="(https?:|mailto:)')
_MAYBE_LINK = re.compile(r"://|@|www\.|\.(?:com|edu|gov|int|mil|net|org)", re.I)  # without these, urlize finds nothing


@register.filter
def plain(text: str) -> SafeString:
    """Customers' text as they typed it, with links that open elsewhere and tell nobody where they came from."""
    shown: str = escape(text[:MOST_SHOWN])
    if _MAYBE_LINK.search(shown):
        shown = urlize(shown, nofollow=True)
    return mark_safe(  # noqa: S308  escaped above
        _LINK.sub(r'<a target="_blank" referrerpolicy="no-referrer" href="\1', shown)
    )


@register.filter
def owner(agent: Agent | None, viewer: Agent | None) -> str:
    """'You', or who it is."""
    if agent is None:
        return ""
    return "You" if viewer is not None and viewer.pk == agent.pk else agent.short_name


@register.filter
def sheets(names: str) -> list[str]:
    """Addresses of our style sheets; their order does not matter, tokens.css names the layers."""
    return [static(f"css/{name}.css") for name in names.split()]

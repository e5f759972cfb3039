"""Which mails need a frame of their own: those whose look carries meaning. The rest reads better as words."""

from __future__ import annotations

import re

from django import template

register = template.Library()

_LAYOUT = re.compile(
    r"<(?:img|table|ul|ol|li|h[1-6]|pre|hr|center|font|button|video|svg)\b|background|\bcolor\s*[:=]|<(?:b|strong|u|s|del)\b",
    re.I,
)
_REMOTE = re.compile(r"\sdata-src=", re.I)


@register.filter
def needs_frame(html: str) -> bool:
    return bool(_LAYOUT.search(html))


@register.filter
def has_remote_images(html: str) -> bool:
    return bool(_REMOTE.search(html))
